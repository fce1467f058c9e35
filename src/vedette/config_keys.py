"""A configuration as the keys of its file: only what was set, and nothing that is secret."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr

from vedette.config import CameraDefaults, Config
from vedette.errors import redact_url

__all__ = ["HIDDEN", "camera_keys", "config_keys"]

HIDDEN = "…"
"""Stands for a value that may be a secret: of ``options``, and of whom alerts are sent to."""

_OFF = ("max_lifetime", "max_frames", "memory_limit", "gpu_memory_limit", "every")
"""Keys whose None is written ``off``."""


def config_keys(config: Config) -> dict[str, Any]:
    """Values as YAML and JSON know them: durations in seconds, sizes in bytes, absolute paths. Addresses are
    without their credentials (``***``)."""
    keys = _keys(config)
    keys.pop("folder", None)
    keys["cameras"] = {name: camera_keys(config, name) for name in config.cameras}
    return {name: keys[name] for name in type(config).model_fields if name in keys}


def camera_keys(config: Config, name: str) -> dict[str, Any]:
    """Of one camera: what was set on it itself, in other words than in ``defaults``. Raises KeyError."""
    camera, defaults = config.cameras[name], config.defaults
    return {
        key: value
        for key, value in _keys(camera).items()
        if not (key in defaults.model_fields_set and _same(camera, defaults, key))
    }


def _same(camera: CameraDefaults, defaults: CameraDefaults, key: str) -> bool:
    return bool(getattr(camera, key) == getattr(defaults, key))


def _keys(settings: BaseModel) -> dict[str, Any]:
    """In the order in which a file is usually written."""
    given = settings.model_fields_set
    # Which of two kinds a section is must be said even where it is the usual one.
    named = [name for name in type(settings).model_fields if name in given or name == "type"]
    return {name: _value(name, getattr(settings, name)) for name in named}


def _value(name: str, value: Any) -> Any:
    match value:
        case BaseModel():
            return _keys(value)
        case SecretStr():
            return f"{value.get_secret_value().partition(':')[0].lower()}://{HIDDEN}"
        case Mapping():
            if name == "options":
                return dict.fromkeys(map(str, value), HIDDEN)
            return {str(_value("", key)): _value(str(key), each) for key, each in value.items()}
        case Enum():
            return value.value
        case list() | tuple():
            return [_value("", each) for each in value]
        case Path():
            return str(value)
        case str():
            return redact_url(value)
        case None:
            return "off" if name in _OFF else None
    return value
