"""What the section ``validation`` of a configuration may say: frozen, checked, refusing unknown keys."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)

from vedette import config_checks as checks

__all__ = ["ValidationSettings"]


def _every(value: object) -> float | None:
    # YAML takes ``off`` for a boolean.
    if value is None or value is False or value == "off":
        return None
    try:
        seconds = checks.duration(value)
    except ValueError as err:
        raise ValueError(f"{err}, or off") from None
    if seconds < 60:
        raise ValueError("must be at least 1m, or off")
    return seconds


APath = Annotated[Path | None, PlainValidator(checks.optional_path)]
Share = Annotated[float, BeforeValidator(checks.number), Field(ge=0, le=1, allow_inf_nan=False)]
Flag = Annotated[bool, BeforeValidator(checks.flag)]
Floor = Literal["ap", "ap50", "ap75", "recall", "precision"]


class ValidationSettings(BaseModel):
    """The labelled pictures that detectors are held to before they take over, and while they work."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    dataset: APath = None
    """The labelled set; None = nothing is held to anything."""
    images: APath = None
    """Where its pictures lie; None = beside it, or in ``images`` there."""
    floors: dict[Floor, Share] = Field(default_factory=dict)
    """The least that the detector at work must reach."""
    tolerance: Share = 0.0
    """So far below 0 may a difference's whole interval lie."""
    runs: APath = None
    """Where runs and baselines are kept; None = in ``validation`` beside the ledger."""
    every: Annotated[float | None, PlainValidator(_every)] = None
    """Seconds between two validations of the detector at work; None = never by itself."""
    gate: Flag = True
    """Whether a detector that is worse than the one at work is refused."""

    @model_validator(mode="after")
    def _all_there(self) -> Self:
        # It is not looked for: whoever watches cameras starts, whatever became of the labels.
        if self.dataset is None:
            given = [name for name in ("images", "floors", "every") if getattr(self, name)]
            if given:
                raise ValueError(f"{given[0]}: there is no dataset that it could be about")
        elif importlib.util.find_spec("hotcoco") is None:
            raise ValueError(
                "dataset: needs a package that is not installed: pip install 'vedette[validate]'"
            )
        return self
