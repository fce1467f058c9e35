"""``vedette config``: what was changed over the API, and how to take it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vedette.config import Config
    from vedette.lasting import LastingChanges

__all__ = ["config"]

config = typer.Typer(
    no_args_is_help=True, help="What was changed over the API: it lasts, beside the configuration file."
)

ConfigFile = Annotated[
    Path, typer.Argument(metavar="CONFIG", help="The YAML configuration.", show_default=False)
]


def _lasting(path: Path) -> tuple[Config, LastingChanges]:
    from vedette.config import load_config
    from vedette.lasting import LastingChanges, changes_file

    loaded = load_config(path)
    return loaded, LastingChanges(changes_file(loaded))


@config.command()
def changes(path: ConfigFile) -> None:
    """List what was changed over the API and holds at the next start, too."""
    _, lasting = _lasting(path)
    words = list(lasting.kept.words())
    print("\n".join(words) if words else "nothing was changed over the API")


@config.command()
def reset(
    path: ConfigFile,
    camera: Annotated[
        str | None, typer.Option(metavar="NAME", help="Only what was changed of this camera.")
    ] = None,
) -> None:
    """Take back what was changed over the API: at the next start, or reload, the file alone holds."""
    from vedette.errors import ConfigError, redact

    loaded, lasting = _lasting(path)
    if lasting.forget(camera):
        print("taken back" + (f" of {camera}" if camera else "") + "; it holds at the next start, or reload")
        return
    if camera is not None and camera not in loaded.cameras:
        raise ConfigError(f"there is no camera {redact(camera)!r}, and nothing of one was changed")
    print("nothing was changed over the API" + (f" of {camera}" if camera else ""))
