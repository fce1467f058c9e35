"""``vedette validate``: exit codes, what is kept, and messages instead of tracebacks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from quality.validate.written_sets import squares
from test_cli import config, vedette
from vedette.cli import app
from vedette.errors import LabelError


def detector(folder: Path, **options: object) -> Path:
    """A configuration whose detector finds squares."""
    return config(
        folder,
        "cameras: {a: {url: 'rtsp://127.0.0.1:1/x'}}\n"
        f"detector: {{python: 'squares:Squares', options: {json.dumps(options)}}}\n",
    )


def validate(folder: Path, *more: str, **options: object) -> Any:
    """In this process, because that is quicker: ``exit_code``, ``stdout``, ``exception``."""
    path = detector(folder, **options)
    arguments = ["validate", str(path), "--dataset", str(folder / "set.json"), *more]
    return CliRunner(env={"COLUMNS": "160"}).invoke(app, arguments)


def test_a_good_detector_passes_and_its_run_is_kept_by_the_ledger(tmp_path: Path) -> None:
    squares(tmp_path)
    done = validate(tmp_path)
    assert (done.exit_code, done.stderr) == (0, "")
    assert "AP50" in done.stdout
    assert "square" in done.stdout
    assert "threshold of its own" in done.stdout
    [kept] = (tmp_path / "validation").iterdir()
    assert json.loads(kept.read_bytes())["dataset"]["pictures"] == 24
    assert str(kept) in done.stdout


def test_below_the_floor_the_exit_code_is_1(tmp_path: Path) -> None:
    squares(tmp_path)
    assert validate(tmp_path, "--floor", "0.5").exit_code == 0
    done = validate(tmp_path, "--floor", "0.5", "--floor", "recall=60%", shift=40)
    assert done.exit_code == 1
    assert "✗ AP50 is 0.000, below 0.500" in done.stdout
    assert "✗ recall is 0.000, below 0.600" in done.stdout


def test_what_is_not_given_is_the_configurations(tmp_path: Path) -> None:
    squares(tmp_path)
    path = detector(tmp_path, shift=40)
    section = "validation: {dataset: set.json, floors: {recall: 0.6}, runs: mine}\n"
    path.write_text(path.read_text() + section)
    done = CliRunner(env={"COLUMNS": "160"}).invoke(app, ["validate", str(path)])
    assert done.exit_code == 1
    assert "✗ recall is 0.000, below 0.600" in done.stdout
    assert len(list((tmp_path / "mine").glob("2*.json"))) == 1
    done = CliRunner().invoke(app, ["validate", str(path), "--floor", "recall=0"])
    assert done.exit_code == 0
    path.write_text(path.read_text().replace(section, ""))
    done = CliRunner().invoke(app, ["validate", str(path)])
    assert "which labelled set?" in str(done.exception)


def test_later_runs_are_held_to_the_baseline(tmp_path: Path) -> None:
    squares(tmp_path)
    done = validate(tmp_path, "--baseline", "set")
    assert done.exit_code == 0
    assert "the baseline of set from now on" in done.stdout
    again = validate(tmp_path)
    assert again.exit_code == 0
    assert "✓ not worse than the baseline" in again.stdout
    worse = validate(tmp_path, threshold=0.9)
    assert worse.exit_code == 1
    assert "compared with the baseline, on the same 24 labelled pictures" in worse.stdout
    assert validate(tmp_path, "--tolerance", "1", threshold=0.9).exit_code == 0
    assert validate(tmp_path, "--baseline", "ignore", threshold=0.9).exit_code == 0
    blind = validate(tmp_path, blind=True)
    assert blind.exit_code == 1
    assert "it finds nothing in 24 pictures with 24 objects" in blind.stdout


def test_what_lies_below_the_floor_does_not_become_the_baseline(tmp_path: Path) -> None:
    squares(tmp_path)
    done = validate(tmp_path, "--baseline", "set", "--floor", "0.5", blind=True)
    assert done.exit_code == 1
    assert "from now on" not in done.stdout
    assert not (tmp_path / "validation" / "baselines.json").exists()


def test_machines_get_json(tmp_path: Path) -> None:
    squares(tmp_path, lights=("day", "night"))
    validate(tmp_path, "--baseline", "set")
    done = validate(tmp_path, "--json", "--report", "html", threshold=0.9)
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert found["passed"] is False
    assert found["compared"]["differences"]["ap50"]["high"] < 0
    assert set(found["by_light"]) == {"day", "night"}
    assert "records" not in found
    assert Path(found["page"]).read_text().startswith("<!doctype html>")


def test_the_page_goes_where_it_is_wanted(tmp_path: Path) -> None:
    squares(tmp_path, 4)
    assert validate(tmp_path, "--report", str(tmp_path / "deep" / "page.html")).exit_code == 0
    assert (tmp_path / "deep" / "page.html").stat().st_size > 2000
    done = validate(tmp_path, "--report", "pdf")
    assert done.exit_code == 2


def test_the_bundled_model_needs_no_configuration(tmp_path: Path) -> None:
    squares(tmp_path, 3, label="car")
    path, runs = tmp_path / "set.json", tmp_path / "runs"
    done = vedette("validate", "--dataset", path, "--runs", runs)
    assert done.returncode == 0
    assert "picodet_s_416.onnx" in done.stdout
    assert "3 pictures say little" in done.stdout
    assert len(list(runs.iterdir())) == 1


TWICE = """{"images": [{"id": 1, "file_name": "a.png", "width": 9, "height": 9}],
"categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "car"}]}"""


@pytest.mark.parametrize("content", ["{", "[]", '{"images": [], "categories": []}', TWICE])
def test_a_set_that_cannot_be_used_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "yard.json").write_text(content)
    done = CliRunner().invoke(app, ["validate", "--dataset", str(tmp_path / "yard.json")])
    assert isinstance(done.exception, LabelError)
    assert "yard" in str(done.exception)


def test_pictures_that_are_not_there_are_missed_at_once(tmp_path: Path) -> None:
    path = squares(tmp_path, 3)
    (tmp_path / "002.png").unlink()
    done = vedette("validate", "--dataset", path, "--runs", tmp_path / "runs")
    assert done.returncode == 8
    assert "1 of 3 pictures are not there, such as 002.png" in done.stderr


def test_pictures_may_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    path = squares(tmp_path, 3)
    for folder in ("images", "elsewhere"):
        (tmp_path / folder).mkdir()
    for number in range(3):
        (tmp_path / f"{number:03}.png").rename(tmp_path / "images" / f"{number:03}.png")
    arguments = ("validate", "--dataset", path, "--runs", tmp_path / "runs")
    assert vedette(*arguments).returncode == 0
    assert vedette(*arguments, "--images", tmp_path / "elsewhere").returncode == 8


def test_a_model_that_is_none_is_said_to_be_none(tmp_path: Path) -> None:
    path = squares(tmp_path, 1)
    (tmp_path / "noise.onnx").write_bytes(b"noise" * 100)
    arguments = ("validate", "--dataset", path, "--runs", tmp_path / "runs", "--model")
    assert vedette(*arguments, tmp_path / "noise.onnx").returncode == 3
    assert vedette(*arguments, tmp_path / "gone.onnx").returncode == 2


@pytest.mark.parametrize("floor", ["much", "1.5", "luck=0.3", "ap50="])
def test_a_floor_that_is_none_is_refused(tmp_path: Path, floor: str) -> None:
    done = CliRunner().invoke(app, ["validate", "--dataset", str(tmp_path / "set.json"), "--floor", floor])
    assert done.exit_code == 2
    assert "must be such as 0.30" in done.output


def test_the_folder_of_a_set_may_have_been_tidied_up(tmp_path: Path) -> None:
    squares(tmp_path, 12)
    validate(tmp_path, "--baseline", "set")
    [run] = (path for path in (tmp_path / "validation").iterdir() if path.name != "baselines.json")
    run.unlink()
    done = validate(tmp_path)
    assert isinstance(done.exception, LabelError)
    assert run.name in str(done.exception)
