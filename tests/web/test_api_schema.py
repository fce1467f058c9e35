"""The API as its own OpenAPI document says it: schemathesis asks what nobody thought of."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from fake_node import FakeNode
from ledger_rows import blind, degraded
from vedette.ledger.store import Ledger
from vedette.web.api.routes import api
from vedette.web.served import Served
from vedette.web.who.guard import Guard, Who

ENDLESS = r"/(results|happenings/stream|cameras/\{name\}/live\.mjpeg)$"
"""Streams do not end by themselves: they have tests of their own."""


class Open(Guard):
    """Lets everybody in."""

    def may(self, role: str):  # type: ignore[no-untyped-def]
        return lambda: Who("tester", "admin")

    def audit(self, who: Who | str, action: str, what: str, outcome: str) -> None:
        pass


def _app() -> FastAPI:
    store = Path(tempfile.mkdtemp(prefix="vedette-schema-"))
    now = time.time_ns() // 1000
    with Ledger.open(store / "vedette.db") as ledger:
        ledger.begin("node", {"camera_1": "10.0.0.1", "camera_2": "10.0.0.2"}, now - 3_600_000_000)
        ledger.write(
            heartbeat=now,
            gaps=[
                blind("g1", "camera_1", now - 1_000_000_000, now - 900_000_000),
                degraded("g2", "camera_2", now - 9_000_000),
            ],
        )
    served = Served("node", FakeNode(3), ledger=str(store / "vedette.db"), store=store)
    app, guard = FastAPI(openapi_url=None), Open(served)
    guard.routes(app, prefix="/api/v1")
    api(app, served, guard, prefix="/api/v1")
    return app


schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", _app()).exclude(path_regex=ENDLESS)


@schema.parametrize()
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
def test_nothing_that_is_asked_breaks_it_and_answers_are_as_documented(case):  # type: ignore[no-untyped-def]
    # What is right by the schema may still be refused: no schema says that an address is link-local.
    case.call_and_validate(excluded_checks=[positive_data_acceptance])
