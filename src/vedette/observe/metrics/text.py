"""Samples as text, in the two formats that Prometheus reads.

Written here because it happens in the node's process: a library that makes an object of each sample holds the
interpreter for 0.2 s when a thousand cameras are asked about; joining strings takes a tenth of that.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from vedette.errors import redact
from vedette.observe.metrics.families import FAMILIES, Family

__all__ = ["OPENMETRICS", "PLAIN", "Page", "label", "politely", "tails_of"]

PLAIN = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"

POLITE_EVERY = 10
"""Cameras; they take half a millisecond."""

T = TypeVar("T")

_ESCAPES = str.maketrans({"\\": r"\\", "\n": r"\n", '"': r"\""})


def label(name: str, value: str) -> str:
    """``name="value"``, escaped, and without credentials."""
    # What is no valid text would make the whole page unreadable.
    clean = redact(value).encode("utf-8", "replace").decode()
    return f'{name}="{clean.translate(_ESCAPES)}"'


def _number(value: float) -> str:
    """As both formats want it. Takes numpy's numbers, too."""
    if isinstance(value, int):
        return str(int(value))
    value = float(value)
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("+Inf" if value > 0 else "-Inf")


class Page:
    """All samples of one moment, by family."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {family.name: [] for family in FAMILIES}

    def add(self, family: Family, value: float, labels: str = "") -> None:
        """``labels``: as :func:`label` makes them, joined by commas."""
        name = family.name
        self._lines[name].append(
            f"{name}{{{labels}}} {_number(value)}\n" if labels else f"{name} {_number(value)}\n"
        )

    def add_histogram(
        self, family: Family, tails: Sequence[str], counts: Sequence[int], total: float, labels: str
    ) -> None:
        """``counts``: cumulative, one per bucket, the infinite one last. ``tails``: of :func:`tails_of` for
        the same buckets. ``total``: the sum of what was observed."""
        name = family.name
        head = f"{name}_bucket{{{labels}"
        lines = self._lines[name]
        lines.extend([f"{head}{tail}{count}\n" for tail, count in zip(tails, counts, strict=True)])
        lines.append(f"{name}_sum{{{labels}}} {_number(total)}\n{name}_count{{{labels}}} {counts[-1]}\n")

    def text(self, *, openmetrics: bool) -> bytes:
        """The whole page. Families without samples are left out."""
        parts: list[str] = []
        for family in FAMILIES:
            if lines := self._lines[family.name]:
                parts.append(_head(family, openmetrics=openmetrics))
                parts.extend(lines)
        if openmetrics:
            parts.append("# EOF\n")
        return "".join(parts).encode()


def politely(items: Iterable[T]) -> Iterator[T]:
    """The same items. Now and then it lets go of the interpreter, so that the node's own thread need not wait
    the 5 ms after which it would be taken from us."""
    for place, item in enumerate(items):
        if place % POLITE_EVERY == 0:
            time.sleep(0)
        yield item


def tails_of(edges: Sequence[float]) -> tuple[str, ...]:
    """What follows a bucket's other labels, for each upper edge in seconds and for infinity."""
    return (*(f',le="{edge!r}"}} ' for edge in map(float, edges)), ',le="+Inf"} ')


def _head(family: Family, *, openmetrics: bool) -> str:
    """Its help and its type. The two formats name counters and infos differently here, and only here."""
    name, kind = family.name, family.kind
    if openmetrics:
        name = name.removesuffix("_total" if kind == "counter" else "_info" if kind == "info" else "")
    elif kind == "info":
        kind = "gauge"
    return f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n"
