"""The plain prediction-powered mean against the authors' own package."""

import numpy as np
import ppi_py
import pytest

from vedette.quality.estimates.powered import powered_mean


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("worth", [-1.0, 0.0, 1.0, 3.0])
def test_the_plain_mean_is_that_of_ppi_py(seed: int, worth: float) -> None:
    rng = np.random.default_rng(seed)
    labelled, others = int(rng.integers(20, 300)), int(rng.integers(300, 5000))
    sure = rng.normal(size=labelled + others)
    labels = (rng.random(labelled) < 1 / (1 + np.exp(-1 - worth * sure[:labelled]))).astype(float)
    proxies = 1 / (1 + np.exp(-sure))
    ours = powered_mean(labels, proxies[:labelled], proxies[labelled:], 0.95)
    value = ppi_py.ppi_mean_pointestimate(labels, proxies[:labelled], proxies[labelled:])
    lower, upper = ppi_py.ppi_mean_ci(labels, proxies[:labelled], proxies[labelled:], alpha=0.05)
    theirs = tuple(float(np.squeeze(each)) for each in (value, lower, upper))
    assert (ours.value, ours.lower, ours.upper) == pytest.approx(theirs, abs=1e-9)
