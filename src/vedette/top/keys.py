"""The keys of ``vedette top``, in one place: the app binds them, the help shows them."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["CAMERA_KEYS", "MOVING", "Key"]


class Key(NamedTuple):
    """``name``: as Textual calls it; ``shown``: on the screen; ``brief``: in the last line, empty to leave it
    out; ``about``: in the help."""

    name: str
    shown: str
    action: str
    brief: str
    about: str


CAMERA_KEYS = (
    Key("s", "s", "sort(1)", "sort", "sort by the next column"),
    Key("S", "S", "sort(-1)", "", "sort by the column before"),
    Key("r", "r", "reverse", "reverse", "turn the order round"),
    Key(
        "slash",
        "/",
        "filter",
        "filter",
        "only cameras with these words in name, state, blame, step or drift",
    ),
    Key("escape", "Esc", "unfilter", "", "leave the filter; once more: show all; on other pages: back"),
    Key("p", "p", "pause", "pause", "hold the picture still, and go on"),
    Key("enter", "Enter", "details", "details", "everything about the camera under the cursor"),
    Key("w", "w", "workers", "workers", "the node's processes and sinks"),
    Key("question_mark", "?", "help", "help", "this page"),
    Key("q", "q", "quit", "quit", "leave, from every page"),
)

MOVING = (
    ("Up Down k j", "one row"),
    ("PgUp PgDn", "one page"),
    ("Home End g G", "to the first row, to the last"),
    ("click a head", "sort by that column; once more: the other way round"),
    ("click a row", "put the cursor there; once more: details"),
)
