"""Hands messages to targets: a thread and a bounded queue each, so that one that hangs holds up no other."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from vedette.alerts.message import Message, Severity
from vedette.alerts.settings import AlertSettings, AlertTarget
from vedette.alerts.targets import Target, TargetFailedError
from vedette.errors import ConfigError
from vedette.facts import Trouble

__all__ = ["AlertsDelivered", "Deliverer", "send_test"]

WAITING_AT_MOST = 200
RETRY_FIRST_S, RETRY_MOST_S = 1.0, 60.0
GIVE_UP_AFTER_S = 900.0
"""Then the next message has its turn, and says how many before it are missing."""
LAST_WORD_S = 0.1

Tell = Callable[[Trouble], None]


@dataclass(frozen=True, slots=True)
class AlertsDelivered:
    """What became of a target's messages: ``put = sent + dropped + failed + waiting``.

    ``dropped``: there was no room, or no time left at the end. ``failed``: given up after many tries.
    """

    put: int = 0
    sent: int = 0
    dropped: int = 0
    failed: int = 0
    waiting: int = 0


class Deliverer:
    """Sends to all targets of ``settings`` that take a message's severity. ``tell`` is told, from other
    threads, of a target that fails: once, until it works again. ConfigError where a target cannot be used."""

    def __init__(
        self,
        settings: AlertSettings,
        tell: Tell,
        *,
        retry_first_s: float = RETRY_FIRST_S,
        give_up_after_s: float = GIVE_UP_AFTER_S,
    ) -> None:
        self._queues = [
            _Queue(name, target, _opened(name, target), tell, retry_first_s, give_up_after_s)
            for name, target in _named(settings)
        ]

    def start(self) -> None:
        for queue in self._queues:
            queue.start()

    def put(self, message: Message) -> None:
        """Never blocks; from any thread."""
        for queue in self._queues:
            queue.put(message)

    def close(self, within_s: float = 2.0) -> None:
        """Deliver what waits, for so many seconds at most. What is left is counted and told."""
        deadline = time.monotonic() + within_s
        for queue in self._queues:
            queue.closing()
        for queue in self._queues:
            queue.close(deadline)

    @property
    def delivered(self) -> dict[str, AlertsDelivered]:
        """By name of the target."""
        return {queue.name: queue.delivered for queue in self._queues}


class _Queue:
    def __init__(
        self,
        name: str,
        settings: AlertTarget,
        target: Target,
        tell: Tell,
        retry_first_s: float,
        give_up_after_s: float,
    ) -> None:
        self.name = name
        self._settings, self._target, self._tell = settings, target, tell
        self._retry_first_s, self._give_up_after_s = retry_first_s, give_up_after_s
        self._changed = threading.Condition()
        self._queue: deque[Message] = deque()
        self._busy = self._closing = self._hurry = self._failing = False
        self._put = self._sent = self._dropped = self._failed = 0
        self._missing = 0
        """Of those dropped and failed, how many the target has not been told of."""
        self._thread = threading.Thread(target=self._run, name=f"alerts {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, message: Message) -> None:
        if not self._settings.takes(message.severity):
            return
        with self._changed:
            self._put += 1
            if self._closing:
                self._dropped += 1
                return
            self._queue.append(message)
            if len(self._queue) > WAITING_AT_MOST:
                self._queue.remove(min(self._queue, key=lambda waiting: waiting.severity.rank))
                self._dropped += 1
                self._missing += 1
            self._changed.notify_all()

    def closing(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def close(self, deadline: float) -> None:
        if self._thread.ident is not None:
            self._thread.join(max(0.0, deadline - time.monotonic()))
        with self._changed:
            left = len(self._queue) + self._busy
            self._dropped += len(self._queue)
            self._queue.clear()
            self._hurry = True
            self._changed.notify_all()
        if left:
            self._say(f"{left} messages were not delivered before the end")
        if self._thread.ident is not None:
            # One that hangs in its target is a daemon: it ends with us.
            self._thread.join(LAST_WORD_S)

    @property
    def delivered(self) -> AlertsDelivered:
        with self._changed:
            waiting = len(self._queue) + self._busy
            return AlertsDelivered(self._put, self._sent, self._dropped, self._failed, waiting)

    def _run(self) -> None:
        while (message := self._next()) is not None:
            outcome = self._deliver(message)
            with self._changed:
                self._busy = False
                self._sent += outcome == "sent"
                self._failed += outcome == "failed"
                self._dropped += outcome == "dropped"
                self._missing = 0 if outcome == "sent" else self._missing + 1

    def _next(self) -> Message | None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue or self._closing)
            if not self._queue:
                return None
            self._busy = True
            return self._queue.popleft()

    def _deliver(self, message: Message) -> str:
        """Try until it is there, or it has been too long: ``sent``, ``failed``, or ``dropped`` at the end."""
        give_up_at = time.monotonic() + self._give_up_after_s
        wait_s = self._retry_first_s
        message = _with_missing(message, self._missing)
        while True:
            try:
                self._target.send(message)
                self._failing = False
                return "sent"
            except TargetFailedError as error:
                self._fails(str(error))
            if time.monotonic() + wait_s > give_up_at:
                return "failed"
            self._pause(wait_s)
            if self._hurry:
                return "dropped"
            wait_s = min(RETRY_MOST_S, wait_s * 2)

    def _pause(self, seconds: float) -> None:
        """Before another try; while closing there is no time to wait for long."""
        with self._changed:
            if not self._closing:
                self._changed.wait_for(lambda: self._closing, seconds)
            else:
                self._changed.wait_for(lambda: self._hurry, min(seconds, 0.2))

    def _fails(self, why: str) -> None:
        if not self._failing:
            self._failing = True
            self._say(f"{why}; trying again for {self._give_up_after_s / 60:.0f} min")

    def _say(self, text: str) -> None:
        trouble = Trouble(at=time.monotonic(), where=f"alerts {self.name}", message=f"{self.name}: {text}")
        self._tell(trouble)


def send_test(settings: AlertSettings) -> list[tuple[str, bool, str]]:
    """Send a test message to each target, whatever it takes otherwise: its name, whether it arrived, and why
    not. Blocks for some seconds for each target that does not answer. No address is shown."""
    now = time.time()
    message = Message(
        key="test",
        severity=Severity.INFO,
        title="Vedette: a test",
        body="Alerts reach you here. Nothing is wrong.",
        cameras=(),
        began=now,
        ended=None,
        resolved=False,
    )
    return [(name, *_try(name, target, message)) for name, target in _named(settings)]


def _try(name: str, target: AlertTarget, message: Message) -> tuple[bool, str]:
    try:
        _opened(name, target).send(message)
    except (ConfigError, TargetFailedError) as error:
        return False, str(error)
    return True, "delivered"


def _named(settings: AlertSettings) -> list[tuple[str, AlertTarget]]:
    """By the name it was given, or its place and scheme; nothing else of a URL is surely no secret."""
    return [
        (target.name or f"target {place} ({target.scheme})", target)
        for place, target in enumerate(settings.to, start=1)
    ]


def _opened(name: str, target: AlertTarget) -> Target:
    try:
        return Target(target.url.get_secret_value())
    except ValueError as error:
        raise ConfigError(f"alerts.to: {name}: {error}") from None


def _with_missing(message: Message, count: int) -> Message:
    if not count:
        return message
    note = f"{count} earlier messages could not be delivered."
    return msgspec.structs.replace(message, body=f"{message.body}\n\n{note}")
