"""A handle finds its own object, and nothing once that is released."""

import pytest
from bh_bridge.bridge import registry
from bh_bridge.errors import HandleStale
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.one_of(st.just("keep"), st.integers(0, 30)), max_size=60))
def test_handles_follow_a_plain_dictionary(commands: list[str | int]) -> None:
    """`keep` stores a new object, a number releases the object that was kept as that one."""
    kept: list[registry.Handle] = []
    live: dict[int, object] = {}
    for command in commands:
        if isinstance(command, str):
            thing = object()
            live[len(kept)] = thing
            kept.append(registry.keep(thing))
        elif command < len(kept):
            registry.release({"handle": kept[command]})
            live.pop(command, None)
    for number, handle in enumerate(kept):
        if number in live:
            assert registry.find(handle) is live[number]
        else:
            with pytest.raises(HandleStale, match="was closed"):
                registry.find(handle)
    for handle in kept:
        registry.release({"handle": handle})


def test_a_handle_that_never_was_is_stale() -> None:
    for handle in ({"slot": 10_000, "generation": 1}, {"slot": -1, "generation": 1}):
        with pytest.raises(HandleStale):
            registry.find(handle)
