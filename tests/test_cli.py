"""The command line: exit codes, messages, and no traceback for what can be expected."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from patience import PATIENCE_S
from servers import free_port
from vedette import __version__

COMMAND = [str(Path(sys.executable).parent / "vedette")]


def vedette(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env=os.environ | {"COLUMNS": "120", "NO_COLOR": "1"} | environment,
    )
    assert "Traceback" not in done.stderr + done.stdout
    return done


def clip(path: Path, frames: int = 10) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for value in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), value * 20, np.uint8), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def config(folder: Path, text: str) -> Path:
    path = folder / "cameras.yaml"
    path.write_text(text)
    return path


def test_prints_its_version() -> None:
    assert vedette("--version").stdout == f"vedette {__version__}\n"


@pytest.mark.parametrize("command", [(), ("run",), ("check",), ("demo",), ("sim",)])
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    done = vedette(*command, "--help")
    assert done.returncode == 0
    assert "Usage: vedette" in done.stdout


def test_the_simulator_shows_its_own_options() -> None:
    assert "--keyframe-every" in vedette("sim", "--help").stdout


def test_help_loads_nothing_heavy() -> None:
    heavy = ("numpy", "av", "onnxruntime", "openvino", "supervision", "pydantic", "cv2", "scipy")
    code = (
        "import sys\nsys.argv = ['vedette', '--help']\nfrom vedette.cli import main\n"
        "try:\n    main()\nfinally:\n"
        f"    print([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    "arguments",
    [("fly",), ("run",), ("run", "x", "--nope"), ("run", "x", "--for", "soon"), ("sim", "--cameras", "0")],
)
def test_wrong_usage_exits_with_2(arguments: tuple[str, ...]) -> None:
    done = vedette(*arguments)
    assert done.returncode == 2
    assert done.stderr


@pytest.mark.parametrize("command", ["run", "check"])
def test_each_mistake_in_the_configuration_is_a_line_on_stderr(command: str, tmp_path: Path) -> None:
    path = config(
        tmp_path, "cameras:\n  gate:\n    url: rtsp://me:${PASS}@h:x/\n    max_fsp: 3\nmax_age: soon\n"
    )
    done = vedette(command, path, PASS="hunter2")
    assert done.returncode == 2
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["error"] * 3
    assert f"error: {path}:4: cameras.gate.max_fsp: unknown key (did you mean max_fps?)" in lines
    assert "hunter2" not in done.stderr


def test_a_missing_configuration_is_named(tmp_path: Path) -> None:
    done = vedette("run", tmp_path / "gone.yaml")
    assert (done.returncode, done.stderr) == (2, f"error: {tmp_path / 'gone.yaml'}: no such file\n")


def test_check_is_content_with_what_works(tmp_path: Path) -> None:
    clip(tmp_path / "clip.mp4")
    done = vedette("check", config(tmp_path, "cameras: {clip: {url: clip.mp4}}"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "picodet" in done.stdout
    assert "mpeg4" in done.stdout
    assert "64x48" in done.stdout


def test_check_tells_of_every_camera_that_does_not_work(tmp_path: Path) -> None:
    clip(tmp_path / "clip.mp4")
    (tmp_path / "noise.mp4").write_bytes(b"\x00noise" * 1000)
    path = config(
        tmp_path,
        f"""
cameras:
  fine: {{url: clip.mp4}}
  noise: {{url: noise.mp4}}
  gone: {{url: "rtsp://me:hunter2@127.0.0.1:{free_port()}/x"}}
  off: {{url: "rtsp://127.0.0.1:1/x", enabled: false}}
""",
    )
    done = vedette("check", path)
    assert done.returncode == 4
    assert "hunter2" not in done.stdout
    marks = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if line[:1] in "✓✗"}
    assert marks == {"detector": "✓", "fine": "✓", "noise": "✗", "gone": "✗"}
    assert "refused" in done.stdout


def test_check_need_not_connect(tmp_path: Path) -> None:
    path = config(tmp_path, f"cameras: {{gone: {{url: 'rtsp://127.0.0.1:{free_port()}/x'}}}}")
    done = vedette("check", path, "--no-connect")
    assert done.returncode == 0
    assert "gone" not in done.stdout


def test_check_finds_a_model_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "noise.onnx").write_bytes(b"noise" * 100)
    path = config(tmp_path, "cameras: {a: {url: 'rtsp://127.0.0.1:1/x'}}\ndetector: {model: noise.onnx}")
    done = vedette("check", path, "--no-connect")
    assert done.returncode == 3
    assert "✗" in done.stdout


def test_check_finds_a_detector_that_raises(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(
        "class Mine:\n    input_size = (32, 32)\n"
        "    def detect(self, images):\n        raise RuntimeError('no luck')\n"
    )
    path = config(tmp_path, "cameras: {a: {url: 'rtsp://127.0.0.1:1/x'}}\ndetector: {python: 'mine:Mine'}")
    done = vedette("check", path, "--no-connect")
    assert done.returncode == 3
    assert "no luck" in done.stdout


def test_an_interrupted_check_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time\nclass Slow:\n    input_size = (32, 32)\n    def detect(self, images):\n"
        f"        pathlib.Path({str(tmp_path / 'started')!r}).touch()\n        time.sleep(60)\n"
    )
    path = config(tmp_path, "cameras: {a: {url: 'rtsp://127.0.0.1:1/x'}}\ndetector: {python: 'slow:Slow'}")
    process = subprocess.Popen(
        [*COMMAND, "check", str(path), "--no-connect"],
        stderr=subprocess.PIPE,
        text=True,
        # Started in the background of a shell, this process ignores SIGINT, and so would that one.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while not (tmp_path / "started").exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 130
    assert "Traceback" not in errors


@pytest.mark.parametrize("command", ["run", "check"])
def test_changes_made_over_the_api_that_cannot_be_read_are_an_error_of_the_configuration(
    command: str, tmp_path: Path
) -> None:
    clip(tmp_path / "clip.mp4")
    path = config(tmp_path, "cameras: {clip: {url: clip.mp4}}\nledger: {node: roof}\n")
    (tmp_path / "changes-roof.json").write_text("rubbish")
    done = vedette(command, path)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: {tmp_path / 'changes-roof.json'}: changes made over the API cannot"
    )


def test_check_looks_at_what_a_run_would_watch(tmp_path: Path) -> None:
    clip(tmp_path / "clip.mp4")
    path = config(tmp_path, "cameras: {clip: {url: clip.mp4}}\nledger: {node: roof}\n")
    (tmp_path / "noise.mp4").write_bytes(b"\x00noise" * 1000)
    added = '{"cameras": {"lobby": {"added": true, "settings": {"url": "noise.mp4"}}}}'
    (tmp_path / "changes-roof.json").write_text(added)
    done = vedette("check", path)
    assert done.returncode == 4
    assert "lobby" in done.stdout


def test_taking_back_what_was_changed_says_what_came_of_it(tmp_path: Path) -> None:
    clip(tmp_path / "clip.mp4")
    path = config(tmp_path, "cameras: {clip: {url: clip.mp4}}\nledger: {node: roof}\n")
    kept = tmp_path / "changes-roof.json"
    kept.write_text('{"cameras": {"lobby": {"added": true, "settings": {"url": "rtsp://h/x"}}}}')
    done = vedette("config", "reset", path, "--camera", "hall")
    assert (done.returncode, done.stdout) == (2, "")
    assert "error: there is no camera 'hall'" in done.stderr
    done = vedette("config", "reset", path, "--camera", "clip")
    assert (done.returncode, done.stdout) == (0, "nothing was changed over the API of clip\n")
    done = vedette("config", "reset", path, "--camera", "lobby")
    assert (done.returncode, done.stdout.startswith("taken back of lobby")) == (0, True)
    assert "lobby" not in kept.read_text()
