"""Which cameras are meant, when somebody wants what is usual for them learnt anew. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vedette.errors import ConfigError, redact

__all__ = ["to_learn"]

NAMES_AT_MOST = 10


def to_learn(wanted: Sequence[str], studied: Mapping[str, bool]) -> list[str]:
    """In the order given, each once; all that can be where none is named. ``studied``: by camera, whether
    the detector is watched on it. Raises ConfigError where one of ``wanted`` is unknown, or is not."""
    strangers = [name for name in dict.fromkeys(wanted) if name not in studied]
    if strangers:
        raise ConfigError(f"there is no camera {_names(strangers)}; there are {_names(sorted(studied))}")
    unwatched = [name for name in dict.fromkeys(wanted) if not studied[name]]
    if unwatched:
        raise ConfigError(
            f"the detector is not watched on {_names(unwatched)}: it plays a clip frame by frame"
        )
    chosen = list(dict.fromkeys(wanted)) or [name for name, each in studied.items() if each]
    if not chosen:
        raise ConfigError("the detector is watched on no camera of this node: all play clips frame by frame")
    return chosen


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(redact(name) for name in names[:NAMES_AT_MOST])
    more = len(names) - NAMES_AT_MOST
    return f"{shown} and {more} more" if more > 0 else shown
