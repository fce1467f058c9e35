"""Two validation runs compared over the API: on the same pictures, or not at all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from fake_folders import write_runs
from vedette.quality.validate.gate import compare
from vedette.quality.validate.run import Run

AT = 1_796_000_000.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def runs(folder: Path) -> list[Run]:
    return write_runs(folder, AT)


@pytest.fixture
def ask(made: Any, folder: Path) -> httpx.AsyncClient:
    client: httpx.AsyncClient = made(runs=folder)[0]
    return client


async def test_says_by_how_much_two_runs_differ_and_how_sure_that_is(
    ask: httpx.AsyncClient, runs: list[Run]
) -> None:
    baseline, better = runs[0], runs[-1]
    told = (await ask.get(f"validation/{better.id}/compared", params={"beside": baseline.id})).json()

    assert (told["run"], told["beside"], told["why"], told["remarks"]) == (better.id, baseline.id, "", [])
    assert told["pictures"] == better.dataset.pictures
    assert told["objects"] == better.dataset.objects
    wanted = compare(better, baseline).differences
    for name, found in told["differences"].items():
        assert (found["value"], found["low"], found["high"]) == pytest.approx(
            (wanted[name].value, wanted[name].low, wanted[name].high)
        )
    assert told["differences"]["recall"]["low"] > 0


async def test_a_pair_says_what_two_intervals_hide(ask: httpx.AsyncClient, runs: list[Run]) -> None:
    baseline, better = runs[0], runs[-1]
    assert better.estimates["recall"].low < baseline.estimates["recall"].high  # type: ignore[operator]
    told = (await ask.get(f"validation/{baseline.id}/compared", params={"beside": better.id})).json()
    assert told["differences"]["recall"]["high"] < 0


async def test_runs_on_other_pictures_are_not_compared_and_it_is_said_why(
    ask: httpx.AsyncClient, runs: list[Run]
) -> None:
    yard, hall = runs[0], runs[1]
    answer = await ask.get(f"validation/{yard.id}/compared", params={"beside": hall.id})
    assert answer.status_code == 200
    assert "no picture in common" in answer.json()["why"]
    assert answer.json()["differences"] == {}


async def test_a_run_there_is_not_or_that_is_damaged_is_not_found(
    ask: httpx.AsyncClient, runs: list[Run], folder: Path
) -> None:
    nobody = "20200101T000000Z-00000000"
    for run, beside in ((nobody, runs[0].id), (runs[0].id, nobody)):
        answer = await ask.get(f"validation/{run}/compared", params={"beside": beside})
        assert answer.status_code == 404
        assert nobody in answer.json()["detail"]
    (folder / f"{nobody}.json").write_text("{}")
    answer = await ask.get(f"validation/{nobody}/compared", params={"beside": runs[0].id})
    (folder / f"{nobody}.json").unlink()
    assert answer.status_code == 404
    assert str(folder) not in answer.text


@pytest.mark.parametrize(
    "name", ["..%2Fbaselines", "baselines", "20200101T000000Z-", "20200101T000000Z-..%2Fa"]
)
async def test_nothing_but_a_run_is_read(ask: httpx.AsyncClient, runs: list[Run], name: str) -> None:
    answer = await ask.get(f"validation/{name}/compared", params={"beside": runs[0].id})
    assert answer.status_code in (404, 422)
    answer = await ask.get(f"validation/{runs[0].id}/compared", params={"beside": name})
    assert answer.status_code == 422


async def test_a_node_without_runs_has_none_to_compare(made: Any, runs: list[Run]) -> None:
    client = made()[0]
    answer = await client.get(f"validation/{runs[0].id}/compared", params={"beside": runs[1].id})
    assert answer.status_code == 404
