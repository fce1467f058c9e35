"""A process that lets everybody else on the machine go first."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["end_first", "step_back"]

OUT_OF_MEMORY_FIRST = "1000"


def step_back() -> None:
    """Give way, with all threads there are and those that are started from now on. What the system does not
    let us do is not done. Before anything is loaded that computes in threads of its own."""
    # Read by runtimes, evaluators, and what a user's detector may be made with, when they are loaded.
    for name in ("RAYON_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    try:
        for thread in map(int, os.listdir("/proc/self/task")):
            os.setpriority(os.PRIO_PROCESS, thread, 19)
            # Nice is a share, and within a session only; idle is what is left. Who wakes up while an idle
            # thread runs has its core at once, not at the end of its turn.
            os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
    except (OSError, AttributeError):
        pass  # a sandbox, or no Linux
    end_first()


def end_first() -> None:
    """Where the machine has no memory left, let it be this process that is ended, and none that sees."""
    try:
        Path("/proc/self/oom_score_adj").write_text(OUT_OF_MEMORY_FIRST)
    except OSError:
        pass  # a sandbox, or no Linux
