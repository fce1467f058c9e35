"""What was asked for on the command line, looked up: the set, the detector, where runs are kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from vedette.quality.validate.settings import ValidationSettings
from vedette.quality.validate.store import Runs
from vedette.quality.validate.where import runs_of
from vedette.tasks import spec_of

__all__ = ["Asked"]


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
        dataset: Path | None,
        images: Path | None,
        model: Path | None,
        runs: Path | None,
        floors: Mapping[str, float],
        tolerance: float | None,
    ) -> Asked:
        """What is not given is the configuration's. Raises ConfigError, LabelError."""
        loaded = None if config is None else load_config(config)
        section = ValidationSettings() if loaded is None else loaded.validation
        if dataset is None:
            if section.dataset is None:
                raise ConfigError("--dataset: which labelled set? The configuration names none, either")
            dataset, images = section.dataset, images or section.images
        labelled = read(dataset, pictures=images)
        rules = Rules(
            tolerance=section.tolerance if tolerance is None else tolerance,
            floors=floors or {str(name): least for name, least in section.floors.items()},
        )
        return cls(
            dataset.stem,
            labelled,
            folder_of(dataset, labelled.pictures, images),
            _spec(loaded, model),
            Runs(runs_of(loaded) if runs is None else runs),
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
