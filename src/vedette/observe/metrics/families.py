"""Every metric there is: its name, kind, labels and what it means. docs/metrics.md lists the same ones."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["FAMILIES", "Family"]


@dataclass(frozen=True, slots=True)
class Family:
    """``name``: as it is queried, with its suffix, but without ``_bucket``, ``_sum`` and ``_count`` of a
    histogram. ``kind``: gauge, counter, histogram or info. ``help``: one sentence; no quotes, no backslashes,
    so that it need not be escaped."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()


def _gauge(name: str, help_: str, *labels: str) -> Family:
    return _add(Family(f"vedette_{name}", "gauge", help_, labels))


def _counter(name: str, help_: str, *labels: str) -> Family:
    return _add(Family(f"vedette_{name}_total", "counter", help_, labels))


def _histogram(name: str, help_: str, *labels: str) -> Family:
    return _add(Family(f"vedette_{name}", "histogram", help_, labels))


def _info(name: str, help_: str, *labels: str) -> Family:
    return _add(Family(f"vedette_{name}_info", "info", help_, labels))


_all: list[Family] = []


def _add(family: Family) -> Family:
    _all.append(family)
    return family


# The node
BUILD = _info("build", "The version that runs; always 1.", "version")
UPTIME = _gauge("uptime_seconds", "Time since the node was started.")
DETECTOR = _info(
    "detector", "The detector and the size of its input now, width x height.", "detector", "input"
)
MAX_AGE = _gauge("max_age_seconds", "A result that is older does not leave.")
CPU = _counter("cpu_seconds", "Processor time of all processes of the node, those that have ended included.")
CPU_BUSY = _gauge("cpu_busy_ratio", "Share of the cores of the machine in use, by anybody.")
MEMORY = _gauge("memory_pss_bytes", "Memory of all processes of the node, each shared page counted once.")
MEMORY_LEFT = _gauge(
    "node_memory_available_bytes",
    "Memory that the node can still have, by the machine and by the limit of its control group.",
)
DISK_LEFT = _gauge("store_disk_free_bytes", "Free disk where the ledger lies; no sample where it is no file.")
BATCHES = _counter("batches", "Batches that the detector has run.")
DETECTOR_BUSY = _gauge("detector_busy_ratio", "Share of the last second in which the detector ran.")
QUEUE = _gauge(
    "queue", "What waits in front of a stage now: frames, at infer batches, at emit messages.", "stage"
)
STAGE_TIME = _histogram("stage_seconds", "Time that frames spent in a stage, all cameras.", "stage")

VALIDATION = _gauge(
    "validation_ratio",
    "The detector at work on labelled pictures, by figure: its value, and the interval it lies in.",
    "figure",
    "bound",
)
VALIDATION_PASSED = _gauge(
    "validation_passed", "1 where it held its floors and is not worse than the baseline, else 0."
)
VALIDATION_AT = _gauge("validation_timestamp_seconds", "When that was found, in Unix time.")

# Cameras: how they are
CAMERA = _info(
    "camera", "A configured camera, and the size of its pictures in pixels.", "camera", "width", "height"
)
STATE = _gauge("camera_state", "What it is doing: 1 for the state it is in.", "camera", "state")
LIVE = _gauge("camera_live", "1 while it is connected and seen, else 0.", "camera")
BLIND = _gauge("camera_blind", "1 while it is not seen; no sample while it is.", "camera", "cause", "blame")
DEGRADED = _gauge("camera_degraded", "1 while this is wrong with its pictures.", "camera", "cause")
BLIND_TIME = _counter("camera_blind_seconds", "Time it was not seen.", "camera", "cause")
GAPS = _counter("camera_gaps", "How often it was not seen.", "camera")
SESSIONS = _counter("sessions", "Connections to it that were opened.", "camera")
EPOCH = _gauge("epoch", "Grows whenever its tracking begins anew; -1 before the first session.", "camera")

# Cameras: how the detector does on them
DRIFT_STATE = _gauge(
    "drift_state", "How the detector does on it: 1 for the state it is in.", "camera", "state"
)
SUSPICIONS = _counter("drift_suspicions", "How often it was suspected to do worse than it did.", "camera")
EVIDENCE = _gauge(
    "drift_evidence_log",
    "Decimal logarithm of the evidence of a loss, in camera-days: at that of drift.arl it is suspected.",
    "camera",
)
LIGHTS = _gauge("drift_lights", "Lights for which it is known what is usual.", "camera")
LEARNT = _gauge("drift_learnt_ratio", "How far learning has come; 1 when it is over.", "camera")
ACCURACY = _gauge(
    "accuracy",
    "Precision and recall by the last reviewed frames: value, and lower and upper bound. "
    "Of a whole site where camera is empty.",
    "camera",
    "site",
    "measure",
    "bound",
)
REVIEWED = _gauge("accuracy_frames", "Reviewed frames it rests on.", "camera", "site", "measure")
FLOOR = _gauge("accuracy_floor", "What it must not fall below.", "camera", "site", "measure")
LOST = _gauge(
    "accuracy_lost", "1 while reviews say for sure that it lies below its floor.", "camera", "site", "measure"
)

# Cameras: what becomes of their frames
RECEIVED = _counter("frames_received", "Frames that arrived.", "camera")
FRAMES = _counter(
    "frames",
    "Frames by how they ended, how far they had come, and why.",
    "camera",
    "outcome",
    "stage",
    "reason",
)
IN_FLIGHT = _gauge("frames_in_flight", "Frames that arrived and have not ended yet.", "camera")
STEP = _gauge(
    "camera_step", "Step of the ladder: 0 full, 1 fewer, 2 reference, 3 keyframes, 4 paused.", "camera"
)
LADDER = _info(
    "camera_ladder", "The step by name, and what is decoded of the stream.", "camera", "step", "decodes"
)
LAG = _gauge("camera_lag_seconds", "From capture to arrival, smoothed.", "camera")
BACKLOG = _gauge("camera_backlog", "Frames that wait to be decoded.", "camera")
KEPT = _gauge("camera_kept", "Decoded frames that wait to be chosen.", "camera")
REVIEW = _counter(
    "review_frames",
    "Frames for review by what became of them: kept, no_room, failed.",
    "camera",
    "stream",
    "outcome",
)
AGE = _histogram("frame_age_seconds", "From capture to the moment the result was out.", "camera")
CAMERA_STAGE_TIME = _histogram(
    "camera_stage_seconds",
    "Time that frames of a camera spent in a stage; only with few cameras.",
    "camera",
    "stage",
)

# Processes and sinks
WORKER_BUSY = _gauge("worker_busy_ratio", "Share of the last second without rest.", "worker", "kind")
WORKER_WAITED = _gauge("worker_waited_ratio", "Part of it in which the worker got no core.", "worker", "kind")
WORKER_LATE = _gauge(
    "worker_late_seconds", "The most that a turn of its loop was late lately.", "worker", "kind"
)
WORKER_OUTBOX = _gauge("worker_outbox", "Messages that the node has not taken.", "worker", "kind")
WORKER_CAMERAS = _gauge("worker_cameras", "Cameras it reads, or detects for as a canary.", "worker", "kind")
WORKER_MEMORY = _gauge(
    "worker_memory_bytes",
    "Memory of a worker or of the node itself: pss counts shared pages in parts, uss not at all, gpu is "
    "that on GPUs.",
    "worker",
    "kind",
)
WORKER_FDS = _gauge("worker_open_fds", "File descriptors that a worker or the node has open.", "worker")
WORKER_THREADS = _gauge("worker_threads", "Threads of a worker or of the node.", "worker")
WORKER_CPU = _counter(
    "worker_cpu_seconds",
    "Processor time by group of threads; begins anew with the process of a worker.",
    "worker",
    "group",
)
WORKER_REPLACEMENTS = _counter(
    "worker_replacements",
    "Processes that others took over from as planned, by the first that had the work, and why.",
    "worker",
    "reason",
)
WORKER_DEATHS = _counter(
    "worker_deaths", "Processes that died unplanned, by the first that had the work.", "worker"
)
WORKER_QUARANTINED = _gauge(
    "worker_quarantined", "1 while it is not started because it died too often.", "worker"
)
WORKER_LEAK = _gauge(
    "worker_leak_per_hour",
    "What a worker leaks for sure: bytes of memory or gpu, numbers of files or threads.",
    "worker",
    "measure",
)

# A candidate that is shown frames. Its figures begin anew with the next one.
SHADOW = _info("shadow", "The candidate that is shown frames, or was last; always 1.", "model", "state")
SHADOW_RUNNING = _gauge("shadow_running", "1 while a candidate is shown frames, else 0.")
SHADOW_FRAMES = _counter("shadow_frames", "Frames that the candidate and the detector have seen.", "camera")
SHADOW_BOXES = _counter(
    "shadow_boxes", "Boxes in them, by who has found them: both, running or candidate.", "camera", "found_by"
)
SHADOW_LEFT_OUT = _counter(
    "shadow_left_out", "Frames drawn that the candidate was not shown, or failed on.", "camera", "why"
)
SHADOW_AGREEMENT = _gauge("shadow_agreement_ratio", "How far the two agree, all cameras together.")
SHADOW_TIME = _counter("shadow_seconds", "Time that the candidate had frames.")

CANARY = _info(
    "canary", "The candidate that detects for some cameras, or was last; always 1.", "model", "state"
)
CANARY_RUNNING = _gauge("canary_running", "1 while a candidate detects for some cameras, else 0.")
CANARY_CAMERAS = _gauge("canary_cameras", "Cameras that it detects for.")
CANARY_FRAMES = _counter("canary_frames", "Results of frames that it looked at.")
CANARY_BOXES = _counter("canary_boxes", "Boxes in them.")

LIVE_CAMERAS = _gauge("live_cameras", "Cameras whose live pictures somebody looks at now.")
LIVE_PICTURES = _counter("live_pictures", "Live pictures that were made for those who look.")
LIVE_DROPPED = _counter("live_dropped", "Live pictures that were left out, by why.", "why")

SINK_RESULTS = _counter("sink_results", "Results by what became of them at a sink.", "sink", "outcome")
REQUESTS = _counter("metrics_requests", "Requests for these metrics by what became of them.", "result")

FAMILIES = tuple(_all)
