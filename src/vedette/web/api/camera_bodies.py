"""What may be said of a camera over HTTP: the keys of the YAML file, checked as there, but that its address
must be one that may be given from afar."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    field_validator,
)
from pydantic.json_schema import SkipJsonSchema

from vedette.config import Camera, CameraDefaults
from vedette.web.problems import Mistake, ProblemError, wrong

__all__ = ["AddedCamera", "CameraChange", "DeepStreamCamera", "NewCamera", "Pause", "checked"]

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2048,
        description="Address of the stream; a password in it is never told again.",
        examples=["rtsp://user:password@10.0.0.5/stream1"],
    ),
]
Duration = Annotated[float | str, Field(description="Seconds, or such as `500ms`, `2m`.", examples=["5s"])]
NAME_AT_MOST = 64
CameraName = Annotated[
    str,
    Field(
        pattern=r"^[a-z][a-z0-9_]*$", max_length=NAME_AT_MOST, description="Of small letters, digits and `_`."
    ),
]
FREE_VALUES = 32
"""Keys of a free dictionary, at most."""


def _small(value: object) -> object:
    if isinstance(value, dict) and len(value) > FREE_VALUES:
        raise ValueError(f"has more than {FREE_VALUES} keys")
    return value


Free = Annotated[dict[str, Any], BeforeValidator(_small)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, strict=True)


class TrackerTold(_Body):
    type: Literal["bytetrack", "ocsort", "botsort", "none"] = "bytetrack"
    options: Free = {}


class CameraChange(_Body):
    """Any of the settings of a camera; what is left out stays as it is. ``null`` takes a setting back: then
    what the configuration's ``defaults`` say holds, or else what is usual."""

    url: Url | SkipJsonSchema[None] = None
    max_fps: Annotated[float, Field(gt=0, le=1000)] | None = None
    priority: Annotated[
        float | Literal["low", "normal", "high"] | None, Field(description="A number from 0.01 to 100.")
    ] = None
    transport: Literal["auto", "tcp", "udp"] | None = None
    decode: Literal["all", "reference", "keyframes"] | None = None
    buffer: Annotated[int, Field(ge=1, le=32)] | None = None
    motion: bool | None = None
    motion_every: Duration | None = None
    every_frame: bool | None = None
    pace: bool | None = None
    loop: bool | None = None
    stall_after: Duration | None = None
    hang_up_after: Duration | None = None
    late_after: Duration | None = None
    track_grace: Duration | None = None
    connect_timeout: Duration | None = None
    max_sessions: Annotated[int, Field(ge=1, le=1024)] | None = None
    tracker: TrackerTold | Literal["bytetrack", "ocsort", "botsort", "none"] | None = None
    enabled: bool | None = None
    site: Annotated[str, Field(max_length=64)] | None = None
    options: Annotated[
        dict[str, str] | None,
        Field(description="FFmpeg's; only where the dashboard's configuration allows local sources."),
    ] = None

    @field_validator("url", mode="before")
    @classmethod
    def _has_an_address(cls, url: object) -> object:
        if url is None:
            raise ValueError("a camera has an address")
        return url

    def settings(self) -> dict[str, Any]:
        """Only what was said; None is what is to be taken back."""
        return self.model_dump(exclude_unset=True, exclude={"name"})


class NewCamera(CameraChange):
    """A camera: its name, its address, and whatever of the settings is to be other than the configuration's
    ``defaults``; ``null`` is the same as nothing."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"name": "gate", "url": "rtsp://10.0.0.5/stream1", "site": "yard"}]}
    )

    name: CameraName
    url: Url

    def as_ours(self) -> NewCamera:
        return self

    def key_of(self, key: str) -> str:
        """What it calls this setting."""
        return key

    def settings(self) -> dict[str, Any]:
        return {key: value for key, value in super().settings().items() if value is not None}


class DeepStreamCamera(_Body):
    """A camera as NVIDIA DeepStream's REST server takes it. Its name here is made of ``camera_name``, or of
    ``camera_id`` where that is not given."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"camera_id": "cam-7", "camera_name": "Front Door", "camera_url": "rtsp://10.0.0.7/live"}
            ]
        }
    )

    camera_id: Annotated[str, Field(min_length=1, max_length=64)]
    camera_name: Annotated[str, Field(max_length=64)] = ""
    camera_url: Url
    change: Annotated[str, Field(max_length=32)] = ""
    metadata: Free = {}

    def as_ours(self) -> NewCamera:
        """Raises ProblemError where no name can be made of it."""
        name = _named(self.camera_name) or _named(self.camera_id)
        if not name:
            raise wrong("camera_id", "has neither letters nor digits of ASCII")
        return NewCamera(name=name, url=self.camera_url)

    def key_of(self, key: str) -> str:
        """What it calls this setting of ours."""
        return {"name": "camera_name" if self.camera_name else "camera_id", "url": "camera_url"}.get(key, key)


_DEEPSTREAM = frozenset({"camera_id", "camera_name", "camera_url"})
_OURS = frozenset(NewCamera.model_fields)


def _either(told: object, _: object) -> NewCamera | DeepStreamCamera:
    """Whichever its keys say that it is, checked as that alone: mistakes are told of what was meant."""
    keys = {key for key in told if isinstance(key, str)} if isinstance(told, dict) else set()
    theirs, ours = sorted(keys & _DEEPSTREAM), sorted(keys & _OURS)
    if theirs and ours:
        raise ValueError(
            f"has keys of two kinds of cameras: give name and url, or DeepStream's camera_id and camera_url "
            f"({', '.join(theirs)} do not go with {', '.join(ours)})"
        )
    return (DeepStreamCamera if theirs else NewCamera).model_validate(told)


AddedCamera = Annotated[NewCamera | DeepStreamCamera, WrapValidator(_either)]
"""What may be sent to add a camera."""


class Pause(_Body):
    """``why``: for those who find it paused."""

    why: Annotated[str, Field(max_length=200)] = ""


def _named(text: str) -> str:
    """``Front Door 2`` is ``front_door_2``."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return (f"camera_{name}" if name[:1].isdigit() else name)[:NAME_AT_MOST]


def checked(settings: dict[str, Any], *, whole: bool, key_of: Callable[[str], str] = str) -> dict[str, Any]:
    """The settings as they were given, once the configuration's own checks have nothing against them.
    ``whole``: they are a camera by themselves. ``key_of``: what whoever sent them calls a setting. Raises
    ProblemError."""
    kind = Camera if whole or "url" in settings else CameraDefaults
    given = {key: value for key, value in settings.items() if value is not None}
    try:
        kind.model_validate(given, context={"folder": Path.cwd(), "defaults": {}})
    except ValidationError as err:
        mistakes = [
            Mistake(
                ".".join(("body", *(key_of(str(part)) for part in each["loc"]))),
                each["msg"].removeprefix("Value error, "),
            )
            for each in err.errors(include_input=False, include_url=False)
        ]
        said = "; ".join(f"{each.at}: {each.what}" for each in mistakes[:3])
        raise ProblemError("invalid", said, errors=mistakes) from None
    return settings
