"""What the section ``alerts`` may say, and what its mistakes look like."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from patience import PATIENCE_S
from vedette.alerts.phrases import CAUSES, RULES
from vedette.alerts.quiet import QuietHours
from vedette.alerts.settings import AlertRules, AlertSettings, AlertTarget
from vedette.causes import EVENTS, Cause
from vedette.config_problems import models_in

DOCS = (Path(__file__).parents[2] / "docs" / "alerts.md").read_text()


def mistakes(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        AlertSettings(**settings)
    return str(caught.value)


def test_nothing_needs_to_be_said() -> None:
    settings = AlertSettings()
    assert settings.to == ()
    assert settings.rules.down.after == 60
    assert settings.rules.dark.enabled is False
    assert settings.quiet_hours is None


def test_targets_may_be_written_short_or_long() -> None:
    settings = AlertSettings(
        to=["json://127.0.0.1/a", {"url": "json://127.0.0.1/b", "name": "pager", "least": "critical"}]  # type: ignore[arg-type]
    )
    assert [target.least for target in settings.to] == ["info", "critical"]
    assert AlertSettings(to="json://127.0.0.1/a").to == settings.to[:1]  # type: ignore[arg-type]


def test_what_is_not_said_of_a_rule_keeps_its_own_default() -> None:
    rules = AlertSettings(
        rules={  # type: ignore[arg-type]
            "access": {"severity": "critical"},
            "blurred": {"enabled": True},
            "worker": {"within": "5m"},
            "dark": {},
            "slow": True,
            "frozen": False,
            "covered": None,
        }
    ).rules
    assert (rules.access.after, rules.access.remind_every, rules.access.severity) == (10, 86_400, "critical")
    assert (rules.blurred.after, rules.blurred.severity) == (1800, "info")
    assert (rules.worker.times, rules.worker.within) == (3, 300)
    assert rules.dark.enabled
    assert rules.slow.enabled
    assert not rules.frozen.enabled
    assert rules.covered.enabled


def test_mistakes_are_told_without_what_was_written() -> None:
    text = mistakes(
        to=["nonsense://me:hunter2@example"],
        quiet="hunter2",
        zone="hunter2",
        most_per_hour="hunter2",
        rules={"down": {"after": "hunter2"}, "dwon": {}},
        group_withn=1,
    )
    for place in ("to.0", "quiet", "zone", "most_per_hour", "rules.down.after", "rules.dwon", "group_withn"):
        assert place in text
    assert "hunter2" not in text


@pytest.mark.parametrize("url", ["json://", "mailto://", "nonsense://x", "", "no address", "slack://x"])
def test_an_address_that_cannot_be_used_is_a_mistake(url: str) -> None:
    assert "not an address that Apprise can use" in mistakes(to=[url])


def test_two_targets_of_one_name_are_a_mistake() -> None:
    target = {"url": "json://127.0.0.1/a", "name": "mail"}
    assert "two targets have the same name" in mistakes(to=[target, target])


def test_no_repr_shows_an_address() -> None:
    target = AlertTarget(url="json://me:hunter2@127.0.0.1/path?token=t0k")  # type: ignore[arg-type]
    for text in (repr(target), str(target), repr(AlertSettings(to=(target,)))):
        assert "hunter2" not in text
        assert "t0k" not in text
        assert "json://" in text


def test_without_apprise_targets_are_a_mistake_that_names_what_to_install() -> None:
    code = (
        "import sys; sys.modules['apprise'] = None\n"
        "from vedette.alerts.settings import AlertSettings\n"
        "AlertSettings()\n"
        "try: AlertSettings(to=['json://127.0.0.1/x'])\n"
        "except ValueError as error: print(error)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=PATIENCE_S
    )
    assert "vedette[alerts]" in ran.stdout


def test_apprise_is_not_imported_where_nobody_is_told() -> None:
    code = (
        "import sys\n"
        "import vedette.alerts.service, vedette.alerts.settings as s\n"
        "s.AlertSettings()\n"
        "assert 'apprise' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE_S)


@pytest.mark.parametrize(
    ("span", "time", "quiet"),
    [
        ("22:00-06:00", "21:59", False),
        ("22:00-06:00", "22:00", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("9:30 - 17:00", "09:30", True),
        ("9:30 - 17:00", "17:00", False),
    ],
)
def test_quiet_hours_begin_and_end_to_the_minute(span: str, time: str, quiet: bool) -> None:
    assert QuietHours.parse(span).hold(datetime.fromisoformat(f"2026-01-01T{time}")) is quiet


@pytest.mark.parametrize("span", ["22:00", "25:00-06:00", "22:00-06:60", "06:00-06:00", "always", 22, None])
def test_what_is_no_span_of_the_day_is_refused(span: object) -> None:
    with pytest.raises(ValueError, match="must"):
        QuietHours.parse(span)


def test_each_rule_and_each_cause_has_words() -> None:
    assert set(RULES) == set(AlertRules.model_fields)
    causes = {each for each in CAUSES if not each.startswith(("canary_", "shadow_"))}
    assert causes == set(Cause) - EVENTS - {Cause.PAUSED}


def models(model: type[BaseModel]) -> set[type[BaseModel]]:
    found = {model}
    for field in model.model_fields.values():
        for inner in models_in(field.annotation):
            found |= models(inner)
    return found


def test_every_setting_is_documented() -> None:
    for model in models(AlertSettings):
        for name in model.model_fields:
            assert f"`{name}`" in DOCS, f"{model.__name__}.{name} is not in docs/alerts.md"


def test_the_defaults_in_the_docs_are_those_of_the_code() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", DOCS, re.MULTILINE))
    for name in AlertRules.model_fields:
        rule = AlertRules().named(name)
        said = rows[name]
        assert f"| {rule.severity} |" in f"{said} |", name
        assert ("off" in said.split("|")[0]) is not rule.enabled, name


def test_the_example_in_the_docs_is_valid() -> None:
    import yaml

    example = re.search(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    assert example
    settings = AlertSettings(**yaml.safe_load(example[1])["alerts"])
    assert len(settings.to) == 3
