"""The section ``recycle``: what may be said, and what ``auto`` comes to on a machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from vedette.config import load_config
from vedette.node import FIXED
from vedette.supervise.seen import Measure
from vedette.supervise.settings import RecycleSettings
from vedette.units import parse_size

GB = 10**9


def recycle(**given: object) -> RecycleSettings:
    return RecycleSettings.model_validate(given)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512MB", 512 * 10**6), ("4GB", 4 * GB), ("1.5 GiB", 3 * 2**29), ("8kB", 8000), ("1TB", 10**12), (7, 7)],
)
def test_sizes_are_bytes_or_have_a_unit(text: object, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "4", "4 gigs", "GB", "-1GB", -1, 1.5, True, None, [], "1e9B", "4GB 2MB"]
)
def test_other_sizes_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be a size"):
        parse_size(text)


def test_what_is_written_in_a_file_is_what_holds(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    (tmp_path / "cameras.yaml").write_text(
        "cameras: {gate: {url: clip.mp4}}\n"
        "recycle: {max_lifetime: off, max_frames: 1000000, memory_limit: 4GB, gpu_memory_limit: off,\n"
        "          leak: false, apart: 20m}\n"
    )
    limits = load_config(tmp_path / "cameras.yaml").recycle.limits(workers=2, memory=16 * GB)
    assert (limits.lifetime, limits.frames, limits.leak, limits.apart) == (None, 1_000_000, False, 1200.0)
    assert limits.most == {Measure.MEMORY: 4 * GB}


def test_nothing_said_means_a_day_and_a_share_of_the_machine() -> None:
    limits = recycle().limits(workers=3, memory=10 * GB, gpu_memory=8 * GB, files=1024, threads=500)
    assert (limits.lifetime, limits.frames, limits.leak, limits.apart) == (86_400.0, None, True, 600.0)
    assert limits.most == {
        Measure.MEMORY: 2 * GB,
        Measure.GPU: pytest.approx(3.2 * GB),
        Measure.FILES: 1024,
        Measure.THREADS: 500,
    }


@pytest.mark.parametrize("workers", [1, 2, 16, 64])
def test_all_workers_and_one_that_warms_up_fit_where_each_is_at_its_limit(workers: int) -> None:
    limits = recycle().limits(workers=workers, memory=256 * GB)
    assert (workers + 1) * limits.most[Measure.MEMORY] < 256 * GB


def test_a_small_machine_leaves_each_worker_what_it_needs() -> None:
    assert recycle().limits(workers=8, memory=2 * GB).most[Measure.MEMORY] == 512e6


@pytest.mark.parametrize(
    "given",
    [
        {"max_lifetime": "soon"},
        {"max_lifetime": 0},
        {"max_lifetime": None},
        {"max_lifetime": True},
        {"max_frames": 0},
        {"max_frames": "many"},
        {"max_frames": True},
        {"max_frames": 10**20},
        {"memory_limit": "4"},
        {"memory_limit": "1kB"},
        {"memory_limit": None},
        {"gpu_memory_limit": "all"},
        {"leak": 1},
        {"apart": "off"},
        {"max_lifetimes": "1h"},
    ],
)
def test_what_is_no_such_value_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        recycle(**given)


def test_a_running_node_does_not_change_it() -> None:
    assert "recycle" in FIXED
