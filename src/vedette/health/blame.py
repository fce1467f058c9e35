"""Whose doing is it? From what was measured to a blame, and a sentence that gives the numbers."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from vedette.causes import Blame
from vedette.facts import EndReason
from vedette.ingest.rtsp.evidence import LinkEvidence, judge

__all__ = [
    "Judgement",
    "LateEvidence",
    "blame_behind",
    "blame_corrupt",
    "blame_end",
    "blame_late",
    "blame_slow",
    "blame_stall",
]

FRESH_LAG_S = 0.3
"""Frames that arrive this soon after their capture were held up by nobody."""


class Judgement(NamedTuple):
    blame: Blame
    why: str
    """A sentence for people."""


class LateEvidence(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch in which pictures or results were late: means over its frames, in seconds.

    ``lag``: capture to arrival. ``queued``: arrival to the decoder. ``decode``: in it. ``wait``: decoded to
    chosen by the detector. ``rate``: frames decoded a second. ``backlog``: frames before the decoder now.
    """

    lag: float = 0.0
    queued: float = 0.0
    decode: float = 0.0
    wait: float = 0.0
    rate: float = 0.0
    backlog: int = 0
    retransmits: int = 0


_ENDS = {
    EndReason.STALLED: Judgement(Blame.CAMERA, "The connection stood and brought no frames."),
    EndReason.CORRUPT: Judgement(Blame.CAMERA, "What came makes no sense."),
    EndReason.ENDED: Judgement(Blame.CAMERA, "The camera ended the stream."),
    EndReason.REFUSED: Judgement(Blame.CAMERA, "The camera's host is there and refuses."),
    EndReason.UNAUTHORISED: Judgement(Blame.OPERATOR, "The user or the password is not the camera's."),
    EndReason.UNSUPPORTED: Judgement(Blame.OPERATOR, "The camera is set to something we cannot decode."),
    EndReason.UNREACHABLE: Judgement(Blame.NETWORK, "Nothing answers at the camera's address."),
    EndReason.NAME_UNKNOWN: Judgement(Blame.NETWORK, "The camera's name has no address."),
    EndReason.CONNECTION_LOST: Judgement(Blame.NETWORK, "The connection broke in the middle of the stream."),
    EndReason.CLOSED: Judgement(Blame.OPERATOR, "It was closed by us."),
    EndReason.WORKER_LOST: Judgement(Blame.NODE, "The process that read it died."),
}


def blame_end(reason: EndReason, detail: str = "") -> Judgement:
    """Of a session that ended for ``reason``; its ``detail``, where there is one, is the sentence.

    For sessions that do not say themselves whose doing it was.
    """
    if reason is EndReason.TLS:
        # Certificates are somebody's to renew or to trust; a handshake that breaks is the device's.
        blame = Blame.OPERATOR if "certificate" in detail.lower() else Blame.CAMERA
        found = Judgement(blame, "No encrypted connection came about.")
    else:
        found = _ENDS[reason]
    return Judgement(found.blame, detail) if detail else found


def blame_stall(link: LinkEvidence | None) -> Judgement:
    """Of a connection that stands and brings no frames.

    The link's evidence is judged where the session's own end is, too. Where it says nothing, the camera is
    the one that is silent.
    """
    stands = "The connection stands and brings no frames"
    if link is None:
        return Judgement(Blame.CAMERA, f"{stands}.")
    blame, why = judge(link)
    found = f"{stands}: {why}." if why else f"{stands}."
    return Judgement(blame or Blame.CAMERA, f"{found} The last byte came {link.silent_s:.1f} s ago.")


def blame_corrupt(lost_packets: int, failed: int = 0, received: int = 0) -> Judgement:
    """Of frames that give no picture. Packets that are missing were lost on the way."""
    counted = (
        f"{failed} of {received} frames could not be decoded" if received else "What came makes no sense"
    )
    if lost_packets:
        packets = "packet is" if lost_packets == 1 else "packets are"
        return Judgement(Blame.NETWORK, f"{counted}, and {lost_packets} {packets} missing.")
    return Judgement(Blame.CAMERA, f"{counted}; no packet is missing.")


def blame_behind(backlog: int, left_out: int, decode: float, rate: float) -> Judgement:
    """Of frames that lie before our decoder."""
    return Judgement(
        Blame.DECODE,
        f"{backlog} frames lie before the decoder and {left_out} were left out; "
        f"one takes {decode * 1e3:.0f} ms at {rate:.1f} frames/s.",
    )


def blame_late(evidence: LateEvidence) -> Judgement:
    """Of pictures, or results, that come late: the largest of their waits, with the numbers."""
    load = evidence.decode * evidence.rate
    ours = evidence.queued + evidence.decode
    numbers = (
        f"on the way {evidence.lag:.2f} s, before the decoder {evidence.queued:.2f} s, in it "
        f"{evidence.decode * 1e3:.0f} ms, for the detector {evidence.wait:.2f} s"
    )
    if evidence.wait > max(evidence.lag, ours):
        return Judgement(Blame.INFERENCE, f"Pictures wait for the detector: {numbers}.")
    # A decoder that cannot keep up leaves frames in the socket: then the way looks long, and is not.
    if load > 1.0 or ours > evidence.lag:
        share = f"decoding takes {load:.0%} of the time, {evidence.backlog} frames wait"
        return Judgement(Blame.DECODE, f"We decode too slowly: {share}; {numbers}.")
    if evidence.retransmits:
        return Judgement(
            Blame.NETWORK, f"Frames arrive late, with {evidence.retransmits} retransmits: {numbers}."
        )
    return Judgement(Blame.NETWORK, f"Frames arrive late and are decoded at once: {numbers}.")


def blame_slow(rate: float, share: float, lag: float) -> Judgement:
    """Of a camera that sends ``share`` of the frames it usually does."""
    counted = f"{rate:.1f} frames/s, {share:.0%} of what is usual"
    if lag > FRESH_LAG_S:
        return Judgement(Blame.NETWORK, f"{counted}; they arrive {lag:.2f} s after their capture.")
    return Judgement(Blame.CAMERA, f"{counted}; they arrive at once.")
