"""Folders that a dashboard reads by itself, made by what makes them in earnest: a ledger of a day, frames for
review, validation runs; and a dashboard of them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import numpy as np
from fastapi import FastAPI
from PIL import Image, ImageDraw

from fake_node import FakeNode
from fake_plenty import BESIDE, CANARY, SHADOW
from quality.validate.drawn_sets import drawn_set, hours, seen
from vedette.causes import Blame, Cause, Kind
from vedette.facts import Gap, Incident
from vedette.ledger.rows import WatchChange
from vedette.ledger.store import Ledger
from vedette.quality.labels.dataset import Box, Dataset
from vedette.quality.review.frames import Frame
from vedette.quality.review.rows import Final, Item, Prediction, Review, State, Verdict
from vedette.quality.review.sampling import Reason
from vedette.quality.review.store import Store
from vedette.quality.validate.classes import Classes
from vedette.quality.validate.coco_eval import Found
from vedette.quality.validate.perform import make_run
from vedette.quality.validate.run import Model, Run
from vedette.quality.validate.store import Runs
from vedette.web.api.past import sample
from vedette.web.app import build
from vedette.web.served import Served

__all__ = ["beat", "dashboard", "filled", "write_a_day", "write_incidents", "write_review", "write_runs"]

MINUTE = 60_000_000
"""µs, as the ledger counts."""

# ---- the ledger


def write_a_day(ledger: Ledger, node: str, cameras: Iterable[str], now: int) -> None:
    """What ``vedette`` would have written of these cameras. ``now``: µs."""
    names = list(cameras)
    began = now - 26 * 60 * MINUTE
    ledger.begin(node, {}, began)
    watches = [WatchChange(camera=name, at=began, host=f"10.0.0.{n}") for n, name in enumerate(names)]
    gaps = [_starting("camera_1", began)]
    for number, name in enumerate(names[:20]):
        for hour in range(2, 24, 3 + number % 5):
            gaps.append(_gap(name, now - hour * 60 * MINUTE, (hour % 4) * 5 + 1, Cause.STALLED, f"{hour}"))
    gaps += [
        _gap("camera_2", now - 12 * MINUTE, None, Cause.UNREACHABLE, "now", blame=Blame.NETWORK),
        _gap("camera_5", now - 40 * MINUTE, None, Cause.PAUSED, "now", blame=Blame.OPERATOR),
        _gap("camera_3", now - 90 * MINUTE, None, Cause.BLURRED, "soft", kind=Kind.DEGRADED),
        _gap("camera_3", now - 300 * MINUTE, 60, Cause.THINNED, "rung", kind=Kind.DEGRADED, blame=Blame.NODE),
        _gap("camera_3", now - 200 * MINUTE, 0, Cause.CODEC_CHANGED, "codec", kind=Kind.EVENT),
    ]
    known = [gap for gap in gaps if gap.camera in names]
    ledger.write(heartbeat=now, watches=watches, gaps=known)


def write_incidents(ledger: Ledger, now: int) -> None:
    """Two, of several cameras each, with the gaps they explain."""
    for number, (hours_ago, minutes, cause, scope, cameras) in enumerate(
        [
            (5, 9, Cause.UNREACHABLE, "host 10.0.0.9", (1, 4, 6, 7, 8)),
            (17, 4, Cause.STALLED, "worker cameras-0", (1, 2, 3, 4, 5, 6, 7, 8)),
        ]
    ):
        start = now - hours_ago * 60 * MINUTE - 7 * MINUTE
        names = [f"camera_{each}" for each in cameras]
        told = Incident(
            id=f"i{number}",
            scope=scope,
            start=start,
            end=start + minutes * MINUTE,
            cause=cause,
            cameras=names,
        )
        gaps = [_gap(name, start, minutes, cause, told.id, blame=Blame.NETWORK) for name in names]
        ledger.write(heartbeat=now, gaps=gaps, incidents=[told])


def _starting(camera: str, at: int) -> Gap:
    return _gap(camera, at, 1, Cause.STARTING, "starting", epochs=(None, 0))


def _gap(
    camera: str,
    start: int,
    minutes: int | None,
    cause: Cause,
    id: str,
    kind: Kind = Kind.BLIND,
    blame: Blame = Blame.CAMERA,
    epochs: tuple[int | None, int | None] = (0, 1),
) -> Gap:
    end = None if minutes is None else start + minutes * MINUTE
    before, after = epochs if kind is Kind.BLIND and end is not None else (None, None)
    return Gap(
        id=f"{camera}-{id}",
        camera=camera,
        kind=kind,
        start=start,
        end=end,
        cause=cause,
        blame=blame,
        frames_missed=None if minutes is None else minutes * 1500,
        epoch_before=before,
        epoch_after=after,
    )


# ---- frames for review

WIDTH, HEIGHT = 640, 360
WHY = (
    None,
    Reason.SUSPECTED_LOSS,
    None,
    Reason.WEAK_BOXES,
    Reason.UNSEEN_CONDITIONS,
    None,
    Reason.NEW_OBJECTS,
)
FRAMES = 42


def write_review(folder: Path, at: float) -> None:
    """Frames of four cameras, half of them reviewed. ``at``: Unix seconds."""
    with Store.open(folder) as store:
        for number in range(FRAMES):
            reason = WHY[number % len(WHY)]
            boxes = _people(number)
            kept = Frame(
                _street(number, boxes),
                f"camera_{1 + number % 4}",
                at - 3600 * (FRAMES - number),
                "5e" * 32,
                boxes,
                light="day" if number % 3 else "night, infrared",
                reason=reason,
                probability=0.02 if reason is None else None,
            )
            item = store.add(kept).item
            assert item is not None
            if number % 2:
                store.review(item.id, _judged(item, ("ada", "sam")[number % 4 // 2], at - 60 * number))


def _people(number: int) -> tuple[Prediction, ...]:
    left = 60.0 + 37 * (number % 11)
    person = Prediction((left, 110.0, left + 70, 310.0), "person", 0.91, track_id=number)
    car = Prediction((380.0, 190.0, 600.0, 320.0), "car", 0.35 + 0.05 * (number % 8))
    return (person, car)


def _street(number: int, boxes: tuple[Prediction, ...]) -> np.ndarray:
    image = Image.new("RGB", (WIDTH, HEIGHT), (70 + 4 * (number % 9), 96, 112))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 210, WIDTH, HEIGHT), fill=(86, 84, 80))
    for each in boxes:
        draw.rounded_rectangle(
            each.xyxy, 18, fill=(205, 190, 160) if each.label == "person" else (90, 60, 70)
        )
    return np.asarray(image)


def _judged(item: Item, who: str, at: float) -> Review:
    """The person is right, the car is not."""
    person = item.predictions[0]
    right = (Final(Box(person.xyxy, person.label), 0),)
    verdicts = (Verdict.ACCEPTED, Verdict.REJECTED)
    return Review(State.REVIEWED, right, verdicts, ("person", "car"), who, 5.2, at)


# ---- validation runs

PICTURES, AN_HOUR = 48, 4


def write_runs(folder: Path, at: float) -> list[Run]:
    """Of one set four, of which the oldest is the baseline; of another one. The newest last. ``at``: Unix
    seconds. A candidate that finds all that the baseline finds and more, one that surely finds less, and one
    that is another altogether."""
    yard = hours(drawn_set(11, PICTURES), AN_HOUR)
    good = seen(yard, 5, sharp=0.85, noise=2.0)
    hall = drawn_set(12, 24)
    when = datetime.fromtimestamp(at, UTC)
    runs, kept = Runs(folder), []
    for days, name, dataset, of, found in (
        (21, "yard", yard, BESIDE, _without(good, 0.1, 1)),
        (9, "hall", hall, BESIDE, seen(hall, 6)),
        (4, "yard", yard, "picodet_s_416_int8.onnx", _without(good, 0.45, 2)),
        (2, "yard", yard, SHADOW, seen(yard, 7, sharp=0.8, noise=2.0)),
        (1, "yard", yard, CANARY, good),
    ):
        run = _run(name, dataset, of.split("/")[-1], found, when - timedelta(days=days))
        runs.keep(run)
        kept.append(run)
    runs.make_baseline(kept[0])
    return kept


def _run(name: str, dataset: Dataset, model: str, found: list[Found], at: datetime) -> Run:
    keys = [f"{name}/{picture.name}" for picture in dataset.pictures]
    of = Model(model, sha256(model.encode()).hexdigest(), False, {})
    return make_run(name, dataset, 0.4, of, Classes(dataset.labels), found, keys, {}, at)


def _without(found: list[Found], share: float, seed: int) -> list[Found]:
    """The same boxes, but for a share of them."""
    rng = np.random.default_rng(seed)
    kept = [rng.random(len(each.score)) >= share for each in found]
    return [
        Found(each.xyxy[keep], each.score[keep], each.label[keep])
        for each, keep in zip(found, kept, strict=True)
    ]


# ---- a dashboard of all that


def filled(name: str, node: FakeNode, folder: Path, *, store: Path | None = None) -> Served:
    """What a dashboard of that node is to serve, with folders that are full. The ledger's heart beats as long
    as this process is there."""
    address, now = str(folder / "vedette.db"), time.time()
    ledger = Ledger.open(address)
    write_a_day(ledger, name, node.cameras, int(now * 1e6))
    write_incidents(ledger, int(now * 1e6))
    threading.Thread(target=beat, args=[ledger], daemon=True).start()
    write_review(folder / "review", now)
    write_runs(folder / "runs", now)
    return Served(name, node, ledger=address, store=store, review=folder / "review", runs=folder / "runs")


def beat(ledger: Ledger) -> None:
    """For a thread: the node is there."""
    while True:
        time.sleep(1)
        ledger.write(heartbeat=time.time_ns() // 1000)


def dashboard(served: Served, node: FakeNode) -> FastAPI:
    """With a past of six hours, as if somebody had looked at it for so long."""
    app, now = build(served), time.time()
    many = 240 if len(node.cameras) < 100 else 60  # of many cameras each takes a while
    remembered = [now - 6 * 3600 * step / many for step in range(many, 0, -1)]
    app.state.parts.past.samples.extend(sample(node.seen_at(at), at) for at in remembered)
    return app
