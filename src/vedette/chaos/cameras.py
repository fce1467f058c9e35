"""The other end of :mod:`vedette.chaos.simulator`: starts it, lets the plan begin, hears what happened."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from vedette.chaos.seen import Struck
from vedette.chaos.simulator import Began, Failed, Note, Order, Ready, Word, camera_name
from vedette.errors import ConfigError, WorkerError
from vedette.sim.faults import EVERY, FaultEvent

__all__ = ["FailingCameras"]

READY_WITHIN_S = 300.0
"""Clips and their altered copies are encoded at the first start."""
STOP_S = 5.0


class FailingCameras:
    """``with FailingCameras(names, events) as cameras``: ``names[i]`` is played at ``cameras.url(i)``, and
    fails as ``events`` (by name) say, counted from :meth:`begin`.

    Raises:
        ConfigError: the clip, or the plan, cannot be used.
        WorkerError: the process did not get ready, or is gone.
    """

    def __init__(
        self,
        names: list[str],
        events: list[FaultEvent],
        *,
        clip: Path | None = None,
        fps: float = 25.0,
        seed: int = 0,
    ) -> None:
        self._names, self.fps = names, fps
        self._events = {event.id: event for event in events}
        own = {name: camera_name(index) for index, name in enumerate(names)} | {EVERY: EVERY}
        self._order = Order(
            cameras=len(names),
            events=[msgspec.structs.replace(event, camera=own[event.camera]) for event in events],
            clip=str(clip) if clip else None,
            fps=fps,
            seed=seed,
        )
        self._changed = threading.Condition()
        self._notes: dict[str, dict[bool, float]] = {}
        self._failed = ""
        self._process: subprocess.Popen[bytes] | None = None
        self.ready: Ready | None = None
        self.began_at = 0.0
        """Monotonic seconds from which times of the plan count; 0.0 before."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "vedette.chaos.simulator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._thread = threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._thread.start()
        try:
            self._send(msgspec.json.encode(self._order))
            self._wait_for("ready", READY_WITHIN_S)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def url(self, index: int) -> str:
        assert self.ready is not None
        return f"rtsp://127.0.0.1:{self.ready.port}/{camera_name(index)}"

    def begin(self) -> float:
        """Let the plan begin; the monotonic second that its times count from."""
        self._send(b"begin")
        self._wait_for("began_at", STOP_S)
        return self.began_at

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def struck(self, until: float) -> list[Struck]:
        """Each fault that began before, one for each camera; those that go on are said to end there."""
        with self._changed:
            notes = {name: dict(times) for name, times in self._notes.items()}
        found = []
        for name, times in notes.items():
            event = self._events[name]
            began, ended = times.get(False, until), times.get(True, until)
            for camera in self._names if event.camera == EVERY else [event.camera]:
                if began < until:
                    struck_id = f"{name}@{camera}" if event.camera == EVERY else name
                    found.append(
                        Struck(struck_id, event.kind, camera, began, min(ended, until), event.options)
                    )
        return sorted(found, key=lambda fault: (fault.began, fault.id))

    def not_shown(self, before: float) -> list[FaultEvent]:
        """Faults that should have begun before that second of the plan, and never did."""
        with self._changed:
            return [e for e in self._events.values() if e.start < before and e.id not in self._notes]

    # ---- inside

    def _send(self, line: bytes) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise WorkerError("the simulated cameras are gone") from error

    def _wait_for(self, what: str, seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: getattr(self, what) or self._failed, seconds)
            if self._failed:
                raise ConfigError(self._failed) if self._failed != _GONE else WorkerError(_GONE)
            if not getattr(self, what):
                raise WorkerError(f"the simulated cameras were not ready within {seconds:g} s")

    def _listen(self, lines: Any) -> None:
        for line in lines:
            word: Any = msgspec.json.decode(line, type=Word)
            with self._changed:
                match word:
                    case Ready():
                        self.ready = word
                    case Began(at):
                        self.began_at = at
                    case Note(name, ended, at):
                        self._notes.setdefault(name, {})[ended] = at
                    case Failed(message):
                        self._failed = message
                self._changed.notify_all()
        with self._changed:
            self._failed = self._failed or _GONE
            self._changed.notify_all()

    def _stop(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
        except OSError:
            pass  # it is gone already
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._thread.join(STOP_S)
        assert self._process.stdout is not None
        self._process.stdout.close()


_GONE = "the simulated cameras ended"
