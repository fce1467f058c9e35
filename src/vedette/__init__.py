"""Vedette: video analytics that keeps watching.

>>> import vedette
>>> with vedette.run("cameras.yaml") as node:
...     for result in node.results():
...         print(result.camera, result.age, result.detections)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

__all__ = [
    "Config",
    "ConfigError",
    "DetectorError",
    "Result",
    "RunningNode",
    "VedetteError",
    "__version__",
    "load_config",
    "run",
]

if TYPE_CHECKING:
    from vedette.config import Config, load_config
    from vedette.errors import ConfigError, DetectorError, VedetteError
    from vedette.results import Result
    from vedette.running import RunningNode, run

_HOMES = {
    "Config": "config",
    "load_config": "config",
    "ConfigError": "errors",
    "DetectorError": "errors",
    "VedetteError": "errors",
    "Result": "results",
    "RunningNode": "running",
    "run": "running",
}


def __getattr__(name: str) -> Any:
    """Workers import parts of this package and must not carry the weight of all of it."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vedette' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"vedette.{_HOMES[name]}"), name)
