"""What a command was asked, checked against what the ledger holds: names, causes, the period. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from difflib import get_close_matches
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import TypeVar

from vedette.errors import LedgerError
from vedette.ledger.when import moment

__all__ = ["QuestionError", "cameras_like", "near", "share", "span", "words"]

_NAMES_SHOWN = 8
_Word = TypeVar("_Word", bound=StrEnum)


class QuestionError(LedgerError):
    """What was asked makes no sense for this ledger."""

    exit_code = 2


def span(since: str, until: str, now: int) -> tuple[int, int]:
    """The period in µs. Of the future nothing is known, so it ends now at the latest."""
    begin, end = (_moment(name, text, now) for name, text in (("--since", since), ("--until", until)))
    if begin >= min(end, now):
        raise QuestionError(
            "--since: lies in the future" if begin >= now else "--since: must lie before --until"
        )
    return begin, min(end, now)


def _moment(option: str, text: str, now: int) -> int:
    try:
        return moment(text, now)
    except ValueError as error:
        raise QuestionError(f"{option}: {error}") from None


def words(option: str, given: Iterable[str], kind: type[_Word]) -> list[_Word]:
    """The values of an enumeration; ``-`` may stand for ``_``."""
    known = [word.value for word in kind]
    found = []
    for text in given:
        value = text.strip().lower().replace("-", "_")
        if value not in known:
            raise QuestionError(f"{option}: there is no {text!r}{near(value, known)}")
        found.append(kind(value))
    return found


def cameras_like(patterns: Sequence[str], known: Collection[str]) -> list[str] | None:
    """Names that match at least one pattern (``gate_*``); None, which asks for all, where none is given.

    Raises:
        QuestionError: a pattern matches no camera.
    """
    if not patterns:
        return None
    found: set[str] = set()
    for pattern in patterns:
        matching = {name for name in known if fnmatchcase(name, pattern)}
        if not matching:
            raise QuestionError(f"--camera: the ledger knows no camera {pattern!r}{near(pattern, known)}")
        found |= matching
    return sorted(found)


def near(text: str, known: Collection[str]) -> str:
    """What may have been meant, or what there is: to be put behind a message."""
    close = get_close_matches(text, known, n=3)
    if close:
        return f" (did you mean {' or '.join(close)}?)"
    shown = sorted(known)[:_NAMES_SHOWN]
    more = len(known) - len(shown)
    return f"; there are {', '.join(shown)}{f' and {more} more' if more else ''}" if shown else ""


def share(text: str) -> float:
    """0 to 1, of ``99%``, ``99.5%`` or ``0.995``.

    Raises:
        QuestionError: it is none.
    """
    number = text.strip().removesuffix("%")
    try:
        value = float(number) / (100 if text.strip().endswith("%") else 1)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise QuestionError("--below: must be a share such as 99%, 99.5% or 0.995")
    return value
