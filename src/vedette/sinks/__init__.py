"""Where results go."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from vedette.results import Result
from vedette.sinks.callback import CallbackSink
from vedette.sinks.delivery import Delivered, Delivery
from vedette.sinks.jsonl import JsonlSink
from vedette.sinks.sink import Sink, SinkGone, SinkUnavailable

if TYPE_CHECKING:  # camera workers import this package for video, and do without pydantic
    from vedette.config import Config

__all__ = ["Delivered", "Delivery", "Sink", "SinkGone", "SinkUnavailable", "open_deliveries"]


def open_deliveries(
    config: Config, on_result: Callable[[Result], object] | None, report: Callable[[str], None]
) -> list[Delivery]:
    """A delivery, not started yet, for each configured sink and for the callback.

    Video is not among them: it is written where the pictures are, in the camera workers.
    """

    def keeps(result: Result) -> bool:
        return config.cameras[result.camera].every_frame

    sinks: dict[str, Sink] = {}
    for settings in config.sinks:
        if settings.type == "jsonl":
            sinks[f"jsonl {settings.path}"] = JsonlSink(settings.path)
    if on_result is not None:
        sinks["on_result"] = CallbackSink(on_result, report)
    return [Delivery(sink, name=name, report=report, keeps=keeps) for name, sink in sinks.items()]
