"""Results for a function of the user's."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vedette.errors import redact
from vedette.results import Result

__all__ = ["CallbackSink"]


class CallbackSink:
    """Calls ``function`` with each result. What it raises costs that one result and is reported."""

    def __init__(self, function: Callable[[Result], object], report: Callable[[str], None]) -> None:
        self._function, self._report = function, report
        self._last_report = ""
        self.failed = 0

    def open(self) -> None:
        pass

    def write(self, results: Sequence[Result]) -> None:
        for result in results:
            try:
                self._function(result)
            except (
                Exception,
                SystemExit,
            ) as error:  # the user's code: anything may come, none of it may end the node
                self.failed += 1
                self._tell(f"on_result raised {type(error).__name__}: {error}")

    def close(self) -> None:
        pass

    def _tell(self, message: str) -> None:
        """The same message is told of once; ``failed`` counts the rest."""
        if message != self._last_report:
            self._last_report = message
            self._report(redact(message))
