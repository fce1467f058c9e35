"""What the API makes of a view: the word for a camera, why, what is done, and what is wrong in order."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.causes import BLINDING, Cause
from vedette.observe.views import (
    AccuracyView,
    CameraView,
    DriftView,
    Frames,
    NodeView,
    Percentiles,
    WorkerView,
)
from vedette.web.api.past import Sample, forecast
from vedette.web.api.rows import SORTS, CameraRow, Open, arranged, row
from vedette.web.api.standing import status
from vedette.web.api.trouble import Incident, troubles
from vedette.web.api.words import HEALTH_WORDS, health_word, why

LIVE = CameraView("gate", state="live", frames=Frames(received=10, analysed=10))


def blind(name: str, cause: str, **more: object) -> CameraView:
    return replace(LIVE, name=name, blind=cause, blame="camera", **more)  # type: ignore[arg-type]


def rows(*cameras: CameraView, since: float | None = None) -> list[CameraRow]:
    return [
        row(each, "", {each.blind: Open(each.blind, since)} if each.blind and since is not None else {})
        for each in cameras
    ]


@pytest.mark.parametrize(
    ("camera", "word"),
    [
        (LIVE, "seen"),
        (replace(LIVE, degraded=("blurred",)), "degraded"),
        (blind("a", "stalled"), "blind"),
        (blind("a", "starting"), "starting"),
        (blind("a", "paused"), "paused"),
        (replace(LIVE, state="finished"), "finished"),
        (replace(LIVE, state="finished", last_end_reason="ended"), "finished"),
        (replace(LIVE, state="finished", last_end_reason="corrupt"), "blind"),
        (replace(LIVE, state="removed"), "removed"),
        (replace(LIVE, state="waiting", last_end_reason="refused"), "blind"),
    ],
)
def test_a_camera_has_one_word_for_how_it_is(camera: CameraView, word: str) -> None:
    assert health_word(camera) == word


def test_says_why() -> None:
    lost = blind("a", "unauthorised", state="waiting")

    assert why(lost, "401 Unauthorized") == "wrong user or password: 401 Unauthorized"
    assert why(LIVE) == ""


def test_a_clip_that_cannot_be_read_says_why_it_is_over() -> None:
    told = row(
        replace(LIVE, state="finished", last_end_reason="corrupt", detail="clip.mp4: no video"), "", {}
    )
    assert (told.cause, told.why) == ("corrupt", "what comes cannot be read: clip.mp4: no video")


def test_a_pause_is_as_old_as_it_is_and_its_reason_does_not_wait_for_the_ledger() -> None:
    paused = blind("a", "paused", state="paused", since=100.0, detail="works on the roof")
    for known in ({}, {"paused": Open("paused", 5000.0, "works on the roof")}):
        told = row(paused, "", known)
        assert (told.since, told.why) == (100.0, "paused: works on the roof")


def test_for_a_worker_that_died_nobody_is_sent_to_look_for_a_cable() -> None:
    gone = rows(blind("a", "worker_lost"), blind("b", "worker_lost"))
    died = Incident("i", "worker cameras-0", 5.0, "worker_lost", ["a", "b"])
    (found,) = troubles(NodeView(), gone, [died], now=100.0)
    assert found.kind == "incident"
    assert "cable" not in found.advice
    assert "The log says why" in found.advice
    cut = Incident("i", "host 10.0.0.1", 5.0, "unreachable", ["a", "b"])
    (found,) = troubles(
        NodeView(), rows(blind("a", "unreachable"), blind("b", "unreachable")), [cut], now=9.0
    )
    assert "a cable" in found.advice


@given(
    st.sampled_from(sorted(each.value for each in BLINDING)),
    st.sampled_from(["live", "connecting", "waiting"]),
)
def test_whatever_blinds_a_camera_there_are_words_for_it(cause: str, state: str) -> None:
    camera = blind("a", cause, state=state)

    assert health_word(camera) in HEALTH_WORDS
    assert why(camera)
    (found,) = rows(camera)
    assert found.cause == cause


def test_the_worst_comes_first() -> None:
    view = NodeView(
        workers=(
            WorkerView("inference-0", "inference", pid=1),
            WorkerView("cameras-0", "camera", 2, quarantined=True),
        ),
        sites=(AccuracyView("recall", site="yard", frames=90, value=0.5, floor=0.8, lost=True),),
    )
    cameras = rows(
        LIVE,
        replace(LIVE, name="dull", degraded=("blurred",)),
        replace(LIVE, name="odd", drift=DriftView("suspected", 1.0, "day", 9.0)),
        blind("gone", "unreachable"),
        blind("one", "stalled"),
    )
    common = Incident("i", "host 10.0.0.1", 5.0, "stalled", ["one"])

    found = troubles(view, cameras, [common], now=100.0)

    assert [each.kind for each in found] == ["worker", "incident", "blind", "accuracy", "degraded", "drift"]
    assert found[2].camera == "gone"


def test_what_all_cameras_have_is_told_once() -> None:
    thinned = [replace(LIVE, name=f"c{number}", degraded=("thinned",)) for number in range(300)]
    (found,) = troubles(NodeView(), rows(*thinned), [], now=0.0, cause="The detector: busy 99%.")

    assert found.cameras == [each.name for each in thinned]
    assert found.why == "The detector: busy 99%."


def test_a_camera_that_starts_is_no_trouble_until_it_takes_long() -> None:
    new = blind("new", "starting")

    assert troubles(NodeView(), rows(new, since=90.0), [], now=100.0) == []
    assert len(troubles(NodeView(), rows(new, since=0.0), [], now=100.0)) == 1


def test_no_detector_is_the_first_thing_to_know() -> None:
    view = NodeView(workers=(WorkerView("cameras-0", "camera", 2),))
    found = troubles(view, rows(blind("a", Cause.DETECTOR_LOST.value)), [], now=0.0)

    assert [each.kind for each in found] == ["detector", "blind"]


def test_the_status_adds_up() -> None:
    cameras = (replace(LIVE, age_ms=Percentiles(10, 20, 30, 40)), blind("a", "stalled"), blind("b", "paused"))
    told = status(
        "node",
        NodeView(cameras=cameras),
        rows(*cameras),
        [],
        at=1.0,
        bottleneck=None,
        blind_s_today=None,
    )

    assert (told.cameras.total, told.cameras.seen, told.cameras.blind, told.cameras.paused) == (3, 1, 1, 1)
    assert told.age_ms.p99 == 30
    assert told.ladder == {"full": 3}


@given(st.sampled_from(sorted(SORTS)), st.booleans())
def test_sorting_loses_no_camera(sort: str, backwards: bool) -> None:
    cameras = rows(
        LIVE, blind("cam10", "stalled"), blind("cam2", "dark"), replace(LIVE, name="x", step="fewer")
    )
    found = arranged(cameras, sort=sort, backwards=backwards)

    assert sorted(each.name for each in found) == sorted(each.name for each in cameras)


def test_names_are_in_the_order_in_which_people_count() -> None:
    cameras = rows(*(replace(LIVE, name=name) for name in ("cam10", "cam2", "a1")))

    assert [each.name for each in arranged(cameras, sort="name")] == ["a1", "cam2", "cam10"]


def test_words_are_looked_for_in_all_that_is_said() -> None:
    cameras = rows(LIVE, blind("yard", "unauthorised"))

    assert [each.name for each in arranged(cameras, q="PASSWORD blind")] == ["yard"]


def samples(rise: int) -> list[Sample]:
    return [
        Sample(at, 1.0, 1.0, 0, 0.1, 100.0, {"cameras-0": 100_000_000 + number * rise})
        for number, at in enumerate(float(10 * each) for each in range(120))
    ]


def test_memory_that_grows_is_forecast() -> None:
    (grows,) = forecast(samples(100_000), available=720_000_000)
    (still,) = forecast(samples(0), available=720_000_000)

    assert grows.sure
    assert grows.mb_an_hour == pytest.approx(36.0)
    assert grows.hours_left == pytest.approx(20.0)
    assert not still.sure
    assert still.hours_left is None
    assert forecast(samples(100_000)[:5], 1)[0].hours_left is None
