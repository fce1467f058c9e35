"""``kill -HUP``: the configuration is read again, and what changed in its cameras is applied."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from integration.harness import Cameras, Run, adds_up, assert_in_order, fake, gone


def write(run: Run, config: dict[str, Any]) -> None:
    run.config_file.write_text(yaml.safe_dump(config, sort_keys=False))


def written(run: Run) -> dict[str, Any]:
    """What the run was started with."""
    config: dict[str, Any] = yaml.safe_load(run.config_file.read_text())
    return config


def applied(run: Run) -> list[dict[str, Any]]:
    return run.saw("configuration applied")


def hang_up(run: Run, event: str) -> dict[str, Any]:
    """The first line of that event that this leads to."""
    before = len(run.saw(event))
    run.process.send_signal(signal.SIGHUP)
    run.until(lambda run: len(run.saw(event)) > before, f"SIGHUP led to: {event}")
    return run.saw(event)[before]


def test_a_changed_file_is_applied_and_a_broken_one_changes_nothing(cameras: Cameras, tmp_path: Path) -> None:
    section = cameras.section()
    first = {name: section[name] for name in ("cam0", "cam1")}
    with Run(tmp_path, {"cameras": first, "detector": fake(), "workers": 1}) as run:
        run.until_all_analysed(first)
        config = written(run)

        write(run, {**config, "cameras": {name: section[name] for name in ("cam1", "cam2")}})
        line = hang_up(run, "configuration applied")
        assert (line["added"], line["removed"], line["changed"]) == (["cam2"], ["cam0"], [])
        run.until_all_analysed(["cam2"])

        broken = {"cam1": section["cam1"], "cam3": {"url": "rtsp://u:secret@127.0.0.1/x", "colour": "red"}}
        write(run, {**config, "cameras": broken})
        line = hang_up(run, "the configuration was not applied")
        assert "cameras.cam3.colour" in line["reason"]
        assert f"{run.config_file.name}:" in line["reason"], "with the place in the file"
        run.config_file.write_text("cameras: [")
        hang_up(run, "the configuration was not applied")
        run.config_file.unlink()
        hang_up(run, "the configuration was not applied")

        seen = len(run.results_of("cam1")), len(run.results_of("cam2"))
        more = "what was there goes on"
        run.until(lambda run: len(run.results_of("cam1")) > seen[0] + 5, more)
        run.until(lambda run: len(run.results_of("cam2")) > seen[1] + 5, more)
        assert run.interrupt() == 0
        assert len(applied(run)) == 1
        assert "secret" not in run.stderr
        assert "Traceback" not in run.stderr
        report = run.report["cameras"]
        assert sorted(report) == ["cam0", "cam1", "cam2"], "what was removed is accounted for"
        assert all(adds_up(camera["frames"], in_flight=0) for camera in report.values())
        assert (report["cam1"]["sessions"], report["cam1"]["epoch"]) == (1, 0)
        for name in report:
            assert_in_order(run.results_of(name))


def test_what_needs_a_restart_is_said_each_time_until_there_is_one(cameras: Cameras, tmp_path: Path) -> None:
    first, both = (
        {name: cameras.section()[name] for name in names} for names in (["cam0"], ["cam0", "cam1"])
    )
    with Run(tmp_path, {"cameras": first, "detector": fake(), "workers": 1}) as run:
        run.until_all_analysed(first)
        config = written(run)
        changed = {**config, "workers": 2}
        write(run, changed)
        for _ in range(2):
            assert hang_up(run, "needs a restart to take effect")["settings"] == ["workers"]
        write(run, {**changed, "max_age": "2s", "cameras": both})
        assert hang_up(run, "needs a restart to take effect")["settings"] == ["workers"]
        run.until_all_analysed(["cam1"])
        lines = [(line["added"], line["changed"]) for line in applied(run)]
        assert lines == [([], []), ([], []), (["cam1"], ["cam0"])], "max_age is each camera's"
        write(run, {**config, "max_age": "2s", "cameras": both})
        hang_up(run, "configuration applied")
        assert run.interrupt() == 0
        assert len(run.saw("needs a restart to take effect")) == 3, "it is again as it was started"


def test_a_clip_that_ended_badly_and_was_removed_spoils_no_run(cameras: Cameras, tmp_path: Path) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film at all" * 1000)
    live = {"cam0": cameras.section()["cam0"]}
    both = {**live, "clip": {"url": str(tmp_path / "broken.mp4")}}
    with Run(tmp_path, {"cameras": both, "detector": fake(), "workers": 1}) as run:
        run.until_all_analysed(live)
        run.until(lambda run: run.saw("camera finished", camera="clip"), "the clip ended")
        write(run, {**written(run), "cameras": live})
        assert hang_up(run, "configuration applied")["removed"] == ["clip"]
        assert run.interrupt() == 0, run.stderr
        assert "error:" not in run.stderr


def all_in_one_session(run: Run, names: Iterable[str]) -> None:
    """Each frame has its one outcome, each analysed one its one result, and nobody had to begin anew."""
    for name in names:
        camera, results = run.report["cameras"][name], run.results_of(name)
        assert adds_up(camera["frames"], in_flight=0)
        assert camera["frames"]["failed"] == 0
        assert len(results) == camera["frames"]["analysed"]
        assert (camera["sessions"], camera["epoch"]) == (1, 0)
        assert_in_order(results)


def lefts(results: Iterable[dict[str, Any]]) -> set[float]:
    """Where boxes begin, in pixels of the picture."""
    return {round(found["xyxy"][0]) for each in results for found in each["detections"]}


def test_another_detector_takes_over_and_no_result_is_lost(cameras: Cameras, tmp_path: Path) -> None:
    section = cameras.section()
    before, after = fake(boxes=[[10, 20, 50, 80]]), fake(boxes=[[100, 20, 140, 80]])
    with Run(tmp_path, {"cameras": section, "detector": before, "workers": 1}) as run:
        run.until_all_analysed(section)
        [old] = run.workers("inference")
        write(run, {**written(run), "detector": after})
        line = hang_up(run, "configuration applied")
        assert (line["added"], line["removed"], line["changed"]) == ([], [], [])
        assert not run.saw("needs a restart to take effect")
        assert gone([old])
        run.until(lambda run: lefts(run.results[-20:]) == {100}, "there are results of the new one alone")
        assert lefts(run.results[:10]) == {10}
        assert run.interrupt() == 0
        for name in section:
            found = [left for each in run.results_of(name) for left in lefts([each])]
            assert found == sorted(found), "none of the old one's after the new one's first"
        assert not run.saw("worker lost")
        assert not run.saw("trouble")
        all_in_one_session(run, section)


def test_a_detector_that_cannot_be_loaded_leaves_the_one_before_at_work(
    cameras: Cameras, tmp_path: Path
) -> None:
    section = cameras.section()
    first = {name: section[name] for name in ("cam0", "cam1", "cam2")}
    with Run(tmp_path, {"cameras": first, "detector": fake(), "workers": 1}) as run:
        run.until_all_analysed(first)
        [old] = run.workers("inference")
        config = written(run)
        write(run, {**config, "detector": {"python": "nowhere.to.be.found:Detector"}, "cameras": section})
        line = hang_up(run, "the configuration was not applied in whole")
        assert "the cameras were changed, the detector was not" in line["reason"]
        assert "nowhere" in line["reason"]
        run.until_all_analysed(section, results=5)
        assert run.workers("inference") == [old]
        assert run.process.poll() is None
        assert run.interrupt() == 0, run.stderr
        assert not run.saw("worker lost")
        assert "Traceback" not in run.stderr
        all_in_one_session(run, section)


def test_a_detector_that_never_gets_ready_holds_up_neither_the_cameras_nor_the_end(
    cameras: Cameras, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\n"
        "class Slow:\n"
        "    input_size = (96, 160)\n"
        "    def __init__(self):\n"
        "        pathlib.Path(__file__).with_name('begun').touch()\n"
        "        time.sleep(1e6)\n"
        "    def detect(self, images):\n"
        "        return []\n"
    )
    section = cameras.section()
    first = {name: section[name] for name in ("cam0", "cam1")}
    with Run(tmp_path, {"cameras": first, "detector": fake(), "workers": 1}) as run:
        run.until_all_analysed(first)
        write(run, {**written(run), "detector": {"python": "slow:Slow"}})
        run.process.send_signal(signal.SIGHUP)
        run.until(lambda run: (run.folder / "begun").exists(), "the new detector is being made")
        seen = len(run.results)
        run.until(lambda run: len(run.results) > seen + 20, "there are more results")
        write(run, {**written(run), "cameras": section})
        run.process.send_signal(signal.SIGHUP)
        run.until_all_analysed(section)
        everybody = run.descendants()
        assert run.interrupt() == 0, run.stderr
        assert gone(everybody)
        assert "Traceback" not in run.stderr
        all_in_one_session(run, section)
