"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# How long an example takes is the machine's affair: one that is busy with something else is not a finding.
settings.register_profile("vedette", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("vedette")
