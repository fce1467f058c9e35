"""Where runs are kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vedette.config import Config

__all__ = ["runs_of"]

RUNS = "validation"


def runs_of(config: Config | None) -> Path:
    """Where the configuration says; else beside the ledger, or in the configuration's folder where that is a
    server."""
    if config is None:
        return Path.cwd() / RUNS
    if config.validation.runs is not None:
        return config.validation.runs
    url = config.ledger.url
    return (config.folder if "://" in url else Path(url).absolute().parent) / RUNS
