"""One worker process as its node sees it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from vedette.supervise.signs import Signs
from vedette.workers.protocol import Channel, Message, MessageTooLong, close_all, pair

__all__ = ["Child"]


REAP_WITHIN_S = 0.5


class Child:
    """A worker that can be started again and again. ``kind`` is ``camera`` or ``inference``. ``place``: where
    the table has what concerns the worker itself; that of camera worker n is n + 1."""

    def __init__(self, kind: str, name: str, place: int = 0) -> None:
        self.kind, self.name, self.place = kind, name, place
        self.post = name
        """Whose work it does: stays when another process, under another name, takes over."""
        self.staffed = True
        """Whether there is to be a process. Else its place waits for one that takes over from another."""
        self.channel: Channel | None = None
        self.ready = False
        self.spawned_at = 0.0
        self.deaths: deque[float] = deque(maxlen=16)
        self.planned_end = False
        self.kill_reason = ""
        self.told_at = 0.0
        """When it was asked to end; 0.0 = it was not."""
        self.quarantined_at = 0.0
        """Since when it is not started any more, in monotonic seconds; 0.0 while it is, or is being tried."""
        self.quarantines = 0
        """In a row; 0 = nothing is held against it."""
        self.signs = Signs()
        self.failed_starts = 0
        self.describe = ""
        """What an inference worker says its detector is, and which sizes its input may have."""
        self.inputs: list[tuple[int, int]] = []
        self.names: list[str] = []
        """Of the classes that its detector declares, by their ids."""
        self.made_of = ""
        """A hash of what its detector was loaded from."""
        self.precision = ""
        """In which that computes; empty where that is not known."""
        self.process = 0
        """Which process of all that detect it is; 0 = it does not."""
        self.answers: list[Any] = []
        """What it said to whom replaces it, oldest first."""
        self._outbox: deque[tuple[Message, list[int]]] = deque()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def waiting(self) -> int:
        """Messages that the worker has not taken yet."""
        return len(self._outbox)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        return self._process.poll() if self._process else None

    def spawn(self, first_word: Message, fds: Sequence[int]) -> None:
        """Start the process (a fresh interpreter, nothing inherited but its channel) and give it its task."""
        ours, theirs = pair()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vedette.workers", self.kind, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            # Ctrl-C in a terminal goes to its whole process group; workers are ended by their node, in order.
            process_group=0,
            # Results may go to our standard output; whatever a user's detector prints must not mix with them.
            stdout=sys.stderr.fileno() if _has_descriptor(sys.stderr) else subprocess.DEVNULL,
        )
        theirs.close()
        self.channel = Channel(ours)
        self.ready, self.planned_end, self.kill_reason = False, False, ""
        self.told_at = self.quarantined_at = 0.0
        self.signs = Signs()
        self.answers.clear()
        self.spawned_at = time.monotonic()
        self.send(first_word, fds)

    def send(self, message: Message, fds: Sequence[int] = ()) -> bool:
        """Send it now, or as soon as the worker reads again; False when there is no worker.

        Messages are sent in order. They are few: a worker is told of its cameras, links and acknowledgements.
        Raises MessageTooLong for one that could never be sent.
        """
        if self.channel is None:
            return False
        if self._outbox:
            self.channel.check(message)
        self._outbox.append((message, [os.dup(fd) for fd in fds]))
        self.flush()
        return True

    def flush(self) -> None:
        """Send what the worker did not take before."""
        while self._outbox and self.channel is not None:
            message, fds = self._outbox[0]
            try:
                if not self.channel.send(message, fds):
                    return
            except MessageTooLong:
                self._outbox.popleft()
                close_all(fds)
                raise
            self._outbox.popleft()
            close_all(fds)

    def kill(self, why: str = "") -> None:
        self.kill_reason = why
        if self._process is not None:
            self._process.kill()

    def terminate(self, why: str = "") -> None:
        """Ask it to end: it may still hear."""
        self.kill_reason, self.told_at = why, time.monotonic()
        if self._process is not None:
            self._process.terminate()

    def fill(self, post: str, *, quarantines: int = 0) -> None:
        """Somebody works in this place from now on, who has nothing to do with whoever did before."""
        self.staffed, self.post = True, post
        self.quarantines, self.quarantined_at = quarantines, 0.0
        self.deaths.clear()

    def quarantine(self, now: float) -> None:
        """It is not to be started again for a while."""
        self.quarantined_at, self.quarantines = now, self.quarantines + 1

    def pardon(self) -> bool:
        """Let it be tried now, where it is in quarantine; returns whether it was."""
        was, self.quarantined_at = bool(self.quarantined_at), 0.0
        if was:
            self.deaths.clear()
        return was

    def reap(self, now: float) -> None:
        """The process is gone: let go of what belonged to it."""
        self.deaths.append(now)
        self.failed_starts = 0 if self.ready else self.failed_starts + 1
        self.ready = False
        while self._outbox:
            close_all(self._outbox.popleft()[1])
        if self._process is not None:
            try:
                self._process.wait(REAP_WITHIN_S)
            except subprocess.TimeoutExpired:
                pass  # it hangs in the kernel; the node does not
        if self.channel is not None:
            self.channel.close()
            self.channel = None


def _has_descriptor(stream: Any) -> bool:
    try:
        return stream is not None and stream.fileno() >= 0
    except (OSError, ValueError):  # notebooks and test runners replace it
        return False
