"""What is wrong at this moment, and how it shows: on requests, on frames, on links, on the server."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vedette.clock import Clock
from vedette.errors import ConfigError, SourceError
from vedette.sim.auth import Guard
from vedette.sim.clip import Clip
from vedette.sim.faults.damage import damaged
from vedette.sim.faults.kinds import KINDS, Options, kind_named, options_of
from vedette.sim.faults.schedule import EVERY, FaultEvent
from vedette.sim.faults.seam import Outgoing, Silence
from vedette.sim.faults.studio import Studio
from vedette.sim.faults.wire import Conditions, FaultyLink
from vedette.sim.link import Link
from vedette.sim.messages import Request, Response

if TYPE_CHECKING:
    from vedette.sim.camera import SimulatedCamera
    from vedette.sim.server import SimulatedCameras

__all__ = ["Board", "FaultNote"]

_OPENING = frozenset({"DESCRIBE", "SETUP", "PLAY"})
_WIRE = frozenset({"slow", "jitter", "burst", "loss"})
_STEPS = 4
_REOPEN_ATTEMPTS = 50
_REOPEN_EVERY_S = 0.1
_NOBODY = "nobody has this password"


@dataclass(frozen=True, slots=True)
class FaultNote:
    """A fault began (``ended`` False) or ended, at monotonic second ``at``, Unix second ``wall``."""

    event: FaultEvent
    ended: bool
    at: float
    wall: float


@dataclass(slots=True)
class _State:
    """Of one camera: what is active (by id, oldest first), and what it plays while it is."""

    own_clip: Clip
    conditions: Conditions
    draw: random.Random
    active: dict[str, FaultEvent] = field(default_factory=dict)
    clips: dict[str, Clip] = field(default_factory=dict)
    timers: dict[str, list[asyncio.TimerHandle]] = field(default_factory=dict)

    def has(self, *kinds: str) -> FaultEvent | None:
        """The newest active fault of one of these kinds."""
        return next((event for event in reversed(self.active.values()) if event.kind in kinds), None)


class Board:
    """The faults of a server. Cameras without one are not touched, and pay for a dictionary look-up."""

    def __init__(self, server: SimulatedCameras, clock: Clock, seed: int) -> None:
        self._server, self._clock, self._seed = server, clock, seed
        self._states: dict[str, _State] = {}
        self._server_wide: dict[str, FaultEvent] = {}
        self._studio = Studio()
        self.callbacks: list[Callable[[FaultNote], None]] = []

    # The seam.

    def on_request(self, camera: str, request: Request) -> Response | Silence | None:
        state = self._states.get(camera)
        if state is None or not state.active:
            return None
        if state.has("hang"):
            return Silence.SILENCE
        # Sessions that are left alone may keep themselves alive.
        if (refuse := state.has("refuse")) is not None and request.method in _OPENING:
            return Response(int(refuse.number("status")), close=True)
        if state.has("wrong_password") and request.method != "OPTIONS":
            return Response(401, [Guard(_NOBODY, _NOBODY, self._server.scheme).challenge()])
        return None

    def on_frame(self, camera: str, frame: Outgoing) -> Sequence[Outgoing]:
        state = self._states.get(camera)
        if self._server_wide:
            return ()
        if state is None or not state.active:
            return (frame,)
        if state.has("stall", "hang"):
            return ()
        if (corrupt := state.has("corrupt")) is None or state.draw.random() >= corrupt.number("share"):
            return (frame,)
        codec = self._camera(camera).clip.codec
        return (Outgoing(frame.slot, damaged(frame.unit, codec, state.draw), frame.timestamp),)

    def wrap(self, camera: str, link: Link) -> Link:
        return FaultyLink(link, self._state(camera).conditions, self._clock)

    # Beginning and ending.

    async def set(self, camera: str, kind: str, options: Mapping[str, object]) -> float:
        """See :meth:`SimulatedCameras.set_fault`."""
        try:
            known = kind_named(kind)
        except ValueError as error:
            raise ConfigError(f"fault {kind}: {error}") from None
        values, wrong = options_of(known, options)
        for name, message in wrong.items():
            raise ConfigError(f"fault {kind}: {name}: {message}")
        if (camera == EVERY) != known.server:
            raise ConfigError(f"fault {kind}: strikes {'all cameras, *' if known.server else 'one camera'}")
        name = f"set.{kind}.{camera}"
        if name in self._active(camera):
            await self.end(name, camera)
        return await self.begin(FaultEvent(name, kind, camera, 0.0, 0.0, values))

    async def clear(self, camera: str, kind: str) -> float:
        """See :meth:`SimulatedCameras.clear_fault`."""
        return await self.end(f"set.{kind}.{camera}", camera)

    async def prepare(self, event: FaultEvent, at: float | None = None) -> list[Clip]:
        """The clips that ``event`` needs, made in a thread; ``at``: monotonic second at which it begins."""
        if not KINDS[event.kind].picture:
            return []
        camera, state = self._camera(event.camera), self._state(event.camera)
        place = 0
        if event.kind == "freeze":
            place = _keyframe(state.own_clip, camera.place(self._clock.monotonic() if at is None else at))
        steps = _stages(event, camera.fps) if event.kind == "rate" else [event.options]
        return [await self._studio.make(state.own_clip, event.kind, step, place) for step in steps]

    async def begin(self, event: FaultEvent, clips: Sequence[Clip] | None = None) -> float:
        """Monotonic second at which it took effect. ``clips``: from :meth:`prepare`."""
        if event.camera == EVERY:
            self._server_wide[event.id] = event
            self._strike_server(event)
        else:
            made = list(clips) if clips is not None else await self.prepare(event)
            self._strike(self._camera(event.camera), event, made)
        at = self._tell(event, ended=False)
        if KINDS[event.kind].moment:
            self._tell(event, ended=True)
        return at

    async def end(self, name: str, camera: str) -> float:
        """End the fault of that id; one that is over already stays so."""
        event = self._active(camera).pop(name, None)
        if event is None:
            return self._clock.monotonic()
        if camera == EVERY:
            await self._heal_server(event)
        else:
            self._heal(self._camera(camera), event)
        return self._tell(event, ended=True)

    def stop(self) -> None:
        """The server stops: no timer is left, and all cameras are well should it start again."""
        for name, state in self._states.items():
            for event in list(state.active.values()):
                state.active.pop(event.id)
                self._heal(self._camera(name), event)
                self._tell(event, ended=True)
        for event in self._server_wide.values():
            self._tell(event, ended=True)
        self._server_wide.clear()
        for state in self._states.values():
            state.conditions.silent = False
        self._studio.close()

    # What each kind does at its beginning and at its end.

    def _strike(self, camera: SimulatedCamera, event: FaultEvent, clips: list[Clip]) -> None:
        state, kind, options = self._state(camera.name), event.kind, event.options
        if not KINDS[kind].moment:
            state.active[event.id] = event
        if kind == "drop":
            self._reset(camera.name)
        elif kind == "flap":
            self._flap(camera.name, event)
        elif kind == "end" or kind == "codec":
            self._end(camera.name)
        elif kind == "wrong_password" or (kind == "refuse" and options["cut"]):
            for connection in self._server.connections(camera.name):
                connection.cut()
        elif kind == "hang":
            self._set_silence(camera.name)
        elif kind in _WIRE:
            self._set_conditions(state)
        elif kind in ("pts_jump", "timestamp_gap"):
            camera.shift_clock(event.number("by"), reported=bool(options["rtcp"]))
        if clips:
            self._show(camera, event, clips)

    def _heal(self, camera: SimulatedCamera, event: FaultEvent) -> None:
        state = self._state(camera.name)
        for timer in state.timers.pop(event.id, ()):
            timer.cancel()
        if event.kind == "hang":
            self._set_silence(camera.name)
        elif event.kind in _WIRE:
            self._set_conditions(state)
        elif event.kind == "codec":
            self._end(camera.name)
        if event.kind in ("hang", "stall", "corrupt"):
            # As an encoder does when it takes up its work again.
            camera.restart()
        if state.clips.pop(event.id, None) is not None:
            self._show_newest(camera, state)

    def _strike_server(self, event: FaultEvent) -> None:
        if event.kind == "restart":
            self._server.listener.close()
            for connection in self._server.connections():
                connection.cut()
            return
        self._server.listener.deafen()
        self._silence_all()

    async def _heal_server(self, event: FaultEvent) -> None:
        if self._server_wide:
            return  # another one goes on
        await self._server.listener.hear()
        for attempt in range(_REOPEN_ATTEMPTS):
            try:
                await self._server.listener.open(self._server.host, self._server.port)
                break
            except SourceError:
                # The event loop may still be closing the socket from before.
                if attempt == _REOPEN_ATTEMPTS - 1:
                    raise
                await asyncio.sleep(_REOPEN_EVERY_S)
        self._silence_all()
        for camera in self._server.cameras:
            camera.restart()

    def _flap(self, name: str, event: FaultEvent) -> None:
        self._reset(name)
        period = max(0.05, event.number("period"))
        timer = asyncio.get_running_loop().call_later(period, self._flap, name, event)
        self._state(name).timers[event.id] = [timer]

    def _show(self, camera: SimulatedCamera, event: FaultEvent, clips: list[Clip]) -> None:
        """The first clip now, the others one by one."""
        state, loop = self._state(camera.name), asyncio.get_running_loop()
        step = event.number("over") / len(clips)

        def show(clip: Clip) -> None:
            state.clips[event.id] = clip
            self._show_newest(camera, state)

        show(clips[0])
        state.timers[event.id] = [
            loop.call_later(step * index, show, clip) for index, clip in enumerate(clips) if index
        ]

    def _show_newest(self, camera: SimulatedCamera, state: _State) -> None:
        clip = next(reversed(state.clips.values()), state.own_clip)
        if clip is not camera.clip:
            camera.show(clip)

    def _set_conditions(self, state: _State) -> None:
        state.conditions.set(
            (event.kind, event.options) for event in state.active.values() if event.kind in _WIRE
        )

    def _reset(self, name: str) -> None:
        for connection in self._server.connections(name):
            connection.reset()

    def _end(self, name: str) -> None:
        for connection in self._server.connections(name):
            connection.end()

    def _silence_all(self) -> None:
        for camera in self._server.cameras:
            self._set_silence(camera.name)
        for connection in self._server.connections(""):
            connection.mute() if self._server_wide else connection.unmute()

    def _set_silence(self, name: str) -> None:
        """Make the camera's connections hang, or go on: whichever is right now."""
        state = self._state(name)
        silent = bool(self._server_wide) or state.has("hang") is not None
        state.conditions.silent = silent
        for connection in self._server.connections(name):
            connection.mute() if silent else connection.unmute()

    def _state(self, name: str) -> _State:
        if name not in self._states:
            draw = random.Random(f"{self._seed}/{name}/faults")
            self._states[name] = _State(self._camera(name).clip, Conditions(draw), draw)
        return self._states[name]

    def _camera(self, name: str) -> SimulatedCamera:
        camera = self._server.named(name)
        if camera is None:
            raise ConfigError(f"no camera is called {name}")
        return camera

    def _active(self, camera: str) -> dict[str, FaultEvent]:
        return self._server_wide if camera == EVERY else self._state(camera).active

    def _tell(self, event: FaultEvent, *, ended: bool) -> float:
        note = FaultNote(event, ended, self._clock.monotonic(), self._clock.wall())
        for callback in self.callbacks:
            callback(note)
        return note.at


def _keyframe(clip: Clip, place: int) -> int:
    """The keyframe at or before a place; the place may be one of another, longer clip."""
    place %= len(clip.units)
    while not clip.units[place].keyframe:
        place -= 1
    return place


def _stages(event: FaultEvent, fps: float) -> list[Options]:
    """Rates that decline by equal factors to the one in the end."""
    last = event.number("fps")
    if not event.options["over"]:
        return [{"fps": last}]
    return [{"fps": fps * (last / fps) ** ((step + 1) / _STEPS)} for step in range(_STEPS)]
