"""What is recorded of each step: chosen tensors, rows and cadence, each in a history file of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from transformers import GPT2LMHeadModel

from bh_bridge.history import HistoryFile, Layout


class EmbeddingTap:
    """Reads the embedding and what belongs to it, [vocab, hidden] each, under their recordable names.

    optimizer_state: what the optimizer keeps for a weight, by name. It comes to be when the training begins; which
    dtype its moments will have has to be known before.
    """

    def __init__(
        self,
        model: GPT2LMHeadModel,
        moment_dtype: torch.dtype,
        optimizer_state: Callable[[torch.Tensor], Mapping[str, Any]],
    ) -> None:
        self._model = model
        self._moment_dtype = moment_dtype
        self._optimizer_state = optimizer_state
        self._gradient: torch.Tensor | None = None

    @property
    def weight(self) -> torch.Tensor:
        return self._model.transformer.wte.weight

    @property
    def is_finite(self) -> bool | torch.Tensor:
        """Whether every value of the embedding is a finite number; on a GPU a tensor, so that nobody waits for it."""
        weight = self.weight.detach()
        if weight.device.type != "cpu":
            return weight.isfinite().all()
        # A sum is finite only when every value is, and takes a third of the time; it can also overflow.
        return bool(weight.sum().isfinite()) or bool(weight.isfinite().all())

    def dtype(self, name: str) -> torch.dtype:
        """The dtype of the tensor; torch gives a gradient that of its weight."""
        return self.weight.dtype if name in ("wte", "wte.grad") else self._moment_dtype

    def capture_gradient(self) -> None:
        """Keep the gradient as the optimizer receives it; after the step it is gone."""
        gradient = self.weight.grad
        self._gradient = None if gradient is None else gradient.detach().clone()

    def read(self, name: str) -> torch.Tensor | None:
        """The tensor; None while it does not exist yet (no gradient, no moments before the first step)."""
        if name == "wte":
            return self.weight
        if name == "wte.grad":
            return self._gradient
        return self._optimizer_state(self.weight).get(name.removeprefix("wte."))


class Recorder:
    """Writes the state after the optimizer step, every `every` steps, plus the initial and the last one.

    steps: of the whole training; until: the step that it ends after, where that is known to be an earlier one.
    """

    def __init__(
        self,
        directory: Path,
        record: dict[str, Any],
        rows: list[int] | None,
        steps: int,
        tap: EmbeddingTap,
        first_step: int = 0,
        until: int | None = None,
    ) -> None:
        self._every: int = record["every"]
        self._steps = steps
        self._first_step = first_step  # that of state 0: not zero in a run that goes on from a checkpoint of HF's
        self._tap = tap
        self._rows = None if rows is None else torch.tensor(rows)
        vocab, hidden = tap.weight.shape
        self._files: dict[str, HistoryFile] = {}
        self._kept: list[tuple[int, dict[str, torch.Tensor]]] = []  # states that are not in the files yet, by step
        with contextlib.ExitStack() as undo:
            undo.callback(self.close)
            for name in record["tensors"]:
                self._files[name] = HistoryFile(
                    directory / ("history.safetensors" if name == "wte" else f"history.{name}.safetensors"),
                    Layout(
                        tensor="embedding_history" if name == "wte" else name,
                        dtype=tap.dtype(name),
                        states=self._index(steps if until is None else until) + 1,
                        rows=vocab if rows is None else len(rows),
                        hidden=hidden,
                    ),
                )
            undo.pop_all()

    @property
    def state_bytes(self) -> int:
        """Bytes of what is recorded of one step."""
        return sum(file.layout.state_bytes for file in self._files.values())

    @property
    def records_gradient(self) -> bool:
        return "wte.grad" in self._files

    def covers(self, step: int) -> bool:
        """True when every file has committed all states up to this step."""
        return all(file.committed >= self._index(step) for file in self._files.values())

    @property
    def recorded_step(self) -> int:
        """The newest step that is committed in every file; -1 when nothing is."""
        return min(-1 if file.committed < 0 else file.record(file.committed).step for file in self._files.values())

    def rewind(self, step: int | None) -> None:
        """Go back to the state after `step`; None goes back to before the initial state."""
        for file in self._files.values():
            last = file.committed
            if last > 0 and (recorded := file.record(last).step) % self._every and recorded != self._steps:
                file.forget_after(last - 1)  # the off-beat last state of a run that is now longer
            file.rewind(-1 if step is None else self._index(step))

    def forget_after(self, step: int | None) -> None:
        """As `rewind`, but what was recorded after `step` is taken back and not compared."""
        for file in self._files.values():
            file.forget_after(-1 if step is None else self._index(step))

    def record(self, step: int, loss: float) -> None:
        """Record the state after `step` when it is its turn."""
        if self._is_turn_of(step):
            for name, file in self._files.items():
                file.append(self._select(name).cpu(), step, loss)

    def keep(self, step: int) -> None:
        """As `record`, but the state stays where it is computed until `record_kept`: nobody waits for it."""
        if self._is_turn_of(step):
            self._kept.append((step, {name: self._select(name).clone() for name in self._files}))

    def record_kept(self, losses: dict[int, float]) -> None:
        """Record the states that were kept, copied at once; losses: by step."""
        kept, self._kept = self._kept, []
        if not kept:
            return
        for name, file in self._files.items():
            states = torch.stack([rows[name] for _, rows in kept]).cpu()
            for (step, _), state in zip(kept, states, strict=True):
                file.append(state, step, losses[step])

    def commit(self) -> None:
        for file in self._files.values():
            file.commit()

    def shorten(self) -> None:
        """Give the files of a run that ended early the shape that was recorded."""
        for file in self._files.values():
            file.shorten()

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _index(self, step: int) -> int:
        """Index of the newest state that is recorded when `step` is done."""
        on_the_beat = step // self._every - self._first_step // self._every
        return on_the_beat + (1 if step == self._steps and step % self._every else 0)

    def _is_turn_of(self, step: int) -> bool:
        return step % self._every == 0 or step in (self._first_step, self._steps)

    def _select(self, name: str) -> torch.Tensor:
        """The rows of a tensor that are recorded, where they are."""
        state = self._tap.read(name)
        if state is None:  # before the first step there is neither gradient nor moment: their state 0 is zero
            layout = self._files[name].layout
            return torch.zeros(layout.rows, layout.hidden, dtype=layout.dtype)
        state = state.detach()
        if self._rows is None:
            return state
        self._rows = self._rows.to(state.device)  # once: a copy to a GPU waits for what it computes
        return state[self._rows]
