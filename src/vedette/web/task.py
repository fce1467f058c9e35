"""What a dashboard's process is told to serve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from vedette.config import Config

__all__ = ["Task", "task_of"]


class Task(msgspec.Struct, frozen=True):
    """``socket``: where the node answers. ``settings``: the section ``web``, as JSON. ``ledger``: an address,
    which may hold a password; it goes over a private channel, and never onto a command line. Folders as
    absolute paths; None where there is none."""

    node: str
    socket: str
    settings: str
    ledger: str | None = None
    store: str | None = None
    review: str | None = None
    runs: str | None = None
    tls: bool = False
    idle_s: float = 900.0
    """Seconds without any request after which the process ends."""
    ever_users: bool = False
    """An earlier process knew users: without them it is open to nobody, not to everybody."""
    log_level: str | None = None
    """As the node logs; None where nobody said how."""
    log_json: bool = False


def task_of(config: Config, control: Path) -> Task:
    """Of a node that answers at ``control``."""
    from vedette.observe.log import configured
    from vedette.quality.validate.where import runs_of
    from vedette.supervise.machine import store_folder
    from vedette.tasks import review_folder

    store = store_folder(config.ledger.url, enabled=config.ledger.enabled)
    review = review_folder(config)
    logging = configured()
    return Task(
        node=config.ledger.node,
        socket=str(control),
        settings=config.web.model_dump_json(),
        ledger=config.ledger.url if config.ledger.enabled else None,
        store=str(store) if store is not None else None,
        review=str(review) if review is not None else None,
        runs=str(runs_of(config)),
        tls=config.web.certificate is not None,
        log_level=None if logging is None else logging.level,
        log_json=logging is not None and logging.json,
    )
