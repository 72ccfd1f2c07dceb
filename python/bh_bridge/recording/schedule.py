"""Which steps are recorded: every so many, listed, dense and then sparse, or evenly spaced on a logarithmic scale."""

from __future__ import annotations

import re
from bisect import bisect_right

from bh_bridge.errors import ConfigInvalid

Written = int | list[int] | str
_PART = re.compile(r"(\d+)\.\.(\d+)|every (\d+)(?: to (\d+))?|log (\d+)(?: to (\d+))?")


class Schedule:
    """The steps of a training that are recorded: those of a schedule, the first and the last.

    written: as `record.every` of a configuration: `10`, `[0, 5, 50]`, or parts that follow one another, such as
    `0..100, every 10 to 1000, every 100` and `0..10, log 20` (20 steps in each power of ten).
    """

    def __init__(self, written: Written, first: int, last: int) -> None:
        self._first = first
        self._last = last
        self._every = written if isinstance(written, int) else None  # steps without a list of them
        listed = [] if isinstance(written, int) else _steps(written, last)
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


def _steps(written: list[int] | str, last: int) -> list[int]:
    if isinstance(written, list):
        return written
    steps: list[int] = []
    end = -1  # steps after it belong to the part
    for part in written.split(","):
        match = _PART.fullmatch(part.strip())
        if match is None:
            raise ConfigInvalid(f'record.every: "{part.strip()}" is no schedule')
        dense_from, dense_to, every, every_to, log, log_to = (
            None if text is None else int(text) for text in match.groups()
        )
        if dense_to is not None and dense_from is not None:
            to = dense_to
            found = range(max(dense_from, end + 1), min(to, last) + 1)
        elif every:
            to = last if every_to is None else every_to
            found = range((end // every + 1) * every, min(to, last) + 1, every)
        else:
            to = last if log_to is None else log_to
            found = _on_a_logarithmic_scale(log or 1, end + 1, min(to, last))
        steps += found
        end = max(end, to)
    return steps


def _on_a_logarithmic_scale(per_decade: int, first: int, last: int) -> list[int]:
    """10^(i / per_decade), rounded half up, from `first` to `last`."""
    steps: list[int] = []
    for index in range(10 * 16 * per_decade):
        step = int(10.0 ** (index / per_decade) + 0.5)
        if step > last:
            break
        if step >= first and (not steps or step > steps[-1]):
            steps.append(step)
    return steps
