"""What a running node shows to others: metrics, traces, answers to who asks on its socket, the dashboard."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from msgspec.structs import replace

from vedette import __version__
from vedette.config import Config
from vedette.errors import ConfigError, VedetteError
from vedette.observe.views import Histograms, NodeView
from vedette.results import Result

if TYPE_CHECKING:
    from vedette.control.protocol import (
        Configured,
        Gave,
        Happened,
        Happenings,
        Look,
        Looked,
        Order,
        Results,
        Settings,
    )
    from vedette.observe.traces import Tracer
    from vedette.web.keeper import WebKeeper

__all__ = ["Faces"]

LAST_TRACES_S = 1.0


class Shown(Protocol):
    """What there is to show."""

    def view(self, *, details: bool = False) -> NodeView: ...

    def histograms(self) -> Histograms: ...

    def begin(self, order: Order) -> Future[Any]: ...

    def progress(self) -> str: ...

    def look(self, request: Look) -> Looked: ...

    def recent_results(self, request: Results) -> Gave: ...

    def recent_happenings(self, request: Happenings) -> Happened: ...

    def configured(self, request: Configured) -> Settings: ...


class Faces:
    """Starts what the configuration asks for. ``tell`` hears of trouble: a sentence, and where."""

    def __init__(
        self, node: Shown, config: Config, tell: Callable[[str, str], None], *, answers: bool
    ) -> None:
        self._node, self._config, self._tell, self._answers = node, config, tell, answers
        self._open = ExitStack()
        self._tracer: Tracer | None = None
        self.metrics_address: str | None = None
        """Where metrics are served, with the port that it came to; None where they are not."""
        self.web: WebKeeper | None = None
        """Who keeps the dashboard; None where there is none."""

    def start(self) -> None:
        """Raises ConfigError where an address cannot be had."""
        with ExitStack() as opening:
            if self._config.metrics is not None:
                self._serve_metrics(opening, self._config.metrics)
            if self._config.traces is not None:
                self._trace(opening)
            asked = "web" in self._config.model_fields_set and self._config.web.enabled
            if self._answers or asked:
                control = self._answer(opening)
                if control is not None and self._config.web.enabled:
                    self._serve_web(opening, control, asked=asked)
            self._open = opening.pop_all()

    def frame(self, result: Result) -> None:
        """A result leaves; of those that are traced its times are told."""
        if result.times is not None and self._tracer is not None:
            self._tracer.frame(result, replace(result.times, emitted=time.monotonic()))

    def close(self) -> None:
        self._open.close()

    def _serve_metrics(self, opening: ExitStack, address: str) -> None:
        from vedette.observe.metrics import Exporter

        exporter = Exporter(
            address,
            self._node.view,
            self._node.histograms,
            version=__version__,
            tell=lambda message: self._tell(message, "metrics"),
        )
        exporter.start()
        opening.callback(exporter.close)
        self.metrics_address = exporter.address

    def _trace(self, opening: ExitStack) -> None:
        from vedette.observe.traces import Tracer

        traces = self._config.traces
        assert traces is not None
        self._tracer = Tracer(
            traces.to,
            node=self._config.ledger.node,
            wall_offset=lambda: time.time() - time.monotonic(),
            report=lambda message: self._tell(message, "traces"),
            headers=traces.options,
        )
        self._tracer.start()
        opening.callback(partial(self._tracer.close, LAST_TRACES_S))

    def _serve_web(self, opening: ExitStack, control: Path, *, asked: bool) -> None:
        """``asked``: the configuration says so itself."""
        from vedette.web.keeper import WebKeeper, can_serve, listen
        from vedette.web.task import task_of
        from vedette.web.who.served_to import may_be_served, users_file
        from vedette.web.who.users import UsersFile

        if not can_serve():
            if asked:
                raise ConfigError("web: the dashboard needs more packages: pip install 'vedette[web]'")
            return
        task, listening = task_of(self._config, control), listen(self._config.web.address)
        try:
            store = None if task.store is None else Path(task.store)
            known = users_file(self._config.web.users, store, task.node)
            users = UsersFile(known)
            may_be_served(self._config.web, listening.getsockname()[0], users)
        except ConfigError:
            listening.close()
            raise
        keeper = WebKeeper(task, listening, lambda message: self._tell(message, "web"), users)
        keeper.start()
        opening.callback(keeper.close)
        self.web = keeper

    def _answer(self, opening: ExitStack) -> Path | None:
        """Where it answers; None where it cannot."""
        from vedette.control.protocol import Configured, Happenings, Look, Results
        from vedette.control.server import ControlServer

        server = ControlServer(
            self._config.ledger.node,
            lambda details: self._node.view(details=details),
            do=self._node.begin,
            progress=self._node.progress,
            others={
                Look: self._node.look,
                Results: self._node.recent_results,
                Happenings: self._node.recent_happenings,
                Configured: self._node.configured,
            },
        )
        try:
            server.start()
        except VedetteError as err:
            self._tell(f"nobody can ask this node anything: {err}", "control")
            return None
        opening.callback(server.close)
        return server.path
