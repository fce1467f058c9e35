"""Who asks, and whether they may: before anything else sees a request."""

from __future__ import annotations

from fastapi import FastAPI

from vedette.web.served import Served

__all__ = ["Guard"]


class Guard:
    """Of one dashboard."""

    def __init__(self, served: Served) -> None:
        self._served = served

    def protect(self, app: FastAPI) -> None:
        """Put it before everything that ``app`` serves."""
