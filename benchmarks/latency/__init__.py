"""How old results are under every kind of load: ``python -m benchmarks.latency CASE``."""
