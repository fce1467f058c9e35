"""How long until a loss is suspected, and how often nothing was lost: ``python -m benchmarks.drift CASE``.
And how wide intervals of accuracy are, and how often they hold: ``python -m benchmarks.drift.intervals``."""
