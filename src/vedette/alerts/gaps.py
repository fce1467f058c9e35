"""From gaps to conditions: which rule looks at which cause, and what one outage is."""

from __future__ import annotations

from vedette.alerts.book import Book, wait_left
from vedette.alerts.cameras import LINK_FAMILY, CameraMemory, seconds
from vedette.causes import Cause, Kind
from vedette.facts import Gap

__all__ = ["NODE", "PICTURE_RULES", "Gaps"]

GAPS_AT_MOST = 50_000

FIRST_PICTURE_S = 120.0
"""A camera that was just added may take longer than one that was there a moment ago."""

ACCESS = frozenset({Cause.UNAUTHORISED, Cause.UNSUPPORTED})
NODE = frozenset({Cause.NODE_DOWN, Cause.NODE_ASLEEP})
SLOW = frozenset({Cause.SLOW, Cause.LATE, Cause.TIMESTAMPS})
PICTURE_RULES = ("frozen", "covered", "moved", "washed_out", "dark", "blurred", "slow")


class Gaps:
    """The open ones, each with the condition it stands for. One condition may have several gaps: the detector
    that all cameras miss, an outage that begins as one thing and goes on as another."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self._keys: dict[str, dict[str, str]] = {}
        """By camera and id of the gap: the key of its condition, empty where no rule looks at it."""
        self._open: dict[str, int] = {}
        """By key: how many gaps a condition has."""
        self._count = 0

    def opened(self, gap: Gap, camera: CameraMemory, now: float, wall: float) -> bool:
        """An open gap is there, or better known. True where that is a new outage of the stream."""
        known = gap.id in self._keys.get(gap.camera, {})
        if not known and self._count >= GAPS_AT_MOST:
            self._book.conditions.left_out += 1
            return False
        went = False
        if gap.kind is Kind.BLIND:
            before = camera.blind
            went = camera.opens(gap)
            if before is not None and before.id != gap.id:
                # Its end may have been lost on the way; two blind gaps of one camera never overlap.
                self._forget(gap.camera, before.id, seconds(gap.start))
        self._follow(gap, camera, now, wall)
        return went

    def closed(self, gap: Gap, end: float) -> None:
        self._forget(gap.camera, gap.id, end)

    def camera_gone(self, camera: str, wall: float, note: str) -> None:
        """Nobody watches it now; what was wrong with it is over in so far."""
        for rule in ("down", *PICTURE_RULES):
            self._book.conditions.end(f"{rule}/{camera}", wall, note, closed=True)
        for gap_id in list(self._keys.get(camera, {})):
            self._forget(camera, gap_id, wall)

    def _follow(self, gap: Gap, camera: CameraMemory, now: float, wall: float) -> None:
        name = self._rule_for(gap)
        key = _key_of(name, gap.camera) if name else ""
        gaps = self._keys.setdefault(gap.camera, {})
        before = gaps.get(gap.id)
        if key and before != key:
            self._open[key] = self._open.get(key, 0) + 1
        if before and before != key:
            self._forget(gap.camera, gap.id, wall)
            gaps = self._keys.setdefault(gap.camera, {})
        self._count += gap.id not in gaps
        gaps[gap.id] = key
        if key:
            began = camera.outage_began if gap.cause in LINK_FAMILY else seconds(gap.start)
            self._wrong(key, name, gap, began, now, wall, new=before != key)

    def _rule_for(self, gap: Gap) -> str:
        """Empty where none looks at it."""
        name = _rule_of(gap.cause)
        if name == "access" and not self._book.covers("access", gap.camera):
            name = "down"
        return name if self._book.covers(name, gap.camera) else ""

    def _wrong(
        self, key: str, name: str, gap: Gap, began: float, now: float, wall: float, *, new: bool
    ) -> None:
        """Begin a condition, or learn more about one."""
        after = self._book.rules.named(name).after
        if gap.cause is Cause.STARTING:
            after = max(after, FIRST_PICTURE_S)
        due = now + wait_left(after, began, wall)
        condition = self._book.conditions.get(key)
        if condition is None:
            cameras = () if name == "detector" else (gap.camera,)
            self._book.begin(key, name, began=began, due=due, cameras=cameras, gap=gap, once=name == "moved")
            return
        if condition.once:
            condition.times += new
            return
        if condition.rule != name:
            condition.version += name == "access"
            self._book.move(condition, name)
        if condition.what != gap.cause:
            condition.due = due
        condition.what, condition.detail, condition.blame = gap.cause, gap.detail, gap.blame
        condition.goes_on()

    def _forget(self, camera: str, gap_id: str, end: float) -> None:
        gaps = self._keys.get(camera, {})
        key = gaps.pop(gap_id, None)
        if key is None:
            return
        self._count -= 1
        if not gaps:
            del self._keys[camera]
        if key:
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]
                self._book.conditions.end(key, end)


def _rule_of(cause: Cause) -> str:
    if cause in ACCESS:
        return "access"
    if cause in LINK_FAMILY:
        return "down"
    if cause in SLOW:
        return "slow"
    if cause is Cause.DETECTOR_LOST:
        return "detector"
    return str(cause) if str(cause) in PICTURE_RULES else ""


def _key_of(rule: str, camera: str) -> str:
    """One key for all of one outage; one for the detector, whoever is blind through it."""
    if rule == "detector":
        return "detector"
    return f"{'down' if rule == 'access' else rule}/{camera}"
