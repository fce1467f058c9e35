"""A node watches what its detector says of each camera, and a restart goes on with what was learnt."""

from __future__ import annotations

from pathlib import Path

import vedette
from integration.changing import Node, config
from integration.harness import Cameras, wait_until

NAMES = ("cam0", "cam1")


def with_ledger(cameras: Cameras, folder: Path, **drift: object) -> vedette.Config:
    return config(cameras, 2, ledger=str(folder / "vedette.db"), drift=drift)


def test_each_camera_is_learnt_and_that_is_seen_and_kept(cameras: Cameras, tmp_path: Path) -> None:
    with Node(with_ledger(cameras, tmp_path, learn="1m", every="200ms")) as node:
        wait_until(lambda: all(node.view(name).drift for name in NAMES), "both are being learnt")
        for name in NAMES:
            assert node.view(name).drift.stage == "learning"
            assert node.view(name).drift.light.startswith(("colour", "infrared"))
        assert node.node.report()["cameras"]["cam0"]["drift"]["stage"] == "learning"
        # Another process may read them meanwhile.
        node.node.recycle("cameras-0")
        node.until_more(*NAMES)
        wait_until(lambda: node.view("cam0").drift.learnt > 0, "and that comes on")
        node.stop()
    kept = sorted(path.name.partition("-")[0] for path in (tmp_path / "drift-node").iterdir())
    assert kept == ["cam0", "cam1"]


def test_it_can_be_switched_off(cameras: Cameras, tmp_path: Path) -> None:
    with Node(with_ledger(cameras, tmp_path, enabled=False)) as node:
        node.until_more(*NAMES)
        assert node.node._node.quality.drift is None
        assert "drift" not in node.node.report()["cameras"]["cam0"]
        node.stop()
    assert not (tmp_path / "drift-node").exists()
