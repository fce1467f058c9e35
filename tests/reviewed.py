"""Review stores with people's words in them, for tests of accuracy and of confirmed loss."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from review_frames import START, accepted, frame, predictions, rejected
from vedette.quality.labels.dataset import Box
from vedette.quality.review.rows import Final, Item, Review, Verdict
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store

__all__ = ["Shelf"]


class Shelf:
    """A store in ``folder``. Each frame is captured a second after the one before, and reviewed a second
    after the one before."""

    def __init__(self, folder: Path, at: float = START + 1e6) -> None:
        self.folder, self.at = folder, at
        self.store = Store.open(folder)
        self._number = 0

    def reviewed(
        self, said: Iterable[str], *, camera: str = "gate", model: str = "m1", light: str = "day"
    ) -> list[Item]:
        """Frames with one strong box, a person: ``right``, ``wrong`` (nobody is there), ``missed`` (two
        people are there, elsewhere), or ``none`` where nobody looked."""
        found = []
        with self.store._database.transaction():  # all at once: each by itself would wait for the disk
            for word in said:
                item = self._added(camera, model, light)
                found.append(item)
                if word != "none":
                    self.at += 1.0
                    self.store.review(item.id, self._review(item, word))
        return found

    def picked(self, count: int, *, camera: str = "gate", model: str = "m1") -> None:
        """Frames that were not drawn, all wrong."""
        for _ in range(count):
            self._number += 1
            made = frame(self._number, Reason.WEAK_BOXES, camera=camera, model=model)
            item = self.store.add(made).item
            assert item is not None
            self.at += 1.0
            self.store.review(item.id, rejected(item, at=self.at))

    def _added(self, camera: str, model: str, light: str) -> Item:
        self._number += 1
        made = frame(
            self._number, camera=camera, model=model, light=light, predictions=predictions(), probability=0.01
        )
        item = self.store.add(made).item
        assert item is not None
        return item

    def _review(self, item: Item, word: str) -> Review:
        if word == "wrong":
            return rejected(item, at=self.at)
        if word == "right":
            person = item.predictions[0]
            found = (Final(Box(person.xyxy, person.label), 0),)
            return accepted(item, at=self.at, boxes=found, verdicts=(Verdict.ACCEPTED, Verdict.REJECTED))
        people = (Box((40.0, 30.0, 50.0, 46.0), "person"), Box((52.0, 30.0, 62.0, 46.0), "person"))
        return rejected(item, at=self.at, boxes=tuple(Final(each) for each in people))
