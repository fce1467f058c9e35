"""Numbers and states as they stand in a cell: short, and the same width whatever they say."""

from __future__ import annotations

from enum import IntEnum

from vedette.observe.views import CameraView, NodeView

__all__ = [
    "GONE",
    "STYLES",
    "Health",
    "blame",
    "clock",
    "count",
    "ended_badly",
    "health",
    "lacking",
    "milliseconds",
    "plain",
    "plain_name",
    "rate",
    "seconds",
    "share",
    "state",
    "watched",
]

GONE = ("absent", "removed")


class Health(IntEnum):
    """How a camera is, the worst last."""

    OFF = 0
    """Finished, or paused by somebody: as it should be."""
    FINE = 1
    SOON = 2
    """Starting: it has not shown yet how it is."""
    POOR = 3
    """Seen, and something is wrong with it."""
    BLIND = 4


STYLES = {
    Health.OFF: "dim",
    Health.FINE: "green",
    Health.SOON: "cyan",
    Health.POOR: "yellow",
    Health.BLIND: "bold red",
}


def health(camera: CameraView) -> Health:
    if ended_badly(camera):
        return Health.BLIND
    if camera.state in ("finished", "paused", *GONE) or camera.blind == "paused":
        return Health.OFF
    if camera.blind == "starting" or (camera.blind is None and camera.state == "connecting"):
        return Health.SOON
    if camera.blind is not None or camera.state == "waiting":
        return Health.BLIND
    return Health.POOR if camera.degraded else Health.FINE


def ended_badly(camera: CameraView) -> bool:
    """Whether it is a clip that could not be read to its end, or not at all."""
    return camera.state == "finished" and camera.last_end_reason not in (None, "ended", "closed")


def state(camera: CameraView) -> str:
    """In words, with a mark, so that nobody needs the colours: ``✗`` not seen, ``!`` seen badly."""
    how = health(camera)
    if how is Health.BLIND:
        ended = camera.last_end_reason if ended_badly(camera) else None
        return "✗ " + plain(camera.blind or ended or camera.state)
    if how is Health.POOR:
        return "! " + plain(" ".join(camera.degraded))
    return plain(camera.blind or camera.state)


def blame(camera: CameraView) -> str:
    """Whose doing it is that it is not seen, or that less is done for it; empty where it is nobody's."""
    return camera.blame or ("node" if lacking(camera) else "")


def lacking(camera: CameraView) -> bool:
    """Whether the ladder does less for it than was asked for. A step alone may be all that was asked for."""
    return "thinned" in camera.degraded or camera.blind == "overloaded"


def watched(view: NodeView) -> list[CameraView]:
    """Those that somebody still wants."""
    return [camera for camera in view.cameras if camera.state not in GONE]


def plain(text: str) -> str:
    """Without underscores, and without anything a terminal would act upon."""
    return plain_name(text.replace("_", " "))


def plain_name(name: str) -> str:
    return name if name.isprintable() else "".join(c if c.isprintable() else "?" for c in name)


def count(number: int) -> str:
    """At most five characters."""
    if number < 10_000:
        return str(number)
    for limit, unit in ((1e6, "k"), (1e9, "M")):
        if number < limit:
            value = number / (limit / 1000)
            return f"{value:.0f}{unit}" if value >= 100 else f"{value:.1f}{unit}"
    return f"{number / 1e9:.1f}G"


def milliseconds(value: float) -> str:
    """At most five characters; from 100 s on in seconds."""
    if value < 9.95:
        return f"{value:.1f}"
    return f"{value:.0f}" if value < 99_999 else f"{value / 1000:.0f}s"


def rate(value: float) -> str:
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def seconds(value: float) -> str:
    if value < 100:
        return f"{value:.1f} s"
    return clock(value)


def share(part: float) -> str:
    return f"{100 * part:.0f}%"


def clock(value: float) -> str:
    minutes, second = divmod(int(value), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"{days}d {hour}:{minute:02}:{second:02}" if days else f"{hour}:{minute:02}:{second:02}"
