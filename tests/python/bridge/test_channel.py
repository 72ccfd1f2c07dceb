"""The side channel keeps order, loses only what it may, and never blocks the training."""

import json
import socket
import threading
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from bh_bridge.bridge import channel
from bh_bridge.bridge.channel import BACKLOG_LINES, Channel


class Node:
    """The other end: reads when it is told to, and sends commands."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reader = connection.makefile("r", encoding="utf-8")
        self.token = self._reader.readline().strip()

    def read(self) -> dict[str, Any]:
        return json.loads(self._reader.readline())

    def send(self, **command: Any) -> None:
        self._connection.sendall(json.dumps(command).encode() + b"\n")


@pytest.fixture
def ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Channel, Node]]:
    monkeypatch.setattr(channel, "leave", lambda: None)  # this process is to live on when the connection is closed
    monkeypatch.setattr(channel, "ORPHAN_GRACE_SECONDS", 0)
    path = tmp_path / "session" / "events"
    path.parent.mkdir()
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1)
    ours = Channel(str(path), "the token")
    connection, _ = listener.accept()
    yield ours, Node(connection)
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()
    listener.close()


def line(number: int) -> str:
    return json.dumps({"n": number})


def test_the_token_comes_first_and_lines_in_their_order(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    for number in range(1000):
        ours.send(line(number), droppable=number % 3 == 0)
    assert node.token == "the token"
    assert [node.read()["n"] for _ in range(1000)] == list(range(1000))
    assert ours.lines_sent == 1000


def test_a_step_waits_for_a_batch_but_not_for_long(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    began = time.monotonic()
    ours.send(line(1), droppable=True)
    node.read()
    assert 0.02 < time.monotonic() - began < 1


def test_a_reader_that_stands_still_costs_steps_and_nothing_else(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    total = 3 * BACKLOG_LINES
    began = time.monotonic()
    for number in range(total):
        ours.send(line(number), droppable=number % 1000 != 0)
    assert time.monotonic() - began < 10  # nothing waited for the reader
    ours.send(line(-1))
    seen: list[dict[str, Any]] = []
    while not seen or seen[-1].get("n") != -1:
        seen.append(node.read())
    numbers = [message["n"] for message in seen[:-1] if "n" in message]
    coalesced = sum(message["events"] for message in seen if message.get("type") == "coalesced")
    assert coalesced > 0
    assert len(numbers) + coalesced == total
    assert numbers == sorted(numbers)
    assert [number for number in numbers if number % 1000 == 0] == list(range(0, total, 1000))
    assert ours.lines_sent == len(seen)


def answer_next(node: Node, control: dict[str, bool], to: int | None = None) -> threading.Thread:
    def answer() -> None:
        question = node.read()["question"]
        node.send(type="answer", question=question if to is None else to, control=control)

    thread = threading.Thread(target=answer)
    thread.start()
    return thread


def test_a_question_gets_its_own_answer(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    for expected in ({"should_save": True}, {}):
        thread = answer_next(node, expected)
        assert ours.ask(1, {"type": "decide"}, 10) == expected
        thread.join()


def test_a_question_without_an_answer_ends_at_its_time_and_a_late_answer_is_nobodys(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    assert ours.ask(1, {"type": "decide"}, 0.05) is None
    late = node.read()["question"]
    node.send(type="answer", question=late, control={"should_save": True})
    thread = answer_next(node, {"should_log": True})
    assert ours.ask(1, {"type": "decide"}, 10) == {"should_log": True}
    thread.join()


def test_a_stop_ends_the_training_that_it_names_and_the_question_that_it_waits_for(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    threading.Timer(0.05, lambda: node.send(type="stop", training=2, reason="signal")).start()
    assert ours.ask(2, {"type": "decide"}, 10) == {}
    assert ours.stop_reason(2) == "signal"
    assert ours.stop_reason(1) is None
    assert ours.stop_reason(3) is None


def test_a_training_that_was_told_to_stop_asks_nobody_and_waits_for_nobody(ends: tuple[Channel, Node]) -> None:
    ours, node = ends
    node.send(type="stop", training=1, reason="signal")
    while ours.stop_reason(1) is None:
        pass
    sent = ours.lines_sent
    began = time.monotonic()
    assert ours.ask(1, {"type": "decide"}, 60) == {}
    assert time.monotonic() - began < 10
    assert ours.lines_sent == sent


def test_a_late_stop_of_another_training_answers_no_question_of_this_one(ends: tuple[Channel, Node]) -> None:
    ours, node = ends

    def stop_another_and_answer() -> None:
        question = node.read()["question"]
        node.send(type="stop", training=1, reason="signal")
        node.send(type="answer", question=question, control={"should_save": True})

    thread = threading.Thread(target=stop_another_and_answer)
    thread.start()
    assert ours.ask(2, {"type": "decide"}, 10) == {"should_save": True}
    thread.join()


def test_the_end_of_node_stops_every_training_and_removes_its_folder(
    tmp_path: Path, ends: tuple[Channel, Node]
) -> None:
    ours, node = ends
    threading.Timer(0.05, lambda: node._connection.shutdown(socket.SHUT_RDWR)).start()
    assert ours.ask(1, {"type": "decide"}, 10) == {}
    assert ours.stop_reason(1) == "orphaned"
    deadline = time.monotonic() + 5
    while (tmp_path / "session").exists() and time.monotonic() < deadline:
        pass
    assert not (tmp_path / "session").exists()


@pytest.mark.parametrize(
    "command", [{"type": "eval"}, {"type": "stop", "training": "1"}, {"control": {}, "question": 1}]
)
def test_what_is_no_command_breaks_the_connection(ends: tuple[Channel, Node], command: dict[str, Any]) -> None:
    ours, node = ends
    threading.Timer(0.05, lambda: node.send(**command)).start()
    assert ours.ask(1, {"type": "decide"}, 10) == {}
    assert ours.stop_reason(1) == "orphaned"
