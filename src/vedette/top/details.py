"""All that is known of one camera, on a page."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.observe.views import CameraView, NodeView
from vedette.top.quality import drift_lines
from vedette.top.words import STYLES, blame, health, milliseconds, plain, plain_name, rate, seconds, state

__all__ = ["details", "find", "gone"]


def details(camera: CameraView) -> RenderableType:
    """State, rates, ages, stages, endings and blind times. Fits into 76 columns."""
    parts: list[RenderableType] = [_title(camera), Text("")]
    parts.extend((_facts(camera), Text("")))
    parts.extend((_times(camera), Text("")))
    parts.extend((_endings(camera), Text("")))
    parts.append(_blind(camera))
    return Group(*parts)


def gone(name: str) -> RenderableType:
    return Text(f"{plain_name(name)} is not a camera of this node any more", style="yellow")


def find(view: NodeView, name: str) -> CameraView | None:
    return next((camera for camera in view.cameras if camera.name == name), None)


def _title(camera: CameraView) -> Text:
    line = Text(plain_name(camera.name), style="bold").append("  ")
    line.append(state(camera), style=STYLES[health(camera)])
    if whose := blame(camera):
        line.append(f"  blame: {plain(whose)}")
    return line


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    for number, title in enumerate(columns):
        table.add_column(title, justify="right" if number else "left", no_wrap=True)
    return table


def _facts(camera: CameraView) -> Table:
    table = Table.grid(padding=(0, 2, 0, 0))
    frames = camera.frames
    rows = (
        ("state", f"{camera.state}{': ' + plain(' '.join(camera.degraded)) if camera.degraded else ''}"),
        ("picture", f"{camera.width}x{camera.height}" if camera.width else "none yet"),
        ("rates", f"{rate(camera.fps_in)} in, {rate(camera.fps_analysed)} analysed a second"),
        ("ladder", f"step {camera.step}, decodes {camera.decodes}, priority {camera.priority:g}"),
        ("lag", f"{milliseconds(camera.lag_ms)} ms from capture to arrival"),
        ("waiting", f"{camera.backlog} to be decoded, {camera.kept} to be chosen"),
        ("session", f"{camera.sessions} so far, epoch {camera.epoch}, last end: {_or_none(camera)}"),
        ("frames", f"{frames.received} received, {frames.analysed} analysed, {frames.in_flight} in flight"),
        *([("canary", f"{PurePath(camera.canary).name} detects for it")] if camera.canary else []),
        ("objects", _objects(camera)),
    )
    for label, text in (*rows, *drift_lines(camera)):
        table.add_row(Text(label, style="dim"), Text(plain_name(text)))
    return table


def _objects(camera: CameraView) -> str:
    if camera.objects is None:
        return "–"  # nobody knows: it is not seen now
    return ", ".join(f"{count} {plain(name)}" for name, count in camera.objects.items()) or "none"


def _or_none(camera: CameraView) -> str:
    return plain(camera.last_end_reason) if camera.last_end_reason else "none"


def _times(camera: CameraView) -> Table:
    table = _table("ms", "p50", "p95", "p99", "max")
    for name, times in (("age", camera.age_ms), *camera.stages_ms.items()):
        row = [
            milliseconds(value) if value else "–" for value in (times.p50, times.p95, times.p99, times.max)
        ]
        table.add_row(Text(name, style="bold" if name == "age" else ""), *row)
    return table


def _endings(camera: CameraView) -> Table:
    table = _table("frames ended", "count", "share")
    received = max(1, camera.frames.received)
    # Without them, the outcomes are at least as true.
    endings: Iterable[tuple[str, int]] = camera.endings.items() or _outcomes(camera)
    for name, number in sorted(endings, key=lambda item: -item[1]):
        outcome, _, where = name.partition(".")
        label = f"{outcome} ({where})" if where else outcome
        style = "red" if outcome == "failed" else ""
        table.add_row(Text(plain_name(label), style=style), str(number), f"{100 * number / received:.1f}%")
    return table


def _outcomes(camera: CameraView) -> list[tuple[str, int]]:
    names = ("analysed", "superseded", "expired", "skipped", "failed", "orphaned")
    return [(name, getattr(camera.frames, name)) for name in names if getattr(camera.frames, name)]


def _blind(camera: CameraView) -> RenderableType:
    if not camera.blind_s:
        return Text("never blind since the start", style="dim")
    table = _table(f"blind {camera.gaps} {'time' if camera.gaps == 1 else 'times'}", "time")
    for cause, length in sorted(camera.blind_s.items(), key=lambda item: -item[1]):
        table.add_row(Text(plain(cause)), seconds(length))
    return table
