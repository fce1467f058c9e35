"""Metrics for Prometheus: what a node is doing, at ``/metrics``. docs/metrics.md lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vedette.observe.metrics.address import parse_address

if TYPE_CHECKING:
    from vedette.observe.metrics.exporter import Exporter

__all__ = ["Exporter", "parse_address"]


def __getattr__(name: str) -> Any:
    """The command line reads addresses and needs none of the rest, which takes a moment to import."""
    if name == "Exporter":
        from vedette.observe.metrics.exporter import Exporter

        return Exporter
    raise AttributeError(name)
