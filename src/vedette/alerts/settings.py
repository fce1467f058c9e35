"""What the section ``alerts`` of a configuration may say: frozen, checked, refusing keys it does not know."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)

from vedette import config_checks as checks
from vedette.alerts.message import Severity
from vedette.alerts.quiet import QuietHours, zone_named

__all__ = [
    "AlertRule",
    "AlertRules",
    "AlertSettings",
    "AlertTarget",
    "BurstRule",
    "CoverageRule",
    "IncidentRule",
]

Seconds = Annotated[float, BeforeValidator(checks.duration)]
Share = Annotated[float, BeforeValidator(checks.number), Field(ge=0, le=1)]
Whole = Annotated[int, BeforeValidator(checks.number)]
Word = Literal["info", "warning", "critical"]


class _AlertSettings(BaseModel):
    # Inputs stay out of pydantic's messages: they may be credentials.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _target(value: object) -> object:
    return {"url": value} if isinstance(value, str) else value


class AlertTarget(_AlertSettings):
    """Somebody, or something, that is told."""

    url: SecretStr
    """As Apprise knows it: ``mailto://…``, ``slack://…``, ``mqtt://…``, ``json://host/path`` (a webhook)."""
    name: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    """How we call it when it fails; None = its place in the list and the scheme of its URL."""
    least: Word = "info"
    """It is told of nothing that is less severe."""

    @field_validator("url")
    @classmethod
    def _usable(cls, url: SecretStr) -> SecretStr:
        # Here, because whoever has no targets needs no Apprise.
        from vedette.alerts.targets import check_url

        check_url(url.get_secret_value())
        return url

    @property
    def scheme(self) -> str:
        """All of the URL that may be shown."""
        return self.url.get_secret_value().partition(":")[0].lower()

    def takes(self, severity: Severity) -> bool:
        return severity.rank >= Severity(self.least).rank

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        yield "url", f"{self.scheme}://…"
        yield "name", self.name
        yield "least", self.least


class AlertRule(_AlertSettings):
    """One kind of thing people are told of. ``dark: false`` is short for ``dark: {enabled: false}``."""

    enabled: bool = True
    after: Seconds = 60.0
    """It is told of only when it has lasted so long."""
    severity: Word = "warning"
    cameras: tuple[str, ...] | None = None
    """Patterns of names (``gate_*``); None = all."""
    except_cameras: tuple[str, ...] = ()
    remind_every: Seconds | None = None
    """In place of the node's."""

    @field_validator("cameras", "except_cameras", mode="before")
    @classmethod
    def _list_of_names(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    def covers(self, camera: str) -> bool:
        """Whether the rule looks at this camera."""
        if any(fnmatchcase(camera, pattern) for pattern in self.except_cameras):
            return False
        return self.cameras is None or any(fnmatchcase(camera, pattern) for pattern in self.cameras)


class IncidentRule(AlertRule):
    """Cameras that went at once: one message in place of one each."""

    severity: Word = "critical"
    at_least: Annotated[Whole, Field(ge=2)] = 3
    """Fewer cameras are told of one by one."""


class BurstRule(AlertRule):
    """``times`` within ``within``; over when nothing of it happened for so long."""

    times: Annotated[Whole, Field(ge=2, le=100)] = 5
    within: Seconds = 600.0


class CoverageRule(AlertRule):
    """Share of the last 24 hours that was seen, once a day."""

    severity: Word = "info"
    below: Share = 0.95


def _rule(value: object) -> object:
    return {"enabled": value} if isinstance(value, bool) else value


def _default(**settings: Any) -> Any:
    """A field of :class:`AlertRules`. What is not given of it stays as it is here."""
    return Field(default_factory=lambda: AlertRule(**settings), json_schema_extra={"defaults": settings})


class AlertRules(_AlertSettings):
    """Each with what most operators want of it."""

    down: AlertRule = _default(after=60)
    """No stream. A camera that was just added has two minutes for its first picture."""
    access: AlertRule = _default(after=10, remind_every=86_400)
    """Wrong password, or a stream that we cannot decode: somebody has to do something."""
    incident: IncidentRule = Field(default_factory=IncidentRule)
    flapping: BurstRule = Field(default_factory=BurstRule)
    """A camera that comes and goes is told of once, not each time. Without ``after``."""
    frozen: AlertRule = _default(after=60)
    covered: AlertRule = _default(after=60)
    moved: AlertRule = _default(after=60)
    washed_out: AlertRule = _default(after=900, severity="info")
    """A low sun dazzles for minutes."""
    dark: AlertRule = _default(enabled=False, after=900, severity="info")
    """Off: cameras without infrared light are dark every night."""
    blurred: AlertRule = _default(after=1800, severity="info")
    """Fog and rain pass, dirt and a lost focus do not."""
    slow: AlertRule = _default(enabled=False, after=1800, severity="info")
    """Far fewer frames than usual, late ones, or a clock that jumps."""
    detector: AlertRule = _default(after=60, severity="critical")
    """Nobody looks at the pictures."""
    worker: BurstRule = Field(default_factory=lambda: BurstRule(times=3))
    """A worker process that dies again and again. Without ``after``."""
    quarantine: AlertRule = _default(after=1, severity="critical")
    """A worker died so often that it is not started again for now: its cameras, or all, are not seen."""
    node: AlertRule = _default(after=60)
    """Vedette was not running, or the machine slept: told when it is over. ``after``: for how long it was."""
    ledger: AlertRule = _default(after=30, severity="critical")
    """Gaps cannot be recorded."""
    accuracy: AlertRule = _default(after=1, severity="critical", remind_every=86_400)
    """Reviewed frames say beyond doubt that precision or recall is below its floor."""
    trouble: AlertRule = _default(after=1)
    """A sink cannot write, the detector raises, a target of alerts fails."""
    validation: AlertRule = _default(after=1)
    """The detector at work lies below a floor or its baseline on labelled pictures."""
    canary: AlertRule = _default(after=1)
    """A candidate that detected for some cameras had to give them back, or could not be set for all."""
    shadow: AlertRule = _default(after=1, severity="info")
    """A candidate that was shown frames died, hung, or failed on one after the other."""
    coverage: CoverageRule = Field(default_factory=CoverageRule)

    @model_validator(mode="before")
    @classmethod
    def _keep_the_defaults_of_each(cls, data: object) -> object:
        """``down: {severity: info}`` must not also change ``after``; ``dark: {}`` switches it on."""
        if not isinstance(data, dict):
            return data
        # A rule whose lines are all commented out is None: the same as none.
        given = {name: _rule(value) for name, value in data.items() if value is not None}
        return {name: _over_defaults(cls, name, value) for name, value in given.items()}

    def named(self, name: str) -> AlertRule:
        """A rule by its key."""
        rule: AlertRule = getattr(self, name)
        return rule


def _over_defaults(model: type[AlertRules], name: str, given: object) -> object:
    field = model.model_fields.get(name)
    if field is None or not isinstance(given, dict):
        return given
    extra = field.json_schema_extra
    defaults = dict(extra["defaults"]) if isinstance(extra, dict) else {}  # type: ignore[arg-type]
    if name == "worker":
        defaults = {"times": 3}
    return {**defaults, "enabled": True, **given}


class AlertSettings(_AlertSettings):
    """The section ``alerts``."""

    enabled: bool = True
    to: Annotated[tuple[Annotated[AlertTarget, BeforeValidator(_target)], ...], Field(max_length=16)] = ()
    """Who is told. Alerts are logged in any case."""
    rules: AlertRules = Field(default_factory=AlertRules)
    group_within: Seconds = 10.0
    """What comes within so many seconds is one message."""
    remind_every: Seconds = 43_200.0
    """What is still wrong is told again."""
    most_per_hour: Annotated[Whole, Field(ge=2, le=1000)] = 8
    """Messages that are not critical. Beyond it they wait for each other and become one."""
    most_critical_per_hour: Annotated[Whole, Field(ge=2, le=1000)] = 20
    quiet: str | None = None
    """``"22:00-06:00"``: only what is critical is told then, the rest in one message afterwards."""
    zone: str | None = None
    """Of the quiet hours and of the times in messages; None = the machine's."""

    @field_validator("quiet", mode="before")
    @classmethod
    def _span(cls, value: object) -> object:
        if value is not None:
            QuietHours.parse(value)
        return value

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        zone_named(value)
        return value

    @field_validator("to", mode="before")
    @classmethod
    def _one_or_many(cls, value: object, info: ValidationInfo) -> object:
        return (value,) if isinstance(value, (str, dict)) else value

    @model_validator(mode="after")
    def _names_differ(self) -> Self:
        names = [target.name for target in self.to if target.name]
        if len(set(names)) < len(names):
            raise ValueError("to: two targets have the same name")
        return self

    @property
    def quiet_hours(self) -> QuietHours | None:
        return QuietHours.parse(self.quiet) if self.quiet is not None else None

    @property
    def tz(self) -> tzinfo | None:
        return zone_named(self.zone)
