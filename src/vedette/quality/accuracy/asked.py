"""From options to figures: the store is read, boxes are judged, and what was emitted is found."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from vedette.errors import ReviewError
from vedette.quality.accuracy.emitted import emitted_in
from vedette.quality.accuracy.figures import Figures, figures
from vedette.quality.confirm.looks import in_order, look_of
from vedette.quality.estimates import Emitted, Judged, Method
from vedette.quality.review.rows import Item, Review
from vedette.quality.review.store import Store

__all__ = ["Asked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """``confidence``: the score from which the detector emits. ``model``: the beginning of its hash; None =
    that of the newest frame. ``drift``: a folder in which drift keeps what it counted. ``sites``: by
    camera."""

    folder: Path
    confidence: float
    cameras: Collection[str] = ()
    model: str | None = None
    drift: Path | None = None
    method: Method = Method.POWERED
    sites: Mapping[str, str] = field(default_factory=dict)

    def figures(self) -> Figures:
        """Raises ReviewError, also where nothing was reviewed."""
        with Store.open(self.folder, readonly=True) as store:
            pairs = [pair for pair in store.reviewed() if self._wanted(pair[0].camera)]
            model = self._model(store, pairs)
        frames = self._frames(pairs)
        if not frames:
            of = f" of {', '.join(sorted(self.cameras))}" if self.cameras else ""
            raise ReviewError(f"{self.folder}: no frame{of} was reviewed yet")
        all_seen = all(self._all_looked_for(item, review) for item, review in pairs if item.model == model)
        found = figures(frames, model, self._emitted(frames, model) if all_seen else {}, method=self.method)
        if all_seen or self.drift is None:
            return found
        remark = "not all classes were looked for, so what was counted of all tells nothing"
        return Figures(found.model, found.rows, (*found.remarks, remark))

    def _frames(self, pairs: Collection[tuple[Item, Review]]) -> list[Judged]:
        looks = (
            look_of(item, review, threshold=self.confidence, site=self.sites.get(item.camera, ""))
            for item, review in pairs
        )
        return [look.frame for look in in_order(each for each in looks if each is not None)]

    def _wanted(self, camera: str) -> bool:
        return not self.cameras or any(fnmatchcase(camera, pattern) for pattern in self.cameras)

    def _model(self, store: Store, pairs: Collection[tuple[Item, Review]]) -> str:
        known = sorted({item.model for item, _ in pairs})
        if self.model is not None:
            fitting = [each for each in known if each.startswith(self.model)]
            if len(fitting) != 1:
                there = ", ".join(each[:12] for each in known) or "none"
                which = "several models begin" if fitting else "no reviewed model begins"
                raise ReviewError(f"{self.folder}: {which} with {self.model!r}; there are {there}")
            return fitting[0]
        newest = [item for item in store.items(uniform=True, limit=1000) if self._wanted(item.camera)]
        reviewed = [item for item, _ in pairs]
        return next((item.model for item in [*reversed(newest), *reversed(reviewed)]), "")

    def _emitted(self, frames: Collection[Judged], model: str) -> dict[str, Emitted]:
        if self.drift is None:
            return {}
        cameras = {frame.camera for frame in frames if frame.model == model}
        found = {camera: emitted_in(self.drift, camera, model, self.confidence) for camera in cameras}
        return {camera: each for camera, each in found.items() if each is not None}

    def _all_looked_for(self, item: Item, review: Review) -> bool:
        return all(box.label in review.looked_for for box in item.predictions if box.score >= self.confidence)
