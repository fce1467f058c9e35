"""What a node is told to do: frozen, checked, refusing keys it does not know.

>>> config = load_config("cameras.yaml")
>>> config = Config(cameras={"gate": {"url": "rtsp://127.0.0.1:8554/gate"}}, max_age="500ms")

Both raise ConfigError with a line for each problem. No message and no repr holds a value that may be secret.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vedette import config_checks as checks
from vedette.alerts.settings import AlertSettings
from vedette.config_problems import InvalidConfigError, problems_of
from vedette.config_yaml import Problem, read_yaml
from vedette.errors import ConfigError, host_of, redact
from vedette.frame import Rung
from vedette.observe.metrics.address import parse_address
from vedette.quality.settings import DriftSettings, ReviewSettings
from vedette.quality.validate.settings import ValidationSettings
from vedette.supervise.settings import RecycleSettings
from vedette.web.settings import WebSettings

__all__ = [
    "Camera",
    "CameraDefaults",
    "Config",
    "Connects",
    "Detector",
    "JsonlSink",
    "LedgerSettings",
    "Sink",
    "Tracker",
    "VideoSink",
    "load_config",
]

_PRIORITIES = {"low": 0.5, "normal": 1.0, "high": 2.0}
_CAMERA_NAME = r"^[a-z][a-z0-9_]*$"


def _folder(info: ValidationInfo) -> Path:
    """Where relative paths start."""
    return (info.context or {}).get("folder") or Path.cwd()


def _priority(value: object) -> float | str:
    if isinstance(value, str) and value in _PRIORITIES:
        return value
    try:
        weight = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        weight = 0.0
    if isinstance(value, bool) or not 0.01 <= weight <= 100:
        raise ValueError("must be low, normal, high, or a number from 0.01 to 100 (normal is 1)")
    return weight


def _workers(value: object) -> int | str:
    if value == "auto":
        return "auto"
    text = str(value)
    if isinstance(value, (int, str)) and text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 256:
        return int(text)
    raise ValueError("must be auto, or a whole number from 1 to 256")


def _batch(value: object) -> int | str:
    if value == "auto":
        return "auto"
    text = str(value)
    if isinstance(value, (int, str)) and text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= 64:
        return int(text)
    raise ValueError("must be auto, or a whole number from 1 to 64")


def _metrics(value: object) -> str | None:
    if value is None or value is False:
        return None
    parse_address(str(value))
    return str(value)


def _path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("must be a path")
    return checks.local_path(value, _folder(info))


def _grace(value: object) -> float | None:
    if value in (None, "auto"):
        return None
    return 0.0 if value in (0, "0") and not isinstance(value, bool) else checks.duration(value)


def _file(value: object, info: ValidationInfo) -> Path | None:
    if value is None:
        return None
    _path(value, info)
    return checks.existing_file(value, _folder(info))  # type: ignore[arg-type]


def _classes(value: object, info: ValidationInfo) -> tuple[str, ...] | Path | None:
    return checks.text_list_or_file(value, _folder(info))


def _url(value: object, info: ValidationInfo) -> str:
    return checks.camera_url(value, _folder(info))


def _ledger_url(value: object, info: ValidationInfo) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("must be a path, or an address that begins with postgresql://")
    scheme, separator, rest = value.partition("://")
    if not separator:
        return str(checks.local_path(value, _folder(info)))
    if scheme == "sqlite":
        return str(checks.local_path(rest.removeprefix("/"), _folder(info)))
    if scheme.partition("+")[0] not in ("postgresql", "postgres"):
        raise ValueError("must be a path, or an address that begins with postgresql://")
    return value


def _ledger(value: object) -> object:
    if isinstance(value, bool):
        return {"enabled": value}
    return {"url": value} if isinstance(value, str) else value


def _review(value: object) -> object:
    return {"enabled": value} if isinstance(value, bool) else value


def _web(value: object) -> object:
    if isinstance(value, bool):
        return {"enabled": value}
    return {"address": value} if isinstance(value, str) else value


def _tracker(value: object) -> object:
    return {"type": value} if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(checks.duration)]
Number = Annotated[float, BeforeValidator(checks.number), Field(allow_inf_nan=False)]
Whole = Annotated[int, BeforeValidator(checks.number)]
Flag = Annotated[bool, BeforeValidator(checks.flag)]
Share = Annotated[Number, Field(ge=0, le=1)]
InputSide = Annotated[Whole, Field(ge=16, le=8192)]
ExistingFile = Annotated[Path | None, PlainValidator(_file)]
AnyPath = Annotated[Path, PlainValidator(_path)]


class _Settings(BaseModel):
    # Inputs stay out of pydantic's messages: they may be credentials.
    model_config = ConfigDict(
        frozen=True, extra="forbid", hide_input_in_errors=True, coerce_numbers_to_str=True
    )

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Values of free options may be secrets (headers, tokens): show their names only."""
        for name, value in super().__repr_args__():
            yield name, dict.fromkeys(value, "…") if name == "options" and value else value


class Tracker(_Settings):
    """How boxes become tracks: one tracker per camera and epoch."""

    type: Literal["bytetrack", "ocsort", "botsort", "none"] = "bytetrack"
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the tracker's class in the package ``trackers``."""


TrackerSetting = Annotated[Tracker, BeforeValidator(_tracker)]


class CameraDefaults(_Settings):
    """What each camera may set, and what holds for all that do not."""

    max_fps: Annotated[Number, Field(gt=0)] | None = None
    """At most so many frames a second are analysed; None = as many as there are."""
    priority: Annotated[float | Literal["low", "normal", "high"], PlainValidator(_priority)] = "normal"
    """Share of the capacity under overload; a number is how often in relation to a normal camera."""
    transport: Literal["auto", "tcp", "udp"] = "auto"
    """For RTSP; auto = tcp."""
    decode: Literal["all", "reference", "keyframes"] = "all"
    """The most that is decoded of the stream."""
    buffer: Annotated[Whole, Field(ge=1, le=32)] = 1
    """Decoded frames that are kept until they are analysed: 1 = always the newest; more = up to so many are
    analysed one after the other while there is capacity, and the oldest makes room when there is none."""
    motion: Flag = False
    """Frames in which nothing moved since the last one that was analysed are not analysed."""
    motion_every: Seconds = 5.0
    """With ``motion``: one frame is analysed at least so often, whatever moves."""
    every_frame: Flag = False
    """Files only: analyse each frame and let reading wait for it."""
    pace: Annotated[Flag, Field(validate_default=True)] = True
    """Files only: play at the clip's own speed. Always False with ``every_frame``."""
    loop: Flag = False
    """Files only: begin again at the end."""
    stall_after: Seconds = 1.0
    """The least time without a frame after which a camera counts as stalled. The threshold adapts to each
    camera's own arrivals: one that sends a frame a second is given about three."""
    hang_up_after: Seconds = 5.0
    """A session that is stalled for so long is closed and opened anew (a slow camera's for longer)."""
    late_after: Seconds = 1.0
    """Frames that arrive, or results that leave, later than this for some seconds make a camera late."""
    track_grace: Annotated[float | None, PlainValidator(_grace), Field(validate_default=True)] = None
    """Gaps shorter than this keep the track ids; auto = what the tracker can bridge, 0 = none."""
    connect_timeout: Seconds = 5.0
    max_sessions: Annotated[int, Field(ge=1)] | None = None
    """How many sessions the camera allows at a time; unset = it is found out when it matters."""
    tracker: TrackerSetting | None = None
    """In place of the node's tracker."""
    enabled: Flag = True
    site: Annotated[str, Field(max_length=64)] = ""
    """Where it stands: cameras of one site share the weather."""
    options: dict[str, str] = Field(default_factory=dict)
    """FFmpeg's options for sources that are read through it."""

    @field_validator("pace")
    @classmethod
    def _no_pace_when_every_frame_counts(cls, pace: bool, info: ValidationInfo) -> bool:
        return pace and not info.data.get("every_frame", False)

    @property
    def weight(self) -> float:
        """The priority as a number; 1.0 is normal."""
        return _PRIORITIES[self.priority] if isinstance(self.priority, str) else self.priority

    @property
    def rung(self) -> Rung:
        """``decode`` as the rung that is never gone above."""
        return Rung[self.decode.upper()]


class Camera(CameraDefaults):
    """One source of video."""

    url: Annotated[str, PlainValidator(_url), Field(repr=False)]
    """Address of a stream, or the absolute path of a file, a folder of clips or a device."""

    @model_validator(mode="before")
    @classmethod
    def _under_defaults(cls, data: object, info: ValidationInfo) -> object:
        defaults: dict[str, Any] = (info.context or {}).get("defaults", {})
        given = _given(data)
        if not isinstance(given, dict):
            return data
        if given.get("every_frame") is True and given.get("pace") is True:
            raise ValueError("pace: a clip of which every frame is analysed is read as fast as that goes")
        return defaults | given

    @model_validator(mode="after")
    def _only_files_can_wait(self) -> Self:
        if self.every_frame and not self.is_file:
            raise ValueError("every_frame: only files can wait; live sources never do")
        return self

    @property
    def is_file(self) -> bool:
        """Whether the source is a file or a folder of clips."""
        return checks.is_file_url(self.url)

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield "url", self.url if self.is_file else f"{self.url.partition(':')[0]}://{host_of(self.url)}/…"
        yield from super().__repr_args__()


class Detector(_Settings):
    """What finds objects in a picture: the bundled model when neither ``model`` nor ``python`` is given."""

    model: ExistingFile = None
    """An ONNX file."""
    python: Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_][\w.]*$")] | None = None
    """``package.module:Class``, importable from the configuration's folder too."""
    options: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments for the class named by ``python``."""
    head: Literal[
        "auto",
        "picodet",
        "yolox",
        "yolov5",
        "yolov8",
        "yolov10",
        "ssd",
        "ssd_yxyx",
        "detr",
        "rfdetr",
    ] = "auto"
    """How the model's outputs are read; auto = by their shapes."""
    classes: Annotated[tuple[str, ...] | Path | None, PlainValidator(_classes)] = None
    """Names by class id: a list, or a text file with one per line; None = from the model."""
    input_size: tuple[InputSide, InputSide] | None = None
    """Height and width in pixels; None = the model's own."""
    normalise: Literal["auto", "none", "unit", "imagenet"] = "auto"
    """What the model wants its pixels to be: 0..255, 0..1, or ImageNet's mean and deviation."""
    channels: Literal["auto", "rgb", "bgr"] = "auto"
    confidence: Share = 0.4
    """Boxes below it are dropped."""
    iou: Share = 0.6
    """Of two boxes that overlap more than this, the less confident one is dropped."""
    runtime: Literal["auto", "onnxruntime", "openvino"] = "auto"
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d{1,3})?)$")] = "auto"
    batch: Annotated[int | Literal["auto"], PlainValidator(_batch)] = "auto"
    """Frames at a time, at most; auto = as many as pay, by measured cost, which is 1 on CPUs."""
    batch_within: Seconds = 0.05
    """With ``batch: auto``: a batch may take so long."""
    timeout: Seconds = 10.0
    """A batch that takes longer hangs: the worker is replaced."""
    threads: Annotated[Whole, Field(ge=1, le=1024)] | None = None
    """Of the runtime; None = it decides."""
    precision: Literal["auto", "f32", "bf16"] = "auto"
    """In which the network computes; auto = what is quickest on this device."""

    @model_validator(mode="after")
    def _one_detector(self) -> Self:
        if self.model is not None and self.python is not None:
            raise ValueError("has both model and python; give one")
        return self


class JsonlSink(_Settings):
    """Results as JSON Lines."""

    type: Literal["jsonl"] = "jsonl"
    path: str = Field(min_length=1)
    """Absolute path of the file, appended to; ``-`` is standard output."""

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: str, info: ValidationInfo) -> str:
        return path if path == "-" else str(checks.local_path(path, _folder(info)))


class VideoSink(_Settings):
    """An annotated video file per camera."""

    type: Literal["video"] = "video"
    folder: AnyPath


class LedgerSettings(_Settings):
    """Where the record of everything that was not seen is kept."""

    enabled: Flag = True
    url: Annotated[str, PlainValidator(_ledger_url), Field(repr=False, validate_default=True)] = "vedette.db"
    """A file (SQLite), or ``postgresql://…``."""
    keep: Seconds = 400 * 86400.0
    """Rows that ended longer ago are deleted."""
    node: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = "node"
    """This node's name in the ledger. Nodes that share a ledger need different ones."""


class Traces(_Settings):
    """Traces of some frames, for OpenTelemetry."""

    to: Annotated[str, PlainValidator(checks.collector_url), Field(repr=False)]
    """Where traces are received: OTLP over HTTP."""
    sample: Annotated[Number, Field(gt=0, le=1)] = 0.01
    """Share of the analysed frames that are traced."""
    options: dict[str, str] = Field(default_factory=dict)
    """Headers that are sent along."""


class Connects(_Settings):
    """How many cameras may be opened at the same time."""

    per_host: Annotated[Whole, Field(ge=1, le=1024)] = 8
    per_node: Annotated[Whole, Field(ge=1, le=4096)] = 64


Sink = Annotated[JsonlSink | VideoSink, Field(discriminator="type")]


class Config(_Settings):
    """Everything a node is told. Building it raises ConfigError."""

    cameras: dict[Annotated[str, Field(pattern=_CAMERA_NAME)], Camera] = Field(min_length=1)
    """By name. ``defaults`` are already in."""
    defaults: CameraDefaults = Field(default_factory=CameraDefaults)
    detector: Detector = Field(default_factory=Detector)
    tracker: TrackerSetting = Field(default_factory=Tracker)
    max_age: Seconds = 1.0
    """No result older than this leaves."""
    sinks: tuple[Sink, ...] = ()
    ledger: Annotated[LedgerSettings, BeforeValidator(_ledger)] = Field(default={}, validate_default=True)
    """Also just an address, or ``false`` for none, which is the default where no file was read."""
    connects: Connects = Field(default_factory=Connects)
    alerts: AlertSettings = Field(default_factory=AlertSettings)
    recycle: RecycleSettings = Field(default_factory=RecycleSettings)
    """When workers are replaced by new ones."""
    drift: DriftSettings = Field(default_factory=DriftSettings)
    """Whether the detector is watched for doing worse than it did."""
    validation: ValidationSettings = Field(default_factory=ValidationSettings)
    """The labelled pictures that detectors are held to."""
    review: Annotated[ReviewSettings, BeforeValidator(_review)] = Field(default_factory=ReviewSettings)
    """Which frames are kept for people to look at. Also just ``false`` for none."""
    ladder: Flag = True
    """Do less of what matters least, step by step, when the machine cannot do all."""
    metrics: Annotated[str | None, PlainValidator(_metrics)] = None
    """Address of Prometheus metrics: ``:9464``, ``127.0.0.1:9464``; None = none."""
    traces: Traces | None = None
    web: Annotated[WebSettings, BeforeValidator(_web)] = Field(default_factory=WebSettings)
    """Where the dashboard and the API are served. Also just an address, or ``false`` for none."""
    workers: Annotated[int | Literal["auto"], PlainValidator(_workers)] = "auto"
    """Camera workers (processes); auto = by the number of cores and cameras."""
    folder: AnyPath = Field(default_factory=Path.cwd)
    """Where relative paths start: the file's folder. Not a key of the file."""

    def __init__(self, /, **data: Any) -> None:
        # A section whose lines are all commented out is None; that means the same as no section.
        data = {key: value for key, value in data.items() if value is not None}
        if "folder" not in data:
            # Made in Python, and nobody said where its record should lie: two of them might be in one folder.
            data.setdefault("ledger", False)
        folder = Path(data.get("folder") or Path.cwd()).absolute()
        context = {"folder": folder, "defaults": _usable_defaults(data.get("defaults", {}), folder)}
        try:
            self.__pydantic_validator__.validate_python(data, self_instance=self, context=context)
        except ValidationError as error:
            raise InvalidConfigError(problems_of(error, data, type(self))) from None

    @field_validator("cameras")
    @classmethod
    def _some_camera_is_on(cls, cameras: dict[str, Camera]) -> dict[str, Camera]:
        if not any(camera.enabled for camera in cameras.values()):
            raise ValueError("none of them is enabled")
        return cameras

    @field_validator("sinks")
    @classmethod
    def _no_two_into_one_file(cls, sinks: tuple[Sink, ...]) -> tuple[Sink, ...]:
        paths = [sink.path for sink in sinks if isinstance(sink, JsonlSink)]
        if len(set(paths)) < len(paths):
            raise ValueError("two of them write to the same path")
        return sinks

    def with_camera(self, name: str, settings: Camera | Mapping[str, Any]) -> Config:
        """The same with one camera more, or with another in its place. Raises ConfigError."""
        return self._with_cameras({**self.cameras, name: settings})

    def without_camera(self, name: str) -> Config:
        """The same with one camera less. Raises ConfigError for one there is not, and for the last one."""
        if name not in self.cameras:
            raise ConfigError(f"there is no camera {redact(name)!r}")
        return self._with_cameras({each: camera for each, camera in self.cameras.items() if each != name})

    def _with_cameras(self, cameras: Mapping[str, Any]) -> Config:
        rest = {name: getattr(self, name) for name in self.model_fields_set - {"cameras"}}
        return Config(**rest | {"cameras": cameras, "folder": self.folder})

    def with_detector(self, settings: Mapping[str, Any]) -> Config:
        """The same with some of the detector's settings others. Raises ConfigError."""
        given = {name: getattr(self.detector, name) for name in self.detector.model_fields_set}
        rest = {name: getattr(self, name) for name in self.model_fields_set - {"detector"}}
        return Config(**rest | {"detector": given | dict(settings), "folder": self.folder})

    def with_web(self, address: str) -> Config:
        """The same with the dashboard at another address; ``no``: with none. Raises ConfigError."""
        given = {name: getattr(self.web, name) for name in self.web.model_fields_set}
        given |= {"enabled": False} if address == "no" else {"enabled": True, "address": address}
        rest = {name: getattr(self, name) for name in self.model_fields_set - {"web"}}
        return Config(**rest | {"web": given, "folder": self.folder})

    def tracker_of(self, camera: str) -> Tracker:
        """The camera's own tracker, or the node's."""
        return self.cameras[camera].tracker or self.tracker


def _given(data: object) -> object:
    """What was set on a model, as a dict; anything else as it is."""
    if isinstance(data, CameraDefaults):
        return {name: getattr(data, name) for name in data.model_fields_set}
    return data


def _usable_defaults(defaults: object, folder: Path) -> dict[str, Any]:
    """The defaults to put under each camera; none if they are wrong, so that each mistake is told of once."""
    try:
        CameraDefaults.model_validate(_given(defaults), context={"folder": folder})
    except ValidationError:
        return {}
    given = _given(defaults)
    return dict(given) if isinstance(given, dict) else {}


def load_config(path: str | Path, environment: Mapping[str, str] = os.environ) -> Config:
    """Read a configuration file; ConfigError has a line ``FILE:LINE: KEY: MESSAGE`` for each problem."""
    path = Path(path)
    document = read_yaml(path, environment)
    values, problems = document.values, list(document.problems)
    if not isinstance(values, dict):
        what = "is empty" if values is None else "must be a mapping of settings"
        problem = Problem((), f"{what}; the least is: cameras: {{gate: {{url: …}}}}")
        raise InvalidConfigError([problem], document=document, path=path)
    if values.pop("folder", None) is not None:
        problems.append(Problem(("folder",), "unknown key"))
    try:
        config = Config(**values, folder=path.absolute().parent)
    except InvalidConfigError as error:
        known = {problem.where for problem in problems}
        problems += [problem for problem in error.problems if problem.where not in known]
        config = None
    if problems or config is None:
        raise InvalidConfigError(problems, document=document, path=path)
    return config
