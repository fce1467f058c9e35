"""Frames' ways as OpenTelemetry traces."""

from vedette.observe.traces.tracer import Tracer

__all__ = ["Tracer"]
