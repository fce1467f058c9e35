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
    sets = ",".join(base64.b64encode(each).decode() for each in (clip.sps, clip.pps))
    lines = [
        "v=0",
        f"o=- 0 0 IN {family} {host}",
        f"s={name}",
        f"c=IN {family} {'::' if family == 'IP6' else '0.0.0.0'}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/{CLOCK_RATE}",
        f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1; profile-level-id={clip.sps[1:4].hex().upper()};"
        f" sprop-parameter-sets={sets}",
        f"a=framerate:{fps:g}",
        f"a=control:{TRACK}",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()
