"""Writes the metrics of a run by the library of a tracker, offline: python write_tracker.py MARKER REQUEST.json

The request has `tracker`, `name` of the run, `config` by dotted path, `folder` to write, `out` where the folder will be
moved, and `rows`: step, time of day in seconds, and values by name. A library that is not installed is reported as
`missing`. Variables that would send the metrics elsewhere have no effect.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

PROJECT = "bh-bridge"
BATCH = 1000  # metrics per call, MLflow's maximum
LONGEST_PARAMETER = 500


class Row(NamedTuple):
    """The values of one step."""

    step: int
    wall: float
    values: dict[str, float]


class Request(TypedDict):
    """As src/runner/export-metrics.ts sends it."""

    tracker: str
    name: str
    config: dict[str, object]
    folder: str
    out: str
    rows: list[tuple[int, float, dict[str, float]]]


def main(marker: str, path: str) -> None:
    """Print the marker and `written`, or `missing`, on one line."""
    request: Request = json.loads(Path(path).read_text(encoding="utf-8"))
    rows = [
        Row(step, wall, {name: float(value) for name, value in values.items()})
        for step, wall, values in request["rows"]
    ]
    folder = Path(request["folder"])
    folder.mkdir(exist_ok=True)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            WRITERS[request["tracker"]](folder, rows, request)
    except ImportError as error:
        print(marker + json.dumps({"missing": str(error)}))
        return
    print(marker + json.dumps({"written": True}))


def write_tensorboard(folder: Path, rows: list[Row], request: Request) -> None:
    """Scalars by step, as a SummaryWriter writes them."""
    from tensorboard.summary.writer.event_file_writer import EventFileWriter  # pyright: ignore[reportMissingImports]

    # Their classes are made when they are imported.
    events: Any = import_module("tensorboard.compat.proto.event_pb2")
    summaries: Any = import_module("tensorboard.compat.proto.summary_pb2")
    writer: Any = EventFileWriter(str(folder))
    for step, wall, values in rows:
        scalars = [summaries.Summary.Value(tag=name, simple_value=value) for name, value in values.items()]
        writer.add_event(events.Event(step=step, wall_time=wall, summary=summaries.Summary(value=scalars)))
    writer.close()


def write_wandb(folder: Path, rows: list[Row], request: Request) -> None:
    """An offline run, which `wandb sync` uploads."""
    import wandb  # pyright: ignore[reportMissingImports]

    library: Any = wandb
    settings = library.Settings(
        console="off", silent=True, disable_git=True, disable_code=True, x_disable_stats=True, x_disable_meta=True
    )
    run: Any = library.init(
        mode="offline",
        dir=str(folder),
        project=PROJECT,
        name=request["name"],
        config=request["config"],
        settings=settings,
    )
    run.define_metric("train/global_step")
    run.define_metric("*", step_metric="train/global_step", step_sync=True)
    for step, wall, values in rows:
        run.log({**values, "train/global_step": step, "_timestamp": wall}, step=step)
    run.finish()
    library.teardown()
    for path in (folder / "wandb").iterdir():
        if not path.name.startswith("offline-run-"):
            path.unlink()  # a link to the run, and logs of the library


def write_mlflow(folder: Path, rows: list[Row], request: Request) -> None:
    """A finished run in a SQLite store, under the names of transformers' callback."""
    import mlflow  # pyright: ignore[reportMissingImports]
    from mlflow.entities import Metric, Param  # pyright: ignore[reportMissingImports]

    library: Any = mlflow
    client: Any = library.MlflowClient(f"sqlite:///{folder / 'mlflow.db'}")
    artifacts = (Path(request["out"]) / "artifacts").as_uri()
    experiment = client.create_experiment(PROJECT, artifact_location=artifacts)
    milliseconds = [int(row.wall * 1000) for row in rows] or [0]
    run = client.create_run(experiment, start_time=milliseconds[0], run_name=request["name"]).info.run_id
    parameters = [Param(name, str(value)) for name, value in request["config"].items()]
    kept = [parameter for parameter in parameters if len(parameter.value) <= LONGEST_PARAMETER]
    for first in range(0, len(kept), 100):
        client.log_batch(run, params=kept[first : first + 100])
    metrics = [
        Metric(mlflow_name(name), value, int(wall * 1000), step)
        for step, wall, values in rows
        for name, value in values.items()
    ]
    for first in range(0, len(metrics), BATCH):
        client.log_batch(run, metrics=metrics[first : first + BATCH])
    client.set_terminated(run, "FINISHED", milliseconds[-1])


def mlflow_name(name: str) -> str:
    """`loss` and `eval_loss` for `train/loss` and `eval/loss`, as the callback of transformers for MLflow."""
    return "eval_" + name.removeprefix("eval/") if name.startswith("eval/") else name.removeprefix("train/")


def write_trackio(folder: Path, rows: list[Row], request: Request) -> None:
    """A run in a local store. No dashboard is started."""
    os.environ["TRACKIO_DIR"] = str(folder)  # read when trackio is imported
    import trackio  # pyright: ignore[reportMissingImports]

    library: Any = trackio
    run: Any = library.init(
        project=PROJECT,
        name=request["name"],
        config=request["config"],
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )
    for step, _, values in rows:
        run.log({**values, "train/global_step": step}, step=step)
    library.finish()
    shutil.rmtree(folder / "inbox", ignore_errors=True)


WRITERS = {
    "tensorboard": write_tensorboard,
    "wandb": write_wandb,
    "mlflow": write_mlflow,
    "trackio": write_trackio,
}


if __name__ == "__main__":
    for variable in ("TRACKIO_SPACE_ID", "TRACKIO_SERVER_URL", "TRACKIO_BUCKET_ID", "TRACKIO_WEBHOOK_URL"):
        os.environ.pop(variable, None)
    os.environ.update(
        MLFLOW_DISABLE_TELEMETRY="true",
        WANDB_ERROR_REPORTING="false",
        GRADIO_ANALYTICS_ENABLED="False",
        HF_HUB_DISABLE_TELEMETRY="1",
    )
    main(*sys.argv[1:])
