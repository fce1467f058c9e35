"""Was each fault noticed, in time, for what it was, and overcome? And what was told that was not so? Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from vedette.causes import Blame, Cause, Kind
from vedette.chaos.expect import Expected, expected
from vedette.chaos.seen import Results, Row, Seen, Setting, Struck, Told

__all__ = ["Excuse", "Judgement", "Unexplained", "Verdict", "judge"]

EARLY_S = 0.3
"""Faults of a line take effect a moment before they are noted."""
RESULT_AFTER_S = 2.0
"""From the camera's return to its first result."""


class Excuse:
    """Why nothing could be expected of a fault; a word each."""

    TOO_SHORT = "too short to tell"
    TOO_SOON = "too soon after a change"
    MASKED = "masked by another fault"
    NOT_NEEDED = "need not be told"
    RUN_ENDED = "the run ended"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Of one fault of one camera. Times in seconds; None: it did not come to that.

    ``told_after``: from its beginning until the first right cause was heard of. ``cause``, ``blame`` and
    ``detail``: as told in the end. ``right``: None where nothing was told. ``back_after``: from its end until
    nothing of it was open. ``first_result_after``: from its end until the first result of a frame captured
    after that; only where it kept results from coming. ``excuse``: why not being told is no failure.
    """

    fault: Struck
    told_after: float | None = None
    cause: Cause | None = None
    blame: Blame | None = None
    detail: str = ""
    right: bool | None = None
    back_after: float | None = None
    first_result_after: float | None = None
    excuse: str | None = None
    problems: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True, slots=True)
class Unexplained:
    """Something was told of a camera, at a time at which no fault explains it."""

    camera: str
    told: Told
    kind: Kind
    lasted: float | None


@dataclass(frozen=True, slots=True)
class Judgement:
    verdicts: list[Verdict]
    unexplained: list[Unexplained]

    @property
    def passed(self) -> bool:
        return not self.unexplained and all(verdict.passed for verdict in self.verdicts)


@dataclass(frozen=True, slots=True)
class _Case:
    """A fault, what was expected of it, and until when what happens is its own."""

    fault: Struck
    rule: Expected
    until: float
    """The next fault of the camera begins, or the run ends."""

    def explains(self, cause: Cause, at: float, opened: float) -> bool:
        """Whether it may be why ``cause`` was told at ``at``, in a row first told of at ``opened``."""
        if cause not in self.rule.explained or at < self.fault.began - EARLY_S:
            return False
        ended = self.fault.ended + EARLY_S
        if at <= ended + self.rule.settle:
            return True
        # More of the same outage.
        return opened <= ended + self.rule.settle and at <= ended + self.rule.back_within

    def near(self, at: float) -> bool:
        """Whether something told then is about this fault, right or wrong."""
        within = self.rule.within or 0.0
        ended = max(self.fault.ended, self.fault.began + within)
        return self.fault.began - EARLY_S <= at <= ended + EARLY_S


@dataclass(slots=True)
class _Camera:
    name: str
    setting: Setting
    results: Results
    rows: list[Row]
    cases: list[_Case] = field(default_factory=list)
    wrong: dict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    """By the id of a fault: what was told of it that is not so."""
    unexplained: list[Unexplained] = field(default_factory=list)


def judge(seen: Seen) -> Judgement:
    """A verdict for each fault, in the order of their beginnings, and everything that no fault explains."""
    verdicts: list[Verdict] = []
    unexplained: list[Unexplained] = []
    for name, setting in seen.settings.items():
        faults = sorted((f for f in seen.faults if f.camera == name), key=lambda fault: fault.began)
        rows = [row for row in seen.rows if row.camera == name]
        camera = _Camera(name, setting, seen.results.get(name, Results()), rows)
        camera.cases = list(_cases(faults, setting, seen.until))
        _blame_rows(camera, seen)
        unexplained += camera.unexplained
        verdicts += [_verdict(case, camera, seen) for case in camera.cases]
    verdicts.sort(key=lambda verdict: (verdict.fault.began, verdict.fault.camera))
    unexplained.sort(key=lambda each: each.told.at)
    return Judgement(verdicts, unexplained)


def _cases(faults: Sequence[Struck], setting: Setting, until: float) -> Iterator[_Case]:
    for number, fault in enumerate(faults):
        following = min((f.began for f in faults[number + 1 :] if f.began > fault.began), default=until)
        yield _Case(fault, expected(fault, setting, faults[:number]), min(following, until))


def _blame_rows(camera: _Camera, seen: Seen) -> None:
    """Which of what was told do faults explain; to which does the rest belong."""
    for row in camera.rows:
        for told in row.told:
            if not seen.since <= told.at <= seen.until:
                continue
            if any(case.explains(told.cause, told.at, row.opened) for case in camera.cases):
                continue
            near = [case for case in camera.cases if case.near(told.at)]
            if near:
                camera.wrong[near[-1].fault.id].append(told)
            else:
                lasted = None if row.end is None else row.end - row.start
                camera.unexplained.append(Unexplained(camera.name, told, row.kind, lasted))


# ---- one fault


def _verdict(case: _Case, camera: _Camera, seen: Seen) -> Verdict:
    fault, rule = case.fault, case.rule
    problems: list[str] = []
    told = _told(case, camera)
    first = next((each for each in told if each.cause in rule.detecting), None)
    told_after = None if first is None else max(0.0, first.at - fault.began)
    excuse = None
    if told_after is None:
        excuse = _excuse(case, camera, seen)
        if excuse is None:
            problems.append(f"not told within {rule.within:.1f} s")
    elif rule.within is not None and told_after > rule.within and not _masked(case, camera):
        problems.append(f"told only after {told_after:.1f} s, {rule.within:.1f} s at most")
    last, wrong = _cause(case, told, camera)
    right = None if last is None and not wrong else not wrong
    problems += sorted({f"told as {each.cause}" for each in wrong})
    back_after, first_result, late = _return(case, camera, seen, interrupted=told_after is not None)
    shown = wrong[-1] if wrong else last
    return Verdict(
        fault=fault,
        told_after=told_after,
        cause=shown.cause if shown else None,
        blame=shown.blame if shown else None,
        detail=shown.detail if shown else "",
        right=right,
        back_after=back_after,
        first_result_after=first_result,
        excuse=excuse,
        problems=(*problems, *late),
    )


def _told(case: _Case, camera: _Camera) -> list[Told]:
    """All that was told of the camera while it was this fault's turn, in order."""
    fault, rule = case.fault, case.rule
    until = max(fault.ended, fault.began + 3 * (rule.within or 0.0)) + EARLY_S
    if case.until > fault.ended:
        until = min(until, case.until)
    found = [told for row in camera.rows for told in row.told if fault.began - EARLY_S <= told.at <= until]
    return sorted(found, key=lambda told: told.at)


def _cause(case: _Case, told: list[Told], camera: _Camera) -> tuple[Told | None, list[Told]]:
    """What it was taken for in the end, and what of it was wrong."""
    fault, rule = case.fault, case.rule
    wrong = list(camera.wrong[fault.id])
    own = [each for each in told if each.cause in rule.detecting]
    last = own[-1] if own else None
    in_time = [each for each in own if each.at <= fault.ended + EARLY_S]
    if in_time and fault.lasted >= rule.sure_after and rule.sure_after and not _masked(case, camera):
        if not any(each.cause in rule.right for each in in_time):
            wrong.append(in_time[-1])
        else:
            last = [each for each in own if each.cause in rule.right][-1]
    return last, wrong


def _excuse(case: _Case, camera: _Camera, seen: Seen) -> str | None:
    fault, rule = case.fault, case.rule
    if rule.within is None:
        return Excuse.NOT_NEEDED
    moment = fault.lasted == 0.0
    if _masked(case, camera):
        return Excuse.MASKED
    if not moment and fault.lasted < rule.within:
        return Excuse.TOO_SHORT
    if _unsettled(case, camera, seen):
        return Excuse.TOO_SOON
    return Excuse.RUN_ENDED if seen.until < fault.began + rule.within else None


def _masked(case: _Case, camera: _Camera) -> bool:
    """Whether the camera was in the hands of another fault when this one struck, or soon after."""
    fault, within = case.fault, case.rule.within or 0.0
    if any(_blind_at(row, fault.began) for row in camera.rows):
        return True
    until = min(fault.ended, fault.began + within) if fault.lasted else fault.began + within
    others = (other.fault for other in camera.cases if other is not case)
    return any(other.began <= until and other.ended >= fault.began - EARLY_S for other in others)


def _blind_at(row: Row, at: float) -> bool:
    """As told before: a row that begins with the fault may reach back behind it."""
    return row.kind is Kind.BLIND and row.opened < at - EARLY_S and (row.end is None or row.end > at)


def _unsettled(case: _Case, camera: _Camera, seen: Seen) -> bool:
    """Whether the picture had changed so lately that nobody could know what is usual."""
    began, prepared = case.fault.began, case.rule.prepared
    if not prepared:
        return False
    changes = [seen.since]
    for other in camera.cases:
        if other.fault.kind in ("resolution", "moved") and other is not case:
            changes += [at for at in (other.fault.began, other.fault.ended) if at < began]
    changed = max(changes) if len(changes) > 1 else -prepared
    # Nothing is learnt of the usual picture while the camera gives none.
    lost = sum(
        min(began, row.end or began) - max(row.start, changed)
        for row in camera.rows
        if row.kind is Kind.BLIND and row.start < began and (row.end or began) > changed
    )
    return began - changed - lost < prepared


# ---- afterwards


def _return(
    case: _Case, camera: _Camera, seen: Seen, *, interrupted: bool
) -> tuple[float | None, float | None, list[str]]:
    """Seconds until nothing was open, seconds until the first result, and what is wrong with them."""
    fault, rule = case.fault, case.rule
    limit = fault.ended + rule.back_within
    problems: list[str] = []
    back: float | None = None
    rows = [row for row in camera.rows if row.kind is not Kind.EVENT and _of(row, case)]
    if rows:
        ends = [seen.until if row.end is None else row.end for row in rows]
        still_open = any(row.end is None for row in rows)
        back = None if still_open else max(0.0, max(ends) - fault.ended)
        # What another fault prolongs, or the end of the run cuts off, tells nothing.
        if max(ends) > limit and case.until >= limit:
            problems.append(f"not over within {rule.back_within:.1f} s")
    if not (rule.interrupts and interrupted):
        return back, None, problems
    came = camera.results.first_captured_from(fault.ended)
    first = None if came is None or came > case.until else came - fault.ended
    limit += RESULT_AFTER_S
    if (came is None or came > limit) and case.until >= limit:
        problems.append(f"no result within {rule.back_within + RESULT_AFTER_S:.1f} s")
    return back, first, problems


def _of(row: Row, case: _Case) -> bool:
    """Whether a row is this fault's: it began in its time, and names one of its causes."""
    in_time = case.fault.began - EARLY_S <= row.opened <= case.fault.ended + case.rule.settle + EARLY_S
    return in_time and any(told.cause in case.rule.explained for told in row.told)
