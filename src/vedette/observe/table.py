"""A node as a table: every camera a row, or the worst ones where there is no room for all; and as a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.errors import redact
from vedette.ladder.steps import Step
from vedette.observe.bottleneck import Bottleneck, find_bottleneck
from vedette.observe.evidence import NO_REST
from vedette.observe.views import CameraView, Frames, NodeView, Percentiles, SinkView

__all__ = [
    "ROWS_AT_MOST",
    "CameraView",
    "Frames",
    "NodeView",
    "Percentiles",
    "SinkView",
    "figures",
    "line",
    "render",
]

ROWS_AT_MOST = 40
WIDE = 112
"""Columns of a terminal from which on each kind of drop has a column of its own."""

_STATE_STYLES = {"live": "green", "connecting": "yellow", "waiting": "red", "finished": "dim"}


def _live(view: NodeView) -> tuple[int, int]:
    """Cameras that are seen, and those that somebody still wants."""
    wanted = [camera for camera in view.cameras if camera.state != "removed"]
    return sum(camera.state == "live" and camera.blind is None for camera in wanted), len(wanted)


def figures(view: NodeView) -> dict[str, float]:
    """The node in a few numbers, for logs that programs read."""
    live, wanted = _live(view)
    frames = view.frames
    return {
        "uptime_s": round(view.uptime_s, 1),
        "cameras": wanted,
        "live": live,
        "analysed_per_s": round(view.analysed_per_s, 1),
        "age_p99_ms": round(max((camera.age_ms.p99 for camera in view.cameras), default=0.0), 1),
        "received": frames.received,
        "analysed": frames.analysed,
        "dropped": frames.superseded + frames.expired + frames.skipped + frames.failed + frames.orphaned,
        "failed": frames.failed,
        "cpu_percent": round(view.cpu_percent),
        "pss_mb": round(view.pss_mb),
    }


def line(view: NodeView) -> str:
    """The node in one line, for logs."""
    now = figures(view)
    return (
        f"{_clock(view.uptime_s)} · {now['live']}/{now['cameras']} cameras live · "
        f"{view.analysed_per_s:.0f} analysed/s · worst p99 age {now['age_p99_ms']:.0f} ms · "
        f"{now['received']} received, {now['analysed']} analysed, "
        f"{now['dropped']} dropped ({now['failed']} failed) · "
        f"CPU {now['cpu_percent']}% · {now['pss_mb']} MB"
    )


def render(
    view: NodeView,
    bottleneck: Bottleneck | None = None,
    *,
    width: int = 120,
    rows: int = ROWS_AT_MOST,
    closing: bool = False,
) -> RenderableType:
    """The node as a table ``width`` columns wide, of at most ``rows`` cameras: the worst ones if there are
    more, else all in the order of the configuration. ``bottleneck``: by default what this view says. At the
    end of a run (``closing``) it has a place of its own, and is left out here."""
    found = find_bottleneck(view) if bottleneck is None else bottleneck
    shown = list(view.cameras)
    if len(shown) > rows:
        shown = sorted(shown, key=_badness, reverse=True)[:rows]
    columns = [column for column in _COLUMNS if column.fits(width, view)]
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold dim", width=width)
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.number else "left",
            no_wrap=True,
            overflow="ellipsis",
            ratio=column.ratio or None,
            min_width=column.min_width or None,
            max_width=column.max_width or None,
            vertical="bottom",
        )
    for camera in shown:
        table.add_row(*(column.cell(camera) for column in columns))
    parts: list[RenderableType] = [_title(view, width), Text(""), table]
    hidden = len(view.cameras) - len(shown)
    if hidden:
        parts.append(Text(f"… and {hidden} more, all better off than these", style="dim"))
    parts += _sinks(view)
    if found.is_one and not closing:
        parts.append(Text("bottleneck  ", style="dim").append(found.sentence, style="not dim yellow"))
    return Group(*parts)


def _badness(camera: CameraView) -> tuple[bool, int, int, float]:
    blind = camera.blind is not None or camera.state not in ("live", "finished")
    return blind, _steps_down(camera) if _lacking(camera) else 0, camera.frames.failed, camera.age_ms.p99


def _steps_down(camera: CameraView) -> int:
    return Step[camera.step.upper()].value


def _lacking(camera: CameraView) -> bool:
    """Whether the ladder does less for it than was asked for. A step alone may be all that was asked for."""
    return "thinned" in camera.degraded or camera.blind == "overloaded"


def _title(view: NodeView, width: int) -> Text:
    """As many of its items as have room, whole."""
    title = Text(no_wrap=True, overflow="ellipsis")
    for item in _title_items(view):
        if title and title.cell_len + item.cell_len > width:
            break
        title.append_text(item)
    return title


def _title_items(view: NodeView) -> Iterator[Text]:
    """What matters most first; each begins with what parts it from the one before."""
    live, wanted = _live(view)
    yield Text("vedette", style="bold")
    yield Text(f"  {_clock(view.uptime_s)}", style="dim")
    yield _item("cameras", f"{live}/{wanted} live", "green" if live == wanted else "yellow")
    yield _item("analysed", f"{view.analysed_per_s:.0f}/s")
    busy = max((worker.busy for worker in view.workers if worker.kind == "inference"), default=None)
    if busy is not None:
        yield _item("detector", f"{min(1.0, busy):.0%}", "yellow" if busy >= NO_REST else "")
    yield _item("CPU", f"{view.cpu_percent:.0f}%")
    yield _item("memory", f"{view.pss_mb:.0f} MB")
    if view.detector:
        for place, part in enumerate(view.detector.split(" · ")):
            yield Text(f" · {part}" if place else f"  {part}", style="dim")


def _item(label: str, value: str, style: str = "") -> Text:
    return Text.assemble((f"  {label} ", "dim"), (value, f"bold {style}"))


def _sinks(view: NodeView) -> list[Text]:
    lines = [
        f"{redact(sink.name)}: {sink.written} written, {sink.dropped} dropped, {sink.failed} failed"
        + (f", {sink.expired} expired" if sink.expired else "")
        for sink in view.sinks
        if sink.dropped or sink.failed or sink.expired
    ]
    return [Text(text, style="yellow") for text in lines]


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{second:02}"


def _count(number: int) -> Text:
    """A count in at most five characters; nothing happened is shown faintly."""
    if number < 10_000:
        return Text(str(number), style="dim" if number == 0 else "")
    for limit, unit in ((1e6, "k"), (1e9, "M")):
        if number < limit:
            value = number / (limit / 1000)
            return Text(f"{value:.0f}{unit}" if value >= 100 else f"{value:.1f}{unit}")
    return Text(f"{number / 1e9:.1f}G")


def _bad(number: int) -> Text:
    text = _count(number)
    return Text(text.plain, style="red") if number else text


def _state(camera: CameraView) -> Text:
    if camera.blind is not None and camera.state != "finished":
        # Why it is blind says more than what is being done about it.
        return Text(camera.blind.replace("_", " "), style="yellow" if camera.blind == "starting" else "red")
    if camera.degraded:
        return Text(" ".join(camera.degraded).replace("_", " "), style="yellow")
    return Text(camera.state, style=_STATE_STYLES.get(camera.state, ""))


def _step(camera: CameraView) -> Text:
    return Text(camera.step, style="yellow" if _lacking(camera) else "dim")


def _fps(value: float) -> Text:
    return Text(f"{value:.1f}", style="" if value else "dim")


def _age(camera: CameraView) -> Text:
    if not camera.frames.analysed:
        return Text("–", style="dim")
    return Text(f"{camera.age_ms.p50:.0f} / {camera.age_ms.p99:.0f}")


def _objects(camera: CameraView) -> Text:
    most = sorted((camera.objects or {}).items(), key=lambda item: (-item[1], item[0]))
    return Text(", ".join(f"{count} {name}" for name, count in most if count) or "–", style="cyan")


def _dropped(camera: CameraView) -> Text:
    frames = camera.frames
    return _count(frames.superseded + frames.expired + frames.skipped + frames.orphaned)


def _session(camera: CameraView) -> Text:
    return Text(f"{max(0, camera.epoch)} / {camera.sessions}")


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cell: Callable[[CameraView], Text]
    number: bool = True
    ratio: int = 0
    min_width: int = 0
    max_width: int = 0
    from_width: int = 0
    below_width: int = 10_000
    shown_if: Callable[[NodeView], bool] = lambda view: True

    def fits(self, width: int, view: NodeView) -> bool:
        return self.from_width <= width < self.below_width and self.shown_if(view)


def _last_end(camera: CameraView) -> Text:
    return Text(camera.last_end_reason or "–", style="dim")


_COLUMNS = (
    _Column("camera", lambda camera: Text(camera.name), number=False, min_width=8, max_width=24),
    _Column("state", _state, number=False),
    _Column(
        "step",
        _step,
        number=False,
        from_width=72,
        shown_if=lambda view: any(map(_steps_down, view.cameras)),
    ),
    _Column("fps\nin", lambda camera: _fps(camera.fps_in)),
    _Column("fps\nout", lambda camera: _fps(camera.fps_analysed)),
    _Column("age ms\np50 / p99", _age),
    _Column("objects", _objects, number=False, ratio=1, min_width=9),
    _Column("dropped", _dropped, below_width=WIDE),
    _Column("super-\nseded", lambda camera: _count(camera.frames.superseded), from_width=WIDE),
    _Column("expired", lambda camera: _count(camera.frames.expired), from_width=WIDE),
    _Column("skipped", lambda camera: _count(camera.frames.skipped), from_width=WIDE),
    _Column("failed", lambda camera: _bad(camera.frames.failed)),
    _Column("epoch /\nsessions", _session, from_width=WIDE),
    _Column("last end", _last_end, number=False, from_width=WIDE),
)
