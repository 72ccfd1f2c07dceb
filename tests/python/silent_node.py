"""The Node at the other end of the event channel, for what is tested or measured without one."""

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any] | list[dict[str, Any]]]


def listen(folder: Path, answer: Answer | None = None) -> str:
    """Accept one connection, take everything and say nothing; return the path of the socket to connect to.

    With `answer`, say what it gives for each question of a decider.
    """
    path = str(folder / "events")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(1)

    def drain() -> None:
        connection, _ = listener.accept()
        if answer is None:
            while connection.recv(65536):
                pass
            return
        lines = connection.makefile("r", encoding="utf-8")
        next(lines)  # the token
        for message in map(json.loads, lines):
            if message["type"] == "decide":
                said = answer(message)
                for command in said if isinstance(said, list) else [said]:
                    connection.sendall(json.dumps(command).encode() + b"\n")

    threading.Thread(target=drain, daemon=True).start()
    return path


def deciding(control: dict[str, bool]) -> Answer:
    """The Node that gives every question this answer."""
    return lambda question: {"type": "answer", "question": question["question"], "control": control}
