"""The samples of the node as a whole: its load, its queues, its processes and its sinks."""

from __future__ import annotations

from collections import Counter

from vedette.observe.metrics import families
from vedette.observe.metrics.bins import STAGES, Bins
from vedette.observe.metrics.text import Page, label, tails_of
from vedette.observe.views import Histograms, LiveView, NodeView, SinkView, ValidationView, WorkerView
from vedette.supervise.figures import ProcessUsage

__all__ = ["put_node"]

_BINS = Bins(STAGES)
_TAILS = tails_of(STAGES)


def put_node(page: Page, view: NodeView, histograms: Histograms, version: str) -> None:
    """All of them but the cameras'."""
    height, width = view.input_size
    page.add(families.BUILD, 1, label("version", version))
    page.add(families.UPTIME, view.uptime_s)
    page.add(
        families.DETECTOR, 1, f"{label('detector', view.detector)},{label('input', f'{width}x{height}')}"
    )
    page.add(families.MAX_AGE, view.max_age_s)
    page.add(families.CPU, view.cpu_s)
    page.add(families.CPU_BUSY, view.cpu_busy)
    page.add(families.MEMORY, view.pss_mb * 1e6)
    _put_machine(page, view)
    if view.validation is not None:
        _put_validation(page, view.validation)
    page.add(families.BATCHES, view.batches)
    _put_queues(page, view)
    _put_stages(page, histograms)
    for worker in view.workers:
        _put_worker(page, worker)
    for usage in (view.usage, *(worker.usage for worker in view.workers)):
        if usage is not None:
            _put_usage(page, usage)
    detectors = [worker.busy for worker in view.workers if worker.kind == "inference"]
    if detectors:
        page.add(families.DETECTOR_BUSY, sum(detectors) / len(detectors))
    _put_sinks(page, view.sinks)
    _put_live(page, view.live)


def _put_machine(page: Page, view: NodeView) -> None:
    if view.machine is None:
        return
    page.add(families.MEMORY_LEFT, view.machine.memory_available)
    if view.machine.disk_free is not None:
        page.add(families.DISK_LEFT, view.machine.disk_free)


def _put_validation(page: Page, validation: ValidationView) -> None:
    for figure, shares in validation.figures.items():
        for bound, share in zip(("value", "low", "high"), shares, strict=True):
            if share is not None:
                page.add(families.VALIDATION, share, f"{label('figure', figure)},{label('bound', bound)}")
    page.add(families.VALIDATION_PASSED, int(validation.passed))
    page.add(families.VALIDATION_AT, validation.at)


def _put_queues(page: Page, view: NodeView) -> None:
    waiting = {
        "decode": sum(camera.backlog for camera in view.cameras),
        "wait": sum(camera.kept for camera in view.cameras),
        "infer": view.queued,
        "emit": sum(worker.outbox for worker in view.workers),
        "sinks": sum(sink.waiting for sink in view.sinks),
    }
    for stage, count in waiting.items():
        page.add(families.QUEUE, count, label("stage", stage))


def _put_stages(page: Page, histograms: Histograms) -> None:
    sums = _BINS.sums(histograms.stages).tolist()
    totals = _BINS.totals(histograms.stages).tolist()
    for stage, counts, total in zip(histograms.stage_names, sums, totals, strict=True):
        page.add_histogram(families.STAGE_TIME, _TAILS, counts, total, label("stage", stage))


def _put_worker(page: Page, worker: WorkerView) -> None:
    labels = f"{label('worker', worker.name)},{label('kind', worker.kind)}"
    page.add(families.WORKER_BUSY, worker.busy, labels)
    page.add(families.WORKER_WAITED, worker.waited, labels)
    page.add(families.WORKER_LATE, worker.late_ms / 1000, labels)
    page.add(families.WORKER_OUTBOX, worker.outbox, labels)
    page.add(families.WORKER_CAMERAS, worker.cameras, labels)
    post = label("worker", worker.post or worker.name)
    for reason, count in worker.replacements.items():
        page.add(families.WORKER_REPLACEMENTS, count, f"{post},{label('reason', reason)}")
    page.add(families.WORKER_DEATHS, worker.deaths, post)
    page.add(families.WORKER_QUARANTINED, int(worker.quarantined), post)
    for measure, an_hour in worker.leaks.items():
        page.add(families.WORKER_LEAK, an_hour, f"{post},{label('measure', measure)}")


def _put_usage(page: Page, usage: ProcessUsage) -> None:
    name = label("worker", usage.worker)
    for kind in ("pss", "uss", "gpu"):
        if (size := getattr(usage, kind)) is not None:
            page.add(families.WORKER_MEMORY, size, f'{name},kind="{kind}"')
    page.add(families.WORKER_FDS, usage.fds, name)
    page.add(families.WORKER_THREADS, usage.threads, name)
    for group, seconds in usage.cpu_s.items():
        page.add(families.WORKER_CPU, seconds, f"{name},{label('group', group)}")


def _put_sinks(page: Page, sinks: tuple[SinkView, ...]) -> None:
    results: Counter[str] = Counter()
    for sink in sinks:
        name = label("sink", sink.name)
        for outcome in ("written", "dropped", "failed", "expired"):
            # Added up: two that differ only in what is hidden have one name, and no sample may come twice.
            results[f'{name},outcome="{outcome}"'] += getattr(sink, outcome)
    for labels, count in results.items():
        page.add(families.SINK_RESULTS, count, labels)


def _put_live(page: Page, live: LiveView) -> None:
    page.add(families.LIVE_CAMERAS, live.cameras)
    page.add(families.LIVE_PICTURES, live.made)
    for why, count in live.dropped.items():
        page.add(families.LIVE_DROPPED, count, label("why", why))
