"""invoke() answers everything, and raises nothing."""

import json
import math
import signal
import threading
from collections.abc import Callable
from typing import Any

import pytest
from bh_bridge import PROTOCOL_VERSION, entry
from bh_bridge.bridge import registry
from bh_bridge.process import interrupts

Answer = dict[str, Any]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Answer]:
    """Call invoke() with an operation in place of `release`, or with `release` itself."""

    def call(operation: Callable[[dict[str, Any]], Any] | None = None, **request: Any) -> Answer:
        if operation is not None:
            monkeypatch.setattr(registry, "release", operation)
        return json.loads(entry.invoke("release", json.dumps({"handle": {"slot": 0, "generation": 1}} | request)))

    return call


def raising(error: BaseException) -> Callable[[dict[str, Any]], Any]:
    def operation(_: dict[str, Any]) -> Any:
        raise error

    return operation


def test_a_reply_carries_how_many_events_were_sent(run: Callable[..., Answer]) -> None:
    answer = run()
    assert answer["ok"] == {}
    assert isinstance(answer["events"], int)


@pytest.mark.parametrize("error", [KeyError("x"), SystemExit(1), KeyboardInterrupt(), RecursionError(), MemoryError()])
def test_whatever_is_raised_is_an_answer(run: Callable[..., Answer], error: BaseException) -> None:
    err = run(raising(error))["err"]
    assert err["type"] == type(error).__name__
    assert err["module"] == "builtins"
    assert err["code"] is None
    assert err["mro"][-2:] == ["BaseException", "object"]
    assert "Traceback" in err["traceback"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_has_not_is_an_error_and_no_invalid_json(run: Callable[..., Answer], value: float) -> None:
    assert run(lambda _: {"value": value})["err"]["type"] == "ValueError"


def test_what_json_cannot_hold_is_an_error(run: Callable[..., Answer]) -> None:
    assert run(lambda _: {"value": object()})["err"]["type"] == "TypeError"


@pytest.mark.parametrize(
    ("request_fields", "message"),
    [({"handel": 1}, "handel is unknown"), ({"handle": None, "a": 1, "b": 2}, "a is unknown, b is unknown")],
)
def test_a_field_too_many_is_refused(run: Callable[..., Answer], request_fields: Any, message: str) -> None:
    err = run(**request_fields)["err"]
    assert err["code"] == "PROTOCOL_INVALID"
    assert message in err["message"]


def test_a_field_too_few_is_refused() -> None:
    err = json.loads(entry.invoke("release", "{}"))["err"]
    assert (err["code"], err["message"]) == ("PROTOCOL_INVALID", "the request of release is invalid: handle is missing")


def test_hello_is_checked_when_it_is_of_this_version() -> None:
    other = json.loads(entry.invoke("hello", '{"protocol": 0, "socket": "/tmp/s"}'))["ok"]
    assert other["protocol"] == PROTOCOL_VERSION
    err = json.loads(entry.invoke("hello", json.dumps({"protocol": PROTOCOL_VERSION, "socket": "/tmp/s"})))["err"]
    assert err["code"] == "PROTOCOL_INVALID"
    assert "channel is missing, threads is missing, device is missing" in err["message"]


def test_an_operation_that_there_is_not_is_refused() -> None:
    assert json.loads(entry.invoke("eval", "{}"))["err"]["code"] == "PROTOCOL_INVALID"


def test_every_operation_of_the_protocol_is_there_and_no_other() -> None:
    from bh_bridge.bridge.protocol import schema

    assert entry.OPERATIONS.keys() == schema()["operations"].keys()


@pytest.fixture
def interruptible_process() -> Any:
    before = signal.getsignal(signal.SIGINT)
    interrupts.listen()
    yield
    signal.signal(signal.SIGINT, before)


def spin_until(done: threading.Event) -> None:
    while not done.is_set():
        pass


def test_an_interrupt_ends_the_operation_that_it_names(interruptible_process: None) -> None:
    def operation() -> None:
        threading.Thread(target=interrupts.interrupt, args=(interrupts._current,)).start()
        spin_until(threading.Event())

    with pytest.raises(KeyboardInterrupt):
        interrupts.interruptible(operation)


def test_an_interrupt_that_comes_too_late_leaves_the_next_operation_alone(interruptible_process: None) -> None:
    done = threading.Event()
    interrupts.interruptible(lambda: None)
    ended = interrupts._current

    def late() -> None:
        interrupts.interrupt(ended)
        done.set()

    def operation() -> str:
        threading.Thread(target=late).start()
        spin_until(done)
        return "whole"

    assert interrupts.interruptible(operation) == "whole"


def test_an_interrupt_that_comes_too_early_ends_the_operation_as_it_begins(interruptible_process: None) -> None:
    interrupts.interrupt(interrupts._current + 1)
    with pytest.raises(KeyboardInterrupt):
        interrupts.interruptible(lambda: None)
    assert interrupts.interruptible(lambda: 1) == 1
