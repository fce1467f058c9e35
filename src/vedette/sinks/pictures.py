"""Annotated video, written beside the frame's way: a thread per camera, bounded, every drop counted."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from vedette.errors import redact
from vedette.workers.outputs import result_of
from vedette.workers.protocol import Output
from vedette.workers.threads import name_thread

__all__ = ["PictureSink", "close_all"]

WAITING_AT_MOST = 8
"""Pictures. A disk or an encoder that is slower than the camera loses pictures, not memory."""

CLOSE_WITHIN_S = 1.5


class PictureSink:
    """Writes the pictures of one camera's results.

    ``put`` never blocks. A source that can wait looks at ``busy`` before it gives more, and is told by
    ``written``, from the writing thread, when to look again.
    """

    def __init__(
        self,
        folder: Path,
        camera: str,
        *,
        tell: Callable[[str], None],
        written: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder, self._camera, self._tell, self._written = folder, camera, tell, written
        self._queue: queue.Queue[tuple[Any, Output, float] | None] = queue.Queue(WAITING_AT_MOST)
        self.written = self.dropped = self.failed = 0
        """Pictures on their way to the disk, those there was no time for, and those that met a failure."""
        self._told = (0, 0, 0)
        self._failed = False
        self._thread = threading.Thread(target=self._write, name=f"video-{camera}", daemon=True)
        self._thread.start()

    @property
    def busy(self) -> bool:
        """Whether half of the room is taken; the other half is for what is on its way already."""
        return not self._failed and self._queue.qsize() >= WAITING_AT_MOST // 2

    def put(self, image: Any, output: Output, shown_at: float) -> None:
        """Take a picture in the decoder's format, what was found in it, and its Unix time in the video."""
        if self._failed:
            self.failed += 1
            return
        try:
            self._queue.put_nowait((image, output, shown_at))
        except queue.Full:
            self.dropped += 1
            if self.dropped == 1:
                self._tell(f"video of {self._camera}: writing is too slow, pictures are dropped")

    def counted(self) -> tuple[int, int, int]:
        """Written, dropped and failed since this was asked last."""
        now = self.written, self.dropped, self.failed
        before, self._told = self._told, now
        return now[0] - before[0], now[1] - before[1], now[2] - before[2]

    def _write(self) -> None:
        name_thread("video")
        from vedette.ingest.convert import Converter
        from vedette.sinks.video import AnnotatedVideo

        converter = Converter()
        video = AnnotatedVideo(self._folder, self._camera)
        while (item := self._queue.get()) is not None:
            image, output, shown_at = item
            try:
                result = result_of(self._camera, output)
                video.write(converter.to_rgb(image), result, shown_at)
                self.written += 1
            except Exception as err:  # whatever it is, it must not hold up a source that waits for us
                self._failed = True
                # What waits goes the same way. `put` may count one more at this moment, and that is lost.
                self.failed += 1 + self._queue.qsize()
                self._tell(redact(f"video of {self._camera}: {err}"))
                break
            finally:
                self._written()
        video.close()

    def close(self) -> None:
        """Finish what waits, for a moment, and close the file."""
        try:
            self._queue.put(None, timeout=CLOSE_WITHIN_S)
        except queue.Full:
            return
        self._thread.join(CLOSE_WITHIN_S)


def close_all(sinks: Sequence[PictureSink]) -> None:
    """Close them side by side: many cameras take no longer to stop than one. Blocks for a moment."""
    closers = [threading.Thread(target=sink.close, daemon=True) for sink in sinks]
    for closer in closers:
        closer.start()
    for closer in closers:
        closer.join(2 * CLOSE_WITHIN_S)
