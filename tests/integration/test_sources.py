"""Every kind of source in one configuration."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from ingest_media import make_clip
from integration.harness import (
    Cameras,
    Run,
    adds_up,
    assert_in_order,
    assert_no_track_id_in_two_epochs,
    fake,
    has_one_session,
)
from servers import MediaMTX

NAMES = ["tcp", "sim_udp", "mtx_tcp", "mtx_udp", "http_ts", "paced", "looped", "folder", "every_frame"]


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("media")
    for name in ("h264.mp4", "h264.ts"):
        make_clip(folder, name, frames=50)
    (folder / "clips").mkdir()
    for name in ("mpeg4.avi", "vp9.webm", "hevc.mp4"):
        make_clip(folder / "clips", name, frames=25)
    return folder


@pytest.fixture(scope="module")
def run(
    media: Path, cameras: Cameras, mediamtx: MediaMTX, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Run]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=media))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    section = {
        "tcp": {"url": cameras.url(0), "transport": "tcp"},
        "sim_udp": {"url": cameras.url(1), "transport": "udp"},
        "mtx_tcp": {"url": mediamtx.url("gate")},
        "mtx_udp": {"url": mediamtx.url("gate"), "transport": "udp"},
        "http_ts": {"url": f"http://127.0.0.1:{server.server_port}/h264.ts"},
        "paced": {"url": str(media / "h264.mp4")},
        "looped": {"url": str(media / "h264.mp4"), "loop": True},
        "folder": {"url": str(media / "clips")},
        "every_frame": {"url": str(media / "clips"), "every_frame": True},
    }
    with Run(tmp_path_factory.mktemp("run"), {"cameras": section, "detector": fake()}) as run:
        run.until_all_analysed(NAMES)
        finished = {"paced", "folder", "every_frame"}
        run.until(
            lambda run: {line["camera"] for line in run.saw("session ended")} >= finished, "clips were over"
        )
        # Two seconds of clip: more frames than that have seen it begin again.
        run.until(lambda run: run.results_of("looped")[-1]["seq"] > 60, "the loop began again")
        assert run.interrupt() == 0
        yield run
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_source_is_analysed(run: Run, name: str) -> None:
    camera = run.report["cameras"][name]
    assert camera["frames"]["analysed"] >= 3
    assert adds_up(camera["frames"], in_flight=0)
    assert_in_order(run.results_of(name))
    assert_no_track_id_in_two_epochs(run.results_of(name))


def test_a_paced_clip_takes_no_less_time_than_it_lasts(run: Run) -> None:
    assert run.report["cameras"]["paced"]["frames"]["received"] == 50
    (opened,), (ended,) = (run.saw(f"session {what}", camera="paced") for what in ("opened", "ended"))
    times = [datetime.fromisoformat(line["timestamp"]).timestamp() for line in (opened, ended)]
    assert times[1] - times[0] >= 49 / 25 - 0.1, "it is told of when it is heard of"


def test_every_frame_of_every_clip_in_a_folder_is_analysed(run: Run) -> None:
    frames = run.report["cameras"]["every_frame"]["frames"]
    assert (frames["received"], frames["analysed"]) == (75, 75)


def test_clips_that_are_over_have_ended_and_live_ones_have_not(run: Run) -> None:
    reasons = {name: camera["last_end_reason"] for name, camera in run.report["cameras"].items()}
    assert {reasons[name] for name in ("paced", "folder", "every_frame")} == {"ended"}
    for name in ("tcp", "mtx_tcp", "mtx_udp", "sim_udp"):
        assert has_one_session(run.report["cameras"][name])
