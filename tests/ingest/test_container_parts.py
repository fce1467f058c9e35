"""The small pure parts of reading through a demuxer."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vedette.frame import Rung
from vedette.ingest.container_gate import RungGate
from vedette.ingest.container_time import Timeline

frame_kinds = st.sampled_from(["key", "reference", "disposable"])


@given(st.lists(st.tuples(frame_kinds, st.sampled_from(list(Rung))), max_size=60))
def test_no_admitted_frame_lacks_one_it_was_predicted_from(frames: list[tuple[str, Rung]]) -> None:
    gate, whole = RungGate(), True
    for kind, rung in frames:
        admitted = gate.admits(keyframe=kind == "key", disposable=kind == "disposable", rung=rung)
        if kind == "key":
            whole = admitted
        elif admitted:
            assert whole
        elif kind == "reference":
            whole = False


@given(st.lists(frame_kinds, max_size=30))
def test_each_rung_lets_its_kinds_through(kinds: list[str]) -> None:
    for rung, wanted in [
        (Rung.ALL, {"key", "reference", "disposable"}),
        (Rung.REFERENCE, {"key", "reference"}),
        (Rung.KEYFRAMES, {"key"}),
        (Rung.PAUSED, set()),
    ]:
        gate = RungGate()
        for kind in ["key", *kinds]:
            admitted = gate.admits(keyframe=kind == "key", disposable=kind == "disposable", rung=rung)
            assert admitted == (kind in wanted)


@given(
    steps=st.lists(st.floats(0.01, 0.2), min_size=2, max_size=50),
    restart=st.integers(0, 50),
    origin=st.floats(-1e5, 1e5),
    unstamped=st.sets(st.integers(0, 50)),
)
def test_time_grows_whatever_the_stream_says_its_time_is(
    steps: list[float], restart: int, origin: float, unstamped: set[int]
) -> None:
    line, now, placed = Timeline(), 1000.0, []
    for number, step in enumerate(steps):
        now += step
        own = now + (origin if number >= restart else 0.0)
        placed.append(line.at(None if number in unstamped else own, now))
    # A jump of a few seconds is not told from a late frame.
    if abs(origin) > 6 or origin == 0:
        assert all(later > earlier for earlier, later in pairwise(placed))


def test_stamps_that_come_in_a_burst_keep_their_distances() -> None:
    line = Timeline()
    placed = [line.at(number * 0.04, 5.0) for number in range(50)]
    assert all(abs(later - earlier - 0.04) < 1e-9 for earlier, later in pairwise(placed))


def test_the_first_frame_may_come_without_a_stamp() -> None:
    line = Timeline()
    placed = [line.at(pts, 7.0) for pts in (None, 0.178, 0.218, 0.258)]
    assert all(0 < later - earlier < 0.05 for earlier, later in pairwise(placed))
