"""Where and when something was measured, in words that name no machine."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

__all__ = ["machine", "today"]


def machine() -> dict[str, Any]:
    """Processor, cores, memory, kernel, Python, and how busy it was before we began."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in lines if ":" in line)
    cleaned = {key.strip(): value.strip() for key, value in facts.items()}
    name, family = cleaned.get("model name", platform.machine()), cleaned.get("cpu family", "?")
    return f"{name} (family {family}, model {cleaned.get('model', '?')})"
