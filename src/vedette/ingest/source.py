"""The edge where cameras come in: one protocol for our RTSP client and for PyAV's demuxer."""

from __future__ import annotations

from typing import Protocol

from vedette.facts import SessionEnd
from vedette.frame import EncodedFrame, Rung, StreamInfo

__all__ = ["Receiver", "Source"]


class Receiver(Protocol):
    """What a source hands frames to. Called from the one thread or event loop the source runs on.

    ``rung`` may change at any time; a source leaves out what the rung leaves out as early as it can and
    says so through ``skipped``. Every frame that arrives is told of exactly once: through ``frame``,
    ``skipped`` or ``broken``.
    """

    @property
    def rung(self) -> Rung: ...

    def opened(self, info: StreamInfo) -> None:
        """The stream is understood; frames follow. Once per session, before the first frame."""
        ...

    def frame(self, frame: EncodedFrame) -> None:
        """A whole frame. May block where the source can wait (``every_frame`` in a thread)."""
        ...

    def skipped(self, count: int = 1, *, behind: bool = False) -> None:
        """Frames that arrived and were left out because of the rung; ``behind``: because too many wait."""
        ...

    def broken(self, count: int = 1) -> None:
        """Frames of which a part was lost or made no sense."""
        ...

    def lost(self, packets: int) -> None:
        """So many packets never came, as the numbers of those that did show. Told before what they break."""
        ...


class Source(Protocol):
    """One camera's stream. A source is used for many sessions, one after the other."""

    async def run(self, receiver: Receiver) -> SessionEnd:
        """Open, read until the end, close, and say why it ended.

        Never raises for what the other side did: endings are values. Cancelling it closes the session
        promptly (within a second or two) and re-raises ``CancelledError``.
        """
        ...
