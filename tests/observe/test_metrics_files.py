"""What is shipped beside the metrics: rules that fire when they should, and a page that lists them all."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from observe.metric_tools import DEPLOY, promtool
from vedette.observe.metrics.families import FAMILIES

PAGE = (DEPLOY.parent / "docs" / "metrics.md").read_text()
RULES = [
    rule
    for group in yaml.safe_load((DEPLOY / "vedette.rules.yml").read_text())["groups"]
    for rule in group["rules"]
]


def test_the_configuration_and_the_rules_are_valid() -> None:
    for arguments in (("config", "prometheus.yml"), ("rules", "vedette.rules.yml")):
        checked = promtool("check", *arguments)
        assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_rules_fire_when_they_should_and_only_then() -> None:
    checked = promtool("test", "rules", "vedette.rules.test.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_that_never_fired_would_be_noticed(rule: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "vedette.rules.test.yml").write_text((DEPLOY / "vedette.rules.test.yml").read_text())
    dead = yaml.safe_dump({"groups": [{"name": "one", "rules": [
        {**each, "expr": "vector(1) < 0"} if each is rule else each for each in RULES
    ]}]})  # fmt: skip
    (tmp_path / "vedette.rules.yml").write_text(dead)
    checked = promtool("test", "rules", "vedette.rules.test.yml", folder=tmp_path)
    assert checked.returncode != 0
    assert rule["alert"].encode() in checked.stdout + checked.stderr


def test_rules_have_a_severity_and_say_what_is_the_matter() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert set(rule["annotations"]) == {"summary", "description"}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_metric_is_documented(family: object) -> None:
    name, kind, labels = (getattr(family, part) for part in ("name", "kind", "labels"))
    row = re.search(rf"^\| `{name}` \| (\w+) \| (.*?) \| .+ \|$", PAGE, re.MULTILINE)
    assert row, name
    assert row[1] == ("gauge" if kind == "info" else kind)
    assert tuple(re.findall(r"`(\w+)`", row[2])) == labels


def test_every_metric_that_is_documented_exists() -> None:
    documented = set(re.findall(r"^\| `(vedette_\w+)`", PAGE, re.MULTILINE))
    assert documented == {family.name for family in FAMILIES}


def test_every_alert_is_documented() -> None:
    for rule in RULES:
        assert f"`{rule['alert']}`" in PAGE
    assert set(re.findall(r"`(Vedette[A-Z]\w+)`", PAGE)) == {rule["alert"] for rule in RULES}
