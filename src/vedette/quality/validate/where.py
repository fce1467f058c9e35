"""Where runs are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from vedette.supervise.machine import store_folder

if TYPE_CHECKING:
    from vedette.config import Config

__all__ = ["LATEST", "runs_of"]

RUNS = "validation"
LATEST = "latest.json"
"""In a node's own folder of runs: what was last said of the detector at work."""


def runs_of(config: Config | None) -> Path:
    """Where the configuration says; else beside the ledger, or in the configuration's folder where that is a
    server."""
    if config is None:
        return Path.cwd() / RUNS
    if config.validation.runs is not None:
        return config.validation.runs
    return (store_folder(config.ledger.url) or config.folder) / RUNS
