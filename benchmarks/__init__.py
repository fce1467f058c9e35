"""Measurements, not tests: ``python -m benchmarks age`` and ``python -m benchmarks thousand``."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
