"""Bodies of requests: no larger than they may be, and not for ever on their way."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive

from vedette.web.who.refusals import RefusedError

__all__ = ["Body"]


class Body:
    """Stands in the place of ``receive``. ``most``: bytes; ``quiet_s``: for so long nothing may come;
    ``within_s``: by then all of it must be there, None = however long it takes.

    Where it is refused the application is told that nobody waits for its answer any more, and ``refused``
    says why.
    """

    def __init__(self, receive: Receive, most: int, quiet_s: float, within_s: float | None) -> None:
        self._receive, self._most, self._quiet_s = receive, most, quiet_s
        self._ends = None if within_s is None else asyncio.get_running_loop().time() + within_s
        self._taken = 0
        self._whole = False
        self.refused: RefusedError | None = None

    async def __call__(self) -> Message:
        if self.refused is not None:
            return {"type": "http.disconnect"}
        if self._whole:
            return await self._receive()  # waits for the browser to go away, however long
        message = await self._next()
        if message["type"] != "http.request":
            return message
        self._taken += len(message.get("body", b""))
        if self._taken > self._most:
            return self._refuse("too-large", f"more than {self._most} bytes were sent")
        self._whole = not message.get("more_body", False)
        return message

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout(self._patience()):
                return await self._receive()
        except TimeoutError:
            return self._refuse("too-slow", "the request was not sent in time")

    def _patience(self) -> float:
        if self._ends is None:
            return self._quiet_s
        return min(self._quiet_s, self._ends - asyncio.get_running_loop().time())

    def _refuse(self, kind: str, detail: str) -> Message:
        self.refused = RefusedError(kind, detail, {"Connection": "close"})
        return {"type": "http.disconnect"}
