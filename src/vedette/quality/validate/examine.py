"""What a validation worker does with its order: look at the pictures, compare, keep, and say what came of it.

A candidate is compared in pairs with the detector at work, of which a run may be there already; the one at
work is held to its floors and to the baseline of the set.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from vedette.errors import LabelError
from vedette.facts import Figure
from vedette.infer.load import DetectorSpec
from vedette.infer.runtime import precision_here
from vedette.quality.labels.dataset import Dataset
from vedette.quality.labels.formats import read
from vedette.quality.validate import pictures
from vedette.quality.validate.estimate import FIGURES
from vedette.quality.validate.gate import Rules, changes, compare, newly_below_floor, worse
from vedette.quality.validate.judgement import judge, notes
from vedette.quality.validate.model import model_of
from vedette.quality.validate.perform import content_of, run_validation
from vedette.quality.validate.run import Model, Run
from vedette.quality.validate.store import Runs, write_whole
from vedette.quality.validate.verdict import Verdict
from vedette.quality.validate.where import LATEST
from vedette.workers.protocol import Examine

__all__ = ["KEPT", "Say", "examine"]

KEPT = 32
"""Runs of the node's own: a month of one a day."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Set:
    """``content``: a hash of all pictures and labels."""

    name: str
    dataset: Dataset
    folder: Path
    content: str


def examine(order: Examine, say: Say, at: datetime) -> Verdict:
    """``say`` hears how far it has come, often; ``at``: now.

    Raises LabelError where the set, a picture or a run cannot be used, DetectorError where a detector cannot.
    """
    labelled = _read(Path(order.dataset), None if order.images is None else Path(order.images))
    runs, kept = Runs(Path(order.runs)), Runs(Path(order.kept))
    rules = Rules(tolerance=order.tolerance, floors=order.floors)
    candidate = _aside(order.candidate)
    if order.running:
        running = _running(order, labelled, runs, kept, say, at)
        found = _found(labelled, candidate, runs, kept) or _run(labelled, candidate, "the new one", say, at)
        verdict = _gated(order, found, running, rules, at)
        _keep_if_possible(kept, found)
    else:
        found = _run_of_the_one_at_work(labelled, candidate, order.running_hash, say, at)
        kept.keep(found)  # first: what comes after must not lose it
        verdict = _judged(order, found, runs.baseline(labelled.name), rules, at)
        write_whole(kept.folder / LATEST, msgspec.json.encode(verdict) + b"\n")
    kept.thin(KEPT)
    return verdict


def _read(dataset: Path, images: Path | None) -> _Set:
    labelled = read(dataset, pictures=images)
    folder = pictures.folder_of(dataset, labelled.pictures, images)
    keys = [pictures.key_of(each, pictures.read(folder, each)) for each in labelled.pictures]
    return _Set(dataset.stem, labelled, folder, content_of(labelled, keys))


def _aside(packed: bytes) -> DetectorSpec:
    """On one core and no GPU: these are the cameras'."""
    spec = msgspec.msgpack.decode(packed, type=DetectorSpec)
    return msgspec.structs.replace(spec, threads=1, device="cpu")


def _running(order: Examine, labelled: _Set, runs: Runs, kept: Runs, say: Say, at: datetime) -> Run:
    """A run of the detector at work: one that is there already, or a new one, which is kept."""
    spec = _aside(order.running)
    if (there := _found(labelled, spec, runs, kept, order.running_hash)) is not None:
        return there
    run = _run_of_the_one_at_work(labelled, spec, order.running_hash, say, at)
    _keep_if_possible(kept, run)
    return run


def _keep_if_possible(kept: Runs, run: Run) -> None:
    """So that the next comparison need not look again. What is decided does not hang on it."""
    try:
        kept.keep(run)
    except LabelError:
        pass  # a full disk is told by whoever must write there


def _found(labelled: _Set, spec: DetectorSpec, runs: Runs, kept: Runs, loaded: str = "") -> Run | None:
    """One of this very detector on this very set. ``loaded``: the hash of its file when it was loaded."""
    if spec.python is not None:
        return None  # nobody knows what it loads
    precision = precision_here(spec.runtime, spec.precision)
    wanted = model_of(spec, loaded), labelled.content, spec.confidence, precision
    return next((run for each in (kept, runs) if (run := each.find(*wanted)) is not None), None)


def _run_of_the_one_at_work(labelled: _Set, spec: DetectorSpec, loaded: str, say: Say, at: datetime) -> Run:
    """Raises LabelError where the file is another one by now, or becomes one before it is loaded: that says
    nothing of the detector at work."""
    if spec.python is None:
        _must_be_the_one_loaded(model_of(spec), loaded)
    run = _run(labelled, spec, "the one at work", say, at)
    _must_be_the_one_loaded(run.model, loaded)
    return run


def _must_be_the_one_loaded(model: Model, loaded: str) -> None:
    if loaded and not model.python and model.hash != loaded:
        raise LabelError(
            f"{model.name} is not the file any more that the detector at work was loaded from, and no run of "
            "that one on these pictures is kept"
        )


def _run(labelled: _Set, spec: DetectorSpec, who: str, say: Say, at: datetime) -> Run:
    total = len(labelled.dataset.pictures)
    say(f"loading {who}")

    def looked(done: int) -> None:
        say(f"{who} has looked at {done} of {total} labelled pictures")

    return run_validation(labelled.name, labelled.dataset, labelled.folder, spec, at=at, progress=looked).run


def _gated(order: Examine, found: Run, running: Run, rules: Rules, at: datetime) -> Verdict:
    compared = compare(found, running, rules)
    lost = worse(compared, rules)
    problems = [*([lost] if lost else []), *newly_below_floor(found, running, rules.floors)]
    remarks = notes(found)
    if compared.unlike:
        remarks.append(f"part of the difference may be how it is computed: {compared.unlike}")
    if compared.pictures < rules.pictures:
        remarks.append(f"nothing is decided by {compared.pictures} pictures; it takes {rules.pictures}")
    return _verdict(order, found, problems, remarks, at, changes(compared))


def _judged(order: Examine, run: Run, baseline: Run | None, rules: Rules, at: datetime) -> Verdict:
    judged = judge(run, baseline, rules)
    remarks, compared = list(judged.remarks), ""
    if judged.comparison is not None:
        compared = changes(judged.comparison)
    else:
        remarks.append(f"there is no baseline of {run.dataset.name} to compare it with")
    return _verdict(order, run, judged.problems, remarks, at, compared)


def _verdict(
    order: Examine, run: Run, problems: list[str], remarks: list[str], at: datetime, compared: str
) -> Verdict:
    return Verdict(
        at=at.timestamp(),
        run=run.id,
        dataset=run.dataset.name,
        pictures=run.dataset.pictures,
        model=run.model.name,
        identity=order.identity,
        figures={
            name: Figure(run.estimates[name].value, run.estimates[name].low, run.estimates[name].high)
            for name in FIGURES
        },
        problems=problems,
        remarks=remarks,
        compared=compared,
        made_of=run.model.hash,
    )
