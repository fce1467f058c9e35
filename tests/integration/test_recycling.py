"""Workers are replaced before they hurt, with nothing lost."""

from __future__ import annotations

from pathlib import Path

from integration.changing import Node, config
from integration.harness import Cameras, wait_until
from patience import NEVER_S
from vedette.facts import WorkerEnded, WorkerReplaced

LIMIT = 700_000_000
HERE = Path(__file__).parent


def test_a_detector_that_leaks_is_replaced_before_it_reaches_its_limit(cameras: Cameras) -> None:
    detector = {
        "python": "leaking:LeakyDetector",
        "options": {"leaks": 100_000, "seconds": 0.003},
        "timeout": NEVER_S,
    }
    recycle = {"memory_limit": f"{LIMIT // 1_000_000}MB"}
    with Node(config(cameras, 4, detector=detector, recycle=recycle, folder=HERE, ledger=False)) as node:
        node.until_more("cam0", "cam1", "cam2", "cam3")

        def replaced() -> list[WorkerReplaced]:
            return [fact for fact in list(node.facts) if isinstance(fact, WorkerReplaced)]

        wait_until(replaced, "the detector is replaced")
        assert replaced()[0].worker == "inference-0"
        assert replaced()[0].reason == "memory_limit"
        assert "of 700 MB" in replaced()[0].detail
        node.until_more("cam0", "cam1", "cam2", "cam3")
        assert node.node._node.usage.peak_of("inference-0").uss < LIMIT
        assert not [fact for fact in node.facts if isinstance(fact, WorkerEnded)]
        frames = [camera["frames"] for camera in node.node.report()["cameras"].values()]
        assert not any(each["failed"] or each["orphaned"] for each in frames)
        node.stop()
