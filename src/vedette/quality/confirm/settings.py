"""What the section ``review: floor`` of a configuration may say: frozen, checked, refusing unknown keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from vedette import config_checks as checks

__all__ = ["FloorSettings", "Floors", "Measure"]

Measure = Literal["recall", "precision"]
Share = Annotated[float, BeforeValidator(checks.number), Field(gt=0, lt=1)]


class Floors(BaseModel):
    """What must not be fallen below: shares between 0 and 1, None = nobody minds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    recall: Share | None = None
    precision: Share | None = None


class FloorSettings(Floors):
    """Of each camera and each site."""

    level: Annotated[float, BeforeValidator(checks.number), Field(ge=0.9, le=0.9999)] = 0.99
    """How sure a loss must be until it is confirmed."""
    cameras: dict[str, Floors] = {}
    """Other floors of single cameras; what is not said of one is as for all."""

    def of(self, camera: str, measure: Measure) -> float | None:
        """Of a camera; of a whole site where it is empty."""
        own = self.cameras.get(camera)
        if own is not None and measure in own.model_fields_set:
            return getattr(own, measure)  # type: ignore[no-any-return]
        return getattr(self, measure)  # type: ignore[no-any-return]
