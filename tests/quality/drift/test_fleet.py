"""Which of many to believe."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.quality.drift.fleet import Across, chosen, e_d_bh, e_d_bonferroni, of_sites

ARL = 1000.0
evidence = st.lists(st.floats(0, 1e5), min_size=1, max_size=12)


@given(evidence)
def test_e_d_bh_names_the_largest_set_each_of_which_carries_its_share(found: list[float]) -> None:
    named = e_d_bh(np.array(found), ARL)
    sizes = [
        k for k in range(1, len(found) + 1) if sorted(found, reverse=True)[k - 1] * k >= len(found) * ARL
    ]
    assert named.sum() == max(sizes, default=0)
    if named.any() and not named.all():
        assert np.array(found)[named].min() >= np.array(found)[~named].max()


@given(evidence)
def test_e_d_bh_names_whom_bonferroni_names(found: list[float]) -> None:
    array = np.array(found)
    assert (e_d_bh(array, ARL) | ~e_d_bonferroni(array, ARL)).all()


def test_by_itself_each_camera_has_the_whole_arl() -> None:
    assert chosen({"a": 999.0, "b": 1000.0}, {}, ARL, Across.EACH) == {"b"}


@pytest.mark.parametrize("across", list(Across))
def test_nobody_is_nobody(across: Across) -> None:
    assert chosen({}, {}, ARL, across) == set()


def test_the_fleet_shares_one_arl_with_bonferroni() -> None:
    found = {f"camera-{number}": 0.0 for number in range(10)} | {"camera-3": 9_999.0}
    assert chosen(found, {}, ARL, Across.BONFERRONI) == set()
    assert chosen(found | {"camera-3": 10_000.0}, {}, ARL, Across.BONFERRONI) == {"camera-3"}


def test_weather_over_a_site_is_one_observation() -> None:
    """Ten cameras of a site that are all somewhat suspect are no more than one that is."""
    found = {f"camera-{number}": 1500.0 for number in range(10)} | {"far": 0.0, "farther": 0.0}
    sites = {f"camera-{number}": "yard" for number in range(10)}
    assert chosen(found, {}, ARL, Across.BH) == set(sites)
    assert chosen(found, sites, ARL, Across.BH) == set()
    strong = {name: 3 * value for name, value in found.items()}
    assert chosen(strong, sites, ARL, Across.BH) == set(sites)


def test_of_a_site_only_those_are_named_who_are_suspect() -> None:
    sites = {"a": "yard", "b": "yard", "c": "hall"}
    assert chosen({"a": 1e5, "b": 1.0, "c": 1.0}, sites, ARL, Across.BH) == {"a"}


def test_a_camera_called_like_a_site_is_none() -> None:
    assert chosen({"yard": 0.0, "a": 1e5}, {"a": "yard"}, ARL, Across.BONFERRONI) == {"a"}


def test_a_site_has_the_mean_of_its_cameras() -> None:
    assert of_sites(np.array([1.0, 3.0, 10.0]), np.array([0, 0, 1])) == {0: 2.0, 1: 10.0}
