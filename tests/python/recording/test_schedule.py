"""The steps of a schedule, compared with the words that say it."""

import math

import pytest
from bh_bridge.errors import ConfigInvalid
from bh_bridge.recording.schedule import Schedule, Written
from hypothesis import given
from hypothesis import strategies as st


def steps_of(written: Written, last: int, first: int = 0) -> list[int]:
    schedule = Schedule(written, first, last)
    return [step for step in range(first, last + 1) if schedule.has(step)]


@given(every=st.integers(1, 30), first=st.integers(0, 40), more=st.integers(1, 100))
def test_every_so_many_steps_and_the_first_and_the_last(every: int, first: int, more: int) -> None:
    last = first + more
    expected = sorted({first, last, *(step for step in range(first, last) if step % every == 0)})
    schedule = Schedule(every, first, last)
    assert steps_of(every, last, first) == expected
    assert [schedule.index(step) for step in expected] == list(range(len(expected)))


def test_a_list_and_words() -> None:
    assert steps_of([5, 2, 99], 10) == [0, 2, 5, 10]
    dense_then_sparse = "0..100, every 10 to 1000, every 100"
    assert steps_of(dense_then_sparse, 2050) == [*range(101), *range(110, 1001, 10), *range(1100, 2001, 100), 2050]
    assert steps_of("3..5, every 4 to 9, 20..21", 30) == [0, 3, 4, 5, 8, 20, 21, 30]
    tenths = sorted({math.floor(10 ** (i / 4) + 0.5) for i in range(13)})
    assert steps_of("log 4", 1000) == [0, *tenths]
    assert steps_of("0..10, log 4 to 300", 1000) == [*range(11), *(step for step in tenths if 10 < step <= 300), 1000]


def test_the_index_of_a_step_is_that_of_the_newest_recorded_state() -> None:
    schedule = Schedule("0..2, every 5", 0, 12)
    assert [schedule.index(step) for step in range(13)] == [0, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5]


def test_what_is_no_schedule_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match='"whenever" is no schedule'):
        Schedule("0..5, whenever", 0, 9)
