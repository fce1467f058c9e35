"""Write down what ``ppi-python`` says of the cases in tests/quality/estimates, for the test against it.

Run it where that package is installed (``pip install ppi-python==0.2.3``), from the repository's root.
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import ppi_py

sys.path.insert(0, "tests")

from quality.estimates.ppi_cases import CASES, drawn

TARGET = Path("tests/quality/estimates/ppi_oracle.json")


def main() -> None:
    rows = []
    for seed, worth in CASES:
        labels, proxies, others = drawn(seed, worth)
        value = ppi_py.ppi_mean_pointestimate(labels, proxies, others)
        bounds = ppi_py.ppi_mean_ci(labels, proxies, others, alpha=0.05)
        rows.append([seed, worth, *(float(np.squeeze(each)) for each in (value, *bounds))])
    told = {"by": f"ppi-python {version('ppi-python')}", "cases": rows}
    lines = json.dumps(told).replace("[[", "[\n[").replace("], [", "],\n[").replace("]]", "]\n]")
    TARGET.write_text(lines + "\n")


if __name__ == "__main__":
    main()
