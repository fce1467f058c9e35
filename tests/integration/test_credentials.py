"""A password is told to the camera it belongs to and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from integration.conftest import publish_clip
from integration.harness import Cameras, Run, fake, has_one_session
from servers import MediaMTX, free_port

SECRET = "s3cret-Pa55"


@pytest.fixture(scope="module")
def run(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Run, list[str]]]:
    """Cameras that are told the right password, the wrong one, or cannot be reached at all."""
    folder = tmp_path_factory.mktemp("mediamtx")
    userinfo = "user:${CAM_PASSWORD}"
    with (
        MediaMTX(folder, user="user", password=SECRET) as server,
        Cameras(1, user="user", password=SECRET) as digest,
        Cameras(1, user="user", password=SECRET, auth="basic") as basic,
        Cameras(1, user="user", password="something-else") as other,
    ):
        publish_clip(server, "gate", clips)
        section = {
            "mtx": {"url": server.url("gate", userinfo)},
            "mtx_udp": {"url": server.url("gate", userinfo), "transport": "udp"},
            "digest": {"url": digest.url(0, userinfo)},
            "basic": {"url": basic.url(0, userinfo)},
            "wrong": {"url": other.url(0, userinfo)},
            "wrong_udp": {"url": other.url(0, userinfo), "transport": "udp"},
            "refused": {"url": f"rtsp://{userinfo}@127.0.0.1:{free_port()}/x"},
            "refused_http": {"url": f"http://{userinfo}@127.0.0.1:{free_port()}/x?token=${{CAM_PASSWORD}}"},
            "missing": {"url": digest.url(7, userinfo)},
        }
        good = ["mtx", "mtx_udp", "digest", "basic"]
        with Run(
            tmp_path_factory.mktemp("run"),
            {"cameras": section, "detector": fake()},
            "--log-level",
            "debug",
            env={"CAM_PASSWORD": SECRET},
        ) as run:
            run.until_all_analysed(good)
            ended = set(section) - set(good)
            run.until(
                lambda run: {line["camera"] for line in run.saw("session ended")} >= ended, "bad ones ended"
            )
            processes = [psutil.Process(run.process.pid), *run.descendants()]
            seen = [f"{each.name()} {each.cmdline()}" for each in processes]
            run.interrupt()
            yield run, seen


def test_the_right_password_opens_the_camera_and_a_wrong_one_is_unauthorised(
    run: tuple[Run, list[str]],
) -> None:
    report = run[0].report["cameras"]
    for name in ("mtx", "mtx_udp", "digest", "basic"):
        assert has_one_session(report[name])
    expected = dict.fromkeys(("wrong", "wrong_udp"), "unauthorised")
    expected |= dict.fromkeys(("refused", "refused_http", "missing"), "refused")
    for name, reason in expected.items():
        assert run[0].saw("session ended", camera=name)[0]["reason"] == reason
        # Later attempts have a second and a half, too little for an answer from a machine that is busy.
        assert report[name]["last_end_reason"] in (reason, "unreachable")


def test_the_password_is_in_nothing_that_is_written(run: tuple[Run, list[str]]) -> None:
    for path in run[0].folder.iterdir():
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path.name


def test_the_password_is_in_no_process_title(run: tuple[Run, list[str]]) -> None:
    assert len(run[1]) >= 3
    assert not any(SECRET in line for line in run[1])


def test_a_mistake_in_the_configuration_is_told_without_the_password(tmp_path: Path) -> None:
    section = {"gate": {"url": f"rtsp://user:{SECRET}@127.0.0.1:99999/x", "max_fps": SECRET}}
    with Run(tmp_path, {"cameras": section}) as run:
        assert run.wait() == 2
        assert "cameras.yaml:" in run.stderr
        assert "gate" in run.stderr
        assert SECRET not in run.stderr + run.stdout
