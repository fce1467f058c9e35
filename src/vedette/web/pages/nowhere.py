"""What a browser is shown at an address at which there is nothing: that, and the way back."""

from __future__ import annotations

import html

from fastapi import FastAPI, Request, Response
from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException

__all__ = ["lead_back"]

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Not found · {node} · Vedette</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 32rem; margin: 15vh auto; padding: 0 1rem; }}
</style>
</head>
<body>
<main>
<h1>There is no such page</h1>
<p>Nothing is at this address of {node}. <a href="/">Back to its cameras</a></p>
</main>
</body>
</html>
"""


def lead_back(app: FastAPI, node: str) -> None:
    """Have ``app`` answer so, in place of what it has for it. Programs are told in JSON."""
    page = PAGE.format(node=html.escape(node))

    async def nowhere(request: Request, error: Exception) -> Response:
        if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
            return Response(page, 404, {"Cache-Control": "no-store"}, "text/html")
        return await http_exception_handler(request, HTTPException(404))

    app.add_exception_handler(404, nowhere)
