"""What was asked for on the command line, looked up: the set, the detector, where runs are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from vedette.config import Config, Detector, load_config
from vedette.errors import ConfigError
from vedette.infer.load import DetectorSpec
from vedette.quality.labels.dataset import Dataset
from vedette.quality.labels.formats import read
from vedette.quality.validate.gate import Rules
from vedette.quality.validate.perform import Outcome, run_validation
from vedette.quality.validate.pictures import folder_of
from vedette.quality.validate.store import Runs
from vedette.tasks import spec_of

__all__ = ["Asked"]

RUNS = "validation"


@dataclass(frozen=True, slots=True)
class Asked:
    """``name``: of the set; ``folder``: where its pictures lie."""

    name: str
    dataset: Dataset
    folder: Path
    spec: DetectorSpec
    runs: Runs
    rules: Rules

    @classmethod
    def of(
        cls,
        config: Path | None,
        dataset: Path,
        images: Path | None,
        model: Path | None,
        runs: Path | None,
        rules: Rules,
    ) -> Asked:
        """Raises ConfigError, LabelError."""
        loaded = None if config is None else load_config(config)
        labelled = read(dataset, pictures=images)
        return cls(
            dataset.stem,
            labelled,
            folder_of(dataset, labelled.pictures, images),
            _spec(loaded, model),
            Runs(_runs_of(loaded) if runs is None else runs),
            rules,
        )

    def run(self, progress: Callable[[int], None]) -> Outcome:
        """Raises LabelError, DetectorError."""
        return run_validation(
            self.name, self.dataset, self.folder, self.spec, at=datetime.now(UTC), progress=progress
        )


def _spec(config: Config | None, model: Path | None) -> DetectorSpec:
    """As ``vedette model set`` does: another model, all other settings as they are."""
    detector, folder = (Detector(), Path.cwd()) if config is None else (config.detector, config.folder)
    if model is not None:
        if not model.is_file():
            raise ConfigError(f"--model: there is no file {model}")
        detector = detector.model_copy(update={"model": model.absolute(), "python": None})
    return spec_of(detector, folder)


def _runs_of(config: Config | None) -> Path:
    """Beside the ledger; in the configuration's folder where that is a server."""
    if config is None:
        return Path.cwd() / RUNS
    url = config.ledger.url
    return (config.folder if "://" in url else Path(url).absolute().parent) / RUNS
