"""What a candidate came to, in words: for the log, and for ``vedette model status``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.facts import ShadowEnded, ShadowReported, ShadowStarted
from vedette.observe.canary_words import canary_words
from vedette.observe.views import NodeView, ShadowFigures, ShadowView

__all__ = ["headline", "log_shadow", "status"]

ENDED = {
    "stopped": "was stopped",
    "time": "its time was over",
    "not_started": "could not be used",
    "died": "died",
    "hung": "hung, and was killed",
    "failed": "failed on one frame after the other",
    "detector_changed": "another detector is at work since",
    "node_stopped": "the node was stopped",
}
_IN_ORDER = ("stopped", "time", "detector_changed", "node_stopped")
_LEFT_OUT = {
    "busy": "no room",
    "load": "the node had enough to do",
    "ended": "not analysed after all",
    "superseded": "a newer one came",
}


def log_shadow(fact: ShadowStarted | ShadowReported | ShadowEnded, log: Any) -> None:
    """A line of the log."""
    match fact:
        case ShadowStarted():
            log.info(
                "shadow started",
                model=fact.model,
                detector=fact.detector,
                share=fact.share,
                lasts=fact.lasts,
            )
        case ShadowReported():
            log.info(
                "shadow reported",
                model=fact.model,
                frames=fact.frames,
                both=fact.both,
                only_running=fact.only_running,
                only_candidate=fact.only_candidate,
                agreement=_rounded(fact.agreement),
                lower=_rounded(fact.lower),
                upper=_rounded(fact.upper),
                took_ms=round(fact.took_ms, 1),
                failed=fact.failed,
                left_out=sum(fact.left_out.values()),
            )
        case ShadowEnded():
            say = log.info if fact.why in _IN_ORDER else log.error
            say("shadow ended", model=fact.model, why=fact.why, detail=fact.detail)


def _rounded(share: float | None) -> float | None:
    return None if share is None else round(share, 3)


def status(view: NodeView) -> RenderableType:
    """Which model detects, and what the candidate came to."""
    how = f" · {view.precision}" if view.precision else ""
    parts: list[RenderableType] = [Text(f"detects: {view.detector or 'not known yet'}{how}")]
    if view.canary is not None:
        parts.append(Text(canary_words(view.canary)))
    if view.shadow is None:
        return Group(*parts, Text("no candidate was shown frames"))
    shadow = view.shadow
    parts.append(Text(headline(shadow)))
    if shadow.in_all.frames:
        parts += [_table(shadow), Text(_took(shadow))]
    if left_out := _left_out(shadow.in_all):
        parts.append(Text(f"not shown: {left_out}"))
    if shadow.in_all.failed:
        parts.append(Text(f"failed on {shadow.in_all.failed} frames"))
    return Group(*parts)


def headline(shadow: ShadowView) -> str:
    """What is being done with it, in a line."""
    name = Path(shadow.model).name
    if shadow.state == "starting":
        return f"shadow:  {name} is being loaded"
    if shadow.state == "ended":
        detail = f": {shadow.detail}" if shadow.detail else ""
        after = f" after {_lasting(shadow.ran_s)}" if shadow.ran_s else ""
        return f"shadow:  {name} {ENDED.get(shadow.why or '', shadow.why)}{after}{detail}"
    seen = f"shadow:  {name} is shown {shadow.share:.0%} of the frames since {_lasting(shadow.ran_s)}"
    seen += f", beside {shadow.beside}" if shadow.beside else ""
    left = f"{seen}, for {_lasting(shadow.left_s)} more"
    return f"{left}; it waits now: {shadow.detail}" if shadow.state == "waiting" else left


def _table(shadow: ShadowView) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("camera")
    for heading in ("frames", "both", "only running", "only candidate", "agreement"):
        table.add_column(heading, justify="right")
    rows: Mapping[str, ShadowFigures] = {**shadow.cameras, "in all": shadow.in_all}
    for name, figures in rows.items():
        numbers = (figures.frames, figures.both, figures.only_running, figures.only_candidate)
        table.add_row(name, *map(str, numbers), _agreement(figures))
    return table


def _agreement(figures: ShadowFigures) -> str:
    if figures.agreement is None or figures.lower is None or figures.upper is None:
        return "nothing seen"
    return f"{figures.agreement:.3f} ({figures.lower:.3f}…{figures.upper:.3f})"


def _took(shadow: ShadowView) -> str:
    took = shadow.in_all.took_ms
    times = f"a frame takes it {took.p50:.0f} ms, {took.p95:.0f} ms at most in 95%"
    return f"{times}; {shadow.cpu_s:.0f} s of CPU in all"


def _left_out(figures: ShadowFigures) -> str:
    return ", ".join(
        f"{figures.left_out[why]} ({words})" for why, words in _LEFT_OUT.items() if why in figures.left_out
    )


def _lasting(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
