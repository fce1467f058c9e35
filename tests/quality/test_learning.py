"""Which cameras are learnt anew, when somebody says so."""

from __future__ import annotations

import pytest

from vedette.errors import ConfigError
from vedette.quality.learning import to_learn

STUDIED = {"gate": True, "yard": True, "clip": False}


def test_those_that_are_named_are_meant_or_else_all_that_can_be() -> None:
    assert to_learn(["yard", "gate", "yard"], STUDIED) == ["yard", "gate"]
    assert to_learn([], STUDIED) == ["gate", "yard"]


@pytest.mark.parametrize(
    ("wanted", "studied", "said"),
    [
        (["gate", "roof"], STUDIED, r"no camera roof; there are clip, gate, yard"),
        (["clip"], STUDIED, r"not watched on clip: it plays a clip"),
        ([], {"clip": False}, r"watched on no camera"),
    ],
)
def test_what_cannot_be_is_said(wanted: list[str], studied: dict[str, bool], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        to_learn(wanted, studied)


def test_a_name_that_is_an_address_is_said_without_its_password() -> None:
    with pytest.raises(ConfigError) as found:
        to_learn(["rtsp://me:geheim@gate"], STUDIED)
    assert "geheim" not in str(found.value)


def test_of_many_cameras_ten_are_named() -> None:
    many = {f"cam{number}": True for number in range(1000)}
    with pytest.raises(ConfigError, match=r"cam106 and 990 more$"):
        to_learn(["roof"], many)
