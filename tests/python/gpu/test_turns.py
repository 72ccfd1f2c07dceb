"""Functions that take turns run one at a time, with random streams of their own, and can be let go of."""

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from accelerate.state import GradientState
from bh_bridge.gpu.turns import Turn
from bh_bridge.process.renewal import LibraryState

HandOver = Callable[[int], str]


def state_of(seed: int) -> LibraryState:
    torch.manual_seed(seed)
    np.random.seed(seed)
    random.seed(seed)
    return LibraryState()


def draws(count: int) -> list[float]:
    return [number for _ in range(count) for number in (torch.rand(()).item(), np.random.rand(), random.random())]


def test_each_draws_what_it_draws_alone_and_the_rest_of_the_process_sees_nothing_of_it() -> None:
    state_of(1)
    first = draws(6)
    state_of(2)
    second = draws(6)
    drawn: list[list[float]] = [[], []]

    def drawing(place: int) -> Callable[[HandOver], None]:
        def function(hand_over: HandOver) -> None:
            for number in range(3):
                drawn[place] += draws(2)
                hand_over(number)

        return function

    turns: list[Turn[int, str]] = [Turn(drawing(place), state_of(place + 1)) for place in range(2)]
    state_of(3)
    outside = draws(2)
    state_of(3)
    drawn_outside = draws(1)
    while [turn.go_on("") for turn in turns] != [None, None]:
        pass
    assert drawn == [first, second]
    assert [*drawn_outside, *draws(1)] == outside
    assert [turn.error for turn in turns] == [None, None]


def test_what_is_handed_over_is_given_and_answered_and_an_end_is_told() -> None:
    heard: list[str] = []

    def function(hand_over: HandOver) -> None:
        heard.append(hand_over(1))
        heard.append(hand_over(2))
        raise ValueError("at its end")

    turn: Turn[int, str] = Turn(function, LibraryState())
    assert [turn.go_on(), turn.go_on("one"), turn.go_on("two")] == [1, 2, None]
    assert heard == ["one", "two"]
    assert str(turn.error) == "at its end"


def test_a_turn_that_is_let_go_of_unwinds_begun_or_not() -> None:
    unwound: list[str] = []

    def function(hand_over: HandOver) -> None:
        try:
            hand_over(1)
        finally:
            unwound.append("yes")

    begun: Turn[int, str] = Turn(function, LibraryState())
    begun.go_on()
    begun.abandon()
    assert unwound == ["yes"]
    Turn(function, LibraryState()).abandon()
    assert unwound == ["yes"]


@pytest.mark.parametrize("threads", [1, 2])
def test_a_turn_computes_with_the_threads_of_the_process(threads: int) -> None:
    before, seen = torch.get_num_threads(), []
    torch.set_num_threads(threads)
    try:
        turn: Turn[int, str] = Turn(lambda _: seen.append(torch.get_num_threads()), LibraryState())
        turn.go_on()
    finally:
        torch.set_num_threads(before)
    assert seen == [threads]


def test_accelerate_counts_the_batches_of_each_apart() -> None:
    seen: list[bool] = []

    def function(hand_over: HandOver) -> None:
        GradientState().sync_gradients = False
        hand_over(1)
        seen.append(GradientState().sync_gradients)

    GradientState().sync_gradients = True
    turn: Turn[int, str] = Turn(function, LibraryState())
    turn.go_on()
    assert GradientState().sync_gradients
    turn.go_on()
    assert seen == [False]
