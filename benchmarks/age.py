"""How old is a result when it reaches the user? Vedette and its strongest Python peer, side by side."""

from __future__ import annotations

from typing import Any

from benchmarks.arm import ARMS, run_arm
from benchmarks.peer_env import make_peer_environment
from benchmarks.report import markdown

__all__ = ["COLUMNS", "run_age"]

COLUMNS = {
    "arm": "{arm}",
    "cameras": "{cameras}",
    "age p50 ms": "{age_p50_ms:.1f}",
    "p95": "{age_p95_ms:.1f}",
    "p99": "{age_p99_ms:.1f}",
    "max": "{age_max_ms:.0f}",
    "results/s": "{analysed_per_s:.0f}",
    "shares": "{share_least_pct:+.1f}…{share_most_pct:+.1f}%",
    "PSS MB": "{pss_peak_mb:.0f}",
    "CPU cores": "{cpu_cores:.2f}",
    "simulator": "{simulator_cpu_cores:.2f}",
    "up s": "{start_to_up_s:.1f}",
    "all open s": "{up_to_open_s:.2f}",
    "all answered s": "{up_to_first_results_s:.2f}",
}


def run_age(
    arms: list[str], cameras: list[int], *, fps: float, seconds: float, repeat: int
) -> list[dict[str, Any]]:
    """Measure every arm at every size, one after the other. An arm that fails is a row that says so."""
    if any(ARMS[arm].module.endswith("peer") for arm in arms):
        make_peer_environment()
    rows = []
    for count in cameras:
        for arm in arms * repeat:
            try:
                row = run_arm(arm, cameras=count, fps=fps, seconds=seconds)
            except RuntimeError as error:
                print(error, flush=True)
                row = {"arm": f"{arm} FAILED", "cameras": count, "error": str(error).splitlines()[0]}
            rows.append(row)
            print(markdown([row], COLUMNS).splitlines()[-1], flush=True)
    return rows
