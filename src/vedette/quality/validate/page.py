"""A run as one page: no file beside it, no script, nothing fetched. What comes from outside is escaped."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from PIL import Image

from vedette.ingest.convert import Converter
from vedette.quality.labels.dataset import Picture
from vedette.quality.validate.coco_eval import Found
from vedette.quality.validate.curves import MOST_CURVES, Curve, curves_of, svg
from vedette.quality.validate.estimate import FIGURES
from vedette.quality.validate.gate import WORDS
from vedette.quality.validate.judgement import Judgement
from vedette.quality.validate.page_style import STYLE
from vedette.quality.validate.perform import Outcome
from vedette.quality.validate.pictures import decode, read
from vedette.quality.validate.records import Records
from vedette.quality.validate.run import Figures, Run
from vedette.quality.validate.sightings import Sighting, worst
from vedette.quality.validate.words import SIZES, interval, number, objects_of, signed

__all__ = ["page_of"]

WORST = 12
SIDE, QUALITY = 480, 70
"""Of the small JPEGs: longest side in pixels."""

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page_of(outcome: Outcome, judged: Judgement) -> str:
    """HTML. Reads the pictures it shows again; raises LabelError where they are gone."""
    run = outcome.run
    title = escape(f"{run.model.name} on {run.dataset.name}")
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{STYLE}</style></head><body><main>",
            f"<h1>{title}</h1>",
            _facts(run),
            _verdict(judged),
            "<h2>Figures</h2>",
            _figures(run, judged),
            "<h2>Precision and recall</h2>",
            _curves(curves_of(Records.of_stored(run.records), run.confidence), run),
            "<h2>By label</h2>",
            _by("label", run.by_label, objects_of(run)),
            "<h2>By light</h2>" + _by("light", run.by_light) if run.by_light else "",
            "<h2>By size</h2>",
            _sizes(run.figures),
            f"<h2>Pictures with the most mistakes, at {run.confidence:g}</h2>",
            _worst(outcome),
            "</main></body></html>\n",
        ]
    )


def _facts(run: Run) -> str:
    settings = ", ".join(f"{name} {value}" for name, value in run.model.settings.items())
    said = f"{run.dataset.pictures} pictures, {run.dataset.objects} objects · {run.at}"
    hashes = f"model {run.model.hash[:16]} · set {run.dataset.hash[:16]} · run {run.id}"
    return f"<p>{escape(said)}</p><p class=small>{escape(settings)}<br>{escape(hashes)}</p>"


def _verdict(judged: Judgement) -> str:
    lines = [f'<p class="bad">✗ {escape(problem)}</p>' for problem in judged.problems]
    if judged.passed and judged.baseline is not None:
        lines.append(f'<p class="good">✓ not worse than the baseline of {escape(judged.baseline.at)}</p>')
    return "".join([*lines, *(f"<p class=small>{escape(remark)}</p>" for remark in judged.remarks)])


def _figures(run: Run, judged: Judgement) -> str:
    compared = judged.comparison
    rows = []
    for name in FIGURES:
        said = WORDS[name] + (f" at {run.confidence:g}" if name in ("recall", "precision") else "")
        row = [said, number(run.estimates[name].value), interval(run.estimates[name])]
        rows.append([*row, signed(compared.differences[name])] if compared else row)
    rows += [
        [
            f"AR, at most {most} boxes a picture",
            number(run.figures[f"ar{most}"]),
            *[""] * (2 if compared else 1),
        ]
        for most in (1, 10, 100)
    ]
    return _table(["", "", "95% interval", *(["less baseline"] if compared else [])], rows)


def _curves(curves: Sequence[Curve], run: Run) -> str:
    if not curves:
        return "<p>There was nothing to find.</p>"
    legend = "".join(
        f'<li><span class="key c{index}"></span>{escape(curve.label)} '
        f"<small>{number(run.by_label[curve.label]['ap50'])}</small></li>"
        for index, curve in enumerate(curves)
    )
    more = sum(figures["ap"] is not None for figures in run.by_label.values()) - len(curves)
    rest = f"; the {MOST_CURVES} labels with the most objects, {more} more below" if more else ""
    said = f"At an overlap of one half; the area below a line is AP50. Dots: the threshold {run.confidence:g}"
    return f'<div class="chart">{svg(curves)}<ul>{legend}</ul></div><p class=small>{said}{rest}.</p>'


def _by(title: str, rows: Mapping[str, Figures], objects: Mapping[str, int] | None = None) -> str:
    keys = ("ap", "ap50", "ap75", "ap_small", "ap_medium", "ap_large", "ar1", "ar10", "ar100")
    heads = ("AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "AR1", "AR10", "AR100")
    lines = [
        [name, *([] if objects is None else [str(objects[name])]), *(number(figures[key]) for key in keys)]
        for name, figures in rows.items()
    ]
    return _table([title, *([] if objects is None else ["objects"]), *heads], lines)


def _sizes(figures: Figures) -> str:
    rows = [
        [words, number(figures[f"ap_{size}"]), number(figures[f"ar_{size}"])] for size, words in SIZES.items()
    ]
    return _table(["size", "AP", "AR"], rows)


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(title)}</th>' for title in heads)
    body = []
    for first, *others in rows:
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in others)
        body.append(f'<tr><th scope="row">{escape(first)}</th>{cells}</tr>')
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(body)}</tbody></table></div>'
    )


# ---- pictures


def _worst(outcome: Outcome) -> str:
    shown = worst(outcome.dataset, outcome.found, outcome.run.confidence, WORST)
    if not shown:
        return "<p>None has any.</p>"
    legend = (
        '<p class=small><span class="key right"></span>found <span class="key wrong"></span>not there '
        '<span class="key missed"></span>missed</p>'
    )
    return legend + f'<div class="worst">{"".join(_picture(outcome, each) for each in shown)}</div>'


def _picture(outcome: Outcome, seen: Sighting) -> str:
    picture, found = outcome.dataset.pictures[seen.number], outcome.found[seen.number]
    labels = outcome.dataset.labels
    rects = []
    for kind, numbers in (("right", seen.right), ("wrong", seen.wrong)):
        rects += [_rect(found.xyxy[index], kind, _said(found, index, labels)) for index in numbers]
    rects += [_rect(box.xyxy, "missed", box.label) for box in seen.missed]  # last: on top
    said = f"{len(seen.right)} found, {len(seen.missed)} missed, {len(seen.wrong)} not there"
    return (
        f'<figure><svg viewBox="0 0 {picture.width} {picture.height}" role="img" aria-label="{escape(said)}">'
        f'<image href="{_jpeg(outcome, picture)}" width="{picture.width}" height="{picture.height}"/>'
        f"{''.join(rects)}</svg><figcaption>{escape(picture.name)}<br>{said}</figcaption></figure>"
    )


def _said(found: Found, index: int, labels: Sequence[str]) -> str:
    return f"{labels[int(found.label[index])]} {found.score[index]:.2f}"


def _rect(xyxy: Iterable[float], kind: str, said: str) -> str:
    left, top, right, bottom = (round(float(edge), 1) for edge in xyxy)
    extent = f'width="{max(0.0, right - left):.1f}" height="{max(0.0, bottom - top):.1f}"'
    return f'<rect class="box {kind}" x="{left}" y="{top}" {extent}><title>{escape(said)}</title></rect>'


def _jpeg(outcome: Outcome, picture: Picture) -> str:
    image = Image.fromarray(Converter().to_rgb(decode(read(outcome.folder, picture), picture)))
    image.thumbnail((SIDE, SIDE))
    data = io.BytesIO()
    image.save(data, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}"
