"""What the sections ``drift`` and ``review`` of a configuration may say: frozen, checked, refusing unknown
keys."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator

from vedette import config_checks as checks
from vedette.quality.confirm.settings import FloorSettings
from vedette.quality.drift.fleet import Across
from vedette.quality.drift.settings import Settings
from vedette.quality.review.sampling import Reason, TargetedSettings

__all__ = ["DriftSettings", "ReviewSettings"]

Flag = Annotated[bool, BeforeValidator(checks.flag)]
Seconds = Annotated[float, BeforeValidator(checks.duration)]
Number = Annotated[float, BeforeValidator(checks.number)]
PerHour = Annotated[Number, Field(ge=0, le=36_000)]


def _by_reason(value: object) -> object:
    """Those that are not named keep what they have."""
    if not isinstance(value, Mapping):
        return value
    usual: dict[str, Any] = {reason.value: each for reason, each in TargetedSettings().per_hour.items()}
    return usual | {str(reason): each for reason, each in value.items()}


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


class ReviewSettings(BaseModel):
    """Which frames are kept for people to look at, where, and what accuracy must not fall below by what they
    say."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: Flag = True
    folder: Annotated[Path | None, PlainValidator(checks.optional_path), Field(validate_default=True)] = None
    """None: beside the ledger; where that is no file, none are kept."""
    per_hour: PerHour = 2.0
    """Frames of a camera in the uniform stream, on average."""
    node_per_hour: PerHour = 400.0
    """Of all cameras; they share it evenly."""
    targeted: Annotated[dict[Reason, PerHour], BeforeValidator(_by_reason)] = Field(
        default={}, validate_default=True
    )
    """Frames of a camera for each reason, at most."""
    targeted_per_hour: PerHour = 12.0
    """Of a camera, for all reasons together."""
    targeted_node_per_hour: PerHour = 200.0
    budget: Annotated[int, PlainValidator(checks.size)] = 2 * 2**30
    """Bytes of pictures."""
    drop_reviewed: Flag = False
    """Whether pictures that were looked at make room, too."""
    redact: tuple[Annotated[str, Field(min_length=1)], ...] = ()
    """Classes whose boxes are made unrecognisable before anything is written."""
    quality: Annotated[int, BeforeValidator(checks.number), Field(ge=30, le=95)] = 90
    """Of JPEG files."""
    floor: FloorSettings = Field(default_factory=FloorSettings)
    """What accuracy must not fall below."""
