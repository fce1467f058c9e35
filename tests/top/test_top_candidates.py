"""Where candidates are seen in the terminal view."""

from __future__ import annotations

from dataclasses import replace

from observe.metric_views import canary, shadow
from top.test_top_app import app_of, shown, text, until
from top.top_values import node, usage
from vedette.observe.views import AgreedView, NodeView, WorkerView
from vedette.top.header import node_lines

CANARY = WorkerView(
    *("canary-0", "canary", 4800, 0.63),
    cameras=1,
    usage=usage("canary-0", 4800, {"detect": 0.6}),
    model="/models/new.onnx",
    beside="old · cpu",
    ran_s=720.0,
)
SHADOW = WorkerView("shadow-0", "shadow", 4900, 0.11, model="/models/other.onnx", beside="old · cpu")


def tried(*workers: WorkerView, **views: object) -> NodeView:
    of = node(4)
    return replace(of, workers=(*of.workers, *workers), **views)  # type: ignore[arg-type]


async def test_the_process_of_a_canary_is_told_apart_and_so_is_what_it_is_tried_on() -> None:
    agreed = AgreedView(1209, 0.933, 0.915, 0.948)
    app = app_of(tried(CANARY, canary=canary(beside="old · cpu", agreed=agreed)))
    async with app.run_test(size=(240, 30)) as pilot:
        await shown(pilot)
        assert "canary 63% busy" in text(app)
        await pilot.press("w")
        await until(pilot, lambda: "jsonl results" in text(app))
        [line] = [line for line in text(app).splitlines() if line.strip().startswith("canary-0")]
        for part in ("canary ", "4800", "63%", "new.onnx 0:12:00"):
            assert part in line
        assert "new.onnx detects for gate since 12 min, for 48 min more" in text(app)
        assert "it agreed 0.933 (0.915…0.948) with old · cpu, in 1209" in text(app)


async def test_in_a_small_terminal_it_is_seen_too() -> None:
    app = app_of(tried(CANARY, SHADOW, canary=canary(), shadow=shadow(beside="old · cpu")))
    async with app.run_test(size=(80, 24)) as pilot:
        await shown(pilot)
        await pilot.press("w")
        await until(pilot, lambda: "jsonl results" in text(app))
        for part in ("canary-0", "shadow-0", "detects for gate", "is shown 10% of the frames"):
            assert part in text(app)


async def test_the_page_of_a_camera_says_that_a_canary_detects_for_it() -> None:
    of = node(4)
    first = replace(of.cameras[0], canary="/models/new.onnx")
    app = app_of(replace(of, cameras=(first, *of.cameras[1:])), sort="name")
    async with app.run_test(size=(80, 60)) as pilot:
        await shown(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: "new.onnx detects for it" in text(app))


def test_without_one_nothing_is_said_of_it() -> None:
    assert "canary" not in node_lines(node(4), "lab").plain
