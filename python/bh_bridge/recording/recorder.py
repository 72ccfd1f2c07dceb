"""Records the chosen tensors, rows and steps of a run, each tensor in a history file of its own, and all weights."""

from __future__ import annotations

import contextlib
from bisect import bisect_right
from pathlib import Path

import torch
from transformers import PreTrainedModel

from bh_bridge.bridge.messages import Record
from bh_bridge.models.families import embedding_of
from bh_bridge.recording.history import HistoryFile, Layout
from bh_bridge.recording.model_deltas import ModelDeltas, States
from bh_bridge.recording.quantities import Quantities

Written = int | list[int]


class Schedule:
    """The recorded steps of a training: those of a schedule, the first and the last.

    written: every n-th step, or a list of steps, as resolved by TypeScript.
    """

    def __init__(self, written: Written, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._every = written if isinstance(written, int) else None  # avoids a long list
        listed = [] if isinstance(written, int) else written
        self._steps = sorted({first, *(step for step in listed if first < step < last), last})

    def has(self, step: int) -> bool:
        """Whether the state after a step is recorded."""
        if self._every is not None:
            return step % self._every == 0 or step in (self._first, self._last)
        index = self.index(step)
        return index >= 0 and self._steps[index] == step

    def index(self, step: int) -> int:
        """Index of the newest recorded state after `step`."""
        if self._every is None:
            return bisect_right(self._steps, step) - 1
        count = step // self._every - self._first // self._every
        return count + (1 if step == self._last and step % self._every else 0)


class EmbeddingTap:
    """Reads the embedding of a model, [vocab, hidden]."""

    def __init__(self, model: PreTrainedModel) -> None:
        self._model = model

    @property
    def weight(self) -> torch.Tensor:
        return embedding_of(self._model)

    @property
    def is_finite(self) -> bool | torch.Tensor:
        """Whether every value of the embedding is finite; on a GPU a tensor, which avoids waiting."""
        weight = self.weight.detach()
        if weight.device.type != "cpu":
            return weight.isfinite().all()
        # A finite sum proves it in a third of the time, but sums can overflow.
        return bool(weight.sum().isfinite()) or bool(weight.isfinite().all())


class Recorder:
    """Records each quantity at the steps of its schedule, and at the initial and last step; all weights at every step.

    rows: token ids of the rows to record of quantities with a row per token; None for all.
    steps: of the whole training; until: the step after which it stops, if earlier.
    """

    def __init__(
        self,
        directory: Path,
        record: Record,
        rows: list[int] | None,
        steps: int,
        quantities: Quantities,
        first_step: int = 0,
        until: int | None = None,
    ) -> None:
        self._quantities = quantities
        self._rows = None if rows is None else torch.tensor(rows)
        self._files: dict[str, HistoryFile] = {}
        self._kept: list[tuple[int, dict[str, torch.Tensor]]] = []  # states that are not written yet, by step
        self._first_step = first_step
        self._deltas: ModelDeltas | None = None
        self._kept_models: list[tuple[int, torch.Tensor]] = []
        schedules = record.get("schedules", {})
        self._schedules = {
            # The first step is not zero in a run that starts from a checkpoint of HF's Trainer.
            name: Schedule(schedules.get(name, record["every"]), first_step, steps)
            for name in record["tensors"]
        }
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            for name, quantity in quantities.by_name.items():
                self._files[name] = HistoryFile(
                    directory / ("history.safetensors" if name == "wte" else f"history.{name}.safetensors"),
                    Layout(
                        tensor="embedding_history" if name == "wte" else name,
                        dtype=quantity.dtype,
                        states=self._schedules[name].index(steps if until is None else until) + 1,
                        rows=len(rows) if rows is not None and quantity.is_by_token else quantity.rows,
                        hidden=quantity.columns,
                    ),
                )
            if record["model"] == "deltas":
                last = steps if until is None else until
                self._deltas = ModelDeltas(directory, States(quantities.model), last - first_step)
            undo.pop_all()

    @property
    def state_bytes(self) -> int:
        """Bytes of what is recorded of one step."""
        weights = 0 if self._deltas is None else self._deltas.states.bytes
        return weights + sum(file.layout.state_bytes for file in self._files.values())

    def note_norm(self, norm: torch.Tensor) -> None:
        """Note the gradient norm before clipping."""
        self._quantities.note_norm(norm)

    def capture(self) -> None:
        """Copy recorded quantities that the optimizer step changes."""
        self._quantities.capture()

    def covers(self, step: int) -> bool:
        """Whether every file has committed all states up to this step."""
        if self._deltas is not None and self._deltas.committed < step - self._first_step:
            return False
        return all(file.committed >= self._schedules[name].index(step) for name, file in self._files.items())

    @property
    def recorded_step(self) -> int:
        """The newest step committed in every file; -1 if there is none."""
        newest = [-1 if file.committed < 0 else file.record(file.committed).step for file in self._files.values()]
        if self._deltas is not None:
            newest.append(-1 if self._deltas.committed < 0 else self._first_step + self._deltas.committed)
        return min(newest)

    def rewind(self, step: int | None) -> None:
        """Return to the state after `step`; None returns to before the initial state."""
        for name, file in self._files.items():
            last, schedule = file.committed, self._schedules[name]
            if last > 0 and not schedule.has(file.record(last).step):
                file.forget_after(last - 1)  # the last state of a run that is now longer is not in the schedule
            file.rewind(-1 if step is None else schedule.index(step))
        if self._deltas is not None:
            self._deltas.rewind(-1 if step is None else step - self._first_step)

    def forget_after(self, step: int | None) -> None:
        """Discard what was recorded after `step`, so that it is not compared."""
        for name, file in self._files.items():
            file.forget_after(-1 if step is None else self._schedules[name].index(step))
        if self._deltas is not None:
            self._deltas.forget_after(-1 if step is None else step - self._first_step)

    def record(self, step: int, loss: float) -> None:
        """Record the state after `step` if it is due."""
        for name, file in self._due(step):
            file.append(self._select(name).cpu(), step, loss)
        if self._deltas is not None:
            self._deltas.append(self._deltas.states.read().cpu(), step)

    def keep(self, step: int) -> None:
        """As `record`, but keep the state on its device until `record_kept`, which avoids waiting."""
        if due := self._due(step):
            self._kept.append((step, {name: self._select(name).clone() for name, _ in due}))
        if self._deltas is not None:
            self._kept_models.append((step, self._deltas.states.read()))

    def record_kept(self, losses: dict[int, float]) -> None:
        """Record the kept states, copied together; losses: by step."""
        kept, self._kept = self._kept, []
        for name, file in self._files.items():
            of_file = [(step, rows[name]) for step, rows in kept if name in rows]
            if not of_file:
                continue
            states = torch.stack([rows for _, rows in of_file]).cpu()
            for (step, _), state in zip(of_file, states, strict=True):
                file.append(state, step, losses[step])
        models, self._kept_models = self._kept_models, []
        if self._deltas is not None and models:
            copied = torch.stack([state for _, state in models]).cpu()
            for (step, _), state in zip(models, copied, strict=True):
                self._deltas.append(state, step)

    def commit(self) -> None:
        for file in self._files.values():
            file.commit()
        if self._deltas is not None:
            self._deltas.commit()

    def shorten(self) -> None:
        """Reduce the files of a stopped run to their recorded states."""
        for file in self._files.values():
            file.shorten()

    def close(self) -> None:
        for file in self._files.values():
            file.close()
        if self._deltas is not None:
            self._deltas.close()
        self._quantities.close()

    def _due(self, step: int) -> list[tuple[str, HistoryFile]]:
        """The files in which a step is recorded."""
        return [(name, file) for name, file in self._files.items() if self._schedules[name].has(step)]

    def _select(self, name: str) -> torch.Tensor:
        """The recorded rows of a quantity, on their device."""
        quantity = self._quantities.by_name[name]
        state = quantity.read()
        if state is None:  # before the first step, gradients and moments are recorded as zero
            layout = self._files[name].layout
            return torch.zeros(layout.rows, layout.hidden, dtype=layout.dtype)
        state = state.detach().reshape(quantity.rows, quantity.columns)
        if self._rows is None or not quantity.is_by_token:
            return state
        self._rows = self._rows.to(state.device)  # only once, because copying to a GPU waits for it
        return state[self._rows]
