"""Where the time went: each stage's durations and what waited in front of it, what was let go where, and the
verdict. For people."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.endings import ENDINGS
from vedette.errors import redact
from vedette.facts import Outcome
from vedette.observe.bottleneck import Bottleneck
from vedette.observe.gauges import Gauges, gauges_of
from vedette.observe.views import CameraView, NodeView, Percentiles
from vedette.workers.table import STAGES

__all__ = ["let_go", "where_the_time_went"]

WITH_WORDS = 80
"""Columns from which on there is room to say what each stage is."""

_IS = {
    "lag": "camera and network",
    "decode": "decoding",
    "wait": "until it is chosen",
    "convert": "scaled, to RGB",
    "infer": "in the network",
    "postprocess": "outputs to boxes",
    "track": "tracking",
    "emit": "handing on",
}


def where_the_time_went(
    view: NodeView,
    bottleneck: Bottleneck,
    *,
    now: Bottleneck | None = None,
    gauges: Gauges | None = None,
    width: int = 100,
) -> RenderableType:
    """A row per stage, then what was let go, then the sentence. Durations are since the start.

    ``now``: the verdict on the last seconds, told beside the first while a run goes on. ``gauges``: what
    waits in front of each stage; by default in this view. At most ``width`` columns wide.
    """
    parts: list[RenderableType] = [Text("where the time went", style="bold")]
    parts.append(_stages(view, gauges or gauges_of(view), width))
    parts += [Text(text) for text in let_go(view.cameras)]
    parts += [Text(text) for text in _sinks(view)]
    parts.append(_verdict("bottleneck: ", bottleneck))
    if now is not None and now.sentence:
        parts.append(_verdict("now: ", now))
    return Group(*parts)


def _verdict(title: str, found: Bottleneck) -> Text:
    text = Text(title, style="bold")
    return text.append(found.sentence, style="not bold yellow" if found.is_one else "not bold green")


def _stages(view: NodeView, gauges: Gauges, width: int) -> Table:
    waits = {"decode": gauges.backlog, "wait": gauges.kept, "infer": gauges.queued, "emit": gauges.outbox}
    total = sum(view.stages_s.get(stage, 0.0) for stage in STAGES)
    table = Table(box=None, pad_edge=False, padding=(0, 1), header_style="bold dim")
    table.add_column("stage", no_wrap=True, min_width=len("postprocess"))
    for title in ("p50 ms", "p95 ms", "p99 ms", "total s", "share", "waiting"):
        table.add_column(title, justify="right", no_wrap=True)
    if width >= WITH_WORDS:
        table.add_column("", style="dim", no_wrap=True, overflow="ellipsis")
    for stage in STAGES:
        spent = view.stages_s.get(stage, 0.0)
        times = view.stages_ms.get(stage, Percentiles())
        cells = [_ms(times.p50), _ms(times.p95), _ms(times.p99), f"{spent:.1f}"]
        cells.append(f"{spent / total:.0%}" if total else "–")
        cells.append(_waiting(waits[stage]) if stage in waits else "")
        table.add_row(stage, *cells, *([_IS.get(stage, "")] if width >= WITH_WORDS else []))
    return table


def _ms(value: float) -> str:
    if not value:
        return "–"
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:.0f}"


def _waiting(number: float) -> str:
    # Means of small numbers: 0.3 frames waiting is not none.
    return f"{number:.0f}" if number >= 10 or number == int(number) else f"{number:.1f}"


@dataclass(frozen=True, slots=True)
class _Dropped:
    outcome: str
    reason: str
    count: int

    def __str__(self) -> str:
        reason = f" ({self.reason})" if self.reason else ""
        return f"{self.count} {self.outcome}{reason}"


def let_go(cameras: tuple[CameraView, ...]) -> list[str]:
    """A line for each stage at which frames ended without a result: ``decode: 12 expired, 40 skipped
    (backlog)``. In the order of a frame's way."""
    counts: Counter[str] = Counter()
    for camera in cameras:
        counts.update(camera.endings)
    by_stage: dict[str, list[_Dropped]] = {}
    for ending in ENDINGS:
        count = counts[ending.value]
        if count and ending.outcome is not Outcome.ANALYSED:
            by_stage.setdefault(ending.stage, []).append(_Dropped(ending.outcome.value, ending.reason, count))
    way = ["arrive", *STAGES]
    stages = sorted(by_stage, key=lambda stage: way.index(stage) if stage in way else len(way))
    return [f"ended at {stage}: {', '.join(map(str, by_stage[stage]))}" for stage in stages]


def _sinks(view: NodeView) -> list[str]:
    """Those that did not write all they were given."""
    found = []
    for sink in view.sinks:
        lost = {"dropped": sink.dropped, "expired": sink.expired, "failed": sink.failed, "wait": sink.waiting}
        told = ", ".join(f"{count} {what}" for what, count in lost.items() if count)
        if told:
            found.append(f"at {redact(sink.name)}: {sink.written} written, {told}")
    return found
