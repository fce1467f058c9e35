"""The catalogue: every kind of fault, its options, and what they may be."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from vedette.units import parse_duration

__all__ = ["KINDS", "Kind", "Options", "Value", "kind_named", "number_in", "options_of", "share_of"]

Value = float | str | bool | tuple[int, int]
Options = dict[str, Value]

_SIZE = re.compile(r"(\d{1,4})[x×](\d{1,4})")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True, slots=True)
class Option:
    """``read`` turns what was written into a value, or raises ValueError that says what it must be."""

    default: Value
    read: Callable[[object], Value]
    doc: str


@dataclass(frozen=True, slots=True)
class Kind:
    """``server``: it is the whole server's, not a camera's. ``moment``: it happens at once and is over.
    ``picture``: it needs an altered clip."""

    name: str
    doc: str
    options: Mapping[str, Option]
    server: bool = False
    moment: bool = False
    picture: bool = False


def share_of(value: object) -> float:
    """0 to 1 from ``"30%"`` or ``0.3``. Raises ValueError."""
    if isinstance(value, str) and (match := _SHARE.fullmatch(value.strip())):
        value = float(match[1]) / 100
    try:
        share = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        share = -1.0
    if isinstance(value, bool) or not 0 <= share <= 1:
        raise ValueError("must be a share, from 0% to 100%")
    return share


def _duration(value: object) -> Value:
    return parse_duration(value)


def _jump(value: object) -> Value:
    """Seconds, also back."""
    if isinstance(value, str) and value.strip().startswith(("-", "+")):
        seconds = parse_duration(value.strip()[1:])
        return -seconds if value.strip()[0] == "-" else seconds
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value < 0:
        return -parse_duration(-value)
    return parse_duration(value)


def _number(least: float, most: float) -> Callable[[object], Value]:
    def read(value: object) -> Value:
        try:
            number = float(value)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            number = least - 1
        if isinstance(value, bool) or not least <= number <= most:
            raise ValueError(f"must be a number from {least:g} to {most:g}")
        return number

    return read


def _flag(value: object) -> Value:
    known = {"true": True, "yes": True, "false": False, "no": False}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    if not isinstance(value, bool):
        raise ValueError("must be true or false")  # noqa: TRY004 - a ValueError is what readers of options raise
    return value


def _size(value: object) -> Value:
    """Pixels, width first; empty means half the clip's."""
    if value == "half":
        return "half"
    if isinstance(value, str) and (match := _SIZE.fullmatch(value.strip().lower())):
        width, height = int(match[1]), int(match[2])
        if width >= 16 and height >= 16:
            return width // 2 * 2, height // 2 * 2
    if isinstance(value, tuple) and len(value) == 2:
        return value
    raise ValueError("must be WIDTHxHEIGHT, each at least 16, like 320x240, or half")


_DURATION: Final = _duration
_STATUS: Final = _number(300, 599)

_ALL = (
    Kind(
        "refuse",
        "who wants to open a stream gets an error, and the connection is closed; running sessions are cut",
        {
            "status": Option(503.0, _STATUS, "the RTSP status"),
            "cut": Option(True, _flag, "whether running sessions are cut"),
        },
    ),
    Kind("drop", "the connection is reset (RST)", {}, moment=True),
    Kind("end", "the stream ends in order: RTCP BYE, then the connection is closed", {}, moment=True),
    Kind(
        "flap",
        "the connection is reset, again and again",
        {"period": Option(3.0, _DURATION, "time from one reset to the next")},
    ),
    Kind("stall", "no more RTP or RTCP; requests are still answered", {}),
    Kind("hang", "half-open: nothing is read, answered or sent any more, nothing is closed", {}),
    Kind(
        "slow",
        "a narrow line: frames come late, and are dropped when the camera's buffer is full",
        {
            "kbps": Option(100.0, _number(1, 1e7), "kbit/s of each reader"),
            "buffer": Option(256.0, _number(1, 2048), "KiB that wait before frames are dropped"),
        },
    ),
    Kind(
        "jitter",
        "frames come early and late by turns, in order",
        {"by": Option(0.2, _DURATION, "the most that a frame deviates (all are late by as much)")},
    ),
    Kind(
        "burst",
        "frames are held back, then come all at once",
        {"hold": Option(0.5, _DURATION, "how long")},
    ),
    Kind(
        "loss",
        "RTP packets are missing, as sequence numbers tell",
        {"share": Option(0.05, share_of, "of the packets")},
    ),
    Kind(
        "pts_jump",
        "RTP timestamps jump, and stay there",
        {
            "by": Option(-10.0, _jump, "how far, back if negative"),
            "rtcp": Option(True, _flag, "whether sender reports tell of it"),
        },
        moment=True,
    ),
    Kind(
        "timestamp_gap",
        "RTP timestamps leave out a stretch, as if frames in between were missing",
        {
            "by": Option(2.0, _DURATION, "how long"),
            "rtcp": Option(True, _flag, "whether sender reports tell of it"),
        },
        moment=True,
    ),
    Kind("freeze", "the last keyframe's picture over and over, bit for bit", {}, picture=True),
    Kind("black", "next to no light", {}, picture=True),
    Kind("white", "washed out by too much light", {}, picture=True),
    Kind(
        "blur",
        "out of focus",
        {"factor": Option(12.0, _number(2, 64), "picture's sharpness is divided by it")},
        picture=True,
    ),
    Kind("covered", "something dull right before the lens", {}, picture=True),
    Kind(
        "moved",
        "the camera looks elsewhere",
        {"by": Option(0.3, share_of, "share of the picture's width")},
        picture=True,
    ),
    Kind(
        "corrupt",
        "bits of the payloads are flipped, and some are cut short",
        {"share": Option(0.5, share_of, "of the frames")},
    ),
    Kind(
        "resolution",
        "another size: new parameter sets in band and in DESCRIBE",
        {"size": Option("half", _size, "WIDTHxHEIGHT, or half")},
        picture=True,
    ),
    Kind("codec", "sessions end; from then on it is H.265", {}, picture=True),
    Kind("wrong_password", "sessions are cut, and no password is right any more", {}),
    Kind(
        "rate",
        "fewer frames a second",
        {
            "fps": Option(2.0, _number(0.1, 240), "how many in the end"),
            "over": Option(0.0, _DURATION, "time in which it declines, in four steps"),
        },
        picture=True,
    ),
    Kind(
        "restart",
        "the server is gone (sessions cut, connections refused) and comes back",
        {},
        server=True,
    ),
    Kind(
        "outage",
        "like a dead switch: sessions hang, and nobody answers those who connect",
        {},
        server=True,
    ),
)

KINDS: Final[Mapping[str, Kind]] = {kind.name: kind for kind in _ALL}


def kind_named(name: object) -> Kind:
    """Raises ValueError with the nearest name where there is no such kind."""
    if isinstance(name, str) and name in KINDS:
        return KINDS[name]
    near = difflib.get_close_matches(str(name), KINDS, 1)
    raise ValueError(f"unknown kind (did you mean {near[0]}?)" if near else f"must be {', '.join(KINDS)}")


def number_in(options: Mapping[str, Value], name: str) -> float:
    """An option that is a number or a time; 0 where there is none."""
    value = options.get(name, 0.0)
    return float(value) if isinstance(value, (int, float)) else 0.0


def options_of(kind: Kind, given: Mapping[str, object]) -> tuple[Options, dict[str, str]]:
    """All options of a kind, defaults filled in, and what is wrong with those given, by their names."""
    options: Options = {name: option.default for name, option in kind.options.items()}
    wrong: dict[str, str] = {}
    for name, value in given.items():
        if name not in kind.options:
            near = difflib.get_close_matches(
                name, [*kind.options, "at", "for", "every", "cameras", "kind"], 1
            )
            wrong[name] = f"unknown key{f' (did you mean {near[0]}?)' if near else f' of {kind.name}'}"
            continue
        try:
            options[name] = kind.options[name].read(value)
        except ValueError as error:
            wrong[name] = str(error)
    return options, wrong
