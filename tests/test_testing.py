"""The doubles we ship do what they say, so that tests that rest on them mean something."""

from __future__ import annotations

import time
from itertools import islice

import numpy as np
import pytest

from vedette.errors import DetectorError
from vedette.infer.load import DetectorSpec, load_detector
from vedette.ingest.convert import Converter
from vedette.ingest.decode import Decoder
from vedette.testing import FakeDetector, ManualClock, PacketSequence


def test_a_manual_clock_moves_only_when_told() -> None:
    clock = ManualClock(now=50.0, wall_offset=1000.0)
    time.sleep(0.01)
    assert (clock.monotonic(), clock.wall()) == (50.0, 1050.0)
    clock.advance(2.5)
    assert (clock.monotonic(), clock.wall()) == (52.5, 1052.5)


def pictures(count: int, size: tuple[int, int] = (96, 160)) -> np.ndarray:
    return np.zeros((count, *size, 3), np.uint8)


def test_a_fake_detector_finds_what_it_is_told_in_every_picture() -> None:
    detector = FakeDetector(boxes=[(1, 2, 3, 4), (5, 6, 7, 8)])
    found = detector.detect(pictures(3))
    assert [each.xyxy.tolist() for each in found] == [[[1, 2, 3, 4], [5, 6, 7, 8]]] * 3
    assert FakeDetector(boxes=[]).detect(pictures(1))[0].xyxy.shape == (0, 4)


def test_a_fake_detector_takes_its_time() -> None:
    began = time.monotonic()
    FakeDetector(seconds=0.05).detect(pictures(1))
    assert time.monotonic() - began >= 0.05


def test_a_fake_detector_raises_and_miscounts_when_told() -> None:
    detector = FakeDetector(raises_every=3)
    for call in range(1, 7):
        if call % 3 == 0:
            with pytest.raises(RuntimeError, match=f"call {call} fails on purpose"):
                detector.detect(pictures(1))
        else:
            assert len(detector.detect(pictures(1))) == 1
    assert len(FakeDetector(returns=5).detect(pictures(1))) == 5


def test_a_fake_detector_is_named_in_a_configuration_like_any_other() -> None:
    options = {"input_size": [64, 96], "boxes": [[1, 1, 9, 9]], "raises_every": 2}
    detector = load_detector(DetectorSpec(python="vedette.testing:FakeDetector", options=options))
    assert detector.input_size == (64, 96)
    [boxes] = detector.detect_boxes(pictures(1, (64, 96)))
    assert boxes.xyxy.tolist() == [[1, 1, 9, 9]]
    assert list(boxes.class_name) == ["thing"]
    with pytest.raises(DetectorError, match="fails on purpose"):
        detector.detect_boxes(pictures(1, (64, 96)))


def test_packets_are_real_video_with_keyframes_where_they_are_promised() -> None:
    packets = PacketSequence(width=128, height=64, fps=10, keyframe_every=10)
    decoder, converter = Decoder(packets.stream), Converter()
    lefts = []
    for number, frame in enumerate(islice(packets.frames(500.0), 45)):
        assert frame.keyframe == (number % 10 == 0)
        assert frame.arrived == pytest.approx(500 + number / 10)
        assert frame.pts == pytest.approx(number / 10)
        [picture] = decoder.decode(frame, number)
        assert (picture.width, picture.height) == (128, 64)
        lefts.append(int(np.argwhere(converter.to_rgb(picture.image).min(axis=2) > 150)[:, 1].min()))
    assert lefts[:5] == pytest.approx([0, 3, 6, 9, 12], abs=1)


def test_two_cameras_can_send_the_same_packets() -> None:
    packets = PacketSequence()
    one, other = packets.frames(0.0), packets.frames(7.0)
    for first, second in islice(zip(one, other, strict=True), 60):
        assert first.data == second.data
        assert second.arrived == pytest.approx(first.arrived + 7)
