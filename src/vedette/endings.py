"""Where and how a frame ended: its outcome, and the stage it had come to. One counter each, in the table."""

from __future__ import annotations

from enum import StrEnum

from vedette.facts import Outcome

__all__ = ["ENDINGS", "Ending"]


class Ending(StrEnum):
    """Exactly one for each received frame. The value is ``<outcome>.<where or why>``."""

    ANALYSED = "analysed.emit"
    SUPERSEDED = "superseded.wait"
    EXPIRED_DECODE = "expired.decode"
    """It was too old before it was decoded, or when it came out of the decoder."""
    EXPIRED_WAIT = "expired.wait"
    EXPIRED_CONVERT = "expired.convert"
    """It was chosen, and too old once it was converted."""
    EXPIRED_INFER = "expired.infer"
    """It waited too long at the detector, or the detector took too long."""
    EXPIRED_EMIT = "expired.emit"
    """It was tracked, and its result too old to leave."""
    SKIPPED_RUNG = "skipped.rung"
    """The rung leaves such frames out."""
    SKIPPED_BACKLOG = "skipped.backlog"
    """Too many waited to be decoded, or it came after one that was left out for that."""
    SKIPPED_KEYFRAME = "skipped.keyframe"
    """Nothing could be made of it before the next keyframe."""
    SKIPPED_RATE = "skipped.rate"
    """``max_fps``, or the ladder's limit in its place."""
    SKIPPED_MOTION = "skipped.motion"
    """Nothing had moved since the last one that was analysed."""
    FAILED_ARRIVE = "failed.arrive"
    """Parts of it never came."""
    FAILED_DECODE = "failed.decode"
    FAILED_CONVERT = "failed.convert"
    FAILED_INFER = "failed.infer"
    FAILED_TRACK = "failed.track"
    ORPHANED_DECODE = "orphaned.decode"
    """Its session or epoch ended while it was in the decoder."""
    ORPHANED_WAIT = "orphaned.wait"
    ORPHANED_INFER = "orphaned.infer"
    """Its epoch or the detector ended while it was there."""
    ORPHANED_WORKER = "orphaned.worker"
    """The process that held it died; where it was is not known."""

    @property
    def outcome(self) -> Outcome:
        return _OUTCOMES[self]

    @property
    def stage(self) -> str:
        """arrive, decode, wait, convert, infer, track, emit or worker."""
        return _STAGES.get(self, self.value.partition(".")[2])

    @property
    def reason(self) -> str:
        """Why a frame was skipped: rung, backlog, keyframe, rate or motion. Empty for the others."""
        return self.value.partition(".")[2] if self.outcome is Outcome.SKIPPED else ""


_OUTCOMES = {ending: Outcome(ending.value.partition(".")[0]) for ending in Ending}
_STAGES = {
    Ending.SKIPPED_RUNG: "arrive",
    Ending.SKIPPED_BACKLOG: "decode",
    Ending.SKIPPED_KEYFRAME: "decode",
    Ending.SKIPPED_RATE: "wait",
    Ending.SKIPPED_MOTION: "wait",
}
ENDINGS = tuple(Ending)
