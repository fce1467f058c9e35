"""From configured sinks to deliveries that run."""

from __future__ import annotations

from collections.abc import Callable

from vedette.config import Config, JsonlSink
from vedette.results import Result
from vedette.sinks import jsonl
from vedette.sinks.callback import CallbackSink
from vedette.sinks.delivery import Delivery
from vedette.sinks.sink import Sink

__all__ = ["deliveries_of"]


def deliveries_of(
    config: Config,
    on_result: Callable[[Result], object] | None,
    report: Callable[[str], None],
    keeps: Callable[[Result], bool] = lambda _: False,
    too_old: Callable[[Result], bool] = lambda _: False,
) -> list[Delivery]:
    """One delivery for each sink that the node feeds; annotated video is written where the pictures are.

    ``keeps`` says of a result that it must not be dropped, ``too_old`` that it shows nothing present any
    more. Files are a record: what is late is written all the same.
    """
    records: list[tuple[str, Sink]] = [
        (f"jsonl {sink.path}", jsonl.JsonlSink(sink.path))
        for sink in config.sinks
        if isinstance(sink, JsonlSink)
    ]
    deliveries = [Delivery(sink, name=name, report=report, keeps=keeps) for name, sink in records]
    if on_result is not None:
        live = CallbackSink(on_result, report)
        deliveries.append(Delivery(live, name="on_result", report=report, keeps=keeps, too_old=too_old))
    return deliveries
