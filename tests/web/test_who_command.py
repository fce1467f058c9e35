"""``vedette user``, typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from vedette.cli import app
from vedette.errors import ConfigError
from vedette.web.who.passwords import COST, cost_of, matches
from vedette.web.who.users import People, read

PASSWORD = "correct horse battery"


class Typed:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __call__(self, *words: str, said: str = "") -> str:
        result = CliRunner().invoke(app, ["user", *words, "--users", str(self.path)], input=said)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    @property
    def people(self) -> People:
        people = read(self.path)
        assert people is not None
        return people


@pytest.fixture
def typed(tmp_path: Path) -> Typed:
    return Typed(tmp_path / "users.json")


def test_somebody_is_added_changed_disabled_and_removed(typed: Typed) -> None:
    typed("add", "ann", "--role", "admin", "--password-stdin", said=f"{PASSWORD}\n")
    (ann,) = typed.people.users
    assert (ann.name, ann.role) == ("ann", "admin")
    assert ann.password is not None
    assert matches(PASSWORD, ann.password)
    assert cost_of(ann.password) == COST
    assert typed.path.stat().st_mode & 0o777 == 0o600

    typed("password", "ann", "--password-stdin", said="another long one\n")
    assert matches("another long one", typed.people.users[0].password or "")
    typed("role", "ann", "operator")
    typed("disable", "ann")
    assert typed.people.users[0].role == "operator"
    assert typed.people.users[0].disabled
    assert "disabled" in typed("list")
    typed("disable", "ann", "--undo")
    assert not typed.people.users[0].disabled
    assert "nobody is left" in typed("remove", "ann")
    assert typed.people.users == ()


def test_a_token_is_shown_once_and_never_more_than_its_user(typed: Typed) -> None:
    typed("add", "grafana", "--role", "reviewer", "--no-password")
    shown = typed("token", "add", "grafana", "dashboards", "--role", "viewer").strip()
    assert shown.startswith("vedette_")
    assert shown not in typed.path.read_text()
    assert typed.people.bearing(shown) is not None
    listed = typed("token", "list")
    assert "dashboards" in listed
    assert shown not in listed
    with pytest.raises(ConfigError, match="no token of theirs is more"):
        typed("token", "add", "grafana", "more", "--role", "admin")
    with pytest.raises(ConfigError, match="already"):
        typed("token", "add", "grafana", "dashboards")
    typed("token", "remove", "grafana", "dashboards")
    assert typed.people.bearing(shown) is None


@pytest.mark.parametrize(
    ("words", "said", "message"),
    [
        (("add", "ann", "--password-stdin"), "short\n", "at least 10"),
        (("add", "ann", "--password-stdin"), "", "at least 10"),
        (("add", "../ann", "--no-password"), "", "a name has letters"),
        (("password", "nobody", "--password-stdin"), f"{PASSWORD}\n", "there is no user"),
        (("remove", "nobody"), "", "there is no user"),
        (("token", "add", "nobody", "x"), "", "there is no user"),
        (("role", "nobody", "admin"), "", "there is no user"),
    ],
)
def test_what_cannot_be_is_said(typed: Typed, words: tuple[str, ...], said: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        typed(*words, said=said)
    assert not typed.path.exists()


def test_nobody_is_added_twice(typed: Typed) -> None:
    typed("add", "ann", "--no-password")
    with pytest.raises(ConfigError, match="already"):
        typed("add", "ann", "--no-password")


def test_a_password_is_no_argument(typed: Typed) -> None:
    result = CliRunner().invoke(app, ["user", "add", "ann", "--password", PASSWORD])
    assert result.exit_code == 2


def test_the_users_of_a_configuration_lie_beside_its_ledger(tmp_path: Path) -> None:
    (tmp_path / "cameras.yaml").write_text(
        "cameras: {gate: {url: rtsp://host/gate}}\nledger: {url: kept/vedette.db, node: north}\n"
    )
    words = ["user", "add", "ann", "--no-password", "--config", str(tmp_path / "cameras.yaml")]
    assert CliRunner().invoke(app, words).exit_code == 0
    assert json.loads((tmp_path / "kept" / "users-north.json").read_text())["users"][0]["name"] == "ann"


def test_the_password_is_asked_for_twice_and_not_shown(typed: Typed) -> None:
    shown = typed("add", "ann", said=f"{PASSWORD}\n{PASSWORD}\n")
    assert PASSWORD not in shown
    assert matches(PASSWORD, typed.people.users[0].password or "")
    words = ["user", "password", "ann", "--users", str(typed.path)]
    result = CliRunner().invoke(app, words, input=f"{PASSWORD}\nsomething else\n")
    assert result.exit_code == 1
    assert matches(PASSWORD, typed.people.users[0].password or "")
