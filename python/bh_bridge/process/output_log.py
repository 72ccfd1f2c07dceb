"""What Python and its libraries print during a training: into the run's own log, with step and time beside it."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path


class OutputLog:
    """The log of a run. After each step that printed something, a line says which step it was, and when."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        self._size = os.fstat(self._fd).st_size

    def mark(self, step: int) -> None:
        """Called after each step; about a microsecond when nothing was printed."""
        if os.fstat(self._fd).st_size == self._size:
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        os.write(self._fd, f"--- step {step}, {now} ---\n".encode())
        self._size = os.fstat(self._fd).st_size

    @contextmanager
    def listening(self) -> Generator[None]:
        """Send stdout and stderr, C libraries' included, into this log for a while."""
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
    """Send stdout and stderr to a run's own log for a while."""
    with closing(OutputLog(path)) as log, log.listening():
        yield log
