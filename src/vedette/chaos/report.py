"""The verdicts as tables for people."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.chaos.run import Outcome
from vedette.chaos.summary import Spread, Summary, by_kind, word_of
from vedette.chaos.verdict import Unexplained, Verdict

__all__ = ["render"]

ROWS_AT_MOST = 100
"""Of faults that passed; those that failed are all shown. The report has every one."""

GOOD, BAD = "green", "red"


def render(outcome: Outcome) -> RenderableType:
    """Faults one by one, what nobody asked for, the run as a whole, and a summary by kind."""
    judgement, since = outcome.judgement, outcome.seen.since
    parts: list[RenderableType] = [_faults(judgement.verdicts, since)]
    if judgement.unexplained:
        parts += [Text(""), _false(judgement.unexplained, since)]
    parts += [Text(""), _kinds(by_kind(judgement.verdicts)), Text(""), *_checks(outcome.checks)]
    if outcome.files:
        parts.append(Text(f"not judged, because files do not fail: {', '.join(outcome.files)}", "dim"))
    return Group(*parts, _last_line(outcome))


def _faults(verdicts: list[Verdict], since: float) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for heading in ("fault", "camera"):
        table.add_column(heading, no_wrap=True)
    for heading in ("began", "lasted", "told after", "back after", "1st result"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("told as", no_wrap=True)
    table.add_column("verdict", overflow="fold")
    shown = _worth_showing(verdicts)
    for verdict in shown:
        fault = verdict.fault
        table.add_row(
            fault.kind,
            fault.camera,
            f"{fault.began - since:.1f} s",
            f"{fault.lasted:.1f} s" if fault.lasted else "·",
            _seconds(verdict.told_after),
            _seconds(verdict.back_after),
            _seconds(verdict.first_result_after),
            verdict.cause or "–",
            Text(word_of(verdict), BAD if not verdict.passed else "dim" if verdict.excuse else GOOD),
        )
    hidden = len(verdicts) - len(shown)
    return Group(table, Text(f"and {hidden} more that passed", "dim")) if hidden else table


def _worth_showing(verdicts: list[Verdict]) -> list[Verdict]:
    room, shown = ROWS_AT_MOST, []
    for verdict in verdicts:
        room -= verdict.passed
        if not verdict.passed or room >= 0:
            shown.append(verdict)
    return shown


def _false(unexplained: Iterable[Unexplained], since: float) -> Table:
    table = Table(
        "told, and no fault explains it", "camera", box=None, pad_edge=False, header_style=f"bold {BAD}"
    )
    table.add_column("at", justify="right")
    table.add_column("lasted", justify="right")
    table.add_column("blame")
    table.add_column("detail", overflow="fold")
    for each in unexplained:
        told = each.told
        lasted = _seconds(each.lasted)
        table.add_row(told.cause, each.camera, f"{told.at - since:.1f} s", lasted, told.blame, told.detail)
    return table


def _kinds(summaries: list[Summary]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("kind", no_wrap=True)
    for heading in ("faults", "told", "right", "told after", "back after", "1st result"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("not told, rightly")
    for each in summaries:
        table.add_row(
            each.kind,
            str(each.faults),
            str(each.told),
            Text(str(each.right), GOOD if each.passed == each.faults else BAD),
            _spread(each.told_after),
            _spread(each.back_after),
            _spread(each.first_result_after),
            ", ".join(f"{count} {why}" for why, count in each.excused.items()),
        )
    table.caption = "seconds: p50 / p99 / max"
    return table


def _checks(checks: dict[str, list[str]]) -> Iterable[Text]:
    for name, problems in checks.items():
        yield Text(f"{'✗' if problems else '✓'} {name}", BAD if problems else GOOD)
        for problem in problems[:10]:
            yield Text(f"    {problem}")


def _last_line(outcome: Outcome) -> Text:
    verdicts = outcome.judgement.verdicts
    failed = sum(not verdict.passed for verdict in verdicts)
    false = len(outcome.judgement.unexplained)
    if outcome.passed:
        return Text(f"passed: {len(verdicts)} faults, nothing false", f"bold {GOOD}")
    broken = sum(bool(problems) for problems in outcome.checks.values())
    return Text(f"FAILED: {failed} of {len(verdicts)} faults, {false} false, {broken} checks", f"bold {BAD}")


def _seconds(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _spread(spread: Spread | None) -> str:
    return "–" if spread is None else f"{spread.p50:.2f} / {spread.p99:.2f} / {spread.max:.2f}"
