"""How long until a loss is suspected, and how often nothing was lost: ``python -m benchmarks.drift CASE``."""
