"""What the sections ``drift`` and ``review`` may say: frozen, checked, refusing unknown keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationInfo

from vedette import config_checks as checks
from vedette.quality.confirm.settings import FloorSettings
from vedette.quality.drift.fleet import Across
from vedette.quality.drift.settings import Settings

__all__ = ["DriftSettings", "ReviewSettings"]

Flag = Annotated[bool, BeforeValidator(checks.flag)]
Seconds = Annotated[float, BeforeValidator(checks.duration)]
Number = Annotated[float, BeforeValidator(checks.number)]


class DriftSettings(BaseModel):
    """Whether the detector is watched, camera by camera, for doing worse than it did."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: Flag = True
    learn: Annotated[Seconds, Field(ge=60)] = 3 * 86_400.0
    """Seconds of watching from which it is learnt what is usual for a camera."""
    arl: Annotated[Number, Field(ge=1)] = 1000.0
    """Camera-days between two false suspicions, in the mean, at least."""
    across: Across = Across.EACH
    """Over what ``arl`` counts: each camera, or all cameras of a site and of the node."""
    tolerance: Annotated[Number, Field(ge=0.05, le=2)] = 0.15
    """By so many standard deviations of ten seconds may a mean shift for good, and nobody is told."""
    unseen_after: Seconds = 600.0
    """So long may a camera be in a light for which nothing was learnt until that is told."""
    every: Annotated[Seconds, Field(ge=0.2, le=60)] = 1.0
    """Seconds between two frames of a camera that are looked at."""

    def settings(self, utc_offset: float) -> Settings:
        """``utc_offset``: seconds, of the hours of the day."""
        return Settings(
            learn_days=self.learn / 86_400,
            arl_days=self.arl,
            across=self.across,
            tolerance=self.tolerance,
            unseen_after_s=self.unseen_after,
            utc_offset_s=utc_offset,
        )


def _folder(value: object, info: ValidationInfo) -> Path | None:
    if value is None:
        return None
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("must be a path")
    return checks.local_path(value, (info.context or {}).get("folder") or Path.cwd())


class ReviewSettings(BaseModel):
    """Where people review frames, and what accuracy must not fall below by what they say."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    folder: Annotated[Path | None, PlainValidator(_folder)] = None
    """None: beside the ledger; where that is no file, there is none."""
    floor: FloorSettings = Field(default_factory=FloorSettings)
