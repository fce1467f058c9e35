"""Access units in, pictures out: the only place that decodes.

One thread per decoder, no frame threading: a stream without B-frames gives each picture back at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import av
from av.codec.context import CodecContext, ThreadType

from vedette.errors import SourceError
from vedette.frame import EncodedFrame, StreamInfo

__all__ = ["DecodeFailed", "DecodedFrame", "Decoder"]

_MAX_PIXELS = 8192 * 4352
"""A JPEG header of a few bytes may claim 65535 × 65535 pixels, which would be 6 GB of picture; and an H.264
stream may make its decoder hold 17 pictures. 8K is the most."""

_MAX_PENDING = 32
"""No codec holds back more than 16 pictures to put them in order; what is twice as late never comes."""

_KEYFRAME_PATIENCE = 300
"""Streams with a gradual intra refresh have no keyframe at all: after so many frames, decode anyway."""


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """A picture and the sequence number of the access unit it came in.

    ``image`` is the decoder's own frame (an ``av.VideoFrame``, opaque to everybody but ``convert``).
    """

    seq: int
    image: Any
    width: int
    height: int


class DecodeFailed(SourceError):  # noqa: N818  # it fails for some frames; the session goes on
    """Some access units gave no usable picture.

    ``seqs``: the sequence numbers that will never come out. ``frames``: the good pictures that came out in
    the same call.
    """

    def __init__(self, message: str, seqs: list[int], frames: list[DecodedFrame]) -> None:
        super().__init__(message)
        self.seqs = seqs
        self.frames = frames


class Decoder:
    """Decodes one session's frames.

    Every sequence number given to ``decode`` comes out exactly once: as a picture, or in the ``seqs`` of a
    ``DecodeFailed``; at the latest in ``flush``. Not thread-safe; use it from one thread at a time.

    Raises SourceError when nothing here decodes ``info.codec``.
    """

    def __init__(self, info: StreamInfo, *, threads: int = 1, wait_for_keyframe: bool = True) -> None:
        self._threads = threads
        self._context = _prepared(info.context or _created(info), threads)
        self._pending: list[int] = []
        self._gating = wait_for_keyframe
        self._awaiting_keyframe = wait_for_keyframe
        self._refused = 0

    @property
    def holds_back(self) -> bool:
        """Whether pictures of earlier frames are still to come out."""
        return bool(self._pending)

    def wants(self, frame: EncodedFrame) -> bool:
        """Whether this frame can be decoded now; False while a keyframe has to come first.

        Ask once per frame. An unwanted frame is best counted as skipped; ``decode`` would only raise for it.
        """
        if frame.keyframe or not self._awaiting_keyframe:
            return True
        self._refused += 1
        return self._refused > _KEYFRAME_PATIENCE

    def await_keyframe(self) -> None:
        """Take no frame until the next keyframe: frames others are predicted from were left out or lost."""
        self._awaiting_keyframe = self._gating
        self._refused = 0

    def decode(self, frame: EncodedFrame, seq: int) -> list[DecodedFrame]:
        """Pictures that are ready after this access unit: none to several, in the order they are shown.

        Raises DecodeFailed when any sequence number, this one or an earlier one, is lost.
        """
        if not self.wants(frame):
            raise DecodeFailed("no keyframe yet", [seq], [])
        self._awaiting_keyframe = False
        packet = frame.data if isinstance(frame.data, av.Packet) else av.Packet(frame.data)
        images, trouble = self._follow(packet)
        # The decoder carries PTS along with each picture, B-frames included: the safest place for our number.
        packet.pts, packet.dts = seq, None
        self._pending.append(seq)
        more, error = self._run(packet)
        failed = [seq] if error and self._forget(seq) else []
        return self._sorted_out(images + more, failed, error or trouble)

    def decode_alone(self, keyframe: EncodedFrame, seq: int) -> DecodedFrame:
        """The picture of one keyframe, at once: nothing that came before is needed for it.
        ``flush`` what is held back of earlier frames first. What comes next must be a keyframe again.

        Raises DecodeFailed when it gives no picture.
        """
        frames = self.decode(keyframe, seq)
        frames += self.flush()
        for frame in frames:
            if frame.seq == seq:
                return frame
        raise DecodeFailed("a keyframe without a picture", [seq], [])

    def flush(self) -> list[DecodedFrame]:
        """The pictures held back for their order. Raises DecodeFailed like ``decode``."""
        images, error = self._drained()
        self._awaiting_keyframe = self._gating
        return self._sorted_out(images, [], error, ended=True)

    def _follow(self, packet: av.Packet[Any]) -> tuple[list[Any], str]:
        """A folder's next clip comes with a context of its own: empty the old one, go on with the new."""
        context = getattr(packet.stream, "codec_context", None)
        if context is None or context is self._context:
            return [], ""
        images, error = self._drained()
        self._context = _prepared(context, self._threads)
        return images, error

    def _drained(self) -> tuple[list[Any], str]:
        if not self._context.is_open:
            return [], ""
        images, error = self._run(None)
        self._context.flush_buffers()
        return images, error

    def _run(self, packet: av.Packet[Any] | None) -> tuple[list[Any], str]:
        try:
            return list(self._context.decode(packet)), ""
        except (av.FFmpegError, ValueError, MemoryError) as err:
            return [], str(getattr(err, "strerror", None) or err)

    def _sorted_out(
        self, images: list[Any], failed: list[int], error: str, *, ended: bool = False
    ) -> list[DecodedFrame]:
        frames = []
        for image in images:
            seq = image.pts
            if seq is None or not self._forget(seq):
                continue  # the second picture of one access unit: it has no number of its own
            if image.is_corrupt:
                failed.append(seq)
            else:
                frames.append(DecodedFrame(seq, image, image.width, image.height))
        overdue = len(self._pending) if ended else len(self._pending) - _MAX_PENDING
        if overdue > 0:
            failed += self._pending[:overdue]
            del self._pending[:overdue]
        if failed:
            raise DecodeFailed(error or "damaged pictures", failed, frames)
        return frames

    def _forget(self, seq: int) -> bool:
        if seq not in self._pending:
            return False
        self._pending.remove(seq)
        return True


def _created(info: StreamInfo) -> Any:
    try:
        context = CodecContext.create(info.codec, "r")
    except (av.FFmpegError, ValueError) as err:
        raise SourceError(f"no decoder for {info.codec!r}") from err
    if context.type != "video":
        raise SourceError(f"{info.codec!r} is no video codec")
    if info.extradata:
        context.extradata = info.extradata
    return context


def _prepared(context: Any, threads: int) -> Any:
    if not context.is_open:
        context.thread_count = threads
        # Frame threading would hold one picture back per thread.
        context.thread_type = ThreadType.SLICE
        context.options = {**context.options, "max_pixels": str(_MAX_PIXELS)}
    return context
