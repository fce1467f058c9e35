"""The configuration under test: the user's own, with simulated cameras. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vedette.config import Config, LedgerSettings

__all__ = ["NODE", "under_test"]

NODE = "chaos"
"""Under this name a run writes its ledger: it never mixes with the record of a node that really watches."""


def under_test(config: Config, urls: Mapping[str, str], ledger: str) -> Config:
    """The same configuration with simulated cameras and a ledger of its own.

    Left out: URLs with their credentials and the options of their sources, sinks, and whom alerts are sent
    to. Nobody shall be told of faults that are made up.
    """
    cameras: dict[str, Any] = {}
    for name, camera in config.cameras.items():
        given = {key: getattr(camera, key) for key in camera.model_fields_set}
        if name in urls:
            given = {**given, "url": urls[name]}
            given.pop("options", None)
        cameras[name] = given
    kept = config.model_fields_set - {"cameras", "sinks", "ledger", "alerts"}
    rest = {key: getattr(config, key) for key in kept}
    if "defaults" in kept:
        defaults = config.defaults
        rest["defaults"] = {
            key: getattr(defaults, key) for key in defaults.model_fields_set if key != "options"
        }
    return Config(
        **rest
        | {
            "cameras": cameras,
            "folder": config.folder,
            "ledger": LedgerSettings(url=ledger, node=NODE),
            "alerts": config.alerts.model_copy(update={"to": ()}),
        }
    )
