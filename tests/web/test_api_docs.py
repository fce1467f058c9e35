"""docs/api.md has every route there is, and none there is not."""

from __future__ import annotations

import re
from pathlib import Path

import httpx

DOCS = Path(__file__).parents[2] / "docs" / "api.md"


async def test_every_route_is_documented(ask: httpx.AsyncClient) -> None:
    paths = (await ask.get("openapi.json")).json()["paths"]
    there = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods}
    said = set(re.findall(r"`((?:GET|POST|PUT|PATCH|DELETE) /[^`?\s]*)", DOCS.read_text(encoding="utf-8")))

    ours = {each for each in said if not each.endswith(("/livez", "/readyz", "/healthz"))}
    assert there - ours == set()
    assert ours - there == set()


async def test_every_route_has_a_summary_and_says_what_may_go_wrong(ask: httpx.AsyncClient) -> None:
    paths = (await ask.get("openapi.json")).json()["paths"]
    for path, methods in paths.items():
        for method, told in methods.items():
            assert told.get("summary"), (method, path)
            assert told.get("tags"), (method, path)
            codes = [code for code in told["responses"] if code.startswith(("4", "5"))]
            assert codes, (method, path)
            for code in codes:
                assert list(told["responses"][code]["content"]) == ["application/problem+json"], (path, code)
