"""How alerts read: short, exact, with what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

import msgspec

from vedette.alerts.conditions import Condition, News
from vedette.alerts.message import Message
from vedette.alerts.phrases import ADVICE, CAUSES, RULES
from vedette.alerts.quiet import local_time
from vedette.errors import redact

__all__ = ["Told", "duration", "message", "title", "with_footnotes"]

NAMES_AT_MOST = 10
DETAIL_AT_MOST = 300
"""Characters. Details come from cameras and libraries, and may be long."""

_NAMED_BY_ANOTHER = ("canary",)
"""Rules whose titles name something else than a camera."""

Told = list[tuple[Condition, News]]


@dataclass(frozen=True)
class _Text:
    title: str
    body: str


def message(groups: list[Told], zone: tzinfo | None, wall: float) -> Message:
    """One message about groups, each of one rule and one kind of news."""
    texts = [_text(group, zone, wall) for group in groups]
    told = [each for group in groups for each in group]
    on = tuple(condition.key for condition, news in told if not news.over)
    over = tuple(condition.key for condition, news in told if news.over)
    resolved = not on
    return Message(
        key=_key(groups, told),
        severity=max((condition.severity for condition, _ in told), key=lambda severity: severity.rank),
        title="; ".join(text.title for text in texts[:4]) + _more(len(texts) - 4, "; and {} more"),
        body="\n\n".join(f"{text.title}\n{text.body}" if len(texts) > 1 else text.body for text in texts),
        cameras=tuple(dict.fromkeys(name for condition, _ in told for name in condition.cameras)),
        began=min(condition.began for condition, _ in told),
        ended=max((condition.ended or wall for condition, _ in told), default=wall) if resolved else None,
        resolved=resolved,
        alerts=on,
        recovered=over,
    )


def title(condition: Condition, wall: float) -> str:
    """What is wrong, in the words of a message about it alone."""
    return RULES[condition.rule].one.format(**_values(condition, wall))


def with_footnotes(message: Message, settled: dict[str, int], left_out: int) -> Message:
    """What there is no message about is counted in the next one."""
    notes = []
    if count := sum(settled.values()):
        rules = ", ".join(f"{rule} {number}" for rule, number in sorted(settled.items()))
        notes.append(f"Came and went before it could be told: {count} ({rules}).")
    if left_out:
        notes.append(f"Too much at once: {left_out} more could not be followed.")
    if not notes:
        return message
    return msgspec.structs.replace(message, body="\n\n".join((message.body, *notes)))


def duration(seconds: float) -> str:
    """``45 s``, ``4 min``, ``3 h 12 min``, ``2 d 4 h``."""
    seconds = max(0, round(seconds))
    if seconds < 120:
        return f"{seconds} s"
    minutes = seconds // 60
    if minutes < 120:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"


def _key(groups: list[Told], told: Told) -> str:
    if len(told) == 1:
        return told[0][0].key
    return told[0][0].rule if len(groups) == 1 else "several"


def _more(count: int, text: str) -> str:
    return text.format(count) if count > 0 else ""


def _text(group: Told, zone: tzinfo | None, wall: float) -> _Text:
    news = group[0][1]
    conditions = [condition for condition, _ in group]
    if len(group) == 1:
        return _one(conditions[0], news, zone, wall)
    phrases = RULES[conditions[0].rule]
    if news.over:
        title = phrases.many_over if news is News.RECOVERED else f"Closed: {phrases.many}"
        return _Text(title.format(n=len(group)), _over_lines(conditions, wall))
    still = "Still: " if news is News.STILL else ""
    return _Text(still + phrases.many.format(n=len(group)), _lines(conditions, zone, wall))


def _one(condition: Condition, news: News, zone: tzinfo | None, wall: float) -> _Text:
    phrases, values = RULES[condition.rule], _values(condition, wall)
    if news.over:
        because = f" {condition.end_note}" if condition.end_note else ""
        body = f"{_since(condition, zone)}, lasted {values['lasted']}.{because}"
        body += f"\nCause: {values['cause']}." if values["cause"] else ""
        title = phrases.one_over if news is News.RECOVERED else f"Closed: {phrases.one}"
        return _Text(title.format(**values), body)
    before = {News.STILL: "Still: ", News.CHANGED: "Update: "}.get(news, "")
    return _Text(before + phrases.one.format(**values), "\n".join(_facts(condition, zone)))


def _values(condition: Condition, wall: float) -> dict[str, object]:
    return {
        "name": condition.key.partition("/")[2] or condition.key,
        "n": len(condition.cameras),
        "times": condition.times,
        "cause": CAUSES.get(condition.what, condition.what),
        "detail": _short(condition.detail),
        "lasted": duration((condition.until or condition.ended or wall) - condition.began),
    }


def _facts(condition: Condition, zone: tzinfo | None) -> Iterable[str]:
    yield f"{_since(condition, zone)}."
    if condition.what and (cause := CAUSES.get(condition.what)):
        blame = f" (whose doing: {condition.blame})" if condition.blame else ""
        yield f"Cause: {cause}{blame}."
    if condition.detail:
        yield f"Detail: {_short(condition.detail)}"
    if condition.times > 1 and condition.once:
        yield f"It happened {condition.times} times."
    if len(condition.cameras) > 1 or (condition.cameras and condition.rule in _NAMED_BY_ANOTHER):
        yield f"Cameras: {_names(list(condition.cameras))}."
    if advice := ADVICE.get(condition.what) or ADVICE.get(condition.rule):
        yield advice


def _since(condition: Condition, zone: tzinfo | None) -> str:
    began = f"{local_time(condition.began, zone):%Y-%m-%d %H:%M:%S %Z}".rstrip()
    if condition.until is not None:
        return f"From {began} to {local_time(condition.until, zone):%H:%M:%S}"
    return f"At {began}" if condition.once else f"Since {began}"


def _lines(conditions: list[Condition], zone: tzinfo | None, wall: float) -> str:
    """By cause, the most frequent first; at most ten names in all."""
    by_cause: dict[str, list[Condition]] = {}
    for condition in conditions:
        by_cause.setdefault(condition.what, []).append(condition)
    left, lines = NAMES_AT_MOST, []
    for what, some in sorted(by_cause.items(), key=lambda item: -len(item[1])):
        names = [_named(condition) for condition in some]
        cause = CAUSES.get(what, what)
        lines.append((f"{cause} ({len(some)}): " if cause else "") + _names(names, left))
        left = max(0, left - len(names))
        if advice := ADVICE.get(what):
            lines.append(f"  {advice}")
    first = min(condition.began for condition in conditions)
    at = f"{local_time(first, zone):%Y-%m-%d %H:%M:%S %Z}".rstrip()
    lines.append(f"The first at {at}, {duration(wall - first)} ago.")
    return "\n".join(lines)


def _over_lines(conditions: list[Condition], wall: float) -> str:
    """Longest first."""
    longest = sorted(conditions, key=lambda each: each.began - (each.ended or wall))
    names = [
        f"{_name(each)} (after {duration((each.ended or wall) - each.began)}"
        + (f"; {each.end_note}" if each.end_note else "")
        + ")"
        for each in longest
    ]
    return _names(names)


def _named(condition: Condition) -> str:
    """A name, with a figure where that is what matters."""
    return f"{_name(condition)} {condition.detail}" if condition.rule == "coverage" else _name(condition)


def _name(condition: Condition) -> str:
    if condition.rule == "incident":
        return f"{condition.detail} ({len(condition.cameras)} cameras)"
    return condition.key.partition("/")[2] or condition.key


def _names(names: list[str], at_most: int = NAMES_AT_MOST) -> str:
    if not at_most:
        return "…"
    return ", ".join(names[:at_most]) + _more(len(names) - at_most, " and {} more")


def _short(text: str) -> str:
    text = " ".join(redact(text).split())
    return text if len(text) <= DETAIL_AT_MOST else text[: DETAIL_AT_MOST - 1] + "…"
