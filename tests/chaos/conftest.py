"""Chaos with a seed: what goes wrong, and when, is drawn from it, so a failure can be played again."""

from __future__ import annotations

import random

import pytest


@pytest.fixture(params=[2])
def rng(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)
