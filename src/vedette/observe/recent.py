"""What was told and found lately, for those who ask: happenings always, results only while somebody asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from vedette.clock import Clock
from vedette.control.protocol import Gave, Happened, Happening, Happenings, Results
from vedette.errors import redact
from vedette.facts import AnyFact
from vedette.observe.fact_log import Repeats, is_quiet, log_fact
from vedette.observe.log import redact_values
from vedette.observe.ring import Ring
from vedette.results import Result

__all__ = ["RecentHappenings", "RecentResults"]

HAPPENINGS_AT_MOST = 2000

RESULTS_AT_MOST, RESULT_BYTES_AT_MOST = 4096, 4_000_000
"""About ten seconds of four hundred results, with ten boxes each. Whoever asks that seldom misses some."""

ASKED_HOLDS_S = 5.0
"""Seconds after which nobody asks for results any more."""

MOST = 5000
"""In one answer, whatever is asked for."""

LINE_BYTES, BOX_BYTES = 160, 120
"""About so many a result line has, and more for each box."""

DETAIL_AT_MOST = 500
"""Characters of one value."""

SENTENCES = ("title", "why", "message", "detail", "body")
"""What is a sentence by itself."""


class RecentResults:
    """``left``: how many results have left the cameras' workers in all, by which those are counted that came
    while nobody asked. ``put`` is for the node's loop, and only to be called while ``wanted``; ``after`` from
    any thread: there lines are made of them."""

    def __init__(self, left: Callable[[], int], clock: Clock) -> None:
        self.wanted = False
        """Whether somebody asked lately."""
        self._left, self._clock = left, clock
        self._ring: Ring[Result] = Ring(RESULTS_AT_MOST, RESULT_BYTES_AT_MOST)
        self._asked_at = 0.0
        self._stopped_at: int | None = None
        """What ``left`` was when nobody asked any more."""

    def put(self, result: Result) -> None:
        if self._clock.monotonic() - self._asked_at > ASKED_HOLDS_S:
            self.wanted, self._stopped_at = False, self._left()
            self._ring.skip(1)  # and what is kept is let go
            return
        self._ring.put(result, LINE_BYTES + BOX_BYTES * len(result.boxes))

    def after(self, request: Results) -> Gave:
        """See :class:`vedette.control.protocol.Results`."""
        self._asked_at = self._clock.monotonic()
        if not self.wanted:
            if self._stopped_at is not None:
                self._ring.skip(max(0, self._left() - self._stopped_at))
            self.wanted = True
        if not 0 <= request.after <= self._ring.last:
            return Gave([], self._ring.last)
        found, last, missed = self._ring.after(request.after, min(request.most, MOST))
        return Gave([result.to_json() for _, result in found], last, missed)


class RecentHappenings:
    """Facts as the log has them. ``put`` costs next to nothing, and ``after`` makes words of them; both from
    any thread."""

    def __init__(self) -> None:
        self._ring: Ring[tuple[float, AnyFact, bool]] = Ring(HAPPENINGS_AT_MOST, HAPPENINGS_AT_MOST)
        self._repeats = Repeats()

    def put(self, fact: AnyFact) -> None:
        again = self._repeats.again(fact)
        if not is_quiet(fact):
            self._ring.put((time.time() - (time.monotonic() - fact.at), fact, again))

    def after(self, request: Happenings) -> Happened:
        """See :class:`vedette.control.protocol.Happenings`."""
        found, last, missed = self._ring.after(request.after, min(request.most, MOST))
        told = [_happening(number, at, fact, again) for number, (at, fact, again) in found]
        return Happened(told, last, missed)


class _Heard:
    """Takes the place of a log: what was said last, at what level."""

    level = event = ""
    fields: Mapping[str, Any] = {}

    def debug(self, event: str, **fields: Any) -> None:
        self._say("info", event, fields)

    def info(self, event: str, **fields: Any) -> None:
        self._say("info", event, fields)

    def warning(self, event: str, **fields: Any) -> None:
        self._say("warning", event, fields)

    def error(self, event: str, **fields: Any) -> None:
        self._say("error", event, fields)

    def _say(self, level: str, event: str, fields: dict[str, Any]) -> None:
        self.level, self.event, self.fields = level, event, fields


def _happening(number: int, at: float, fact: AnyFact, again: bool) -> Happening:
    heard = _Heard()
    log_fact(fact, heard, again=again)
    fields = redact_values(None, "", dict(heard.fields))
    camera, worker = str(fields.pop("camera", None) or ""), str(fields.pop("worker", None) or "")
    text = _text(redact(heard.event), fields)
    return Happening(number, at, heard.level, heard.event, text, camera, worker)


def _text(event: str, fields: Mapping[str, Any]) -> str:
    """``Session ended: reason refused, retry in 2.3. Connection refused``."""
    short = [
        f"{name.replace('_', ' ')} {_value(value)}" for name, value in fields.items() if _said(name, value)
    ]
    long = [_value(fields[name]) for name in SENTENCES if fields.get(name) not in (None, "", [])]
    text = event[:1].upper() + event[1:]
    if short:
        text += f": {', '.join(short)}"
    return ". ".join([text, *(each.rstrip(".") for each in long)]) if long else text


def _said(name: str, value: Any) -> bool:
    return name not in SENTENCES and value is not None and value not in ("", [], {})


def _value(value: Any) -> str:
    if isinstance(value, float):
        text = f"{value:.6g}"
    elif isinstance(value, (list, tuple)):
        text = " ".join(map(str, value)) if len(value) < 2 else ", ".join(map(str, value))
    elif isinstance(value, Mapping):
        text = ", ".join(f"{key} {_value(each)}" for key, each in value.items())
    else:
        text = str(value)
    return text if len(text) <= DETAIL_AT_MOST else text[: DETAIL_AT_MOST - 1] + "…"
