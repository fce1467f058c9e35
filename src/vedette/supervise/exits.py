"""How a process ended, in words."""

from __future__ import annotations

import signal

from vedette.workers.exhausted import OUT_OF_MEMORY

__all__ = ["in_words"]


def in_words(exit_code: int | None) -> str:
    """``exit code -11 (SIGSEGV)``."""
    if exit_code is None:
        return "it cannot be told how it ended"
    if exit_code == OUT_OF_MEMORY:
        return "it had no memory left"
    try:
        name = signal.Signals(-exit_code).name if exit_code < 0 else ""
    except ValueError:  # one of the real-time signals
        name = ""
    return f"exit code {exit_code}" + (f" ({name})" if name else "")
