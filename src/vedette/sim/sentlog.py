"""When each frame was sent, for benchmarks that measure age end to end from another process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vedette.errors import ConfigError

__all__ = ["SentLog"]


class SentLog:
    """A memory-mapped ``.npy`` file, float64 [cameras, slots].

    Row i, slot s holds the monotonic second at which clip frame s of camera i was last handed to a socket;
    0 = never. Readers open it with ``numpy.load(path, mmap_mode="r")`` and see values as they are written.

    Raises:
        ConfigError: the file cannot be made.
    """

    def __init__(self, path: Path | str, cameras: int, slots: int) -> None:
        self.path = Path(path)
        try:
            self._times: npt.NDArray[np.float64] = np.lib.format.open_memmap(
                self.path, mode="w+", dtype=np.float64, shape=(cameras, slots)
            )
        except OSError as error:
            raise ConfigError(f"sent log {path}: {error.strerror or error}") from error

    def holds(self, cameras: int, slots: int) -> bool:
        """Whether there is room for that many."""
        rows, columns = self._times.shape
        return bool(rows >= cameras and columns >= slots)

    def record(self, camera: int, slot: int, at: float) -> None:
        self._times[camera, slot] = at
