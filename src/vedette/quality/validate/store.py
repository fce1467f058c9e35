"""Runs in a folder, a JSON file each, and which of them is the baseline of a set."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from vedette import whole_files
from vedette.errors import LabelError
from vedette.quality.validate.records import Records
from vedette.quality.validate.run import DatasetName, Model, Run

__all__ = ["Runs", "write_whole"]

T = TypeVar("T")

_BASELINES = "baselines.json"
_RUNS = "[0-9]*T*Z-*.json"
"""Their names begin with when they were made, so that the newest one is the last."""
LOOK_AT_MOST = 64
"""Runs in which one of a certain detector is looked for: enough for one a day and some by hand."""


class _Head(msgspec.Struct, frozen=True):
    """What tells of whom a run is, without what it found."""

    dataset: DatasetName
    model: Model
    confidence: float
    precision: str = ""


class Runs:
    """Reads and writes them. Errors are LabelErrors that name the file."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keep(self, run: Run) -> Path:
        """Write it, whole or not at all; returns its file."""
        path = self._path(run.id)
        write_whole(path, msgspec.json.encode(run) + b"\n")
        return path

    def read(self, run_id: str) -> Run:
        path = self._path(run_id)
        run = _decoded(path, Run)
        try:
            Records.of_stored(run.records)
        except ValueError as err:
            raise LabelError(f"{path}: is not what was written there: {err}") from err
        return run

    def find(self, model: Model, content: str, confidence: float, precision: str) -> Run | None:
        """The newest run of this detector, computing in this precision, on a set with this hash; None where
        there is none. Files that cannot be read are passed over."""
        for path in sorted(self.folder.glob(_RUNS), reverse=True)[:LOOK_AT_MOST]:
            try:
                head = _decoded(path, _Head)
                alike = head.model.finds_as(model) and head.dataset.hash == content
                if alike and (head.confidence, head.precision) == (confidence, precision):
                    return self.read(path.stem)
            except LabelError:
                continue
        return None

    def thin(self, most: int) -> None:
        """Keep the newest so many, and the baselines."""
        kept = set(self._baselines().values())
        try:
            for path in sorted(self.folder.glob(_RUNS), reverse=True)[most:]:
                if path.stem not in kept:
                    path.unlink(missing_ok=True)
        except OSError:
            pass  # a few more than there should be hurt nobody; that none can be written is told

    def baseline(self, dataset: str) -> Run | None:
        """The run that others of this set are compared with; None where none was made that."""
        run_id = self._baselines().get(dataset)
        return None if run_id is None else self.read(run_id)

    def make_baseline(self, run: Run) -> None:
        """Of the set with its name. The run must have been kept."""
        changed = self._baselines() | {run.dataset.name: run.id}
        write_whole(self.folder / _BASELINES, msgspec.json.format(msgspec.json.encode(changed)) + b"\n")

    def _baselines(self) -> dict[str, str]:
        path = self.folder / _BASELINES
        return _decoded(path, dict[str, str]) if path.exists() else {}

    def _path(self, run_id: str) -> Path:
        return self.folder / f"{run_id}.json"


def _decoded(path: Path, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as err:
        raise LabelError(f"{path}: cannot be read: {err.strerror}") from err
    except msgspec.DecodeError as err:
        raise LabelError(f"{path}: is not what was written there: {err}") from err


def write_whole(path: Path, data: bytes) -> None:
    """Whoever reads ``path`` sees all of it or what was there before. Raises LabelError."""
    try:
        whole_files.write_whole(path, data)
    except OSError as err:
        raise LabelError(f"{path}: cannot be written: {err.strerror}") from err
