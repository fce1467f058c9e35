"""What the node looks like now, put into words once for all who ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vedette.control.protocol import NodeRefusedError
from vedette.observe.bottleneck import Bottleneck
from vedette.observe.views import CameraView, NodeView
from vedette.top.lately import Lately
from vedette.top.words import watched
from vedette.web.api.books import Books, Now
from vedette.web.api.held import Held
from vedette.web.api.rows import CameraDetail, CameraRow, detail, row
from vedette.web.problems import ProblemError
from vedette.web.served import Served

__all__ = ["Fleet", "Moment"]

HOLDS_S = 0.5
SETTINGS_HOLD_S = 10.0


@dataclass(frozen=True, slots=True)
class Moment:
    """``at``: Unix seconds. ``rows``: of the cameras that somebody still wants."""

    at: float
    view: NodeView
    rows: list[CameraRow]
    now: Now
    bottleneck: Bottleneck | None


class Fleet:
    """Of one node."""

    def __init__(self, served: Served, books: Books) -> None:
        self._asked, self._clock, self._books = served.asked, served.clock, books
        self._moment: Held[Moment] = Held(HOLDS_S)
        self._settings: Held[dict[str, Any]] = Held(SETTINGS_HOLD_S)
        self._lately = Lately()

    async def moment(self) -> Moment:
        """Raises NodeGoneError."""
        return await self._moment.get("", self._look)

    async def _look(self) -> Moment:
        view = await self._asked.view()
        now, settings = await self._books.now(), await self.settings()
        rows = [
            row(camera, str(settings.get(camera.name, _NONE).get("site", "")), now.gaps.get(camera.name, {}))
            for camera in watched(view)
        ]
        return Moment(self._clock.wall(), view, rows, now, self._lately.find(view))

    async def configuration(self) -> dict[str, Any]:
        """The keys of the YAML file. Raises NodeGoneError."""
        return await self._settings.get("", self._asked.configuration)

    async def settings(self) -> Mapping[str, Mapping[str, Any]]:
        """Of each camera, the defaults among them; empty where the node cannot say. Raises NodeGoneError."""
        try:
            keys = await self.configuration()
        except NodeRefusedError:
            return {}
        defaults = keys.get("defaults") or {}
        return {name: {**defaults, **camera} for name, camera in (keys.get("cameras") or {}).items()}

    async def detector(self) -> Mapping[str, Any]:
        """The section ``detector`` of what runs; empty where the node cannot say. Raises NodeGoneError."""
        try:
            return (await self.configuration()).get("detector") or {}
        except NodeRefusedError:
            return {}

    async def names(self) -> set[str]:
        """Of all cameras that there are, those among them that are not enabled. Raises NodeGoneError."""
        return {camera.name for camera in watched((await self.moment()).view)} | set(await self.settings())

    async def known(self, name: str) -> CameraView:
        """Raises NodeGoneError; ProblemError where there is no such camera."""
        view = (await self.moment()).view
        found = next((each for each in watched(view) if each.name == name), None)
        if found is None:
            raise ProblemError("not-found", f"there is no camera {name!r}")
        return found

    async def detail(self, name: str) -> CameraDetail:
        """All of a camera, with its stage times. Raises NodeGoneError, ProblemError."""
        view = await self._asked.view(details=True)
        camera = next((each for each in watched(view) if each.name == name), None)
        if camera is None:
            raise ProblemError("not-found", f"there is no camera {name!r}")
        now, settings = await self._books.now(), await self.settings()
        return detail(
            camera, settings.get(name, _NONE), now.gaps.get(name, {}), at=round(self._clock.wall(), 3)
        )

    def changed(self) -> None:
        """Something was ordered: what was held is not so any more."""
        self._moment.forget()
        self._settings.forget()


_NONE: Mapping[str, Any] = {}
