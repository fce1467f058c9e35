"""OpenTelemetry's part: spans, and the batches that they leave in. Imported where traces are wanted.

Spans are made as what the exporter reads, not through a tracer provider: they are over before they are told
of, nothing is to be sampled or inherited, and a provider asks the environment for each of its limits.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, TraceFlags

from vedette.frame_times import STAGES, FrameTimes
from vedette.observe.traces.collector import Collector, SendFailedError
from vedette.results import Result

__all__ = ["Batches"]

SPANS_A_FRAME = len(STAGES) + 1
BATCH_FRAMES = 32
SEND_EVERY_S = 2.0
TIMEOUT_S = 5.0
TRY_AGAIN_S = (1.0, 3.0)
"""A collector that is restarted is back by then. Afterwards the batch is given up."""

Done = Callable[[int, str], None]
"""Called with how many frames left, or did not; and with why not, which is empty where they did."""

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class Batches:
    """Starts a thread that sends. Not more than ``frames`` may wait; the caller sees to that."""

    def __init__(self, collector: Collector, node: str, version: str, frames: int, done: Done) -> None:
        self._resource = Resource(
            {"service.name": "vedette", "service.instance.id": node, "service.version": version}
        )
        self._scope = InstrumentationScope("vedette", version)
        self._ids = RandomIdGenerator()
        self._exporter = _Exporter(collector, done)
        self._processor = BatchSpanProcessor(
            self._exporter,
            max_queue_size=frames * SPANS_A_FRAME,
            schedule_delay_millis=SEND_EVERY_S * 1e3,
            max_export_batch_size=min(frames, BATCH_FRAMES) * SPANS_A_FRAME,
            export_timeout_millis=TIMEOUT_S * 1e3,
            meter_provider=NoOpMeterProvider(),  # else it loads what the environment names
        )

    def put(self, result: Result, times: FrameTimes, offset_ns: int) -> None:
        """Queue the spans of a frame; ``offset_ns``: from monotonic to Unix nanoseconds."""
        for span in list(self._spans(result, times, offset_ns)):
            self._processor.on_end(span)

    def close(self, within_s: float) -> None:
        """Send what waits, and come back within so many seconds, whatever the collector does."""
        self._exporter.hurry(within_s)
        # The processor waits for its thread for as long as that takes.
        closing = threading.Thread(target=self._processor.shutdown, name="vedette-traces-end", daemon=True)
        closing.start()
        closing.join(within_s)

    def _spans(self, result: Result, times: FrameTimes, offset_ns: int) -> Iterator[ReadableSpan]:
        """The stages, then the frame: who has seen that has seen them all."""
        trace, stages = self._ids.generate_trace_id(), times.stages()
        root = self._context(trace)
        for name, begin, end in stages:
            yield self._span(name, self._context(trace), root, (begin, end), offset_ns, {})
        attributes: dict[str, str | int | float] = {
            "camera": result.camera,
            "epoch": result.epoch,
            "seq": result.seq,
            "outcome": "analysed",
            "objects": len(result.boxes),
            "age": float(result.age),
        }
        whole = (stages[0][1], stages[-1][2])
        yield self._span("frame", root, None, whole, offset_ns, attributes)

    def _context(self, trace: int) -> SpanContext:
        return SpanContext(trace, self._ids.generate_span_id(), is_remote=False, trace_flags=_SAMPLED)

    def _span(
        self,
        name: str,
        context: SpanContext,
        parent: SpanContext | None,
        lasted: tuple[float, float],
        offset_ns: int,
        attributes: dict[str, str | int | float],
    ) -> ReadableSpan:
        return ReadableSpan(
            name,
            context,
            parent,
            self._resource,
            attributes,
            start_time=round(lasted[0] * 1e9) + offset_ns,
            end_time=round(lasted[1] * 1e9) + offset_ns,
            instrumentation_scope=self._scope,
        )


class _Exporter(SpanExporter):
    """Sends batches, on the processor's thread."""

    def __init__(self, collector: Collector, done: Done) -> None:
        self._collector, self._done = collector, done
        self._timeout = TIMEOUT_S
        self._hurrying = threading.Event()

    def hurry(self, within_s: float) -> None:
        """The end is near: nothing is tried twice, and nothing takes long."""
        self._timeout = max(0.05, min(TIMEOUT_S, within_s))
        self._hurrying.set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        frames = sum(span.parent is None for span in spans)
        try:
            self._send(encode_spans(spans).SerializeToString())
        except SendFailedError as failed:
            self._done(frames, str(failed))
            return SpanExportResult.FAILURE
        except Exception as err:  # the encoder is not ours, and the processor would log what it raises
            self._done(frames, f"they could not be written ({type(err).__name__})")
            return SpanExportResult.FAILURE
        self._done(frames, "")
        return SpanExportResult.SUCCESS

    def _send(self, body: bytes) -> None:
        for pause in TRY_AGAIN_S:
            try:
                self._collector.post(body, timeout=self._timeout)
            except SendFailedError as failed:
                if not failed.passing or self._hurrying.wait(pause):
                    raise
            else:
                return
        self._collector.post(body, timeout=self._timeout)

    def shutdown(self) -> None:
        """Nothing is held."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing is held."""
        return True
