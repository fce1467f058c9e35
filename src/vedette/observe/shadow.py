"""What a candidate came to, as plain values: for those who look at a node, and for the report."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from vedette.observe.views import Percentiles, ShadowFigures, ShadowView
from vedette.quality.shadow.agreement import Tally, agreement_of, summed
from vedette.supervise.shadow import Candidate, Shadow
from vedette.supervise.usage import Usage

__all__ = ["ShadowLook", "shadow_report"]

HOLDS_S = 1.0
"""Intervals take a moment where there are many cameras."""


class ShadowLook:
    """Looks at one node's candidate. From any thread."""

    def __init__(self) -> None:
        self._made: tuple[object, float, ShadowView] | None = None

    def now(self, shadow: Shadow, cameras: Mapping[str, int], usage: Usage) -> ShadowView | None:
        """``cameras``: by name, their rows of the table. As it is, or was a second ago; None where there was
        no candidate."""
        candidate = shadow.candidate
        if candidate is None:
            return None
        now, key = time.monotonic(), (id(candidate), candidate.state, candidate.ended)
        made = self._made
        if made is None or made[0] != key or now - made[1] > HOLDS_S:
            made = self._made = key, now, _view(candidate, shadow, cameras, usage)
        return made[2]


def _view(candidate: Candidate, shadow: Shadow, cameras: Mapping[str, int], usage: Usage) -> ShadowView:
    # Copies: the node's thread goes on counting.
    tallies = dict(candidate.tallies)
    until = candidate.ended or time.monotonic()
    ran = max(0.0, until - candidate.started) if candidate.started else 0.0
    return ShadowView(
        model=candidate.model,
        detector=candidate.detector,
        state=candidate.state.value,
        why=candidate.why.value if candidate.why else None,
        detail=candidate.detail,
        share=candidate.share,
        ran_s=ran,
        waited_s=candidate.waited_s,
        left_s=0.0 if candidate.why else max(0.0, candidate.lasts - ran),
        cpu_s=_cpu_s(candidate, shadow, usage),
        in_all=_figures(summed(tallies.values()), list(tallies.values()), shadow.left_out()),
        cameras={
            name: _figures(tally, [tally], shadow.left_out(cameras[name]))
            for name, index in cameras.items()
            if (tally := tallies.get(name, Tally())).frames or tally.failed or shadow.left_out(index)
        },
        sha256=candidate.made_of,
        beside=candidate.beside.describe,
    )


def _cpu_s(candidate: Candidate, shadow: Shadow, usage: Usage) -> float:
    """Of its own process: another one of the same name may have been read last."""
    found = usage.of(shadow.name)
    return sum(found.cpu_s.values()) if found is not None and found.at >= candidate.began else 0.0


def _figures(tally: Tally, tallies: list[Tally], left_out: Mapping[str, int]) -> ShadowFigures:
    agreement = agreement_of(tallies)
    p50, p95, p99 = (tally.took(share) * 1000 for share in (0.5, 0.95, 0.99))
    return ShadowFigures(
        frames=tally.frames,
        both=tally.both,
        only_running=tally.only_running,
        only_candidate=tally.only_candidate,
        agreement=agreement.value if agreement else None,
        lower=agreement.lower if agreement else None,
        upper=agreement.upper if agreement else None,
        stretches=agreement.stretches if agreement else 0,
        took_ms=Percentiles(p50, p95, p99, 0.0),
        took_s=tally.took_s,
        failed=tally.failed,
        left_out=dict(left_out),
    )


def shadow_report(shadow: ShadowView) -> dict[str, Any]:
    """The part of the report; its keys are a contract (docs/configuration.md)."""
    return {
        "model": shadow.model,
        "detector": shadow.detector,
        "sha256": shadow.sha256,
        "state": shadow.state,
        "why": shadow.why,
        "detail": shadow.detail,
        "share": shadow.share,
        "ran_s": round(shadow.ran_s, 1),
        "waited_s": round(shadow.waited_s, 1),
        "cpu_s": round(shadow.cpu_s, 2),
        "beside": shadow.beside,
        "in_all": _reported(shadow.in_all),
        "cameras": {name: _reported(figures) for name, figures in shadow.cameras.items()},
    }


def _reported(figures: ShadowFigures) -> dict[str, Any]:
    def rounded(share: float | None) -> float | None:
        return None if share is None else round(share, 4)

    return {
        "frames": figures.frames,
        "both": figures.both,
        "only_running": figures.only_running,
        "only_candidate": figures.only_candidate,
        "agreement": rounded(figures.agreement),
        "lower": rounded(figures.lower),
        "upper": rounded(figures.upper),
        "stretches": figures.stretches,
        "took_ms": {name: round(getattr(figures.took_ms, name), 2) for name in ("p50", "p95", "p99")},
        "failed": figures.failed,
        "left_out": dict(figures.left_out),
    }
