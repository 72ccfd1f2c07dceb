"""The log of a run: the output of Python and its libraries during training, with step and time."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path


class OutputLog:
    """The log of a run. A line with step and time follows the output of each step."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._size = os.fstat(self._fd).st_size

    def mark(self, step: int) -> None:
        """Mark the end of a step; takes about a microsecond if nothing was printed."""
        if os.fstat(self._fd).st_size == self._size:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.write(self._fd, f"--- step {step}, {now} ---\n".encode())
        self._size = os.fstat(self._fd).st_size

    @contextmanager
    def listening(self) -> Generator[None]:
        """Redirect stdout and stderr, also of C libraries, into this log."""
        sys.stdout.flush()
        sys.stderr.flush()
        saved = [os.dup(1), os.dup(2)]
        try:
            os.dup2(self._fd, 1)
            os.dup2(self._fd, 2)
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for target, original in zip((1, 2), saved, strict=True):
                os.dup2(original, target)
                os.close(original)

    def close(self) -> None:
        os.close(self._fd)


@contextmanager
def output_to(path: Path) -> Generator[OutputLog]:
    """Redirect stdout and stderr into a log."""
    with closing(OutputLog(path)) as log, log.listening():
        yield log
