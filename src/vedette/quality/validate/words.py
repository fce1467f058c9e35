"""A run for people and for machines."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from vedette.quality.validate.estimate import FIGURES, Estimate
from vedette.quality.validate.gate import WORDS
from vedette.quality.validate.judgement import Judgement
from vedette.quality.validate.records import Records
from vedette.quality.validate.run import Figures, Run

__all__ = ["SIZES", "as_json", "interval", "number", "objects_of", "render", "signed"]

SIZES = {"small": "small, below 32² px", "medium": "medium", "large": "large, from 96² px"}


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def interval(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return "–"
    return f"{estimate.low:.3f} … {estimate.high:.3f}"


def signed(estimate: Estimate) -> str:
    """A difference with its interval."""
    if estimate.value is None:
        return "–"
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.3f}"
    return f"{estimate.value:+.3f} ({estimate.low:+.3f} … {estimate.high:+.3f})"


def objects_of(run: Run) -> dict[str, int]:
    """How many objects of each label there were to find."""
    records = Records.of_stored(run.records)
    return dict(zip(records.labels, records.truths.sum(axis=0).tolist(), strict=True))


def render(
    run: Run, judged: Judgement, file: Path, page: Path | None, *, became_baseline: bool
) -> RenderableType:
    """Tables, remarks and the judgement, for a terminal."""
    parts: list[RenderableType] = [Text(_head(run), style="bold"), Text(""), _figures(run, judged), Text("")]
    parts.append(_rows("label", run.by_label, objects_of(run)))
    if run.by_light:
        parts += [Text(""), _rows("light", run.by_light, None)]
    parts.append(Text(""))
    parts += [Text(f"note: {remark}", style="dim") for remark in judged.remarks]
    parts.append(Text(f"kept as {file}", no_wrap=True, overflow="ignore"))
    if became_baseline:
        parts.append(Text(f"the baseline of {run.dataset.name} from now on"))
    if page is not None:
        parts.append(Text(f"page written to {page}", no_wrap=True, overflow="ignore"))
    parts += [Text(f"✗ {problem}", style="bold red") for problem in judged.problems]
    if judged.passed and judged.comparison is not None:
        assert judged.baseline is not None
        parts.append(Text(f"✓ not worse than the baseline of {judged.baseline.at}", style="green"))
    return Group(*parts)


def as_json(run: Run, judged: Judgement, file: Path, page: Path | None) -> str:
    """Everything but what is kept for comparing."""
    found: dict[str, Any] = msgspec.to_builtins(run)
    found.pop("records")
    found |= {"passed": judged.passed, "problems": judged.problems, "remarks": judged.remarks}
    found |= {"file": str(file), "page": None if page is None else str(page), "compared": None}
    if judged.comparison is not None and judged.baseline is not None:
        found["compared"] = {
            "with": judged.baseline.id,
            "pictures": judged.comparison.pictures,
            "differences": msgspec.to_builtins(judged.comparison.differences),
        }
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode()


def _head(run: Run) -> str:
    size = f"{run.dataset.pictures} pictures, {run.dataset.objects} objects"
    how = f", computed in {run.precision}" if run.precision else ""
    return f"{run.model.name} ({run.model.hash[:12]}) on {run.dataset.name}: {size}{how}"


def _figures(run: Run, judged: Judgement) -> Table:
    compared = judged.comparison
    table = _table("", "", "95% interval", *(("less baseline",) if compared else ()))
    for name in FIGURES:
        said = WORDS[name] + (f" at {run.confidence:g}" if name in ("recall", "precision") else "")
        estimate = run.estimates[name]
        row = [said, number(estimate.value), interval(estimate)]
        table.add_row(*row, *((signed(compared.differences[name]),) if compared else ()))
    for size, words in SIZES.items():
        if run.figures[f"ap_{size}"] is not None:
            table.add_row(f"AP {words}", number(run.figures[f"ap_{size}"]), "")
    for most in (1, 10, 100):
        table.add_row(f"AR, {most} box{'es' if most > 1 else ''}", number(run.figures[f"ar{most}"]), "")
    return table


def _rows(title: str, rows: Mapping[str, Figures], objects: Mapping[str, int] | None) -> Table:
    table = _table(title, *(("objects",) if objects is not None else ()), "AP", "AP50", "AP75", "AR")
    for name, figures in rows.items():
        if figures["ap"] is None:
            continue
        counted = () if objects is None else (str(objects[name]),)
        table.add_row(
            Text(name), *counted, *(number(figures[key]) for key in ("ap", "ap50", "ap75", "ar100"))
        )
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold dim")
    table.add_column(first, overflow="fold")
    for title in others:
        table.add_column(title, justify="right")
    return table
