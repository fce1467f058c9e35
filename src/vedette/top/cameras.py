"""What the table shows of a camera."""

from __future__ import annotations

from vedette.observe.views import CameraView
from vedette.top.column import Cell, Column, number, text
from vedette.top.quality import DRIFT, drift_word
from vedette.top.words import (
    STYLES,
    Health,
    blame,
    count,
    health,
    lacking,
    milliseconds,
    plain_name,
    rate,
    state,
)

__all__ = ["CAMERA_COLUMNS", "matches"]


def matches(camera: CameraView, wanted: str) -> bool:
    """Whether each word of ``wanted`` occurs in its name or in what is said of its state."""
    said = " ".join(
        (
            camera.name,
            state(camera),
            camera.state,
            camera.blind or "",
            blame(camera),
            camera.step,
            camera.decodes,
            drift_word(camera),
            "blind" if health(camera) is Health.BLIND else "",
        )
    ).casefold()
    return all(word in said for word in wanted.casefold().split())


def _age(camera: CameraView, value: float) -> Cell:
    return (milliseconds(value), "") if camera.frames.analysed else ("–", "dim")


def _dropped(camera: CameraView) -> int:
    frames = camera.frames
    return frames.superseded + frames.expired + frames.skipped + frames.failed + frames.orphaned


def _blind_s(camera: CameraView) -> float:
    return sum(camera.blind_s.values())


def _slowest(camera: CameraView) -> list[tuple[str, float]]:
    """Stages by their median, without the lag, which is not ours."""
    stages = [(name, times.p50) for name, times in camera.stages_ms.items() if name != "lag" and times.p50]
    return sorted(stages, key=lambda stage: -stage[1])


def _slowest_cell(camera: CameraView) -> Cell:
    return text("  ".join(f"{name} {milliseconds(value)}" for name, value in _slowest(camera)[:2]))


def _badness(camera: CameraView) -> tuple[int, int, float]:
    return health(camera), len(camera.degraded), round(camera.age_ms.p99)


_STEPS = {"full": 0, "fewer": 1, "reference": 2, "keyframes": 3, "paused": 4, "all": 0}


def _step(word: str, camera: CameraView) -> Cell:
    """Faint while it is as it was asked for."""
    place = _STEPS.get(word, 1) if lacking(camera) else 0
    return text(word, "dim" if place == 0 else "yellow" if place < 4 else "bold red")


def _outcome(name: str, title: str, about: str, rank: int, style: str = "") -> Column[CameraView]:
    def value(camera: CameraView) -> int:
        counted: int = getattr(camera.frames, name)
        return counted

    return Column(
        name,
        title,
        about,
        lambda camera: number(count(value(camera)), value(camera), style),
        value,
        width=max(5, len(title)),
        rank=rank,
    )


CAMERA_COLUMNS: tuple[Column[CameraView], ...] = (
    Column(
        "name",
        "camera",
        "its name",
        lambda camera: (plain_name(camera.name), ""),
        lambda camera: camera.name,
        width=13,
        grows=19,
        number=False,
        down=False,
    ),
    Column(
        "state",
        "state",
        "live, or why it is not seen (✗) or seen badly (!); sorted: the worst first",
        lambda camera: (state(camera), STYLES[health(camera)]),
        _badness,
        width=15,
        rank=1,
        grows=6,
        number=False,
    ),
    Column(
        "blame",
        "blame",
        "whose doing: camera, network, decode, inference, node, operator",
        lambda camera: text(blame(camera)),
        blame,
        width=9,
        rank=11,
        number=False,
    ),
    Column(
        "step",
        "step",
        "of the ladder: full, fewer, reference, keyframes, paused",
        lambda camera: _step(camera.step, camera),
        lambda camera: _STEPS.get(camera.step, 0),
        width=9,
        rank=6,
        number=False,
    ),
    DRIFT,
    Column(
        "decodes",
        "decodes",
        "what is decoded now: all, reference, keyframes, paused",
        lambda camera: _step(camera.decodes, camera),
        lambda camera: _STEPS.get(camera.decodes, 0),
        width=9,
        rank=12,
        number=False,
    ),
    Column(
        "in",
        "in/s",
        "frames that arrive, a second",
        lambda camera: number(rate(camera.fps_in), camera.fps_in),
        lambda camera: camera.fps_in,
        width=5,
        rank=3,
    ),
    Column(
        "out",
        "out/s",
        "results, a second",
        lambda camera: number(rate(camera.fps_analysed), camera.fps_analysed),
        lambda camera: camera.fps_analysed,
        width=5,
        rank=4,
    ),
    Column(
        "p50",
        "p50ms",
        "half of its results were younger, in ms",
        lambda camera: _age(camera, camera.age_ms.p50),
        lambda camera: camera.age_ms.p50,
        width=5,
        rank=5,
    ),
    Column(
        "age",
        "p99ms",
        "99% of its results were younger, in ms",
        lambda camera: _age(camera, camera.age_ms.p99),
        lambda camera: camera.age_ms.p99,
        width=5,
        rank=2,
    ),
    Column(
        "lag",
        "lag",
        "from capture to arrival, in ms",
        lambda camera: number(milliseconds(camera.lag_ms), camera.lag_ms),
        lambda camera: camera.lag_ms,
        width=5,
        rank=7,
    ),
    Column(
        "backlog",
        "back",
        "frames that wait to be decoded",
        lambda camera: number(count(camera.backlog), camera.backlog, "yellow"),
        lambda camera: camera.backlog,
        width=4,
        rank=8,
    ),
    Column(
        "slowest",
        "slowest, ms",
        "its two slowest stages, p50 in ms (without the lag)",
        _slowest_cell,
        lambda camera: next((value for _, value in _slowest(camera)), 0.0),
        width=24,
        rank=14,
        number=False,
    ),
    Column(
        "dropped",
        "drop",
        "frames that were received and not analysed",
        lambda camera: number(count(_dropped(camera)), _dropped(camera)),
        _dropped,
        width=5,
        rank=9,
    ),
    _outcome("superseded", "super", "dropped: a newer frame took its place", 15),
    _outcome("expired", "expir", "dropped: too old", 16, "yellow"),
    _outcome("skipped", "skip", "dropped: left out on purpose", 17),
    _outcome("failed", "fail", "dropped: damaged, or something failed on it", 13, "red"),
    _outcome("orphaned", "orph", "dropped: its epoch, worker or run ended first", 18),
    Column(
        "sessions",
        "sess",
        "how often it was connected",
        lambda camera: number(count(camera.sessions), camera.sessions),
        lambda camera: camera.sessions,
        width=4,
        rank=10,
    ),
    Column(
        "blind",
        "blind s",
        "seconds in which it was not seen, since the start",
        lambda camera: number(f"{_blind_s(camera):.0f}", _blind_s(camera)),
        _blind_s,
        width=7,
        rank=19,
    ),
)
