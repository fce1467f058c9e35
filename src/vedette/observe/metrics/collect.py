"""Makes the page, and lets all who ask at the same time share one."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable

from vedette.clock import Clock, SystemClock
from vedette.observe.metrics import families
from vedette.observe.metrics.cameras import BlindSeconds, put_camera, put_histograms, put_stages
from vedette.observe.metrics.canary import put_canary
from vedette.observe.metrics.node import put_node
from vedette.observe.metrics.quality import put_quality
from vedette.observe.metrics.shadow import put_shadow
from vedette.observe.metrics.text import Page, label, politely
from vedette.observe.views import Histograms, NodeView

__all__ = ["Collector"]

KEPT_FOR_S = 0.5
"""Two Prometheus servers, or a person beside one, cost no more than one."""

STAGES_UP_TO = 100
"""Cameras; each has eight stages with nine samples."""


class Collector:
    """``text`` may be called from any thread. ``per_camera_stages``: None means with up to 100 cameras.

    ``requests`` are counted by the endpoint, by what became of them.
    """

    def __init__(
        self,
        view: Callable[[], NodeView],
        histograms: Callable[[], Histograms],
        *,
        version: str,
        per_camera_stages: bool | None = None,
        requests: Callable[[], dict[str, int]] = dict,
        clock: Clock | None = None,
    ) -> None:
        self._view, self._histograms, self._version = view, histograms, version
        self._per_camera_stages = per_camera_stages
        self._requests = requests
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._blind_s = BlindSeconds()
        self._page: Page | None = None
        self._made_at = 0.0
        self._texts: dict[tuple[bool, bool], bytes] = {}

    def text(self, *, openmetrics: bool = False, gzipped: bool = False) -> bytes:
        """The page of now, or of half a second ago. Raises what ``view`` or ``histograms`` raise."""
        with self._lock:
            page = self._fresh()
            text = self._texts.get((openmetrics, gzipped))
            if text is None:
                text = page.text(openmetrics=openmetrics)
                if gzipped:
                    text = gzip.compress(text, 1)  # figures hardly get smaller with more effort
                self._texts[openmetrics, gzipped] = text
            return text

    def _fresh(self) -> Page:
        now = self._clock.monotonic()
        if self._page is None or now - self._made_at >= KEPT_FOR_S:
            # Forgotten first: after a failure there is no page rather than an old one.
            self._page, self._texts = None, {}
            self._page, self._made_at = self._make(), now
        return self._page

    def _make(self) -> Page:
        view, histograms, page = self._view(), self._histograms(), Page()
        put_node(page, view, histograms, self._version)
        if view.shadow is not None:
            put_shadow(page, view.shadow)
        if view.canary is not None:
            put_canary(page, view.canary)
        names: dict[str, str] = {}
        self._blind_s.keep(camera.name for camera in view.cameras)
        for camera in politely(view.cameras):
            names[camera.name] = name = label("camera", camera.name)
            put_camera(page, camera, name, self._blind_s.of(camera))
        put_quality(page, view, names)
        put_histograms(page, histograms, names)
        wanted = self._per_camera_stages
        if len(names) <= STAGES_UP_TO if wanted is None else wanted:
            put_stages(page, histograms, names)
        for result, count in self._requests().items():
            page.add(families.REQUESTS, count, label("result", result))
        return page
