"""Shows a candidate some of the frames that the detector at work is given: a share, chosen by chance.

A frame is drawn when it is taken. Once the detector has its picture, the same source picture is converted a
second time, into a slot of the shadow worker and at its size. When the result has left, the shadow worker is
told what was found, and the slot is its own until it says otherwise. Where no slot is free the frame is left
out and counted: nobody waits for a candidate.

Called from the worker's loop and from the threads that hand pictures over.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vedette.infer.letterbox import fit
from vedette.ingest.convert import Converter, ConvertFailed
from vedette.workers.protocol import Channel, Freed, Hello, MessageTooLong, Output, Shown
from vedette.workers.slots import Slots
from vedette.workers.table import Table

__all__ = ["Aside"]


@dataclass(slots=True, eq=False)
class _Held:
    """A frame that was drawn. It may come back from the detector before its picture is converted."""

    index: int
    slot: int
    desk: _Desk
    filled: bool = False
    output: Output | None = None
    ended: bool = False


class _Desk:
    """A shadow worker as this worker knows it."""

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.slots: Slots | None = None
        self.free: list[int] = []


class Aside:
    """One camera worker's. ``chance``: a number from 0 to 1, another one each time."""

    def __init__(self, table: Table, chance: Callable[[], float] = random.random) -> None:
        self._header, self._rows, self._chance = table.header, table.rows, chance
        self._lock = threading.Lock()
        self._desk: _Desk | None = None
        self._held: dict[int, _Held] = {}
        self._converters: dict[int, Converter] = {}

    # ---- the shadow worker

    def meet(self, channel: Channel) -> None:
        """There is one; with a link of its own, by which ``hear`` is to be called."""
        self.lose()
        self._desk = _Desk(channel)

    @property
    def fileno(self) -> int:
        """Of the link; -1 where there is none."""
        return -1 if self._desk is None else self._desk.channel.fileno()

    def lose(self) -> None:
        """There is none any more."""
        with self._lock:
            desk, self._desk = self._desk, None
            for held in self._held.values():
                self._rows["shadow_ended"][held.index] += 1
            self._held.clear()
        self._converters.clear()
        if desk is not None:
            desk.channel.close()

    def hear(self) -> None:
        """It has said something. Raises EOFError when it is gone."""
        desk = self._desk
        while desk is not None and (heard := desk.channel.receive()) is not None:
            message, fds = heard
            match message:
                case Hello(slots, height, width):
                    desk.slots = Slots(fds[0], slots, height, width)
                    desk.free = list(range(slots))
                case Freed(slot):
                    desk.free.append(slot)

    # ---- frames

    def draw(self, ticket: int, index: int) -> bool:
        """Whether the frame that is about to be taken with this ticket is to be shown: then its picture is to
        be kept for ``fill``."""
        share = self._header["shadow_share"]
        if not share or self._desk is None or self._chance() >= share:
            return False
        if self._header["shadow_waits"]:
            self._rows["shadow_load"][index] += 1
            return False
        with self._lock:
            desk = self._desk
            if desk is None or desk.slots is None or not desk.free:
                self._rows["shadow_busy"][index] += 1
                return False
            self._held[ticket] = _Held(index, desk.free.pop(), desk)
        return True

    def fill(self, ticket: int, image: Any) -> None:
        """Convert its picture (an ``av.VideoFrame``); None where there is none after all. Does nothing for a
        frame that was not drawn."""
        held = self._held.get(ticket)
        if held is None:
            return
        good = image is not None and self._converted(held, image)
        with self._lock:
            if self._held.get(ticket) is not held:
                return  # the shadow worker is gone
            held.filled, held.ended = good, held.ended or not good
            self._settle(ticket, held)

    def came_back(self, ticket: int, output: Output | None) -> bool:
        """The detector is done with it; None where no result has left. Returns whether it is shown; does
        nothing for a frame that was not drawn."""
        if ticket not in self._held:
            return False
        with self._lock:
            held = self._held.get(ticket)
            if held is not None:
                held.output = output
                if output is None and not held.ended:
                    held.ended = True
                    if not held.filled:
                        return False  # a thread is converting it, and finds that out then
                self._settle(ticket, held)
        return held is not None and output is not None

    def _converted(self, held: _Held, image: Any) -> bool:
        slots = held.desk.slots
        assert slots is not None
        # Taken out while it is used: another thread may be here with the camera's next frame, and swscale
        # crashes where two share one.
        converter = self._converters.pop(held.index, None) or Converter()
        try:
            converter.into(
                image, slots[held.slot], fit((image.height, image.width), (slots.height, slots.width))
            )
        except (ConvertFailed, ValueError):
            return False
        self._converters[held.index] = converter
        return True

    def _settle(self, ticket: int, held: _Held) -> None:
        """Let it go, or hand it on, if all that is needed for that is known. With the lock held."""
        if held.ended:
            del self._held[ticket]
            self._rows["shadow_ended"][held.index] += 1
            held.desk.free.append(held.slot)
        elif held.filled and held.output is not None:
            del self._held[ticket]
            if not self._hand_on(held, held.output):
                self._rows["shadow_busy"][held.index] += 1
                held.desk.free.append(held.slot)

    def _hand_on(self, held: _Held, output: Output) -> bool:
        shown = Shown(
            held.slot,
            held.index,
            output.captured_at,
            output.width,
            output.height,
            output.xyxy,
            output.names,
        )
        try:
            return held.desk.channel.send(shown)
        except MessageTooLong:
            return False
