"""How the page looks, by day and by night."""

from __future__ import annotations

__all__ = ["STYLE"]

_LINES = ("#3b82c4", "#d9772b", "#3f9b4f", "#c23b4e", "#8a63c9", "#8f7a4f", "#cf6fb0", "#3f9e9e")
"""Told apart, on white and on black."""

STYLE = """
:root { color-scheme: light dark; --back: #fff; --text: #1c2024; --dim: #667; --rule: #dde1e6;
  --good: #1f7a3d; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #14171a; --text: #e6e8ea; --dim: #98a0a8;
  --rule: #2c3238; --good: #5fc37e; --bad: #ff8a80; } }
body { background: var(--back); color: var(--text); font: 15px/1.5 system-ui, sans-serif; margin: 0; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin: 2.2rem 0 .6rem; }
.small, small, figcaption { color: var(--dim); font-size: .85rem; overflow-wrap: anywhere; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .9rem .25rem 0; text-align: right; border-bottom: 1px solid var(--rule);
  white-space: nowrap; }
th:first-child { text-align: left; font-weight: 500; } thead th { color: var(--dim); font-weight: 500; }
.chart { display: flex; flex-wrap: wrap; gap: 1rem; align-items: flex-start; }
.curves { width: min(100%, 36rem); } .curves text { fill: var(--dim); font-size: 12px; }
.grid { stroke: var(--rule); fill: none; } .line { fill: none; stroke-width: 2; }
.chart ul { list-style: none; margin: 0; padding: 0; }
.key { display: inline-block; width: 1.1em; height: .7em; margin: 0 .4em 0 .2em; border-radius: 2px; }
.worst { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1rem; }
figure { margin: 0; } figure svg { width: 100%; height: auto; background: var(--rule); border-radius: 4px; }
.box { fill: none; stroke-width: 2; vector-effect: non-scaling-stroke; pointer-events: all; }
.box.right { stroke: #2fa84f; } .box.wrong { stroke: #e5484d; }
.box.missed { stroke: #f5a524; stroke-dasharray: 5 3; }
.key.right { background: #2fa84f; } .key.wrong { background: #e5484d; } .key.missed { background: #f5a524; }
""" + "".join(
    f".line.c{index} {{ stroke: {colour}; }} .dot.c{index}, .key.c{index} "
    f"{{ fill: {colour}; background: {colour}; }}\n"
    for index, colour in enumerate(_LINES)
)
