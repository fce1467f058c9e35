"""`vedette chaos` as users start it: real cameras over real RTSP, a real node, verdicts. About 45 s."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import yaml

from patience import NEVER_S, PATIENCE_S
from vedette.chaos import checks
from vedette.chaos.tested import NODE, under_test
from vedette.config import Config

LATE = re.compile("told only after|not told within|not over within|no result within")
COMMAND = [str(Path(sys.executable).parent / "vedette"), "chaos"]
PASSWORD = "hunter2-in-the-url"
FAKE: dict[str, Any] = {
    "python": "vedette.testing:FakeDetector",
    "options": {"seconds": 0.005},
    "timeout": NEVER_S,
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four seconds of a square that wanders before a wall."""
    path = tmp_path_factory.mktemp("chaos-clip") / "wall.mp4"
    wall = np.kron(np.random.default_rng(1).integers(60, 190, (12, 20)), np.ones((16, 16))).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 192, "yuv420p"
        stream.bit_rate = 400_000
        for number in range(100):
            picture = np.repeat(wall[:, :, None], 3, 2)
            picture[80:112, 2 * number : 2 * number + 32] = 230
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    return path


def config(folder: Path, *, cameras: dict[str, Any] | None = None, **more: Any) -> Path:
    names = ("gate", "yard", "door", "hall")
    given: dict[str, Any] = {
        name: {"url": f"rtsp://viewer:{PASSWORD}@192.0.2.7/{name}", "stall_after": NEVER_S} for name in names
    }
    del given["gate"]["stall_after"]  # the one that is stalled here
    path = folder / "cameras.yaml"
    path.write_text(yaml.safe_dump({"cameras": cameras or given, "detector": FAKE} | more))
    return path


def chaos(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE_S,
        cwd=folder,
        env=os.environ | {"XDG_CACHE_HOME": str(folder / "cache"), "NO_COLOR": "1"},
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


FAULTS: list[dict[str, Any]] = [
    {"kind": "stall", "cameras": "gate", "at": "1s", "for": "4s"},
    {"kind": "drop", "cameras": "yard", "at": "2s"},
    {"kind": "refuse", "cameras": "door", "at": "1s", "for": "4s"},
    {"kind": "wrong_password", "cameras": "hall", "at": "1s", "for": "4s"},
    {"kind": "pts_jump", "cameras": "yard", "at": "7s"},
]
TOLD_AS = {
    ("stall", "gate"): "stalled",
    ("drop", "yard"): "connection_lost",
    ("refuse", "door"): "refused",
    ("wrong_password", "hall"): "unauthorised",
    ("pts_jump", "yard"): "timestamp_jump",
    ("resolution", "gate"): "resolution_changed",
}


def told(report: dict[str, Any]) -> dict[tuple[str, str], str | None]:
    return {(fault["kind"], fault["camera"]): fault["cause"] for fault in report["faults"]}


def test_every_fault_is_told_for_what_it_is_and_overcome(tmp_path: Path, clip: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text(yaml.safe_dump({"faults": FAULTS}))
    done = chaos(
        tmp_path,
        config(tmp_path, sinks=[{"type": "jsonl", "path": "results.jsonl"}]),
        *("--faults", faults, "--fault", "resolution gate at=8s for=3s", "--clip", clip),
        *("--report", "verdicts.json", "--ledger", "run.db"),
    )
    report = json.loads((tmp_path / "verdicts.json").read_text())
    problems = [problem for fault in report["faults"] for problem in fault["problems"]]
    # The limits leave a second to a busy machine: one that stands still for longer tells late, and rightly.
    assert all(LATE.match(problem) for problem in problems), done.stdout
    assert done.returncode == (1 if problems else 0), done.stdout + done.stderr
    assert problems or "passed: 6 faults, nothing false" in done.stdout
    assert told(report) == TOLD_AS
    assert all(fault["right"] for fault in report["faults"])
    assert all(check["held"] for check in report["checks"].values())
    assert report["all"]["share_right"] == 1.0
    assert report["unexplained"] == []
    assert (tmp_path / "run.db").exists()
    assert not (tmp_path / "results.jsonl").exists(), "made-up results went where real ones go"
    assert PASSWORD not in done.stdout + done.stderr + json.dumps(report)


def test_a_run_in_which_something_broke_ends_with_1(tmp_path: Path, clip: Path) -> None:
    breaking = FAKE | {"options": {"raises_every": 20}}
    done = chaos(
        tmp_path,
        config(tmp_path, detector=breaking),
        *("--fault", "drop gate at=1s", "--settle", "0s", "--clip", clip, "--json"),
    )
    assert done.returncode == 1, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert not report["passed"]
    assert not report["checks"]["nothing went wrong otherwise"]["held"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing goes wrong"),
        (("--fault", "stal gate"), "did you mean stall"),
        (("--fault", "stall garage"), "no camera is called so"),
        (("--faults", "missing.yaml"), "missing.yaml"),
    ],
)
def test_what_cannot_be_played_ends_with_2(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    done = chaos(tmp_path, config(tmp_path), *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert PASSWORD not in done.stderr


def test_files_do_not_fail(tmp_path: Path, clip: Path) -> None:
    done = chaos(tmp_path, config(tmp_path, cameras={"clip": {"url": str(clip)}}), "--fault", "stall clip")
    assert done.returncode == 2
    assert "no camera is live" in done.stderr


def test_everything_but_sources_and_addressees_stays_as_configured(clip: Path) -> None:
    given = Config(
        cameras={
            "gate": {
                "url": f"http://viewer:{PASSWORD}@192.0.2.7/live.m3u8",
                "options": {"headers": f"Authorization: {PASSWORD}"},
                "max_fps": 5,
                "priority": "high",
            },
            "clip": {"url": str(clip), "loop": True},
        },
        defaults={"stall_after": "3s"},
        detector=FAKE,
        tracker="none",
        max_age="500ms",
        workers=2,
        connects={"per_host": 3},
        sinks=[{"type": "jsonl", "path": "results.jsonl"}],
        alerts={"to": ["json://192.0.2.8/hook"], "group_within": "1s"},
    )
    tested = under_test(given, {"gate": "rtsp://127.0.0.1:9/cam0"}, "/somewhere/run.db")
    gate = tested.cameras["gate"]
    assert gate.url == "rtsp://127.0.0.1:9/cam0"
    assert gate.options == {}
    assert (gate.max_fps, gate.priority, gate.stall_after) == (5, "high", 3.0)
    assert tested.cameras["clip"] == given.cameras["clip"]
    for kept in ("detector", "tracker", "max_age", "workers", "connects", "folder"):
        assert getattr(tested, kept) == getattr(given, kept)
    assert tested.sinks == ()
    assert tested.alerts.to == ()
    assert tested.alerts.group_within == 1.0
    assert (tested.ledger.url, tested.ledger.node, tested.ledger.enabled) == ("/somewhere/run.db", NODE, True)


def test_checks_name_what_does_not_hold() -> None:
    frames = dict.fromkeys(("superseded", "expired", "skipped", "failed", "orphaned", "in_flight"), 0)
    good = {"frames": frames | {"received": 3, "analysed": 3}}
    bad = {"frames": frames | {"received": 4, "analysed": 3}}
    assert checks.outcomes({"cameras": {"gate": good}}) == []
    assert checks.outcomes({"cameras": {"gate": good, "yard": bad}}) == [
        "camera yard: received 4, outcomes 3, in flight 0"
    ]
    assert checks.ages({"gate": 0.4, "clip": 9.0}, {"gate": 0.5}) == []
    assert len(checks.ages({"gate": 0.6}, {"gate": 0.5})) == 1
    assert checks.tracks({}) == []
    assert checks.tracks({"gate": {7}}) == ["camera gate: 1 track ids live in two epochs"]
    assert len(checks.ledger("/nowhere/at/all.db", NODE, 0)) == 1
