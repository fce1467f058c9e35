"""What workers are told is what the configuration says."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.config import Config
from vedette.frame import Rung
from vedette.infer.load import DetectorSpec
from vedette.settings import CameraSettings
from vedette.tasks import camera_settings, detector_spec, keeps_frames, review_folder, worker_count

URL = "rtsp://127.0.0.1:8554/"


def config(**more: Any) -> Config:
    return Config(**{"cameras": {"gate": {"url": URL + "gate"}, "yard": {"url": URL + "yard"}}, **more})


@given(cameras=st.integers(1, 2000), cores=st.integers(1, 256))
def test_workers_are_at_least_one_and_at_most_one_per_core(cameras: int, cores: int) -> None:
    count = worker_count("auto", cameras, cores)
    assert 1 <= count <= cores
    assert count <= cameras
    assert count == cores or cameras / count <= 16


def test_a_number_of_workers_that_was_asked_for_is_kept_but_none_is_idle() -> None:
    assert worker_count(3, 100, 1) == 3
    assert worker_count(8, 2, 64) == 2


def test_a_camera_is_passed_on_as_it_was_configured() -> None:
    camera = {
        "url": URL + "gate",
        "transport": "tcp",
        "decode": "keyframes",
        "max_fps": 5,
        "stall_after": "4s",
        "connect_timeout": "2s",
    }
    found = camera_settings(config(cameras={"gate": camera}, max_age="500ms"), None)["gate"]
    assert (found.name, found.url, found.transport) == ("gate", URL + "gate", "tcp")
    assert Rung(found.rung) is Rung.KEYFRAMES
    assert (found.max_fps, found.max_age) == (5, 0.5)
    assert (found.stall_after, found.connect_timeout) == (4, 2)
    assert not found.every_frame
    assert found.save_video is None


def test_cameras_that_are_not_enabled_are_left_out_and_the_order_is_kept() -> None:
    cameras = {name: {"url": URL + name, "enabled": name != "b"} for name in ("c", "b", "a")}
    assert list(camera_settings(config(cameras=cameras), None)) == ["c", "a"]


def test_a_source_that_waits_is_never_late(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(b"")
    found = camera_settings(config(cameras={"clip": {"url": str(clip), "every_frame": True}}), None)["clip"]
    assert found.every_frame
    assert found.max_age == math.inf


def test_video_goes_where_the_caller_or_the_configuration_says(tmp_path: Path) -> None:
    with_sink = config(sinks=[{"type": "video", "folder": str(tmp_path / "a")}])
    assert camera_settings(with_sink, None)["gate"].save_video == str(tmp_path / "a")
    assert camera_settings(with_sink, tmp_path / "b")["gate"].save_video == str(tmp_path / "b")


def test_frames_are_kept_beside_the_ledger_or_where_somebody_says(tmp_path: Path) -> None:
    ledger = {"url": str(tmp_path / "vedette.db"), "node": "north"}
    assert review_folder(config(ledger=ledger)) == tmp_path / "review-north"
    assert keeps_frames(config(ledger=ledger))
    off = config(ledger=ledger, review=False)
    assert not keeps_frames(off)
    assert review_folder(off) == tmp_path / "review-north", "what was kept there before can still be read"
    assert review_folder(config(ledger="postgresql://127.0.0.1/a")) is None
    assert review_folder(config()) is None
    assert not keeps_frames(config()), "from Python there is no ledger unless one is asked for"
    elsewhere = {"folder": str(tmp_path / "frames")}
    assert review_folder(config(review=elsewhere)) == tmp_path / "frames"


@pytest.mark.parametrize(
    ("drift", "review", "every"), [(True, False, 0.5), (False, True, 0.5), (False, False, 0.0)]
)
def test_frames_are_studied_for_whoever_wants_that(
    tmp_path: Path, drift: bool, review: bool, every: float
) -> None:
    found = config(
        drift={"enabled": drift, "every": "500ms"}, review=review, ledger=str(tmp_path / "vedette.db")
    )
    assert camera_settings(found, None)["gate"].study_every == every


def test_settings_survive_the_way_to_a_worker() -> None:
    for settings in camera_settings(config(), Path("videos")).values():
        packed = msgspec.msgpack.encode(settings)
        assert msgspec.msgpack.decode(packed, type=CameraSettings) == settings
    spec = detector_spec(config(detector={"classes": ["a"], "input_size": [64, 96]}))
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(spec), type=DetectorSpec) == spec


@pytest.mark.parametrize(
    ("normalise", "scale"), [("auto", None), ("none", 1), ("unit", 255), ("imagenet", 255)]
)
def test_normalising_is_said_in_numbers(normalise: str, scale: int | None) -> None:
    found = detector_spec(config(detector={"normalise": normalise})).normalise
    assert (found and found["scale"]) == scale
