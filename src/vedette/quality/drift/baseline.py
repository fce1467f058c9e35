"""What is usual for one camera and model: learnt for a while, light by light, then left alone.

It does not follow what comes after. A baseline that learns for ever learns the loss, too.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from vedette.quality.drift.light import LIGHTS, UNKNOWN
from vedette.quality.drift.measured import LEARNT, OF_BOXES, Floats
from vedette.quality.drift.moments import BLOCKS, BREAK_WINDOWS, LAGS, LONGEST, POWERS, Moments
from vedette.quality.drift.norms import Care, Norms, norms_of
from vedette.quality.drift.scores import Mix, Scores
from vedette.quality.drift.windows import Window

__all__ = ["Baseline", "UnreadableBaseline"]

WINDOWS_LEAST = 180
"""Half an hour in a light, for it to be known."""
MET_LEAST = 60
HOUR_REACH = 3
"""A known light is known up to so many hours from an hour at which it was met: with the seasons dusk moves
by one or two, but a dark noon is none of the evenings that were learnt."""

_VERSION = 2
"""1: weak were the boxes from 0.05 on."""


class UnreadableBaseline(ValueError):  # noqa: N818  # the baseline is what is wrong
    """Bytes that are no baseline, or one of another version."""


class _Spell:
    """Windows in a row in one light, up to ten minutes of each measure, until they are added up."""

    def __init__(self) -> None:
        self.light = UNKNOWN
        self.last = 0
        self.filled = np.zeros(LEARNT, np.intp)
        self.values = np.zeros((LEARNT, LONGEST), np.float32)
        self.counts = np.zeros((LEARNT, LONGEST), np.float32)
        self.before: dict[int, NDArray[np.float32]] = {}
        """By measure: the ten minutes before, where they came right before."""

    def follows(self, window: Window) -> bool:
        return window.light == self.light and 0 < window.number - self.last <= BREAK_WINDOWS

    def begin(self, light: int) -> None:
        self.light = light
        self.filled[:] = 0
        self.before = {}


class _Light(msgspec.Struct):
    origin: bytes
    sums: bytes
    pairs: bytes
    rarity: bytes
    classes: bytes
    shares: bytes
    known: bool
    seen: bytes = b""
    """Empty in those written before it was counted."""


class _Written(msgspec.Struct):
    version: int
    model: str
    learnt: int
    wanted: int
    learning: bool
    hours: bytes
    lights: dict[int, _Light]


class Baseline:
    """``known``: the lights that are judged. ``learnt``, ``wanted``: windows, of conditions not yet known.

    Learns from the start, ``wanted`` windows; then again whenever :meth:`learn` says so.
    """

    def __init__(self, model: str, wanted: int) -> None:
        self.model = model
        self.learnt, self.wanted = 0, wanted
        self.learning = True
        self.known: set[int] = set()
        self.mixes: dict[int, Mix] = {}
        self.hours = np.zeros((LIGHTS, 24), np.int32)
        self._covered = np.zeros((LIGHTS, 24), bool)
        self._lights: dict[int, Moments] = {}
        self._spell: _Spell | None = None

    @property
    def nbytes(self) -> int:
        spell = 3 * LEARNT * LONGEST * 4 if self._spell else 0
        return sum(each.nbytes for each in self._lights.values()) + self.hours.nbytes + spell

    @property
    def progress(self) -> float:
        """Of learning, 0…1."""
        return min(1.0, self.learnt / self.wanted) if self.learning else 1.0

    @property
    def missing(self) -> int:
        """Windows that are still to be learnt from, until learning is over."""
        return max(0, self.wanted - self.learnt) if self.learning else 0

    @property
    def met_lights(self) -> dict[int, int]:
        """Windows that were learnt from, by light; known or not."""
        windows = self.hours.sum(axis=1)
        return {int(light): int(windows[light]) for light in np.flatnonzero(windows)}

    def learn(self, wanted: int) -> None:
        """Go on learning, for so many windows, what is usual in lights, or at hours, that are not known."""
        self.learning, self.learnt, self.wanted = True, 0, max(1, wanted)

    def covers(self, light: int, hour: int) -> bool:
        """Whether this light is known, at about this hour: what is seen in it is judged."""
        return bool(self._covered[light, hour])

    def met(self, light: int, hour: int) -> bool:
        """Whether it was there for ten minutes at about this hour: no surprise, if perhaps not judged.

        The minutes of dusk are too few, some days, to say what is usual in them; but people know dusk.
        """
        around = (hour + np.arange(-HOUR_REACH, HOUR_REACH + 1)) % 24
        return bool(self.hours[light, around].sum() >= MET_LEAST)

    def take(self, window: Window) -> bool:
        """Learn from a window. True when that was the last one wanted: call :meth:`finish`."""
        if not self.learning or self.covers(window.light, window.hour):
            return False
        self.hours[window.light, window.hour] += 1
        spell = self._spell = self._spell or _Spell()
        if not spell.follows(window):
            self._add_up()
            spell.begin(window.light)
        spell.last = window.number
        for measure in np.flatnonzero(~np.isnan(window.values[:LEARNT])).tolist():
            place = spell.filled[measure]
            spell.values[measure, place] = window.values[measure]
            spell.counts[measure, place] = window.counts[measure]
            spell.filled[measure] += 1
            if spell.filled[measure] == LONGEST:
                self._add(measure)
        self.learnt += 1
        return self.learnt >= self.wanted

    def finish(self, scores: Scores, care: Care) -> Norms:
        """Learning is over: which lights are known now, and what is usual in them. Goes on if none is."""
        self._add_up()
        self._spell = None
        enough = {
            light: moments
            for light, moments in self._lights.items()
            if light in self.known or moments.rarity[:, 0].max() >= WINDOWS_LEAST
        }
        norms = norms_of(enough, care)
        for light in enough:
            if light not in self.known and not np.isnan(norms.spread[light]).all():
                self.known.add(light)
                self.mixes[light] = scores.mix(light)
        self.learning = not self.known
        if self.learning:
            self.wanted = self.learnt + self._still_missing()
        self._cover()
        return norms

    def _still_missing(self) -> int:
        """Windows, at least, until a light may be known; where one has enough of them, and they tell too
        little, as many again as that takes."""
        most = max((int(each.rarity[:, 0].max()) for each in self._lights.values()), default=0)
        return WINDOWS_LEAST - most if most < WINDOWS_LEAST else WINDOWS_LEAST

    def norms(self, care: Care) -> Norms:
        """What is usual in the known lights."""
        return norms_of({light: self._lights[light] for light in self.known}, care)

    def _cover(self) -> None:
        for light in self.known:
            met = self.hours[light] > 0
            around = [np.roll(met, by) for by in range(-HOUR_REACH, HOUR_REACH + 1)]
            self._covered[light] = np.any(around, axis=0)

    def _add_up(self) -> None:
        if self._spell is not None:
            for measure in np.flatnonzero(self._spell.filled).tolist():
                self._add(measure)

    def _add(self, measure: int) -> None:
        """What is there of a measure, full or not."""
        spell = self._spell
        assert spell is not None
        filled = int(spell.filled[measure])
        values = spell.values[measure, :filled].copy()
        counts = spell.counts[measure, :filled].astype(np.float64)
        moments = self._lights.setdefault(spell.light, Moments())
        before = spell.before.get(measure, values[:0])
        moments.add(measure, values.astype(np.float64), before.astype(np.float64), counts)
        spell.before[measure] = values
        spell.filled[measure] = 0

    def to_bytes(self) -> bytes:
        """All but the last minutes of learning."""
        nothing = Mix(np.zeros(0, np.int32), np.zeros(0, np.float32))
        lights = {}
        for light, moments in self._lights.items():
            mix = self.mixes.get(light, nothing)
            lights[light] = _Light(
                origin=moments.origin.astype("<f8").tobytes(),
                sums=moments.sums.astype("<f8").tobytes(),
                pairs=moments.pairs.astype("<f8").tobytes(),
                rarity=moments.rarity.astype("<f8").tobytes(),
                classes=mix.classes.astype("<i4").tobytes(),
                shares=mix.shares.astype("<f4").tobytes(),
                known=light in self.known,
                seen=moments.seen.astype("<f8").tobytes(),
            )
        hours = self.hours.astype("<i4").tobytes()
        written = _Written(_VERSION, self.model, self.learnt, self.wanted, self.learning, hours, lights)
        return msgspec.msgpack.encode(written)

    @classmethod
    def from_bytes(cls, data: bytes) -> Baseline:
        """Raises UnreadableBaseline."""
        try:
            written = msgspec.msgpack.decode(data, type=_Written)
            if written.version != _VERSION:
                raise UnreadableBaseline(f"a baseline of version {written.version}, not {_VERSION}")
            read = cls(written.model, written.wanted)
            read.learnt, read.learning = written.learnt, written.learning
            read.hours = np.frombuffer(written.hours, "<i4").astype(np.int32).reshape(LIGHTS, 24)
            for light, each in written.lights.items():
                read._lights[light] = _moments(each)
                if each.known:
                    read.known.add(light)
                    classes = np.frombuffer(each.classes, "<i4").astype(np.int32)
                    read.mixes[light] = Mix(classes, np.frombuffer(each.shares, "<f4").astype(np.float32))
            if not read.learning:
                read._cover()
        except (msgspec.DecodeError, ValueError) as err:
            raise err if isinstance(err, UnreadableBaseline) else UnreadableBaseline(str(err)) from err
        return read


def _moments(written: _Light) -> Moments:
    read = Moments()
    read.origin = _floats(written.origin, (LEARNT,))
    read.sums = _floats(written.sums, (LEARNT, len(BLOCKS), 1 + POWERS))
    read.pairs = _floats(written.pairs, (LEARNT, len(LAGS), 3))
    read.rarity = _floats(written.rarity, (LEARNT, 2))
    if written.seen:
        read.seen = _floats(written.seen, (OF_BOXES,))
    else:
        windows, inverse = read.rarity[:OF_BOXES].T
        read.seen = windows**2 / np.maximum(inverse, 1e-12)  # as if all windows had had the same number
    return read


def _floats(data: bytes, shape: tuple[int, ...]) -> Floats:
    return np.frombuffer(data, "<f8").astype(np.float64).reshape(shape)
