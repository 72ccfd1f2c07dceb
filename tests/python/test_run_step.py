"""Of every step's events, those may be left out whose loss nobody minds."""

from bh_bridge.run_step import COALESCIBLE_EVENTS


def test_the_events_that_may_be_left_out_are_those_of_every_step() -> None:
    assert set(COALESCIBLE_EVENTS) == {
        "step_begin",
        "pre_optimizer_step",
        "optimizer_step",
        "substep_end",
        "step_end",
        "prediction_step",
    }
