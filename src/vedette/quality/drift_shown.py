"""How the detector does on each camera of a node, for people and for machines."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.observe.views import CameraView, DriftView, NodeView
from vedette.top.column import arrange
from vedette.top.quality import DRIFT, drift_word, since, why
from vedette.top.words import plain_name, watched

__all__ = ["as_json", "missing", "render"]

_STYLES = {"suspected": "yellow", "changed": "cyan", "unseen": "yellow", "learning": "cyan"}


def render(view: NodeView, node: str) -> RenderableType:
    """A table, the worst first. ``node``: its name."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    for title in ("camera", "state", "since", "usual → lately", "light now", "learnt", "missing"):
        table.add_column(title, overflow="fold")
    cameras = arrange(watched(view), DRIFT)
    for camera in cameras:
        table.add_row(*_row(camera))
    return Group(Text(f"{node}: drift of {len(cameras)} camera{'s' * (len(cameras) != 1)}"), table)


def _row(camera: CameraView) -> list[Text]:
    name, drift = Text(plain_name(camera.name)), camera.drift
    if drift is None:
        return [name, Text("–", style="dim"), Text("nothing was seen of it yet", style="dim")]
    cells = (since(drift), _change(drift), drift.light, _lights(drift), missing(drift))
    state = Text(drift_word(camera), style=_STYLES.get(drift.stage, ""))
    return [name, state, *(Text(cell) if cell else Text("–", style="dim") for cell in cells)]


def _change(drift: DriftView) -> str:
    if not drift.measure:
        return ""
    usual, lately = ("?" if each is None else f"{each:.3g}" for each in (drift.usual, drift.lately))
    return f"{drift.measure} {drift.direction}: {usual} → {lately}"


def _lights(drift: DriftView) -> str:
    return "\n".join(f"{light}: {hours:.1f} h" for light, hours in drift.lights.items())


def missing(drift: DriftView) -> str:
    """What is missing until all is learnt that was met; empty where nothing is."""
    parts = []
    if drift.missing_s:
        parts.append(f"{_time(drift.missing_s)} of watching")
    if not drift.missing_s and drift.unknown:
        lights = ", ".join(f"{light} ({_time(3600 * hours)})" for light, hours in drift.unknown.items())
        parts.append(f"met too shortly to be known: {lights}")
    if drift.stage == "unseen" and not drift.missing_s:
        parts.append("this light at this hour: vedette drift learn --keep")
    return "; ".join(parts)


def _time(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``, ``2.5 days``."""
    for size, unit in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 1.5 * size or (unit == "min" and seconds >= size):
            return f"{seconds / size:.0f} {unit}" if unit == "min" else f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def as_json(view: NodeView) -> str:
    """An object by camera; null where nothing was seen of it yet."""
    found: dict[str, Any] = {
        camera.name: None
        if camera.drift is None
        else msgspec.to_builtins(camera.drift) | {"missing": missing(camera.drift), "why": why(camera.drift)}
        for camera in watched(view)
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()
