"""``python -m benchmarks.drift.figures``: the tables of the proof, from the newest results.

False alarms with exact Poisson bounds (Garwood 1936); delays as quantiles over cameras and changes, harmful
or not by the measure of ``recorded.py``: loss suspected or conditions unseen, whichever is told first.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import markdown

__all__ = ["bound", "delays", "quantiles"]

RESULTS = Path(__file__).parents[1] / "results"
Row = dict[str, Any]


def bound(count: int, days: float, level: float = 0.95) -> float:
    """The most events a day that so few in so many days are compatible with."""
    from scipy.stats import chi2

    return float(chi2.ppf(level, 2 * (count + 1)) / 2 / days)


def delays(row: Row, side: str = "") -> list[float]:
    """Minutes by camera, infinite where nothing was told. ``side``: of an arm's two streams, or by one of our
    words; empty: ours, whichever comes first."""
    parts = [row[side]] if side else [row[each] for each in ("loss", "changed", "unseen") if each in row]
    return [min(at if at >= 0 else np.inf for at in each) for each in zip(*parts, strict=True)]


def quantiles(minutes: Iterable[float]) -> Row:
    """``p50``, ``p95`` (of those that are missed, infinite), ``missed`` and ``of``."""
    found = np.array(list(minutes))
    p50, p95 = (float(np.quantile(found, share, method="higher")) for share in (0.5, 0.95))
    return {"p50": p50, "p95": p95, "missed": int(np.isinf(found).sum()), "of": len(found)}


def _newest(pattern: str) -> list[Path]:
    """Of each name the file of the latest date."""
    return sorted({path.name[11:]: path for path in sorted(RESULTS.glob(f"*-{pattern}.json"))}.values())


def _rows(pattern: str) -> list[Row]:
    return [row for path in _newest(pattern) for row in json.loads(path.read_text())["rows"]]


def _harm(clip: str) -> dict[str, str]:
    return {row["variant"]: row["harm"] for row in _rows(f"drift-recorded-{clip}")}


def _by_harm(rows: list[Row]) -> list[Row]:
    """Delays of ours, by how harmful the change is and how long levels last."""
    found = []
    for block in ("10s", "60s", "10m"):
        for harm in ("harmful", "noticeable", "benign"):
            some = [
                row for row in rows if row["block"] == block and row["arm"] == "ours" and row["harm"] == harm
            ]
            minutes = [at for row in some if "loss" in row for at in delays(row)]
            if minutes:
                losses = quantiles(at for row in some if "loss" in row for at in delays(row, "loss"))
                words = {"as_loss": losses["of"] - losses["missed"]}
                found.append({"block": block, "harm": harm, **quantiles(minutes), **words})
    return found


def _by_change(rows: list[Row]) -> list[Row]:
    found: dict[str, Row] = {}
    for row in rows:
        if row["arm"] == "ours" and "loss" in row:
            of = found.setdefault(row["what"], {"what": row["what"], "harm": row["harm"]})
            told = quantiles(delays(row))
            by = (
                {each.split(": ")[-1] for each in row["by"] if each} or {"unseen"}
                if told["missed"] < told["of"]
                else {"–"}
            )
            of[row["block"]] = f"{told['p50']:.1f} / {told['p95']:.1f}".replace("inf", "never")
            of["by"] = ", ".join(sorted(by))
    return list(found.values())


def _arms(rows: list[Row]) -> list[Row]:
    """All arms where all were run."""
    found: list[Row] = []
    compared = {(row["block"], row["what"]) for row in rows if "features" in row}
    for block, what in sorted(compared):
        line: Row = {"block": block, "what": what}
        for row in rows:
            if (row["block"], row["what"]) == (block, what):
                sides = ("",) if row["arm"] == "ours" else ("confidence", "features")
                told = [f"{quantiles(delays(row, side))['p50']:.1f}".replace("inf", "–") for side in sides]
                line[row["arm"]] = " · ".join(told)
        found.append(line)
    return found


def main() -> None:
    stationary = _rows("drift-stationary-*")
    for row in stationary:
        row["most"] = bound(row["alarms"], row["camera_days"])
    print(
        markdown(
            stationary,
            {
                "levels": "{block}",
                "camera-days": "{camera_days}",
                "alarms": "{alarms}",
                "a day, at most": "{most:.4f}",
                "CPU s": "{cpu_s}",
            },
        )
    )
    days, alarms = sum(row["camera_days"] for row in stationary), sum(row["alarms"] for row in stationary)
    print(f"\nin all {alarms} in {days}: at most {bound(alarms, max(days, 1)):.5f} a camera-day\n")
    lasting = _rows("drift-lasting-*")
    columns = {"": "{of}", "levels": "{block}", "camera-days": "{camera_days}", "alarms": "{alarms}"}
    print(markdown(lasting, columns), "\n")
    rows = _rows("drift-changes-*")
    for row in rows:
        row["harm"] = _harm(row["clip"]).get(row["what"], "–")
    print(
        markdown(
            _by_harm(rows),
            {
                "levels": "{block}",
                "": "{harm}",
                "p50": "{p50:.1f}",
                "p95": "{p95:.1f}",
                "missed": "{missed} of {of}",
                "as a loss": "{as_loss}",
            },
        ),
        "\n",
    )
    blocks = {name: f"{{{name}}}" for name in ("10s", "60s", "10m")}
    print(markdown(_by_change(rows), {"change": "{what}", "": "{harm}", **blocks, "told by": "{by}"}), "\n")
    before = [row for row in rows if row["what"] == "before" and "a_day" in row]
    print(
        markdown(
            before,
            {
                "levels": "{block}",
                "arm": "{arm}",
                "set to": "{setting}",
                "false a day: confidence · features": "{a_day}",
            },
        ),
        "\n",
    )
    arms = _arms(rows)
    names = [name for name in (arms[0] if arms else {}) if name not in ("block", "what")]
    print(
        markdown(arms, {"levels": "{block}", "change": "{what}", **{name: f"{{{name}}}" for name in names}}),
        "\n",
    )
    nights = _rows("drift-nights-*")
    print(
        markdown(
            nights,
            {
                "levels": "{block}",
                "": "{cycle}",
                "arm": "{arm}",
                "camera-days": "{camera_days}",
                "alarms": "{alarms}",
                "a day": "{a_day}",
            },
        )
    )


if __name__ == "__main__":
    main()
