"""What a server says it has (SDP, RFC 4566): the first video track that we can take apart.

Tolerant, because cameras write SDP by hand: unknown lines are passed over, missing ones have defaults.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from dataclasses import dataclass, field

__all__ = ["Track", "aggregate_control", "find_video", "resolve_control"]

START_CODE = b"\x00\x00\x00\x01"
# A track has a dozen attributes and parameter sets of some hundred bytes; the rest is not read.
_MAX_LINES = 2000
_MAX_PARAMETER_SETS = 64 * 1024

_CODECS = {"H264": "h264", "H265": "hevc", "HEVC": "hevc", "JPEG": "mjpeg"}
_RTPMAP = re.compile(r"(\d{1,3})\s+([\w.-]+)\s*(?:/\s*(\d{1,9}))?")
_SIZE = re.compile(r"(\d{1,5})\s*[-,x]\s*(\d{1,5})")


@dataclass(frozen=True, slots=True)
class Track:
    """A video track. ``codec``: FFmpeg's decoder name. ``clock_rate``: RTP timestamp ticks a second.

    ``control``: as written in the SDP. ``parameter_sets``: Annex B, or None. ``unsupported``: why we cannot
    take this packetisation apart, or an empty string. ``width``/``height``: pixels, 0 = not said.
    """

    codec: str
    payload_type: int
    clock_rate: int = 90000
    control: str = ""
    parameter_sets: bytes | None = None
    width: int = 0
    height: int = 0
    unsupported: str = ""


@dataclass(slots=True)
class _Media:
    kind: str
    payload_types: list[int]
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.attributes if key == name]

    def first(self, name: str) -> str:
        return next(iter(self.all(name)), "")


def find_video(body: bytes) -> tuple[Track | None, str]:
    """The first video track of a known codec, or None; and a phrase that says what video there was."""
    offered: list[str] = []
    for media in _split(body.decode("utf-8", "replace")):
        if media.kind != "video":
            continue
        for payload_type in media.payload_types:
            name, rate = _rtpmap(media, payload_type)
            if codec := _CODECS.get(name.upper()):
                return _track(media, codec, payload_type, rate), name
            offered.append(name or f"payload type {payload_type}")
    return None, ", ".join(offered[:8])


def aggregate_control(body: bytes) -> str:
    """The control URL of the whole presentation, as written; empty where there is none."""
    for line in body.decode("utf-8", "replace").splitlines()[:_MAX_LINES]:
        if line.startswith("m="):
            break
        if line.startswith("a=control:"):
            return line[10:].strip()
    return ""


def resolve_control(base: str, control: str) -> str:
    """Absolute URL of a track. Appended, not joined by RFC 3986, as every server expects it."""
    if not control or control == "*":
        return base
    if re.match(r"rtsps?://", control, re.IGNORECASE):
        return control
    if control.startswith("?"):
        return base + control
    return f"{base.removesuffix('/')}/{control.removeprefix('/')}"


def _split(text: str) -> list[_Media]:
    found: list[_Media] = []
    for line in text.splitlines()[:_MAX_LINES]:
        key, _, value = line.strip().partition("=")
        if key == "m":
            words = value.split()
            numbers = [int(word) for word in words[3:] if word.isascii() and word.isdigit() and len(word) < 4]
            found.append(_Media(words[0].lower() if words else "", numbers))
        elif key == "a" and found:
            name, _, rest = value.partition(":")
            found[-1].attributes.append((name.strip().lower(), rest.strip()))
    return found


def _rtpmap(media: _Media, payload_type: int) -> tuple[str, int]:
    for value in media.all("rtpmap"):
        match = _RTPMAP.match(value)
        if match and int(match[1]) == payload_type:
            return match[2], int(match[3] or 0) or 90000
    # 26 is JPEG by RFC 3551 and needs no rtpmap.
    return ("JPEG" if payload_type == 26 else ""), 90000


def _track(media: _Media, codec: str, payload_type: int, rate: int) -> Track:
    parameters = _format_parameters(media, payload_type)
    size = _SIZE.search(re.sub(r"^\d+\s+", "", media.first("framesize") or media.first("x-dimensions")))
    return Track(
        codec=codec,
        payload_type=payload_type,
        clock_rate=rate,
        control=media.first("control"),
        parameter_sets=_parameter_sets(codec, parameters),
        width=int(size[1]) if size else 0,
        height=int(size[2]) if size else 0,
        unsupported=_unsupported(codec, parameters),
    )


def _format_parameters(media: _Media, payload_type: int) -> dict[str, str]:
    found: dict[str, str] = {}
    for value in media.all("fmtp"):
        number, _, rest = value.partition(" ")
        if number.strip() == str(payload_type):
            pairs = (part.partition("=") for part in rest.split(";"))
            found |= {key.strip().lower(): text.strip() for key, _, text in pairs}
    return found


def _unsupported(codec: str, parameters: dict[str, str]) -> str:
    if codec == "h264" and parameters.get("packetization-mode") == "2":
        return "H.264 in interleaved packetisation"
    if codec == "hevc" and parameters.get("sprop-max-don-diff", "0") not in ("", "0"):
        return "H.265 in decoding order numbers"
    return ""


def _parameter_sets(codec: str, parameters: dict[str, str]) -> bytes | None:
    names = {"h264": ["sprop-parameter-sets"], "hevc": ["sprop-vps", "sprop-sps", "sprop-pps"]}.get(codec, [])
    words = [word for name in names for word in parameters.get(name, "").split(",") if word.strip()]
    sets = [decoded for word in words if (decoded := _base64(word))]
    joined = b"".join(START_CODE + one for one in sets)
    return joined if 0 < len(joined) <= _MAX_PARAMETER_SETS else None


def _base64(word: str) -> bytes:
    """Decoded, or empty where it is no base64; missing padding is filled in."""
    text = word.strip().rstrip("=")
    try:
        return b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""
