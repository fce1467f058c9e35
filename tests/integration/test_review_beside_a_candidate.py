"""Frames are kept for review while a candidate is shown them, and workers come and go."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import psutil

from integration.changing import Node
from integration.harness import Cameras, adds_up, gone, wait_until, workers_of
from integration.test_review_of_a_node import NAMES, check_periods, items, until_kept, with_review
from vedette.observe.views import ShadowView

AT_EASE = {"ladder": False, "max_age": 10.0}
"""On a busy machine a node rightly does less, and shows a candidate nothing."""


def shadows() -> list[psutil.Process]:
    return workers_of(os.getpid(), "shadow")


def shown(node: Node) -> ShadowView:
    found = node.node.view().shadow
    assert found is not None
    return found


def until_shown(node: Node, more: int = 5) -> None:
    def frames() -> list[int]:
        cameras = shown(node).cameras
        return [cameras[name].frames if name in cameras else 0 for name in NAMES]

    before = frames()
    wait_until(
        lambda: all(now >= was + more for now, was in zip(frames(), before, strict=True)),
        lambda: f"{more} more frames of each camera than {before}: {shown(node)}",
    )


def open_files(process: psutil.Process) -> list[str]:
    """Sockets, slots and the like: no files on a disk, and no pictures on their way."""
    found = []
    for each in Path(f"/proc/{process.pid}/fd").iterdir():
        with suppress(OSError):
            found.append(str(each.readlink()))
    return sorted(name for name in found if not name.startswith("/") or name.startswith("/memfd:vedette"))


def test_a_candidate_takes_no_picture_away_whatever_becomes_of_workers(
    cameras: Cameras, tmp_path: Path
) -> None:
    with Node(with_review(cameras, tmp_path, **AT_EASE)) as node:
        until_kept(node, *NAMES)
        node.node.shadow(share=1.0)
        until_shown(node)
        until_kept(node, *NAMES)
        for worker in ("cameras-0", "cameras-1", "inference-0"):
            node.node.recycle(worker)
            until_shown(node)
        until_kept(node, *NAMES)
        killed = shadows()
        for process in killed:
            process.kill()
        assert gone(killed)
        wait_until(lambda: shown(node).state == "ended", "that it has died is noticed")
        until_kept(node, *NAMES)
        node.stop()
        report = node.node.report()["cameras"]
    assert all(adds_up(report[name]["frames"], in_flight=0) for name in NAMES)
    rows = items(tmp_path)
    assert all(item.bytes for item in rows), "each has its picture"
    assert sum(report[name]["review"]["uniform"]["kept"] for name in NAMES) == len(rows)
    check_periods(tmp_path)


def test_candidates_that_come_and_go_leave_nothing_open(cameras: Cameras, tmp_path: Path) -> None:
    with Node(with_review(cameras, tmp_path, **AT_EASE)) as node:
        until_kept(node, *NAMES)
        everybody = [psutil.Process(), *workers_of(os.getpid(), "camera")]
        counted = []
        for _ in range(4):
            node.node.shadow(share=1.0)
            until_shown(node)
            node.node.stop_shadow()
            assert gone(shadows())
            wait_until(lambda: not node.node._node.shadow.children, "its process is let go of")
            until_kept(node, *NAMES, more=2)
            counted.append([len(open_files(process)) for process in everybody])
        assert counted[0] == counted[-1], [open_files(process) for process in everybody]
