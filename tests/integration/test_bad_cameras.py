"""Cameras that cannot be read, beside one that can: it notices nothing, and each bad one says why."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from ingest_media import ffmpeg, make_clip
from integration.harness import Cameras, Run, adds_up, assert_in_order, fake, has_one_session
from servers import MediaMTX, free_port

CLIPS = {"no_clip": "corrupt", "torn": "corrupt", "sound": "unsupported"}
"""That cannot be read, and why not."""


@contextmanager
def garbage_server() -> Iterator[int]:
    """Answers everybody with random bytes, HTTP with a good header before them."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(0.2)
        over = threading.Event()

        def serve() -> None:
            while not over.is_set():
                with suppress(OSError):
                    client, _ = server.accept()
                    with client:
                        if client.recv(65536).startswith(b"GET"):
                            client.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n")
                        client.sendall(os.urandom(100_000))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1]
        finally:
            over.set()
            thread.join()


@pytest.fixture(scope="module")
def run(cameras: Cameras, clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("bad")
    make_clip(folder, "h264.mp4")
    whole = (folder / "h264.mp4").read_bytes()
    (folder / "no_clip.mp4").write_bytes(os.urandom(20_000))
    (folder / "torn.mp4").write_bytes(whole[: len(whole) // 2])
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", folder / "sound.mp4")
    with Cameras(1, user="admin", password="right") as guarded, garbage_server() as garbage:
        section = {
            "good": {"url": cameras.url(0)},
            "refused": {"url": f"rtsp://127.0.0.1:{free_port()}/x"},
            "wrong_password": {"url": guarded.url(0, "admin:wrong")},
            "no_password": {"url": guarded.url(0)},
            "missing_path": {"url": f"rtsp://127.0.0.1:{cameras.port}/nowhere"},
            "garbage": {"url": f"rtsp://127.0.0.1:{garbage}/x"},
            "garbage_http": {"url": f"http://127.0.0.1:{garbage}/x"},
            "unresolvable": {"url": "rtsp://no-such-camera.invalid/x"},
            "no_clip": {"url": str(folder / "no_clip.mp4")},
            "torn": {"url": str(folder / "torn.mp4")},
            "sound": {"url": str(folder / "sound.mp4")},
        }
        config = {"cameras": section, "detector": fake()}
        with Run(tmp_path_factory.mktemp("run"), config) as run:
            run.until_all_analysed(["good"], 20)
            ended = set(section) - {"good"}
            run.until(
                lambda run: {line["camera"] for line in run.saw("session ended")} >= ended,
                "each bad camera had ended",
            )
            run.until(
                lambda run: {line["camera"] for line in run.saw("camera finished")} >= set(CLIPS),
                "each clip is over",
            )
            run.interrupt()
            yield run


def test_the_good_camera_is_analysed_as_if_it_were_alone(run: Run) -> None:
    good = run.report["cameras"]["good"]
    assert has_one_session(good)
    assert adds_up(good["frames"], in_flight=0)
    assert good["frames"]["failed"] == 0
    assert_in_order(run.results_of("good"))


@pytest.mark.parametrize(
    ("camera", "reason"),
    [
        ("refused", "refused"),
        ("wrong_password", "unauthorised"),
        ("no_password", "unauthorised"),
        ("missing_path", "refused"),
        ("garbage", "corrupt"),
        # FFmpeg calls what it cannot make sense of over HTTP an input/output error.
        ("garbage_http", "unreachable"),
        ("unresolvable", "name_unknown"),
        ("no_clip", "corrupt"),
        ("torn", "corrupt"),
        ("sound", "unsupported"),
    ],
)
def test_each_bad_camera_ends_for_its_own_reason(run: Run, camera: str, reason: str) -> None:
    report = run.report["cameras"][camera]
    details = run.saw("session ended", camera=camera)
    assert details[0]["reason"] == reason, details
    # Later attempts have a second and a half, too little for an answer from a machine that is busy.
    assert report["last_end_reason"] in (reason, "unreachable"), details
    assert all(line["detail"] for line in details), "an end without a word"
    assert adds_up(report["frames"], in_flight=0)
    assert run.results_of(camera) == []


@pytest.mark.parametrize("camera", CLIPS)
def test_a_clip_that_cannot_be_read_is_on_record_with_its_cause(run: Run, camera: str) -> None:
    last = run.saw("gap over", camera=camera)[-1]
    assert last["cause"] == CLIPS[camera]
    assert last["blame"] != "node"
    assert last["detail"]


def test_a_run_with_clips_that_cannot_be_read_says_so_in_its_exit_code(run: Run) -> None:
    assert run.process.returncode == 1
    assert "Traceback" not in run.stderr
    errors = [line["event"] for line in run.log if line["level"] == "error"]
    assert any(said.startswith("no_clip: corrupt") for said in errors)


def test_a_run_whose_cameras_never_gave_a_frame_ends_with_1(tmp_path: Path) -> None:
    config = {"cameras": {"gone": {"url": f"rtsp://127.0.0.1:{free_port()}/x"}}, "detector": fake()}
    with Run(tmp_path, config, "--for", "3s") as run:
        assert run.wait() == 1
        assert "no frame ever came from gone" in run.stderr
        assert run.report["cameras"]["gone"]["frames"]["received"] == 0


def test_a_codec_nobody_can_decode_is_unsupported(
    mediamtx: MediaMTX, cameras: Cameras, tmp_path: Path
) -> None:
    sound = ("-re", "-f", "lavfi", "-i", "sine", "-c:a", "libopus")
    mediamtx.publish("sound", *sound)
    section = {"good": {"url": cameras.url(0)}, "sound": {"url": mediamtx.url("sound")}}
    with Run(tmp_path, {"cameras": section, "detector": fake()}) as run:
        run.until_all_analysed(["good"])
        ended = {"camera": "sound", "reason": "unsupported"}
        run.until(lambda run: run.saw("session ended", **ended), "its session had ended for that")
        assert run.interrupt() == 0
        assert run.report["cameras"]["sound"]["last_end_reason"] == "unsupported"
