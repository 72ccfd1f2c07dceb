"""Which steps are recorded: every so many, or those of a list."""

from __future__ import annotations

from bisect import bisect_right

Written = int | list[int]


class Schedule:
    """The steps of a training that are recorded: those of a schedule, the first and the last.

    written: a number of steps, or a list; TypeScript has written out what a configuration says in words.
    """

    def __init__(self, written: Written, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._every = written if isinstance(written, int) else None  # steps without a list of them
        listed = [] if isinstance(written, int) else written
        self._steps = sorted({first, *(step for step in listed if first < step < last), last})

    def has(self, step: int) -> bool:
        """Whether the state after a step is recorded."""
        if self._every is not None:
            return step % self._every == 0 or step in (self._first, self._last)
        index = self.index(step)
        return index >= 0 and self._steps[index] == step

    def index(self, step: int) -> int:
        """Index of the newest recorded state when `step` is done."""
        if self._every is None:
            return bisect_right(self._steps, step) - 1
        on_the_beat = step // self._every - self._first // self._every
        return on_the_beat + (1 if step == self._last and step % self._every else 0)
