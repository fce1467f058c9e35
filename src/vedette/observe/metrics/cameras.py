"""The samples of each camera. With many of them this is nearly all of a page, so labels are made once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vedette.endings import Ending
from vedette.ladder.steps import Step
from vedette.observe.metrics import families
from vedette.observe.metrics.bins import AGES, CAMERA_STAGES, Bins
from vedette.observe.metrics.text import Page, label, politely, tails_of
from vedette.observe.views import CameraView, Histograms

__all__ = ["BlindSeconds", "put_camera", "put_histograms", "put_stages"]

STATES = ("connecting", "live", "waiting", "finished", "paused")
_ENDINGS = {
    ending.value: ",".join(
        [
            label("outcome", ending.outcome.value),
            label("stage", ending.stage),
            label("reason", ending.reason),
        ]
    )
    for ending in Ending
}
_STEPS = {step.name.lower(): step.value for step in Step}
_AGES, _AGE_TAILS = Bins(AGES), tails_of(AGES)
_STAGES, _STAGE_TAILS = Bins(CAMERA_STAGES), tails_of(CAMERA_STAGES)


class BlindSeconds:
    """Seconds blind by camera and cause, that never go back.

    An outage may be given another cause once more is known of it, and its seconds move there. A counter that
    fell would be read as a restart and counted twice; so the old cause keeps what it had until it has more.
    """

    def __init__(self) -> None:
        self._most: dict[str, dict[str, float]] = {}

    def of(self, camera: CameraView) -> dict[str, float]:
        most = self._most.setdefault(camera.name, {})
        for cause, seconds in camera.blind_s.items():
            most[cause] = max(most.get(cause, 0.0), seconds)
        return most

    def keep(self, names: Iterable[str]) -> None:
        """Forget all other cameras."""
        self._most = {name: self._most[name] for name in names if name in self._most}


def put_camera(page: Page, camera: CameraView, name: str, blind_s: Mapping[str, float]) -> None:
    """``name``: its label. Everything but its histograms."""
    page.add(families.CAMERA, 1, f'{name},width="{camera.width}",height="{camera.height}"')
    _put_state(page, camera, name)
    for cause, seconds in blind_s.items():
        page.add(families.BLIND_TIME, seconds, f"{name},{label('cause', cause)}")
    page.add(families.GAPS, camera.gaps, name)
    page.add(families.SESSIONS, camera.sessions, name)
    page.add(families.EPOCH, camera.epoch, name)
    page.add(families.RECEIVED, camera.frames.received, name)
    for ending, count in camera.endings.items():
        if labels := _ENDINGS.get(ending):
            page.add(families.FRAMES, count, f"{name},{labels}")
    page.add(families.IN_FLIGHT, camera.frames.in_flight, name)
    page.add(families.LAG, camera.lag_ms / 1000, name)
    page.add(families.BACKLOG, camera.backlog, name)
    page.add(families.KEPT, camera.kept, name)
    for (stream, outcome), count in (camera.review or {}).items():
        page.add(families.REVIEW, count, f"{name},{label('stream', stream)},{label('outcome', outcome)}")
    if (step := _STEPS.get(camera.step)) is not None:
        page.add(families.STEP, step, name)
    page.add(families.LADDER, 1, f'{name},step="{camera.step}",decodes="{camera.decodes}"')


def _put_state(page: Page, camera: CameraView, name: str) -> None:
    for state in STATES:
        page.add(families.STATE, int(camera.state == state), f'{name},state="{state}"')
    page.add(families.LIVE, int(camera.state == "live" and camera.blind is None), name)
    if camera.blind is not None:
        labels = f"{name},{label('cause', camera.blind)},{label('blame', camera.blame or '')}"
        page.add(families.BLIND, 1, labels)
    for cause in camera.degraded:
        page.add(families.DEGRADED, 1, f"{name},{label('cause', cause)}")


def put_histograms(page: Page, histograms: Histograms, names: Mapping[str, str]) -> None:
    """Ages. ``names``: the labels of the cameras that are to be shown."""
    sums, totals = _AGES.sums(histograms.ages).tolist(), _AGES.totals(histograms.ages).tolist()
    for camera, counts, total in politely(zip(histograms.cameras, sums, totals, strict=True)):
        if name := names.get(camera):
            page.add_histogram(families.AGE, _AGE_TAILS, counts, total, name)


def put_stages(page: Page, histograms: Histograms, names: Mapping[str, str]) -> None:
    """Stage times of each camera."""
    sums, totals = _STAGES.sums(histograms.camera_stages), _STAGES.totals(histograms.camera_stages)
    for index, camera in politely(enumerate(histograms.cameras)):
        if not (name := names.get(camera)):
            continue
        for place, stage in enumerate(histograms.stage_names):
            counts, total = sums[index, place].tolist(), float(totals[index, place])
            page.add_histogram(
                families.CAMERA_STAGE_TIME, _STAGE_TAILS, counts, total, f"{name},{label('stage', stage)}"
            )
