"""A node reads what people review while it runs, and tells a loss that this confirms."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from integration.changing import Node, config
from integration.harness import Cameras, wait_until
from patience import PATIENCE_S
from reviewed import Shelf
from vedette.facts import Alerted, LossConfirmed
from vedette.quality.confirm import watch


def test_a_loss_that_reviews_confirm_is_told_shown_and_remembered(
    cameras: Cameras, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "LOOK_EVERY_S", 0.2)
    shelf = Shelf(tmp_path / "review")
    given = config(
        cameras,
        2,
        ledger=str(tmp_path / "vedette.db"),
        review={"folder": str(shelf.folder), "floor": {"recall": 0.8}},
        alerts={"group_within": 0.1, "rules": {"accuracy": {"after": 0.1}}},
        metrics="127.0.0.1:0",
    )
    with Node(given) as node:
        node.until_more("cam0")
        model = node.node._node._model
        shelf.reviewed(["missed"] * 40, camera="cam1", model="of another one")
        shelf.reviewed(["missed"] * 20, camera="cam0", model=model)
        shelf.reviewed(["right"] * 20, camera="cam1", model=model)
        shelf.reviewed(["none"], camera="cam0", model="of another one")  # the newest frame is not of it
        wait_until(lambda: any(isinstance(fact, LossConfirmed) for fact in list(node.facts)), "it is told")
        [fact] = [fact for fact in node.facts if isinstance(fact, LossConfirmed)]
        assert (fact.camera, fact.measure, fact.known) == ("cam0", "recall", False)
        wait_until(
            lambda: any(
                isinstance(fact, Alerted) and fact.title.startswith("recall of cam0 is below")
                for fact in list(node.facts)
            ),
            "people are told",
        )
        wait_until(lambda: node.view("cam1").accuracy, "both are shown")
        with urllib.request.urlopen(
            f"http://{node.node.metrics_address}/metrics", timeout=PATIENCE_S
        ) as answer:
            page = answer.read().decode()
        assert 'vedette_accuracy_lost{camera="cam0",site="",measure="recall"} 1' in page
        assert 'vedette_accuracy_lost{camera="cam1",site="",measure="recall"} 0' in page
        report = node.node.report()["cameras"]["cam0"]["accuracy"]["recall"]
        assert (report["floor"], report["lost"], report["frames"]) == (0.8, True, 20)
        node.stop()
    with Node(given) as node:
        wait_until(lambda: any(isinstance(fact, LossConfirmed) for fact in list(node.facts)), "it is known")
        node.until_more("cam0")
        facts = [fact for fact in node.facts if isinstance(fact, (LossConfirmed, Alerted))]
        assert [getattr(fact, "known", None) for fact in facts] == [True]
        node.stop()
