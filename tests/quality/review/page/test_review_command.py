"""``vedette review``: what it serves, to whom, and what it says where it cannot."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, expect
from typer.testing import CliRunner, Result

from patience import PATIENCE_S
from quality.review.page.conftest import add
from review_frames import accepted, frame
from vedette.cli import app
from vedette.errors import ReviewError, VedetteError
from vedette.quality.labels.formats import read
from vedette.quality.review.store import Store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Store.open(tmp_path / "kept") as store:
        for number in range(3):
            add(store, number)
    return tmp_path / "kept"


def vedette_review(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["review", *map(str, arguments)])


@contextmanager
def serving(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], str]]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "vedette.cli", "review", *map(str, arguments)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.fullmatch(r"Review at (http://127\.0\.0\.1:\d+/review)\n", said)
        assert found, said
        yield process, found[1]
    finally:
        process.kill()
        process.wait()


def asked(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, headers=headers), timeout=PATIENCE_S
        ) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as err:
        return err.code


def test_it_serves_the_page_until_interrupted(folder: Path, pages: BrowserContext) -> None:
    with serving(folder, "--port", 0) as (process, url):
        page = pages.new_page()
        page.goto(url)
        expect(page.get_by_role("heading", name="Review kept")).to_be_visible()
        expect(page.locator(".vr-stage")).to_be_visible()
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def test_other_sites_get_nothing(folder: Path) -> None:
    with serving(folder, "--port", 0) as (_, url):
        assert asked(f"{url}/api/start") == 200
        assert asked(f"{url}/api/start", **{"Sec-Fetch-Site": "cross-site"}) == 403
        assert asked(f"{url}/api/start", Host="elsewhere.example") == 400


def test_a_port_that_is_taken_is_said(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = vedette_review(folder, "--port", taken.getsockname()[1])
    assert isinstance(done.exception, VedetteError)
    assert "--port" in str(done.exception)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "cameras.example"])
def test_other_machines_are_refused_with_the_reason(folder: Path, host: str) -> None:
    done = vedette_review(folder, "--host", host)
    assert done.exit_code == 2
    assert "who somebody is" in re.sub(r"[\s│]+", " ", done.stderr)


def test_a_folder_that_is_none_is_not_made(tmp_path: Path) -> None:
    done = vedette_review(tmp_path / "nowhere")
    assert isinstance(done.exception, ReviewError)
    assert not (tmp_path / "nowhere").exists()


def test_a_folder_of_rubbish_ends_with_the_stores_error(tmp_path: Path) -> None:
    (tmp_path / "review.db").write_bytes(b"mud" * 1000)
    command = [sys.executable, "-m", "vedette.cli", "review", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == ReviewError.exit_code
    assert done.stderr == f"error: {tmp_path / 'review.db'}: is not a review store (not an SQLite database)\n"


def test_the_extra_is_named_where_it_is_missing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "vedette.quality.review.page.serve", raising=False)
    monkeypatch.setitem(sys.modules, "nicegui", None)
    done = vedette_review(folder)
    assert "pip install 'vedette[review]'" in str(done.exception)


def test_labels_go_out_and_come_in(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        items = store.items()
        for item in items[:2]:
            store.review(item.id, accepted(item))
    out = tmp_path / "out.json"
    done = vedette_review(folder, "--export", "coco", out)
    assert (done.exit_code, done.exception) == (0, None)
    assert "2 pictures, 6 boxes" in done.stdout
    assert len(read(out).pictures) == 2
    raw = json.loads(out.read_bytes())
    raw["images"][0]["file_name"] = "somewhere/else.jpg"
    raw["images"][0].pop("vedette", None)
    out.write_text(json.dumps(raw))
    done = vedette_review(folder, "--import", out)
    assert done.exit_code == 0
    assert "reviews of" in done.stdout


def test_only_the_classes_that_were_asked_for_are_exported(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        for item in store.items():
            store.review(item.id, accepted(item))
    done = vedette_review(folder, "--export", "yolo", tmp_path / "out", "--label", "car")
    assert done.exit_code == 0
    assert "3 pictures, 3 boxes" in done.stdout


def test_the_set_of_one_camera_is_exported(folder: Path, tmp_path: Path) -> None:
    with Store.open(folder) as store:
        store.add(frame(7, camera="yard"))
        for item in store.items():
            store.review(item.id, accepted(item))
    done = vedette_review(folder, "--export", "coco", tmp_path / "yard.json", "--camera", "ya*")
    assert done.exit_code == 0
    assert {each.camera for each in read(tmp_path / "yard.json").pictures} == {"yard"}
    none = vedette_review(folder, "--export", "coco", tmp_path / "gate.json", "--camera", "nowhere")
    assert "nothing of nowhere was reviewed yet" in str(none.exception)


def test_there_is_nothing_to_export_before_anything_was_reviewed(folder: Path, tmp_path: Path) -> None:
    done = vedette_review(folder, "--export", "coco", tmp_path / "out.json")
    assert isinstance(done.exception, ReviewError)
    assert "nothing was reviewed" in str(done.exception)
