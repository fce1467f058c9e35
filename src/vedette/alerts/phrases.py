"""The words for each rule and cause."""

from __future__ import annotations

from dataclasses import dataclass

from vedette.causes import Cause

__all__ = ["ADVICE", "CAUSES", "RULES", "Phrases"]


@dataclass(frozen=True)
class Phrases:
    """Titles: of one, of several, and when it is over."""

    one: str
    many: str
    one_over: str = ""
    many_over: str = ""


RULES = {
    "down": Phrases(
        "{name} is down: {cause}",
        "{n} cameras are down",
        "{name} is back after {lasted}",
        "{n} cameras are back",
    ),
    "access": Phrases(
        "{name} cannot be read: {cause}",
        "{n} cameras cannot be read",
        "{name} can be read again after {lasted}",
        "{n} cameras can be read again",
    ),
    "incident": Phrases(
        "{n} cameras went at once: {detail}",
        "{n} incidents: cameras went at once",
        "Incident over after {lasted}: {detail}",
        "{n} incidents are over",
    ),
    "flapping": Phrases(
        "{name} comes and goes",
        "{n} cameras come and go",
        "{name} is steady again",
        "{n} cameras are steady again",
    ),
    "frozen": Phrases(
        "{name}: the picture is frozen",
        "{n} cameras show a frozen picture",
        "{name}: the picture moves again after {lasted}",
        "{n} frozen pictures move again",
    ),
    "covered": Phrases(
        "{name} is covered",
        "{n} cameras are covered",
        "{name} is no longer covered after {lasted}",
        "{n} cameras are no longer covered",
    ),
    "moved": Phrases("{name} looks elsewhere than it used to", "{n} cameras look elsewhere"),
    "washed_out": Phrases(
        "{name}: the picture is washed out",
        "{n} pictures are washed out",
        "{name}: the picture is no longer washed out after {lasted}",
        "{n} pictures are no longer washed out",
    ),
    "dark": Phrases(
        "{name}: the picture is dark",
        "{n} pictures are dark",
        "{name}: the picture is bright again after {lasted}",
        "{n} pictures are bright again",
    ),
    "blurred": Phrases(
        "{name}: the picture is blurred",
        "{n} pictures are blurred",
        "{name}: the picture is sharp again after {lasted}",
        "{n} pictures are sharp again",
    ),
    "slow": Phrases(
        "{name}: {cause}",
        "{n} streams are slow, late or out of time",
        "{name}: the stream is as it was after {lasted}",
        "{n} streams are as they were",
    ),
    "detector": Phrases(
        "No detector is running",
        "No detector is running",
        "The detector runs again after {lasted}",
        "The detector runs again",
    ),
    "worker": Phrases(
        "Worker {name} dies again and again",
        "{n} workers die again and again",
        "Worker {name} is steady again",
        "{n} workers are steady again",
    ),
    "quarantine": Phrases(
        "Worker {name} is in quarantine",
        "{n} workers are in quarantine",
        "Worker {name} is out of quarantine after {lasted}",
        "{n} workers are out of quarantine",
    ),
    "node": Phrases("{cause} for {lasted}", "Vedette was not watching, {n} times"),
    "ledger": Phrases(
        "Gaps cannot be recorded",
        "Gaps cannot be recorded",
        "Gaps are recorded again after {lasted}",
        "Gaps are recorded again",
    ),
    "accuracy": Phrases(
        "{name} is below its floor: {detail}",
        "Precision or recall is below its floor, {n} times",
        "{name} is at its floor again, {lasted} after that was confirmed to be lost",
        "Precision or recall is at its floor again, {n} times",
    ),
    "trouble": Phrases("Trouble: {name}", "Trouble in {n} places"),
    "validation": Phrases(
        "The detector does worse than it should",
        "The detector does worse than it should",
        "The detector does as well as it should again, after {lasted}",
        "The detector does as well as it should again",
    ),
    "canary": Phrases(
        "Canary {name} was taken back: {cause}",
        "{n} canaries were taken back",
    ),
    "shadow": Phrases(
        "Candidate {name} is shown no more frames: {cause}",
        "{n} candidates are shown no more frames",
    ),
    "coverage": Phrases("{name} saw only {detail} of the last day", "{n} cameras saw too little last day"),
}

CAUSES: dict[str, str] = {
    Cause.ENDED: "the stream ended",
    Cause.REFUSED: "the camera refuses",
    Cause.UNAUTHORISED: "wrong user or password",
    Cause.UNREACHABLE: "not reachable",
    Cause.NAME_UNKNOWN: "its name is not known to DNS",
    Cause.TLS: "no encrypted connection comes about",
    Cause.CONNECTION_LOST: "the connection broke",
    Cause.STALLED: "connected, but nothing comes",
    Cause.CORRUPT: "what comes cannot be read",
    Cause.UNSUPPORTED: "a stream that cannot be decoded here",
    Cause.NO_KEYFRAME: "no keyframe comes",
    Cause.STARTING: "no picture since it was added",
    Cause.FROZEN: "the picture is frozen",
    Cause.COVERED: "covered",
    Cause.DARK: "dark",
    Cause.WASHED_OUT: "washed out",
    Cause.DECODE_BEHIND: "decoding cannot keep up",
    Cause.DETECTOR_LOST: "no detector is running",
    Cause.WORKER_LOST: "its worker process died",
    Cause.HANDED_OVER: "it moved to another process and was opened anew",
    Cause.NODE_DOWN: "Vedette was not running",
    Cause.NODE_ASLEEP: "The machine was asleep",
    Cause.OVERLOADED: "let go, because the machine cannot do all",
    Cause.BLURRED: "blurred",
    Cause.MOVED: "moved",
    Cause.SLOW: "far fewer frames than usual",
    Cause.LATE: "pictures come late",
    Cause.TIMESTAMPS: "the stream's clock jumps",
    Cause.THINNED: "less is done for it than was asked for",
}

CAUSES |= {
    "canary_died": "its process died",
    "canary_hung": "it hung, and was killed",
    "canary_failed": "it failed on one frame after the other",
    "canary_found_nothing": "it found nothing where there was something before",
    "canary_suspected": "it is suspected to do worse than before",
    "canary_load": "two detectors are too much for this machine",
    "canary_not_set": "it could not become the detector of all cameras",
    "shadow_died": "its process died",
    "shadow_hung": "it hung, and was killed",
    "shadow_failed": "it failed on one frame after the other",
}
"""Of candidates: why they ended."""

ADVICE: dict[str, str] = {
    Cause.REFUSED: "Is the path of its URL right, and are others not taking all of its connections?",
    Cause.UNAUTHORISED: "Put the right user and password into the configuration and reload it.",
    Cause.UNREACHABLE: "Check its power, its cable and the switch.",
    Cause.NAME_UNKNOWN: "Check the host name in its URL, and the DNS server.",
    Cause.TLS: "Check the camera's certificate and its clock.",
    Cause.UNSUPPORTED: "Set the camera to H.264, H.265 or MJPEG.",
    Cause.NO_KEYFRAME: "Check the keyframe interval in the camera's settings.",
    Cause.DECODE_BEHIND: "This machine has too little CPU for its cameras.",
    Cause.WORKER_LOST: "Another process takes over by itself. The log says why this one died; a stream that "
    "crashes the decoder is a usual reason.",
    Cause.OVERLOADED: "This machine has too little CPU for its cameras.",
    "frozen": "Restart the camera; a recorder that repeats its last picture looks the same.",
    "covered": "Somebody should look at the camera.",
    "moved": "Somebody should look at its picture; zones and lines may be in the wrong place.",
    "blurred": "Clean or refocus it, unless it is fog or rain.",
    "flapping": "Single outages are not told while it lasts. Check its power supply and cable.",
    "incident": "Check what they share: a switch, a recorder, a cable, a power supply.",
    "detector": "Pictures come and nobody looks at them. The log says why it does not start.",
    "worker": "The log says why; a stream that crashes the decoder is a usual reason.",
    "quarantine": "The log says why it dies. `vedette recycle` with its name tries it at once.",
    "validation": "It is so on labelled pictures, whatever the light is now. `vedette validate` shows on "
    "which; `vedette model set` brings another model in.",
    "accuracy": "Look at what was missed or wrong in the review: dirt, light, a new kind of object? Mend it, "
    "train with it, or bring back an earlier model with `vedette model set`.",
    "canary": "The model before detects for these cameras again, with their tracks; nothing has to be done "
    "for that. It is not tried again by itself.",
    "shadow": "Cameras noticed nothing of it. It is not shown frames again by itself; `vedette model status` "
    "has what it came to.",
    "ledger": "Is the disk full, or the database gone?",
}
