"""Changes that people made while a node ran, and that are to be so when it is started again.

The configuration file is the user's, and is not written. What is changed over the API is kept beside the
ledger and put on top of the file whenever that is read: a camera added, another setting of one, one that is
not to be watched, one that is paused, another model. Settings may hold credentials: only its owner may read
the file.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from vedette.errors import ConfigError, WorkerError, redact
from vedette.whole_files import write_whole

if TYPE_CHECKING:
    from vedette.config import Config
    from vedette.control.protocol import Order

__all__ = [
    "CameraChange",
    "Kept",
    "LastingChanges",
    "NotKeptError",
    "changed",
    "changes_file",
    "kept_after",
]

PRIVATE = 0o600
ORDER_AT_MOST = 64 * 1024
"""Bytes that one more change can add: orders are no longer."""


class NotKeptError(WorkerError):
    """What was ordered is done, and will not be so after a restart."""


class CameraChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """Of one camera. ``added``: ``settings`` are all it has, whatever the file says; else they are those that
    are other than there, None where one of the file is taken back. ``paused``: why; None where it is not.
    ``paused_at``: since when, Unix seconds; 0.0 where that is not known."""

    added: bool = False
    removed: bool = False
    settings: dict[str, Any] = {}
    paused: str | None = None
    paused_at: float = 0.0


class Kept(msgspec.Struct, frozen=True, omit_defaults=True):
    """All changes of a node. ``detector``: settings of it that are other than in the file."""

    cameras: dict[str, CameraChange] = {}
    detector: dict[str, Any] = {}

    def on(self, config: Config) -> Config:
        """The configuration with these changes. Those of a camera that is in neither are left out. Raises
        ConfigError where they do not fit it (any more)."""
        for name, change in self.cameras.items():
            if change.added:
                config = config.with_camera(name, change.settings)
            elif change.settings and (known := config.cameras.get(name)) is not None:
                given = {key: getattr(known, key) for key in known.model_fields_set}
                config = config.with_camera(name, changed(given, change.settings))
        # Last: a node must not be without cameras even for a moment.
        for name in [name for name, change in self.cameras.items() if change.removed]:
            config = config.without_camera(name) if name in config.cameras else config
        return config.with_detector(self.detector) if self.detector else config

    @property
    def paused(self) -> dict[str, str]:
        """Why, by camera."""
        return {name: each.paused for name, each in self.cameras.items() if each.paused is not None}

    @property
    def paused_since(self) -> dict[str, float]:
        """Unix seconds, by camera; where they are known."""
        return {name: each.paused_at for name, each in self.cameras.items() if each.paused_at}

    def words(self) -> Iterator[str]:
        """What was changed, in words for people, and without values that may be secret."""
        for name, change in sorted(self.cameras.items()):
            if change.removed:
                yield f"camera {name}: removed"
                continue
            if change.added:
                yield f"camera {name}: added"
            elif change.settings:
                yield f"camera {name}: changed ({', '.join(sorted(change.settings))})"
            if change.paused is not None:
                yield f"camera {name}: paused" + (f" ({redact(change.paused)})" if change.paused else "")
        if self.detector:
            yield f"detector: {self.detector.get('model') or ', '.join(sorted(self.detector))}"


def changed(given: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """A camera's own settings, with those that were ordered on top. An ordered None takes one back: then the
    configuration's ``defaults`` hold again. A None of the file's own stays one."""
    return {
        key: value for key, value in {**given, **settings}.items() if value is not None or key not in settings
    }


def kept_after(kept: Kept, order: Order, *, in_file: bool, at: float = 0.0) -> Kept:
    """What is to be kept once an order was carried out, at that time (Unix seconds). ``in_file``: whether the
    camera that it concerns is one of the configuration file."""
    if order.kind == "model":
        # On top of what was set before, as at work: another model, and the names that were given with it.
        detector = {**kept.detector, "model": order.what, "python": None, **order.settings}
        return msgspec.structs.replace(kept, detector=detector)
    before = kept.cameras.get(order.what, CameraChange())
    cameras = dict(kept.cameras)
    match order.kind:
        case "add":
            cameras[order.what] = CameraChange(added=True, settings=dict(order.settings))
        case "change":
            settings = (
                changed(before.settings, order.settings) if before.added else before.settings | order.settings
            )
            cameras[order.what] = msgspec.structs.replace(before, settings=settings, removed=False)
        case "remove":
            cameras[order.what] = CameraChange(removed=True)
            if not in_file:
                del cameras[order.what]
        case "pause":  # one that is paused stays so, for the reason it has
            if before.paused is None:
                cameras[order.what] = msgspec.structs.replace(before, paused=order.why, paused_at=at)
        case "resume":
            cameras[order.what] = msgspec.structs.replace(before, paused=None, paused_at=0.0)
        case _:
            return kept
    if cameras.get(order.what) == CameraChange():
        del cameras[order.what]
    return msgspec.structs.replace(kept, cameras=cameras)


class LastingChanges:
    """Those of one node, in a file. ``in_file``: the cameras of the configuration file. Used by one thread at
    a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._in_file: frozenset[str] = frozenset()

    @property
    def kept(self) -> Kept:
        """Raises ConfigError where the file cannot be read."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Kept)
        except FileNotFoundError:
            return Kept()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as err:
            why = err.strerror if isinstance(err, OSError) else err
            raise ConfigError(f"{self.path}: changes made over the API cannot be read: {why}") from None

    def on(self, config: Config) -> Config:
        """What the configuration file says, with the changes on top. Raises ConfigError."""
        self._in_file = frozenset(config.cameras)
        try:
            kept = self.kept
        except ConfigError as err:
            raise ConfigError(f"{err}\n  `vedette config reset` takes them back") from err
        try:
            return kept.on(config)
        except ConfigError as err:
            raise ConfigError(
                f"{self.path}: changes made over the API do not fit the configuration any more: {err}\n"
                "  `vedette config reset` takes them back"
            ) from err

    def check(self) -> None:
        """To be asked before an order is carried out. Raises ConfigError where it could not be kept."""
        most = 2 * len(msgspec.json.encode(self.kept)) + ORDER_AT_MOST
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path.parent) as file:
                file.write(bytes(most))
        except OSError as err:
            raise ConfigError(
                f"{self.path}: changes made over the API cannot be kept: {err.strerror or err}"
            ) from err

    def carried_out(self, order: Order) -> None:
        """Keep what an order changed. Raises ConfigError, OSError."""
        in_file = order.what in self._in_file
        after = kept_after(self.kept, order, in_file=in_file, at=round(time.time(), 3))
        write_whole(self.path, msgspec.json.format(msgspec.json.encode(after)), mode=PRIVATE)

    def forget(self, camera: str | None = None) -> bool:
        """Take back all of them, or those of a camera; returns whether there were any. Raises ConfigError,
        OSError."""
        if camera is None:
            existed = self.path.exists()
            self.path.unlink(missing_ok=True)
            return existed
        kept = self.kept
        if camera not in kept.cameras:
            return False
        cameras = {name: each for name, each in kept.cameras.items() if name != camera}
        left = msgspec.structs.replace(kept, cameras=cameras)
        write_whole(self.path, msgspec.json.format(msgspec.json.encode(left)), mode=PRIVATE)
        return True


def changes_file(config: Config) -> Path:
    """Where a node keeps changes: beside its ledger, or in its configuration's folder where that is a server,
    or there is none."""
    from vedette.supervise.machine import store_folder

    beside = store_folder(config.ledger.url, enabled=config.ledger.enabled)
    return (beside or config.folder) / f"changes-{config.ledger.node}.json"
