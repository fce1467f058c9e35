"""All of the API's routes, put into the application."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import FastAPI

from vedette.web.served import Served
from vedette.web.who.guard import Guard

__all__ = ["api"]


def api(app: FastAPI, served: Served, guard: Guard, *, prefix: str) -> None:
    """Raises nothing."""

    @app.get(f"{prefix}/status")
    async def status() -> dict[str, object]:
        return asdict(await served.asked.view())
