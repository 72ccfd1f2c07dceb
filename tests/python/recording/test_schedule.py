"""The recorded steps of a training."""

from bh_bridge.recording.recorder import Schedule, Written
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


def test_a_list_in_any_order() -> None:
    assert steps_of([5, 2, 99], 10) == [0, 2, 5, 10]
    assert steps_of([5, 2, 99], 10, first=4) == [4, 5, 10]


def test_the_index_of_a_step_is_that_of_the_newest_recorded_state() -> None:
    schedule = Schedule([0, 1, 2, 5, 10], 0, 12)
    assert [schedule.index(step) for step in range(13)] == [0, 1, 2, 2, 2, 3, 3, 3, 3, 3, 4, 4, 5]
