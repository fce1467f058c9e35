"""The dashboard of a real node: nobody needs it, and it needs nobody."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from integration.harness import Cameras, Run, fake, gone, wait_until
from networks import constant_network
from patience import PATIENCE_S


def url_of(run: Run) -> str:
    run.until(lambda run: run.saw("dashboard served"), "it says where its dashboard is")
    return str(run.saw("dashboard served")[0]["url"])


def asked(url: str, method: str = "GET", body: Any = None) -> tuple[int, Any]:
    """The status, and what was answered: JSON, or text."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as err:
        status, text = err.code, err.read().decode()
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


def web_of(run: Run) -> list[psutil.Process]:
    return run.workers("web")


def test_it_is_served_when_somebody_looks_and_its_death_costs_the_cameras_nothing(tmp_path: Path) -> None:
    with Cameras(2) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, config) as run:
            run.until_all_analysed(["cam0", "cam1"])
            assert web_of(run) == []
            url = url_of(run)
            status, text = asked(url)
            assert status == 200
            assert "Vedette" in text
            (before,) = web_of(run)
            os.kill(before.pid, signal.SIGKILL)
            run.until(lambda run: run.saw("trouble", where="web"), "it is told that it was lost")
            assert asked(url)[0] == 200
            assert web_of(run) != [before]
            left = web_of(run)
            assert run.interrupt() == 0
            assert gone(left)
        for camera in run.report["cameras"].values():
            assert (camera["sessions"], camera["epoch"]) == (1, 0)


def test_it_ends_with_a_node_that_is_killed(tmp_path: Path) -> None:
    with Cameras(1) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, config) as run:
            assert asked(url_of(run))[0] == 200
            left = web_of(run)
            assert left
            run.process.kill()
            assert gone(left)


def test_two_nodes_of_a_machine_have_a_dashboard_each(tmp_path: Path) -> None:
    with Cameras(1) as cameras:
        config = {"cameras": cameras.section(), "detector": fake()}
        with Run(tmp_path / "a", config) as one, Run(tmp_path / "b", config) as other:
            assert url_of(one) != url_of(other)


def test_an_address_that_is_taken_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    with Cameras(1) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path / "a", config) as one:
            address = url_of(one).removeprefix("http://").rstrip("/")
            with Run(tmp_path / "b", {**config, "web": address}) as other:
                assert other.wait() == 2
                assert f"cannot listen at {address}" in other.stderr


def test_nobody_wants_one(tmp_path: Path) -> None:
    with Cameras(1) as cameras:
        config = {"cameras": cameras.section(), "detector": fake()}
        with Run(tmp_path, config, "--web", "no") as run:
            run.until_all_analysed(["cam0"])
            assert not run.saw("dashboard served")
            wait_until(lambda: run.results, "it watches")


def test_what_is_changed_over_the_api_holds_after_a_restart(tmp_path: Path) -> None:
    with Cameras(3) as cameras:
        section = cameras.section()
        added = section.pop("cam2")
        config = {"cameras": section, "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, config) as run:
            run.until_all_analysed(["cam0", "cam1"])
            api = url_of(run) + "api/v1"
            assert asked(f"{api}/cameras", "POST", {"name": "cam2", **added, "max_fps": 5})[0] == 201
            assert asked(f"{api}/cameras/cam0/pause", "POST", {"why": "works on the roof"})[0] == 200
            assert asked(f"{api}/cameras/cam1", "DELETE")[0] == 200
            run.until_all_analysed(["cam2"])
            status, cam0 = asked(f"{api}/cameras/cam0")
            assert (status, cam0["health"]) == (200, "paused")
            paused_at = cam0["since"]
            assert asked(f"{api}/cameras/cam1/pause", "POST", {})[0] in (404, 409)
            assert run.interrupt() == 0
        before = len(run.results)
        with Run(tmp_path, config) as again:
            again.until(lambda run: len(run.results_of("cam2")) > 3, "the camera that was added is watched")
            status, cam0 = asked(url_of(again) + "api/v1/cameras/cam0")
            assert (status, cam0["health"]) == (200, "paused")
            assert "works on the roof" in cam0["why"]
            assert abs(cam0["since"] - paused_at) < 1.0, "since it was paused, not since the node was started"
            assert asked(url_of(again) + "api/v1/cameras/cam1")[0] == 404
            assert again.interrupt() == 0
        assert {result["camera"] for result in again.results[before:]} == {"cam2"}
        assert again.report["cameras"]["cam0"]["frames"]["received"] == 0, "not even for a moment"


def test_what_could_not_be_kept_is_not_done_and_an_answer_says_which_of_both(tmp_path: Path) -> None:
    with Cameras(2) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, {**config, "ledger": {"node": "roof"}}) as run:
            run.until_all_analysed(["cam0", "cam1"])
            api = url_of(run) + "api/v1"
            kept = tmp_path / "changes-roof.json"
            kept.write_text("rubbish")
            for path in ("cam0/pause", "cam0/resume"):
                status, said = asked(f"{api}/cameras/{path}", "POST", {} if "pause" in path else None)
                assert (status, said["kind"]) == (409, "not-done")
                assert str(kept) in said["detail"]
                assert "is done" not in said["detail"]
            assert kept.read_text() == "rubbish"
            assert asked(f"{api}/cameras/cam0")[1]["health"] != "paused"
            kept.unlink()
            assert asked(f"{api}/cameras/cam0/pause", "POST", {})[0] == 200
            assert run.interrupt() == 0


def test_a_log_for_programs_has_nothing_else_in_it_whoever_writes(tmp_path: Path) -> None:
    with Cameras(1) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, config) as run:
            run.until_all_analysed(["cam0"])
            port = int(url_of(run).rstrip("/").rpartition(":")[2])
            for request in (b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", b"rubbish\r\n\r\n"):
                with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as connection:
                    connection.sendall(request)
                    assert connection.recv(100)
            run.until(lambda run: run.saw("asked by a name that is not ours (web.hosts)"), "it is logged")
            run.until(lambda run: run.saw("progress"), "it says how it goes on")
            assert run.interrupt() == 0
        lines = [json.loads(line) for line in run.stderr.splitlines()]
        assert all(isinstance(line, dict) for line in lines)
        assert run.saw("run over")[-1]["received"] == run.report["cameras"]["cam0"]["frames"]["received"]
        assert run.saw("where the time went")


def test_a_password_in_a_camera_s_address_leaves_by_no_answer(tmp_path: Path) -> None:
    with Cameras(2) as cameras:
        config = {"cameras": {"cam0": {"url": cameras.url(0, "ann:hunter2")}}, "detector": fake()}
        with Run(tmp_path, {**config, "web": "127.0.0.1:0"}) as run:
            run.until_all_analysed(["cam0"])
            home = url_of(run)
            api = home + "api/v1"
            new = {"name": "cam1", "url": cameras.url(1, "bob:swordfish")}
            said = [asked(f"{api}/cameras", "POST", new)]
            said += [asked(f"{api}/cameras", "POST", new)]  # refused: there is one
            said += [asked(f"{api}/cameras", "POST", {"name": "cam2", "url": "rtsp://eve:letmein@"})]
            said += [asked(f"{api}/cameras/cam1", "PATCH", {"url": "nonsense://eve:letmein@host/x"})]
            run.until_all_analysed(["cam1"])
            _, document = asked(f"{api}/openapi.json")
            for path, operations in document["paths"].items():
                address = path.removeprefix("/api/v1")
                if "get" in operations and address not in ("/results", "/happenings/stream"):
                    if address.endswith((".mjpeg", ".jpg", ".parquet")):
                        continue
                    for camera in ("cam0", "cam1"):
                        filled = address.replace("{name}", camera).replace("{number}", "1")
                        said.append(asked(api + filled))
            assert len(said) > 30
            text = json.dumps(said)
            kept = next(tmp_path.glob("changes-*.json"))
            assert "swordfish" in kept.read_text(), "else it could not be opened after a restart"
            assert kept.stat().st_mode & 0o077 == 0
            assert run.interrupt() == 0
        others = [
            each for each in tmp_path.glob("*") if each.is_file() and each not in (kept, run.config_file)
        ]
        text += "".join(each.read_bytes().decode("latin-1") for each in others)
        for secret in ("hunter2", "swordfish", "letmein"):
            assert secret not in text


def test_a_pause_that_is_taken_back_in_the_file_ends_with_a_reload(tmp_path: Path) -> None:
    with Cameras(2) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, config) as run:
            run.until_all_analysed(["cam0", "cam1"])
            api = url_of(run) + "api/v1"
            for camera in ("cam0", "cam1"):
                assert asked(f"{api}/cameras/{camera}/pause", "POST", {"why": "works"})[0] == 200
            command = [sys.executable, "-m", "vedette.cli", "config", "reset", str(run.config_file)]
            subprocess.run([*command, "--camera", "cam0"], check=True)
            before = len(run.results)
            run.process.send_signal(signal.SIGHUP)
            run.until(lambda run: len(run.results) > before + 3, "it is watched again")
            assert {result["camera"] for result in run.results[before:]} == {"cam0"}
            assert asked(f"{api}/cameras/cam1")[1]["health"] == "paused"
            assert run.interrupt() == 0


def uploaded(api: str, name: str, kind: str, data: bytes) -> None:
    request = urllib.request.Request(f"{api}/models?name={name}&kind={kind}", data, method="POST")
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        assert answer.status == 201


def classes_found(run: Run) -> list[str]:
    """In the newest result."""
    return [each["class_name"] for each in run.results[-1]["detections"]] if run.results else []


def test_a_model_set_over_the_api_has_its_names_at_once_and_after_a_restart(tmp_path: Path) -> None:
    # One box of 32 pixels in the middle of 64×64, of its second class.
    output = np.zeros((1, 6, 84), np.float32)
    output[0, :, 0] = [32, 32, 32, 32, 0, 0.9]
    metadata = {"names": "{0: 'owl', 1: 'cat'}"}
    model = constant_network(tmp_path / "made.onnx", {"output0": output}, metadata=metadata)
    with Cameras(1) as cameras:
        config = {"cameras": cameras.section(), "detector": fake(), "web": "127.0.0.1:0"}
        with Run(tmp_path, config) as run:
            run.until_all_analysed(["cam0"])
            api = url_of(run) + "api/v1"
            uploaded(api, "birds.onnx", "model", model.read_bytes())
            uploaded(api, "birds.txt", "labels", b"heron\nstork\n")
            order = {"upload": "birds.onnx", "labels": "birds.txt"}
            assert asked(f"{api}/model", "PUT", order)[0] in (200, 202)
            run.until(lambda run: classes_found(run) == ["stork"], "it detects, by its names")
            run.until(lambda _: asked(f"{api}/model")[1]["classes"].endswith("/birds.txt"), "it says so")
            status, told = asked(f"{api}/models/birds.txt", "DELETE")
            assert (status, told["kind"]) == (409, "refused")
            run.until(lambda _: list(tmp_path.glob("changes-*.json")), "it is kept")
            assert run.interrupt() == 0
        before = len(run.results)
        with Run(tmp_path, config) as again:
            again.until(lambda run: len(run.results) > before + 3, "it watches again")
            assert classes_found(again) == ["stork"]
            api = url_of(again) + "api/v1"
            for classes, found in ((["a", "b"], "b"), (None, "cat")):
                assert asked(f"{api}/model", "PUT", {"upload": "birds.onnx", "classes": classes})[0] < 300
                again.until(lambda run, found=found: classes_found(run) == [found], f"it says {found}")
            assert again.interrupt() == 0
