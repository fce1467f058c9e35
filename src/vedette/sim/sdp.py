"""What DESCRIBE answers (RFC 4566)."""

from __future__ import annotations

import base64

from vedette.sim.clip import Clip
from vedette.sim.rtp import CLOCK_RATE, PAYLOAD_TYPE

__all__ = ["TRACK", "describe"]

TRACK = "trackID=0"


def describe(clip: Clip, *, name: str, host: str, fps: float) -> bytes:
    """The session description of a camera that plays ``clip``."""
    family = "IP6" if ":" in host else "IP4"
    lines = [
        "v=0",
        f"o=- 0 0 IN {family} {host}",
        f"s={name}",
        f"c=IN {family} {'::' if family == 'IP6' else '0.0.0.0'}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {clip.codec.upper()}/{CLOCK_RATE}",
        f"a=fmtp:{PAYLOAD_TYPE} {_parameters(clip)}",
        f"a=framerate:{fps:g}",
        f"a=control:{TRACK}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def _parameters(clip: Clip) -> str:
    """The codec's own parameters (RFC 6184, 8.1; RFC 7798, 7.1)."""
    vps, sps, pps = (base64.b64encode(each).decode() for each in (clip.vps, clip.sps, clip.pps))
    if clip.codec == "h265":
        return f"sprop-vps={vps}; sprop-sps={sps}; sprop-pps={pps}"
    level = clip.sps[1:4].hex().upper()
    return f"packetization-mode=1; profile-level-id={level}; sprop-parameter-sets={sps},{pps}"
