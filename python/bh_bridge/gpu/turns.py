"""Functions that run alternately in one process, each until it asks for a value."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

import torch

from bh_bridge.process.renewal import LibraryState

Asked = TypeVar("Asked")
Given = TypeVar("Given")


class Abandoned(BaseException):
    """Raised in a function that will not continue."""


class Turn(Generic[Asked, Given]):
    """A function in its own thread that runs only while `go_on` waits, with its own random streams.

    Process-wide state (random streams, accelerate's counters) is saved when a turn ends and restored when the next
    begins.
    """

    def __init__(self, function: Callable[[Callable[[Asked], Given]], None], state: LibraryState) -> None:
        """function: called with a function that asks for a value and returns it.

        state: the initial process-wide state.
        """
        self.error: BaseException | None = None  # that ended the function
        self._state = state
        self._asked: Asked | None = None
        self._given: Given | None = None
        self._is_abandoned = False
        self._has_ended = False
        self._may_run, self._has_stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._threads = torch.get_num_threads()
        self._gpu = torch.cuda.current_device() if torch.cuda.is_initialized() else None
        threading.Thread(target=self._run, args=(function,), name="bh-bridge-turn", daemon=True).start()

    def go_on(self, given: Given | None = None) -> Asked | None:
        """Answer the last request and run the function until the next one, which is returned; None at its end."""
        self._given, self._asked = given, None
        with self._state.entered():
            self._may_run.release()
            try:
                self._has_stopped.acquire()
            except BaseException:  # an interrupt: current work, such as a checkpoint, still needs its own streams
                self._has_stopped.acquire()
                raise
        return self._asked

    def abandon(self) -> None:
        """End the function by raising Abandoned in it."""
        self._is_abandoned = True
        while not self._has_ended:
            self.go_on()

    def _hand_over(self, asked: Asked) -> Given:
        self._asked = asked
        self._has_stopped.release()
        self._may_run.acquire()
        if self._is_abandoned:
            raise Abandoned
        return self._given  # pyright: ignore[reportReturnType]

    def _run(self, function: Callable[[Callable[[Asked], Given]], None]) -> None:
        self._may_run.acquire()
        torch.set_num_threads(self._threads)  # the setting is per thread
        if self._gpu is not None:
            torch.cuda.set_device(self._gpu)
        try:
            if not self._is_abandoned:
                function(self._hand_over)
        except BaseException as error:
            self.error = error
        finally:
            self._has_ended = True
            self._has_stopped.release()
