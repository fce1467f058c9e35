"""A real Prometheus scrapes a real endpoint: what it then knows, and what the dashboard makes of it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from observe.metric_tools import DEPLOY, Prometheus, prometheus
from observe.metric_views import ENDINGS, camera, histograms, node
from vedette.observe.metrics import Exporter
from vedette.observe.metrics.families import FAMILIES
from vedette.observe.views import Histograms, NodeView

DASHBOARD = json.loads((DEPLOY / "grafana.json").read_text())
RULES = yaml.safe_load((DEPLOY / "vedette.rules.yml").read_text())
NAMES = ("gate", "yard", "dock")
NAME = re.compile(r"\bvedette_[a-z0-9_]+")


class Busy:
    """A node whose counters go on from look to look, as those of a real one do."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.looks = 0

    def view(self) -> NodeView:
        with self._lock:
            self.looks += 1
            times = self.looks
        endings = {name: count * times for name, count in ENDINGS.items()}
        blind = {"stalled": 7.5 * times, "dark": 2.0}
        shown = node()
        cameras = [
            camera(
                each.name,
                state=each.state,
                blind=each.blind,
                blame=each.blame,
                degraded=each.degraded,
                endings=endings,
                blind_s=blind,
                frames=type(each.frames)(received=sum(endings.values()) + 2, in_flight=2),
            )
            for each in shown.cameras
        ]
        return node(cameras, cpu_s=2.0 * times, batches=50 * times)

    def histograms(self) -> Histograms:
        return histograms(NAMES, self.looks)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """One that has scraped three different pages at least."""
    busy = Busy()
    exporter = Exporter("127.0.0.1:0", busy.view, busy.histograms, version="1.2.3")
    exporter.start()
    try:
        with prometheus(tmp_path_factory.mktemp("prometheus"), exporter.port) as running:
            running.until(
                "count_over_time(vedette_batches_total[1m]) > 4 and changes(vedette_batches_total[1m]) > 2"
            )
            yield running
    finally:
        exporter.close()


def test_it_is_up_and_knows_every_family(server: Prometheus) -> None:
    server.until("up == 1")
    known = set(server.api("label/__name__/values"))
    for family in FAMILIES:
        assert known & {family.name, f"{family.name}_bucket"}, family.name


def test_it_knows_what_kind_each_is_and_what_it_means(server: Prometheus) -> None:
    known = server.api("metadata")
    for family in FAMILIES:
        name = (
            re.sub("_total$|_info$", "", family.name) if family.kind in ("counter", "info") else family.name
        )
        assert {(each["type"], each["help"]) for each in known[name]} == {(family.kind, family.help)}


def test_figures_are_what_was_shown(server: Prometheus) -> None:
    assert server.value("vedette_memory_pss_bytes") == 250e6
    assert server.value('vedette_camera_lag_seconds{camera="gate"}') == pytest.approx(0.04)
    assert server.value("sum(vedette_camera_live)") == 2
    (blind,) = server.until("vedette_camera_blind")
    assert (blind["metric"]["camera"], blind["metric"]["cause"], blind["metric"]["blame"]) == (
        "dock",
        "unreachable",
        "network",
    )


def test_what_was_received_is_the_sum_of_what_became_of_it(server: Prometheus) -> None:
    off = (
        "sum by (camera) (vedette_frames_received_total) - sum by (camera) (vedette_frames_total)"
        " - sum by (camera) (vedette_frames_in_flight)"
    )
    assert [float(each["value"][1]) for each in server.until(off)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("share", "least", "most"), [(0.5, 0.005, 0.01), (0.85, 0.025, 0.05), (0.99, 0.5, 0.75)]
)
def test_quantiles_are_in_the_right_bucket(
    server: Prometheus, share: float, least: float, most: float
) -> None:
    found = server.value(
        f"histogram_quantile({share}, sum by (le) (rate(vedette_frame_age_seconds_bucket[1m])))"
    )
    assert least <= found <= most


def test_the_mean_of_a_stage_is_right(server: Prometheus) -> None:
    mean = 'vedette_stage_seconds_sum{stage="decode"} / vedette_stage_seconds_count{stage="decode"}'
    assert server.value(mean) == pytest.approx(0.003, rel=0.02)


def test_no_counter_ever_fell(server: Prometheus) -> None:
    counters = [family.name for family in FAMILIES if family.kind == "counter"]
    counters += [
        f"{family.name}_{part}"
        for family in FAMILIES
        if family.kind == "histogram"
        for part in ("bucket", "sum", "count")
    ]
    for name in counters:
        assert server.value(f"max(resets({name}[1m]))") == 0, name


# ---- the dashboard and the rules


def expressions() -> list[Any]:
    found = []
    for panel in DASHBOARD["panels"]:
        for place, target in enumerate(panel.get("targets", ())):
            found.append(pytest.param(target["expr"], id=f"{panel['title']} {place}"))
    return found


@pytest.mark.parametrize("expression", expressions())
def test_the_dashboard_can_be_drawn(server: Prometheus, expression: str) -> None:
    for variable, value in {
        "$__rate_interval": "1m",
        "$__range": "5m",
        "$instance": ".*",
        "$camera": ".*",
    }.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    found = server.until(expression)
    assert not any(each["value"][1] == "NaN" for each in found)


@pytest.mark.parametrize(
    "variable",
    [each for each in DASHBOARD["templating"]["list"] if each["type"] == "query"],
    ids=lambda each: each["name"],
)
def test_the_dashboards_variables_have_values(server: Prometheus, variable: dict[str, Any]) -> None:
    match = re.fullmatch(r"label_values\((.+), (\w+)\)", variable["query"]["query"])
    assert match
    selector = match[1].replace("$instance", ".*")
    assert server.api(f"label/{match[2]}/values", **{"match[]": selector})


def test_the_dashboard_and_the_rules_speak_of_metrics_that_there_are() -> None:
    known = {family.name for family in FAMILIES}
    known |= {
        f"{family.name}_{part}"
        for family in FAMILIES
        if family.kind == "histogram"
        for part in ("bucket", "sum", "count")
    }
    used = set(NAME.findall(json.dumps(DASHBOARD["panels"])))
    used |= {
        name for group in RULES["groups"] for rule in group["rules"] for name in NAME.findall(rule["expr"])
    }
    assert used - known == set()


def test_the_dashboard_shows_every_metric_there_is() -> None:
    shown = json.dumps(DASHBOARD)
    # Those that other panels say in another way.
    elsewhere = {"vedette_camera_state", "vedette_epoch", "vedette_worker_cameras"}
    for family in FAMILIES:
        assert (family.name in shown) is (family.name not in elsewhere), family.name


def test_the_dashboards_panels_have_their_own_places(server: Prometheus) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_the_rules_are_evaluated_on_what_was_scraped(server: Prometheus) -> None:
    server.until('ALERTS{alertname="VedetteCameraBlind", alertstate="pending", camera="dock"}')
    groups = server.api("rules")["groups"]
    assert {rule["health"] for group in groups for rule in group["rules"]} <= {"ok", "unknown"}


def test_a_node_that_goes_is_seen_to_be_gone(tmp_path: Path) -> None:
    exporter = Exporter("127.0.0.1:0", node, histograms, version="1")
    exporter.start()
    with prometheus(tmp_path, exporter.port) as running:
        running.until("vedette_camera_blind")
        exporter.close()
        running.until("up == 0")
        running.until("absent(vedette_camera_blind)")
