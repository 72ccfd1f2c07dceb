"""The Node at the other end of the event channel, for what is tested or measured without one."""

import socket
import threading
from pathlib import Path


def listen(folder: Path) -> str:
    """Accept one connection, take everything and say nothing; return the path of the socket to connect to."""
    path = str(folder / "events")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(1)

    def drain() -> None:
        connection, _ = listener.accept()
        while connection.recv(65536):
            pass

    threading.Thread(target=drain, daemon=True).start()
    return path
