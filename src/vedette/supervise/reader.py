"""A thread that reads what processes cost, so that nobody else waits for the system's answers."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from vedette.supervise.resources import Watched
from vedette.supervise.usage import Usage

__all__ = ["UsageReader"]


@dataclass(frozen=True, slots=True)
class _Question:
    processes: Sequence[Watched]
    memory: bool
    cpu: float


class UsageReader:
    """Use it from one thread. ``trouble`` hears, from the reading thread, of the first mistake of ours."""

    def __init__(self, usage: Usage, trouble: Callable[[str], None] = lambda _: None) -> None:
        self._usage, self._trouble = usage, trouble
        self._questions: queue.Queue[_Question | None] = queue.Queue(1)
        self._thread: threading.Thread | None = None
        self._closed = self._told = False

    def ask(self, processes: Sequence[Watched], *, memory: bool, cpu: float) -> bool:
        """As :meth:`Usage.read`, soon. False while the question before waits: the system does not answer, and
        nobody asks it twice."""
        if self._closed:
            return False
        if self._thread is None:
            # A daemon: a process that the kernel holds must not hold the node's end.
            self._thread = threading.Thread(target=self._run, name="vedette-usage", daemon=True)
            self._thread.start()
        try:
            self._questions.put_nowait(_Question(processes, memory, cpu))
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Read no more. Waits for nobody."""
        self._closed = True
        try:
            self._questions.put_nowait(None)
        except queue.Full:
            pass  # it looks at `_closed` once it has answered

    def _run(self) -> None:
        while (question := self._questions.get()) is not None and not self._closed:
            try:
                self._usage.read(question.processes, memory=question.memory, cpu=question.cpu)
            except Exception as err:  # a mistake of ours costs figures, and nothing else
                if not self._told:
                    self._told = True
                    self._trouble(f"resources cannot be read: {type(err).__name__}: {err}")
