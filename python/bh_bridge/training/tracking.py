"""Experiment trackers: the callbacks of transformers, which write into the run's directory and send nothing.

Variables of the environment that the user has set win, such as WANDB_MODE=online or MLFLOW_TRACKING_URI.
"""

from __future__ import annotations

import contextlib
import copy
import importlib
import importlib.util
import os
import sys
import uuid
from collections.abc import Callable, Generator, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transformers import TrainerCallback, TrainerControl, TrainerState
from transformers.integrations.integration_utils import (
    MLflowCallback,
    TensorBoardCallback,
    TrackioCallback,
    WandbCallback,
)

from bh_bridge.errors import DependencyUnfit
from bh_bridge.process.renewal import LibraryState

if TYPE_CHECKING:
    from bh_bridge.training.step import Step

FOLDER = "trackers"  # in a run, as in src/runs/run-layout.ts
PROJECT = "bh-bridge"
IDENTITY = "run.id"  # in the folder of a tracker


def require_trackers(names: Iterable[str]) -> None:
    """DependencyUnfit if a library is not installed, with the command that installs it."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise DependencyUnfit(
                f"track: {name} is not installed. Install it with: {sys.executable} -m pip install {name}. "
                f'It is the extra "bh-bridge[{name}]"'
            )


class Tracking(TrainerCallback):
    """Forwards the logs of a training to trackers. A tracker that fails is dropped; the training continues."""

    def __init__(self, names: Iterable[str], run: Path, step: Step) -> None:
        """run: its directory. step: reports failures."""
        self._trackers = [TRACKERS[name](run) for name in names]
        self._step = step

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        self._each(lambda tracker: tracker.begin(args, state, control, **more))

    def on_log(self, args: Any, state: TrainerState, control: TrainerControl, logs: Any = None, **more: Any) -> None:
        if "train_runtime" not in logs:  # the summary is of this process, not of the run
            self._each(lambda tracker: tracker.log(args, state, control, logs=logs, **more))

    def on_train_end(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        self._each(lambda tracker: tracker.end(args, state, control, **more))

    def close(self) -> None:
        """Release the libraries; called however a training ends."""
        self._each(lambda tracker: tracker.close())

    def _each(self, do: Callable[[Tracker], None]) -> None:
        for tracker in list(self._trackers):
            streams = LibraryState()  # a library may draw random numbers
            try:
                with _variables(tracker.variables()):
                    do(tracker)
            except Exception as error:
                self._trackers.remove(tracker)
                reason = str(error).strip().split("\n", 1)[0] or type(error).__name__
                self._step.alert("tracker", f"{tracker.name} receives no further logs: {reason}")
            finally:
                streams.restore()


@contextlib.contextmanager
def _variables(defaults: Mapping[str, str]) -> Generator[None]:
    """Set the variables of the environment that the user has not set."""
    added = {name: value for name, value in defaults.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


class Tracker:
    """A callback of transformers, and the variables with which its library writes into the directory of a run."""

    name: str
    callback: Any  # once the training has begun

    def __init__(self, run: Path) -> None:
        self.run = run
        self.folder = run / FOLDER / self.name

    def variables(self) -> dict[str, str]:
        return {}

    def make_callback(self, state: TrainerState) -> Any:
        raise NotImplementedError

    def begin(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        self.folder.parent.mkdir(exist_ok=True)
        self.callback = self.make_callback(state)
        self.callback.on_train_begin(self._arguments(args), state, control, **more)

    def log(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        self.callback.on_log(self._arguments(args), state, control, **more)

    def end(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        self.callback.on_train_end(self._arguments(args), state, control, **more)

    def close(self) -> None:
        """End the run in the library, for a training that failed."""

    @property
    def _identity(self) -> str | None:
        """The identity of the run in the library, by which a resumed training continues it."""
        path = self.folder / IDENTITY
        return path.read_text(encoding="utf-8").strip() if path.exists() else None

    def _remember(self, identity: str) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / IDENTITY).write_text(f"{identity}\n", encoding="utf-8")
        return identity

    def _arguments(self, args: Any) -> Any:
        """A copy of the arguments with the name of the run."""
        own = copy.copy(args)
        own.run_name, own.project = self.run.name, PROJECT
        own.trackio_space_id = own.trackio_bucket_id = None  # trackio reads its own variables
        own.trackio_static_space_id = False  # otherwise the callback would upload a copy
        return own


class TensorBoard(Tracker):
    name = "tensorboard"

    def make_callback(self, state: TrainerState) -> Any:
        from torch.utils.tensorboard import SummaryWriter

        folder = Path(os.environ.get("TENSORBOARD_LOGGING_DIR") or self.folder)
        purged = state.global_step + 1 if folder.exists() else None  # steps that a resumed training computes again
        return TensorBoardCallback(SummaryWriter(str(folder), purge_step=purged))


class Wandb(Tracker):
    name = "wandb"
    has_ended = False

    def variables(self) -> dict[str, str]:
        return {
            "WANDB_MODE": "offline",
            "WANDB_DIR": str(self.folder.parent),  # wandb appends its name
            "WANDB_PROJECT": PROJECT,
            "WANDB_RUN_ID": self._identity or self._remember(uuid.uuid4().hex[:16]),
            "WANDB_RESUME": "allow",
            "WANDB_CONSOLE": "off",  # python.log has the output
            "WANDB_SILENT": "true",
            "WANDB_ERROR_REPORTING": "false",
            "WANDB_DISABLE_GIT": "true",
            "WANDB_DISABLE_CODE": "true",
        }

    def make_callback(self, state: TrainerState) -> Any:
        return WandbCallback()

    def end(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        super().end(args, state, control, **more)
        self.has_ended = True

    def close(self) -> None:
        library = importlib.import_module("wandb")
        library.finish(exit_code=0 if self.has_ended else 1)
        library.teardown()  # otherwise the next training of this process would get the same variables


class MLflow(Tracker):
    name = "mlflow"

    def variables(self) -> dict[str, str]:
        identity = self._identity
        return {
            "MLFLOW_TRACKING_URI": f"sqlite:///{(self.folder / 'mlflow.db').resolve()}",
            "MLFLOW_EXPERIMENT_NAME": PROJECT,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            **({} if identity is None else {"MLFLOW_RUN_ID": identity}),
        }

    def make_callback(self, state: TrainerState) -> Any:
        self.folder.mkdir(exist_ok=True)
        library, experiment = importlib.import_module("mlflow"), os.environ["MLFLOW_EXPERIMENT_NAME"]
        is_own = os.environ["MLFLOW_TRACKING_URI"] == self.variables()["MLFLOW_TRACKING_URI"]
        if is_own and library.get_experiment_by_name(experiment) is None:
            # By default, MLflow would put artifacts into the working folder.
            library.create_experiment(experiment, artifact_location=(self.folder / "artifacts").resolve().as_uri())
        return MLflowCallback()

    def begin(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        super().begin(args, state, control, **more)
        self._remember(importlib.import_module("mlflow").active_run().info.run_id)

    def end(self, args: Any, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        importlib.import_module("mlflow").flush_async_logging()  # the callback logs in a thread
        super().end(args, state, control, **more)

    def close(self) -> None:
        library = importlib.import_module("mlflow")
        if library.active_run() is not None:
            library.end_run("FAILED")


class Trackio(Tracker):
    name = "trackio"

    def variables(self) -> dict[str, str]:
        return {
            "TRACKIO_DIR": str(self.folder.resolve()),
            "GRADIO_ANALYTICS_ENABLED": "False",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def make_callback(self, state: TrainerState) -> Any:
        library = importlib.import_module("trackio")
        library.context_vars.current_project.set(None)
        # trackio reads the variable when it is imported, which an earlier training of this process may have done.
        for name, module in list(sys.modules.items()):
            if name.startswith("trackio.") and hasattr(module, "TRACKIO_DIR"):
                vars(module)["TRACKIO_DIR"] = Path(os.environ["TRACKIO_DIR"])
        return TrackioCallback()

    def close(self) -> None:
        library = importlib.import_module("trackio")
        if library.context_vars.current_run.get() is not None:
            library.finish()


TRACKERS: dict[str, Callable[[Path], Tracker]] = {kind.name: kind for kind in (TensorBoard, Wandb, MLflow, Trackio)}
