"""Where only keyframes are decoded, none is before a detector asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from test_pipeline import BOX, Rig
from test_pipeline_stages import Source, endings, left_of_square
from vedette.endings import Ending
from vedette.facts import EpochStarted
from vedette.frame import EncodedFrame, Rung
from vedette.testing import PacketSequence
from vedette.workers.table import Stage


@pytest.fixture
def rig_of() -> Iterator[Callable[..., Rig]]:
    rigs: list[Rig] = []

    def build(rung: Rung = Rung.KEYFRAMES, **arguments: Any) -> Rig:
        rigs.append(Rig(rung=int(rung), **arguments))
        rig = rigs[-1]
        rig.packets = PacketSequence(keyframe_every=5)
        rig.open()
        return rig

    yield build
    for rig in rigs:
        rig.close()


def watched(rig: Rig) -> Source:
    """Its first keyframe was decoded as it came, and analysed."""
    source = Source(rig)
    source.send()
    assert rig.row["decoded"] == 1, "it shows that there is a picture"
    rig.analyse()
    return source


def keyframe(source: Source) -> None:
    """Sends up to the next one."""
    source.send()
    while source.number % 5:
        source.send()


def test_a_keyframe_is_decoded_when_it_is_asked_for(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    source = watched(rig)
    keyframe(source)
    assert rig.row["decoded"] == 1
    assert rig.row["newest_seq"] == 5, "it can be asked for"
    assert rig.rung_bell == 2
    rig.analyse()
    assert rig.row["decoded"] == 2
    assert abs(left_of_square(rig.target) - source.square()) <= 2
    assert [result.seq for result in rig.results] == [0, 5]
    assert (rig.results[1].width, rig.results[1].height) == (160, 96)
    assert endings(rig) == {Ending.ANALYSED: 2, Ending.SKIPPED_RUNG: 4}
    assert rig.in_flight == 0


def test_those_that_nobody_asks_for_are_never_decoded(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    source = watched(rig)
    for _ in range(4):
        keyframe(source)
    assert rig.row["decoded"] == 1
    assert endings(rig) == {Ending.ANALYSED: 1, Ending.SUPERSEDED: 3, Ending.SKIPPED_RUNG: 16}
    assert rig.in_flight == 1
    rig.clock.advance(1.01)
    rig.pipeline.expire()
    assert endings(rig)[Ending.EXPIRED_WAIT] == 1
    assert rig.take() is None


def test_its_stages_are_measured_all_the_same(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    source = watched(rig)
    stages = [Stage.LAG, Stage.DECODE, Stage.WAIT, Stage.CONVERT, Stage.TRACK, Stage.EMIT]
    before = [rig.stage(stage) for stage in stages]
    keyframe(source)
    rig.analyse()
    assert [rig.stage(stage) for stage in stages] == [count + 1 for count in before]


def test_one_that_shows_nothing_fails_and_the_next_is_looked_at_when_it_comes(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of()
    source = watched(rig)
    rig.clock.advance(0.2)
    rig.pipeline.frame(EncodedFrame(b"\0\0\0\1\x65damaged", rig.clock.now, rig.clock.now, True))
    assert rig.take() is None
    assert endings(rig)[Ending.FAILED_DECODE] == 1
    assert rig.pipeline.notes.broken == 1
    keyframe(source)
    assert rig.row["decoded"] == 3, "whether the stream shows anything is to be known at once"
    keyframe(source)
    assert rig.row["decoded"] == 3, "it does"


def test_a_camera_that_was_blind_is_looked_at_when_it_comes_back(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    source = watched(rig)
    rig.pipeline.notes.wants_picture = True
    keyframe(source)
    assert rig.row["decoded"] == 2
    assert rig.pipeline.notes.events[-1][0] == "picture"


def test_when_everything_is_decoded_again_no_picture_is_made_of_the_wrong_ones(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(Rung.ALL)
    rig.row["rung"] = Rung.KEYFRAMES
    source = watched(rig)
    keyframe(source)  # put off, and not asked for
    rig.row["rung"] = Rung.ALL
    for _ in range(3):
        source.send()
    assert endings(rig)[Ending.SKIPPED_KEYFRAME] == 3, "nothing was decoded that they could be made of"
    rig.analyse()
    assert left_of_square(rig.target) == pytest.approx(5 * 3, abs=2), (
        "what was put off can still be asked for"
    )
    source.send()
    assert endings(rig)[Ending.SKIPPED_KEYFRAME] == 4, "and lets nothing else be made of it"
    for _ in range(4):
        source.send()
        rig.analyse()
        assert abs(left_of_square(rig.target) - source.square()) <= 2
    assert rig.outcomes.get("failed") is None


def test_one_that_was_put_off_before_newer_ones_were_decoded_is_superseded(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(Rung.ALL, buffer=2)
    rig.row["rung"] = Rung.KEYFRAMES
    source = watched(rig)
    keyframe(source)
    rig.row["rung"] = Rung.ALL
    keyframe(source)
    assert rig.take() is None, "to decode it now would spoil what is predicted from the newer one"
    assert endings(rig)[Ending.SUPERSEDED] == 1
    rig.analyse()
    source.send()
    rig.analyse()
    assert abs(left_of_square(rig.target) - source.square()) <= 2


def test_motion_is_looked_for_once_it_is_decoded(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of(motion=True, motion_every=60.0)
    watched(rig)
    still = next(PacketSequence(keyframe_every=5).frames(0.0)).data
    for _ in range(2):
        rig.clock.advance(0.2)
        rig.pipeline.frame(EncodedFrame(still, rig.clock.now, rig.clock.now, True))
        assert rig.take() is None
    assert endings(rig)[Ending.SKIPPED_MOTION] == 2
    assert rig.row["decoded"] == 3
    assert rig.in_flight == 0
    assert rig.pipeline.notes.last_answer == rig.clock.now, "that nothing moved is an answer"


def test_a_picture_of_another_size_begins_an_epoch_and_has_a_result_in_it(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of()
    watched(rig)
    other = next(PacketSequence(width=320, height=192, keyframe_every=5).frames(0.0)).data
    rig.clock.advance(0.2)
    rig.pipeline.frame(EncodedFrame(other, rig.clock.now, rig.clock.now, True))
    rig.analyse(BOX)
    assert [fact.reason for fact in rig.kinds(EpochStarted)] == ["resolution_changed"]
    assert (rig.results[-1].epoch, rig.results[-1].width) == (1, 320)
    assert rig.pipeline.notes.events[-1][2] == (320, 192)


def reordered(count: int) -> list[EncodedFrame]:
    """With B-frames: the decoder holds pictures back for their order."""
    encoder: Any = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt, encoder.time_base = 160, 96, "yuv420p", Fraction(1, 25)
    encoder.gop_size = 6
    encoder.options = {"x264-params": "scenecut=0:bframes=2:b-adapt=0:rc-lookahead=3"}
    packets = []
    for number in range(count):
        frame = av.VideoFrame.from_ndarray(np.full((96, 160, 3), 8 * number, np.uint8), format="rgb24")
        frame.pts = number
        packets += encoder.encode(frame)
    packets += encoder.encode(None)
    return [EncodedFrame(bytes(each), 0.0, 0.0, each.is_keyframe) for each in packets]


def test_what_the_decoder_holds_back_comes_out_before_keyframes_are_put_off(
    rig_of: Callable[..., Rig],
) -> None:
    rig = rig_of(Rung.ALL)
    for frame in reordered(24):
        rig.row["rung"] = Rung.ALL if rig.row["received"] < 10 else Rung.KEYFRAMES
        if rig.row["rung"] == Rung.KEYFRAMES and not frame.keyframe:
            rig.pipeline.skipped()
            continue
        rig.clock.advance(0.04)
        frame.pts = frame.arrived = rig.clock.now
        rig.pipeline.frame(frame)
    assert rig.in_flight == 1, "the newest keyframe; nothing is left in the decoder"
    rig.analyse()
    assert rig.results[-1].seq == 18
    assert sum(endings(rig).values()) == rig.row["received"] == 24
    assert rig.outcomes.get("failed") is None


@given(st.lists(st.tuples(st.sampled_from(Rung), st.integers(1, 12), st.booleans()), min_size=1, max_size=14))
@hypothesis_settings(max_examples=60, deadline=None)
def test_whenever_it_is_asked_for_no_broken_picture_is_handed_over(
    stretches: list[tuple[Rung, int, bool]],
) -> None:
    rig = Rig(buffer=2)
    try:
        rig.packets = PacketSequence(keyframe_every=5)
        rig.open()
        source = Source(rig)
        squares = {}
        for rung, frames, asked in stretches:
            for _ in range(frames):
                rig.row["rung"] = rung
                source.send()
                squares[int(rig.row["received"]) - 1] = source.square()
                ticket = rig.take() if asked else None
                if ticket is not None:
                    shown = left_of_square(rig.target)
                    rig.finish(ticket, BOX)
                    assert abs(shown - squares[rig.results[-1].seq]) <= 2
        found = endings(rig)
        assert not {Ending.FAILED_DECODE, Ending.FAILED_CONVERT} & set(found)
        assert sum(found.values()) + rig.in_flight == rig.row["received"]
    finally:
        rig.close()


def test_one_who_only_looks_sees_it_and_it_stays_to_be_asked_for(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    source = watched(rig)
    keyframe(source)
    seen = np.zeros_like(rig.target)
    before = endings(rig)
    assert rig.pipeline.show(seen)
    assert abs(left_of_square(seen) - source.square()) <= 2
    assert endings(rig) == before
    rig.analyse()
    assert abs(left_of_square(rig.target) - source.square()) <= 2
    keyframe(source)
    rig.analyse()
    assert [result.seq for result in rig.results] == [0, 5, 10]
    assert rig.in_flight == 0


def test_one_who_only_looks_at_what_shows_nothing_is_told_so(rig_of: Callable[..., Rig]) -> None:
    rig = rig_of()
    watched(rig)
    rig.clock.advance(0.2)
    rig.pipeline.frame(EncodedFrame(b"\0\0\0\1\x65damaged", rig.clock.now, rig.clock.now, True))
    assert not rig.pipeline.show(np.zeros_like(rig.target))
    assert Ending.FAILED_DECODE not in endings(rig), "that is told when it is asked for"
    assert rig.take() is None
    assert endings(rig)[Ending.FAILED_DECODE] == 1
