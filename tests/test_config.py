"""Configuration: what is accepted, what each mistake is called, and that secrets stay secret."""

from __future__ import annotations

import pickle
import string
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vedette.config import Config, Detector, JsonlSink, Tracker, VideoSink, load_config
from vedette.config_yaml import read_yaml
from vedette.errors import ConfigError
from vedette.frame import Rung
from vedette.units import parse_duration

GATE = "cameras: {gate: {url: 'rtsp://127.0.0.1/gate'}}\n"
Load = Callable[..., Config]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    def load(text: str, **environment: str) -> Config:
        (tmp_path / "cameras.yaml").write_text(text)
        return load_config(tmp_path / "cameras.yaml", environment)

    return load


def problems(load: Load, text: str, **environment: str) -> list[str]:
    """Lines of the error, each from the line number on."""
    with pytest.raises(ConfigError) as caught:
        load(text, **environment)
    lines = str(caught.value).splitlines()
    assert all("cameras.yaml:" in line for line in lines)
    return [line.partition("cameras.yaml:")[2] for line in lines]


# ---- what is accepted


def test_the_least_configuration_is_one_camera_with_a_url(load: Load) -> None:
    config = load(GATE)
    camera = config.cameras["gate"]
    assert (camera.url, camera.max_fps, camera.weight, camera.pace) == (
        "rtsp://127.0.0.1/gate",
        None,
        1.0,
        True,
    )
    assert (config.max_age, config.workers, config.tracker.type) == (1.0, "auto", "bytetrack")
    assert config.detector == Detector()


def test_reads_the_documented_example(load: Load, tmp_path: Path) -> None:
    (tmp_path / "my.onnx").touch()
    config = load(
        """
defaults: {max_fps: 10}
cameras:
  gate_north:
    url: rtsp://${CAM_USER}:${CAM_PASSWORD}@127.0.0.1:8554/gate
    max_fps: 25
  south: {url: "rtsp://127.0.0.1:8554/south"}
detector:
  model: my.onnx
  input_size: [256, 416]
  confidence: 0.4
tracker: bytetrack
max_age: 1s
sinks:
  - {type: jsonl, path: results.jsonl}
  - {type: video, folder: out}
""",
        CAM_USER="me",
        CAM_PASSWORD="hunter2",
    )
    assert config.cameras["gate_north"].url == "rtsp://me:hunter2@127.0.0.1:8554/gate"
    assert config.cameras["gate_north"].max_fps == 25
    assert config.cameras["south"].max_fps == 10
    assert config.detector.model == tmp_path / "my.onnx"
    assert config.detector.input_size == (256, 416)
    assert config.sinks == (
        JsonlSink(path=str(tmp_path / "results.jsonl")),
        VideoSink(folder=tmp_path / "out"),
    )
    assert config.folder == tmp_path


def test_a_camera_setting_wins_over_the_default_even_when_it_is_the_built_in_one(load: Load) -> None:
    config = load(
        "defaults: {transport: udp, priority: high}\n"
        "cameras:\n  a: {url: 'rtsp://h/a', transport: auto}\n  b: {url: 'rtsp://h/b', priority: 3.5}\n"
    )
    assert (config.cameras["a"].transport, config.cameras["a"].weight) == ("auto", 2.0)
    assert (config.cameras["b"].transport, config.cameras["b"].weight) == ("udp", 3.5)


def test_a_camera_may_have_its_own_tracker(load: Load) -> None:
    config = load("tracker: {type: ocsort, options: {min_hits: 2}}\ncameras:\n"
                  "  a: {url: 'rtsp://h/a', tracker: none}\n  b: {url: 'rtsp://h/b'}\n")  # fmt: skip
    assert config.tracker_of("a") == Tracker(type="none")
    assert config.tracker_of("b") == Tracker(type="ocsort", options={"min_hits": 2})


def test_files_folders_and_devices_are_local(load: Load, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "a b.mp4").touch()
    clip = tmp_path / "clips" / "a b.mp4"
    config = load(
        f"cameras:\n  a: {{url: 'clips/a b.mp4'}}\n  b: {{url: clips}}\n  c: {{url: 'file://{quote(str(clip))}'}}\n"
        "  d: {url: /dev/video7}\n  e: {url: 'rtsp://h/x'}\n"
    )
    assert config.cameras["a"].url == config.cameras["c"].url == str(clip)
    assert config.cameras["b"].url == str(clip.parent)
    assert config.cameras["d"].url == "/dev/video7"
    assert [camera.is_file for camera in config.cameras.values()] == [True, True, True, False, False]


def test_every_frame_turns_pacing_off(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    config = load("cameras: {a: {url: a.mp4, every_frame: true}}")
    assert config.cameras["a"].pace is False


def test_every_frame_is_refused_for_live_sources_also_through_the_defaults(load: Load) -> None:
    assert problems(load, "defaults: {every_frame: true}\n" + GATE) == [
        "2: cameras.gate: every_frame: only files can wait; live sources never do"
    ]


def test_decode_names_the_rung() -> None:
    cameras = {name: {"url": "rtsp://h/x", "decode": name} for name in ("all", "reference", "keyframes")}
    found = [camera.rung for camera in Config(cameras=cameras).cameras.values()]
    assert found == [Rung.ALL, Rung.REFERENCE, Rung.KEYFRAMES]


def test_sections_whose_lines_are_commented_out_count_as_left_out(load: Load) -> None:
    assert load(GATE + "detector:\n#  model: x\nsinks:\ndefaults:\n") == load(GATE)


def test_a_camera_may_have_a_name_that_yaml_takes_for_something_else(load: Load) -> None:
    config = load("cameras:\n  off: {url: 'rtsp://h/a'}\n  null: {url: 'rtsp://h/b'}\n")
    assert list(config.cameras) == ["off", "null"]


def test_merge_keys_and_anchors_work(load: Load) -> None:
    config = load(
        "cameras:\n  a: &base {url: 'rtsp://h/a', max_fps: 3}\n  b: {<<: *base, url: 'rtsp://h/b'}\n"
    )
    assert (config.cameras["b"].url, config.cameras["b"].max_fps) == ("rtsp://h/b", 3)


def test_a_configuration_survives_pickling(load: Load) -> None:
    config = load(GATE)
    assert pickle.loads(pickle.dumps(config)) == config


def test_a_configuration_is_frozen(load: Load) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load(GATE).max_age = 3.0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("500ms", 0.5), ("1s", 1), ("2m", 120), ("1.5h", 5400), ("3d", 259_200), ("3", 3), (7, 7), (0.25, 0.25)],
)
def test_durations_are_seconds_or_have_a_unit(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "text", ["", "s", "1w", "-1s", -1, True, None, float("nan"), float("inf"), "1 s 2", []]
)
def test_other_durations_are_refused(text: object) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration(text)


# ---- the environment


def test_fills_in_the_environment_and_its_defaults(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("a: ${ONE}-${TWO:-zwei}-${EMPTY:-leer}\nb: cost $$5 ${ONE}$\nc: ['${ONE}', 5]\n")
    document = read_yaml(path, {"ONE": "eins: [not, parsed]", "EMPTY": ""})
    assert document.values == {
        "a": "eins: [not, parsed]-zwei-leer",
        "b": "cost $5 eins: [not, parsed]$",
        "c": ["eins: [not, parsed]", 5],
    }
    assert not document.problems


def test_a_missing_variable_is_named_once_with_line_and_key(load: Load) -> None:
    text = "cameras:\n  gate:\n    url: rtsp://${NOBODY}@h/x\n"
    assert problems(load, text) == ["3: cameras.gate.url: the environment variable NOBODY is not set"]


@pytest.mark.parametrize("text", ["${", "${}", "${A B}", "${1}", "a ${unclosed"])
def test_a_reference_that_is_none_is_explained(load: Load, text: str) -> None:
    (found,) = problems(load, f"cameras:\n  gate:\n    url: '{text}'\n")
    assert found.startswith("3: cameras.gate.url: a ${ that is not ${NAME}")


def test_numbers_may_come_from_the_environment(load: Load) -> None:
    config = load("max_age: ${AGE}\nworkers: ${N}\ncameras: {a: {url: 'rtsp://h', max_fps: '${F}'}}",
                  AGE="250ms", N="3", F="12.5")  # fmt: skip
    assert (config.max_age, config.workers, config.cameras["a"].max_fps) == (0.25, 3, 12.5)


# ---- mistakes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "cameras:\n  g: {url: 'rtsp://h',\n    max_fsp: 1}",
            "3: cameras.g.max_fsp: unknown key (did you mean max_fps?)",
        ),
        (GATE + "trackr: none", "2: trackr: unknown key (did you mean tracker?)"),
        (GATE + "folder: x", "2: folder: unknown key"),
        (GATE + "detector: {modle: x}", "2: detector.modle: unknown key (did you mean model?)"),
        (GATE + "tracker: {typ: none}", "2: tracker.typ: unknown key (did you mean type?)"),
        (
            GATE + "sinks:\n- type: jsonl\n  path: x\n  pth: y",
            "5: sinks[0].pth: unknown key (did you mean path?)",
        ),
        (GATE + "sinks:\n- type: kafka", "3: sinks[0]: unknown type; the known ones are jsonl, video"),
        (GATE + "sinks:\n- path: x", "3: sinks[0]: type is required"),
        (GATE + "sinks:\n- type: jsonl", "3: sinks[0].path: is required"),
        (
            GATE + "sinks: [{type: jsonl, path: x}, {type: jsonl, path: x}]",
            "2: sinks: two of them write to the same path",
        ),
        (GATE + "tracker: sort", "2: tracker: must be bytetrack, ocsort, botsort or none"),
        (
            GATE + "max_age: soon",
            "2: max_age: must be a duration: seconds, or a number with a unit such as 500ms, 1s, 2m, 1h, 3d",
        ),
        (GATE + "max_age: 0", "2: max_age: must be longer than 0 s"),
        (GATE + "workers: 0", "2: workers: must be auto, or a whole number from 1 to 256"),
        (GATE + "workers: true", "2: workers: must be auto, or a whole number from 1 to 256"),
        (GATE + "detector: {model: gone.onnx}", "2: detector.model: no such file (relative paths start at"),
        (GATE + "detector: {classes: gone.txt}", "2: detector.classes: no such file"),
        (GATE + "detector: {python: nonsense}", "2: detector.python: must be package.module:Class"),
        (GATE + "detector: {device: tpu}", "2: detector.device: must be auto, cpu, cuda or cuda:N"),
        (GATE + "detector: {input_size: [256]}", "2: detector.input_size: must be a height and a width"),
        (GATE + "detector: {input_size: [256, x]}", "2: detector.input_size[1]: must be a whole number"),
        (GATE + "detector: {confidence: 4}", "2: detector.confidence: must be less than or equal to 1"),
        (GATE + "detector: {batch: 65}", "2: detector.batch: must be auto, or a whole number from 1 to 64"),
        ("cameras: {g: {url: 'rtsp://h', max_fps: 0}}", "1: cameras.g.max_fps: must be greater than 0"),
        ("cameras: {g: {url: 'rtsp://h', max_fps: yes}}", "1: cameras.g.max_fps: must be a number"),
        (
            "cameras: {g: {url: 'rtsp://h', priority: urgent}}",
            "1: cameras.g.priority: must be low, normal, high, or",
        ),
        (
            "cameras: {g: {url: 'rtsp://h', transport: tpc}}",
            "1: cameras.g.transport: must be auto, tcp or udp",
        ),
        ("cameras: {g: {url: 'rtsp://h', pace: maybe}}", "1: cameras.g.pace: must be true or false"),
        ("cameras: {g: {url: 'rtsp://h', motion: 1}}", "1: cameras.g.motion: must be true or false"),
        (GATE + "ladder: 0", "2: ladder: must be true or false"),
        (GATE + "metrics: true", "2: metrics: write an address to listen on as :9464, 127.0.0.1:9464 or ["),
        (GATE + "metrics: myhost", "2: metrics: write an address to listen on as :9464, 127.0.0.1:9464 or ["),
        (GATE + "metrics: ':70000'", "2: metrics: a port is at most 65535"),
        (GATE + "traces: {to: 'localhost:4318'}", "2: traces.to: must be the address of an OTLP collector"),
        (GATE + "traces: {to: 'http://h:70000'}", "2: traces.to: must be the address of an OTLP collector"),
        (GATE + "traces: {to: 4318}", "2: traces.to: must be the address of an OTLP collector"),
        (GATE + "traces: {to: 'http://a b'}", "2: traces.to: must be the address of an OTLP collector"),
        (GATE + "traces: {to: 'http://[h'}", "2: traces.to: must be the address of an OTLP collector"),
        ("cameras:\n  g:\n    max_fps: 3", "2: cameras.g.url: is required"),
        ("cameras:\n  g: rtsp://h", "2: cameras.g: must be a mapping of settings (key: value)"),
        ("cameras:\n  Gate One: {url: 'rtsp://h'}", "2: cameras.…: a camera's name has lower-case letters"),
        (
            "cameras:\n  g: {url: gone.mp4}",
            "2: cameras.g.url: no such file or folder (relative paths start at",
        ),
        (
            "cameras:\n  g: {url: 'rtps://h/x'}",
            "2: cameras.g.url: unknown kind of address (did you mean rtsps://?)",
        ),
        ("cameras:\n  g: {url: 'ftp://h/x'}", "2: cameras.g.url: unknown kind of address; there are rtsp,"),
        ("cameras:\n  g: {url: 'rtsp://h:99999/x'}", "2: cameras.g.url: not a usable address"),
        ("cameras:\n  g: {url: 'rtsp:///x'}", "2: cameras.g.url: not a usable address"),
        ("cameras:\n  g: {url: 7}", "2: cameras.g.url: must be the address of a stream"),
        ("cameras:\n  g: {url: 'rtsp://h', enabled: false}", "1: cameras: none of them is enabled"),
        ("cameras: {}", "1: cameras: no cameras; give at least one"),
        ("tracker: none", "1: cameras: no cameras; give at least one"),
        ("cameras:\n- url: rtsp://h", "1: cameras: must be a mapping (key: value)"),
        ("", "1: is empty; the least is"),
        ("# nothing", "1: is empty; the least is"),
        ("- 1", "1: must be a mapping of settings"),
        (GATE + "max_age: 1\nmax_age: 2", "3: max_age: given twice (first on line 2)"),
        (GATE + "[1]: 2", "2: a key must be text"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line_and_key(load: Load, text: str, expected: str) -> None:
    (found,) = problems(load, text)
    assert found.startswith(expected)


def test_model_and_python_exclude_each_other(load: Load, tmp_path: Path) -> None:
    (tmp_path / "m.onnx").touch()
    assert problems(load, GATE + "detector: {model: m.onnx, python: 'a:B'}") == [
        "2: detector: has both model and python; give one"
    ]


def test_all_mistakes_are_told_of_at_once_in_the_order_of_the_file(load: Load) -> None:
    found = problems(
        load,
        "defaults: {max_fps: -1}\ncameras:\n  a: {url: 'rtsp://h'}\n"
        "  b: {url: '${GONE}', max_fps: x}\nfoo: 1\n",
    )
    assert found == [
        "1: defaults.max_fps: must be greater than 0",
        "4: cameras.b.url: the environment variable GONE is not set",
        "4: cameras.b.max_fps: must be a number",
        "5: foo: unknown key",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: [1,\nb: 2", 2), ("a: 1\n\tb: 2", 2), ("a: *nothing", 1), ("a: !odd x\nb: ]", 2), ("a: &x [*x]", 1)],
)
def test_text_that_is_no_yaml_is_refused_with_the_line(load: Load, text: str, line: int) -> None:
    (found,) = problems(load, text)
    assert found.startswith(f"{line}: not valid YAML: ")


def test_aliases_cannot_grow_without_bound(load: Load) -> None:
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 12))
    (found,) = problems(load, "l0: &l0 [x, x, x]\n" + levels)
    assert "too many values" in found


def test_deep_nesting_is_refused(load: Load, tmp_path: Path) -> None:
    (tmp_path / "deep.yaml").write_text("[" * 5000)
    with pytest.raises(ConfigError):
        load_config(tmp_path / "deep.yaml")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gone\.yaml: no such file"):
        load_config(tmp_path / "gone.yaml")
    with pytest.raises(ConfigError, match="Is a directory"):
        load_config(tmp_path)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(ConfigError, match="not a text file"):
        load_config(tmp_path / "binary.yaml")


def test_a_configuration_built_in_code_is_checked_the_same_way() -> None:
    with pytest.raises(ConfigError) as caught:
        Config(cameras={"gate": {"url": "rtsp://h/x", "max_fsp": 1}}, max_age="never")
    assert str(caught.value).splitlines() == [
        "cameras.gate.max_fsp: unknown key (did you mean max_fps?)",
        "max_age: must be a duration: seconds, or a number with a unit such as 500ms, 1s, 2m, 1h, 3d",
    ]
    with pytest.raises(ConfigError, match="no cameras"):
        Config()


# ---- secrets

# Without a colon: the text before one is a key, and keys are shown.
SECRET_LETTERS = string.ascii_letters + string.digits + "$!'\"*&{}[]#%,|>@`\\ ?-=/é"
SECRET_TEXT = st.text(SECRET_LETTERS, min_size=8, max_size=24)
QUICK = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEMPLATES = (
    "cameras: {{gate: {{url: 'rtsp://user:{0}@127.0.0.1/x', max_fsp: 3}}}}",
    "cameras: {{gate: {{url: 'rtsp:/user:{0}@127.0.0.1/x'}}}}",
    "cameras: {{gate: {{url: 'rtps://{0}@127.0.0.1/x'}}}}",
    "cameras: {{gate: {{url: 'rtsp://127.0.0.1:{0}/x'}}}}",
    "cameras: {{gate: {{url: '{0}', priority: '{0}', pace: '{0}', transport: '{0}', stall_after: '{0}'}}}}",
    "cameras: {{gate: {{url: 'rtsp://h/x', options: {{headers: '{0}'}}}}}}",
    "cameras: {{gate: {{url: 'rtsp://h/x?token={0}', options: {{headers: {{a: '{0}'}}}}}}}}",
    "cameras: {{gate: '{0}'}}",
    "cameras: {{gate: {{url: rtsp://user:{0}@127.0.0.1/x}}}}",
    'cameras: {{gate: {{url: "rtsp://user:{0}@127.0.0.1/x\n',
    "cameras: {{gate: {{url: {0}}}}}",
    "detector: {{model: '{0}', python: '{0}', options: {{key: '{0}'}}, classes: '{0}', threads: '{0}'}}",
    "sinks: [{{type: '{0}'}}, {{type: jsonl, path: ''}}, '{0}']\ntracker: '{0}'\nworkers: '{0}'",
    "max_age: '{0}'",
)


def shown(load: Load, text: str, **environment: str) -> str:
    try:
        config = load(text, **environment)
    except ConfigError as error:
        return f"{error} {error!r}"
    return f"{config} {config!r}"


@QUICK
@given(secret=SECRET_TEXT, template=st.sampled_from(TEMPLATES))
def test_a_secret_in_the_file_is_in_no_error_and_no_repr(load: Load, secret: str, template: str) -> None:
    marker = "s3cr3tmarker"
    assert marker not in shown(load, template.format(f"{secret}{marker}{secret}"))
    assert marker not in shown(load, template.format(marker))


@QUICK
@given(secret=SECRET_TEXT, template=st.sampled_from(TEMPLATES))
def test_a_secret_from_the_environment_is_in_no_error_and_no_repr(
    load: Load, secret: str, template: str
) -> None:
    marker = "s3cr3tmarker"
    text = template.format("${SECRET}") if "{0}" in template else template
    assert marker not in shown(load, text, SECRET=f"{secret}{marker}{secret}")


def test_the_tail_of_a_password_without_quotes_is_not_taken_for_a_key_and_shown(load: Load) -> None:
    found = problems(load, "cameras:\n  gate: {url: rtsp://me:pass,word}")
    assert found[-1] == "2: cameras.gate.…: unknown key"
    assert not any("word}" in line or ": word" in line for line in found)


def test_the_address_of_a_camera_stays_recognisable(load: Load) -> None:
    config = load("cameras: {gate: {url: 'rtsp://me:hunter2@192.0.2.7/live?token=abc'}}")
    assert "rtsp://192.0.2.7/…" in repr(config)
    assert "hunter2" not in repr(config)
    assert "abc" not in repr(config)
    assert config.cameras["gate"].url.endswith("hunter2@192.0.2.7/live?token=abc")


def test_a_clip_of_which_every_frame_is_analysed_cannot_be_paced_too(tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").write_bytes(b"x")
    with pytest.raises(ConfigError, match="pace"):
        Config(cameras={"clip": {"url": "clip.mp4", "every_frame": True, "pace": True}}, folder=tmp_path)


def test_a_known_set_of_class_names_is_no_file() -> None:
    config = Config(cameras={"gate": {"url": "rtsp://127.0.0.1/x"}}, detector={"classes": "coco"})
    assert str(config.detector.classes) == "coco"


@pytest.mark.parametrize("node", ["site north", "", "-a", "x" * 65])
def test_a_wrong_name_of_a_node_is_told_of_like_any_other_mistake(node: str) -> None:
    with pytest.raises(ConfigError, match=r"ledger\.node"):
        Config(cameras={"gate": {"url": "rtsp://127.0.0.1/gate"}}, ledger={"node": node})
