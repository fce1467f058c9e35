"""How the detector does on a camera, in a cell and in a few lines."""

from __future__ import annotations

from datetime import datetime

from vedette.observe.views import AccuracyView, CameraView, DriftView
from vedette.top.column import Cell, Column, text
from vedette.top.words import plain

__all__ = ["DRIFT", "accuracy_words", "drift_lines", "drift_word", "evidence_words", "since", "why"]

_RANK = {"": 0, "watching": 1, "learning": 2, "unseen": 3, "changed": 4, "suspected": 5}
_STYLES = {
    "watching": "dim",
    "learning": "cyan",
    "unseen": "yellow",
    "changed": "cyan",
    "suspected": "yellow",
}
LOST = 6


def _lost(camera: CameraView) -> list[AccuracyView]:
    return [each for each in camera.accuracy if each.lost]


def _badness(camera: CameraView) -> int:
    return LOST if _lost(camera) else _RANK.get(camera.drift.stage if camera.drift else "", 1)


def drift_word(camera: CameraView) -> str:
    """``suspected``, ``learning 43%``, ``✗ recall``: empty where nobody watches."""
    if lost := _lost(camera):
        return "✗ " + " ".join(each.measure for each in lost)
    if camera.drift is None:
        return ""
    stage = camera.drift.stage
    return f"{stage} {100 * camera.drift.learnt:.0f}%" if stage == "learning" else stage


def _cell(camera: CameraView) -> Cell:
    style = "bold red" if _lost(camera) else _STYLES.get(camera.drift.stage, "") if camera.drift else ""
    return text(drift_word(camera), style)


DRIFT: Column[CameraView] = Column(
    "drift",
    "drift",
    "of the detector: learning, watching, unseen (no such light yet), changed (the picture), suspected; "
    "✗ reviews confirm a loss",
    _cell,
    _badness,
    width=9,
    rank=11,
    grows=4,
    number=False,
)


def drift_lines(camera: CameraView) -> list[tuple[str, str]]:
    """Rows for the page of a camera: labels and texts."""
    rows = [("reviewed", accuracy_words(each)) for each in camera.accuracy]
    drift = camera.drift
    if drift is None:
        return rows
    stage = drift_word(camera) if not _lost(camera) else drift.stage
    rows.append(("detector", f"{stage} since {since(drift)}" if drift.since else stage))
    if drift.measure:
        rows.append(("", why(drift)))
    lights = ", ".join(f"{light} ({hours:.1f} h)" for light, hours in drift.lights.items())
    rows.append(("learnt", lights or "nothing yet"))
    rows.append(("light", f"{drift.light}; {evidence_words(drift)}"))
    return rows


def accuracy_words(known: AccuracyView) -> str:
    """``recall 62% (51% to 72%) of 140 frames, below its floor of 80%``."""
    frames = f"{known.frames} frame{'' if known.frames == 1 else 's'}"
    if known.value is None or known.lower is None or known.upper is None:
        return f"{known.measure}: too few yet, {frames}"
    words = f"{known.measure} {known.value:.0%} ({known.lower:.0%} to {known.upper:.0%}) of {frames}"
    if known.lost:
        return f"{words}, below its floor of {known.floor:.0%}"
    return words if known.floor is None else f"{words}, floor {known.floor:.0%}"


def evidence_words(drift: DriftView) -> str:
    return f"evidence of {drift.evidence:.2g} camera-days"


def since(drift: DriftView) -> str:
    """On the clocks here; empty where it is not known."""
    return f"{datetime.fromtimestamp(drift.since).astimezone():%Y-%m-%d %H:%M}" if drift.since else ""


def why(drift: DriftView) -> str:
    """What a suspicion rests on: ``weak up, usually 0.31, lately 0.52``; empty where there is none."""
    if not drift.measure:
        return ""
    usual, lately = ("unknown" if value is None else f"{value:.3g}" for value in (drift.usual, drift.lately))
    return f"{plain(drift.measure)} {plain(drift.direction)}, usually {usual}, lately {lately}"
