"""The lines above the table: the node, where its time goes, and what holds it back."""

from __future__ import annotations

from rich.text import Text

from vedette.observe.views import NodeView
from vedette.top.words import Health, clock, count, health, milliseconds, plain_name, share, watched

__all__ = ["bottleneck_line", "node_lines", "stage_lines", "table_line"]

LABEL = 9
COLUMN = 8


def node_lines(view: NodeView, node: str, said: str = "") -> Text:
    """Three lines. ``node``: its name; ``said``: about the connection, empty if all is well."""
    return Text("\n", no_wrap=True, overflow="ellipsis").join(
        (_title(view, node, said), _cameras(view), _machine(view))
    )


def _line() -> Text:
    return Text(no_wrap=True, overflow="ellipsis")


def _title(view: NodeView, node: str, said: str) -> Text:
    line = _line().append("vedette ", style="bold").append(node, style="bold cyan")
    line.append("  up ", style="dim").append(clock(view.uptime_s))
    if said:
        line.append("  ").append(said, style="bold reverse yellow")
    elif view.detector:
        line.append(f"  {plain_name(view.detector)}", style="dim")
    return line


def _cameras(view: NodeView) -> Text:
    cameras = watched(view)
    how = [health(camera) for camera in cameras]
    blind, poor, off = (how.count(one) for one in (Health.BLIND, Health.POOR, Health.OFF))
    line = _line().append("cameras ", style="dim")
    live = sum(camera.state == "live" and camera.blind is None for camera in cameras)
    line.append(f"{live}/{len(cameras)} live", style="green" if live + off == len(cameras) else "")
    line.append(f", {blind} blind", style="bold red" if blind else "dim")
    if poor:
        line.append(f", {poor} poor", style="yellow")
    line.append("  analysed ", style="dim").append(f"{view.analysed_per_s:.0f}/s", style="bold")
    aged = [camera for camera in cameras if camera.frames.analysed]
    if aged:
        worst = max(aged, key=lambda camera: camera.age_ms.p99)
        late = worst.age_ms.p99 > 1000 * view.max_age_s
        line.append("  worst p99 age ", style="dim")
        line.append(f"{milliseconds(worst.age_ms.p99)} ms", style="bold red" if late else "bold")
        line.append(f" ({plain_name(worst.name)})", style="dim")
    return line


def _machine(view: NodeView) -> Text:
    line = _line().append("CPU ", style="dim").append(f"{view.cpu_percent:.0f}%")
    line.append(" of a core, machine ", style="dim")
    line.append(share(view.cpu_busy), style="yellow" if view.cpu_busy >= 0.95 else "")
    line.append("  memory ", style="dim").append(f"{view.pss_mb:.0f} MB")
    busy = [worker.busy for worker in view.workers if worker.kind == "inference"]
    line.append("  detector ", style="dim")
    if busy:
        line.append(f"{share(max(busy))} busy", style="yellow" if max(busy) >= 0.95 else "")
    else:
        line.append("not running" if view.workers else "–", style="dim")
    height, width = view.input_size
    if height and width:
        line.append(f", input {width}x{height}", style="dim")
    for candidate in (worker for worker in view.workers if worker.kind == "canary"):
        line.append("  canary ", style="dim")
        line.append(f"{share(candidate.busy)} busy", style="yellow" if candidate.busy >= 0.95 else "")
    return line


def bottleneck_line(sentence: str) -> Text:
    return _line().append("bottleneck ", style="dim").append(sentence, style="bold")


def stage_lines(view: NodeView) -> Text:
    """Four lines: the stages, their p50 and p99, and what waits in front of each."""
    names = list(view.stages_ms)
    waiting = _waiting(view)
    lines = [
        _row("stage", [(_short(name), "bold dim") for name in names]),
        _row("p50 ms", [(milliseconds(view.stages_ms[name].p50), "") for name in names]),
        _row("p99 ms", [(milliseconds(view.stages_ms[name].p99), "") for name in names]),
        _row("waiting", [_queue(waiting.get(name)) for name in names]),
    ]
    return Text("\n", no_wrap=True, overflow="ellipsis").join(lines)


def _short(name: str) -> str:
    return {"postprocess": "postpr"}.get(name, name)[: COLUMN - 1]


def _row(label: str, cells: list[tuple[str, str]]) -> Text:
    line = _line().append(label.ljust(LABEL), style="dim")
    for text, style in cells:
        line.append(text.rjust(COLUMN), style=style)
    return line


def _waiting(view: NodeView) -> dict[str, int]:
    """Frames, batches or results in front of a stage."""
    return {
        "decode": sum(camera.backlog for camera in view.cameras),
        "convert": sum(camera.kept for camera in view.cameras),
        "infer": view.queued,
        "emit": sum(sink.waiting for sink in view.sinks),
    }


def _queue(number: int | None) -> tuple[str, str]:
    if number is None:
        return "", ""
    return count(number), "" if number else "dim"


def table_line(shown: int, of: int, sorted_by: str, backwards: bool, filter_: str) -> Text:
    """What the table shows, and in which order."""
    cameras = "camera" if of == 1 else "cameras"
    line = _line().append(f"{shown} of {of} {cameras}" if filter_ else f"{of} {cameras}", style="dim")
    line.append(f" by {sorted_by}" + (", reversed" if backwards else ""), style="dim")
    if filter_:
        line.append(" with ", style="dim").append(f"“{filter_}”", style="bold cyan")
    return line
