"""``vedette review``: a page to review in, and labels out of the review folder and into it."""

from __future__ import annotations

import getpass
import ipaddress
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vedette.quality.review.store import Store

__all__ = ["review"]

PORT = 8461


def _loopback(text: str) -> str:
    """Others would see people's pictures, and could say what they like of them."""
    host = "127.0.0.1" if text == "localhost" else text
    try:
        ours = ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        ours = False
    if not ours:
        raise typer.BadParameter(
            "must be localhost or 127.0.0.1: the page does not ask yet who somebody is, so other machines "
            f"must not reach it. From elsewhere: ssh -L {PORT}:127.0.0.1:{PORT} THIS-MACHINE"
        )
    return host


def review(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The review folder.", show_default=False)],
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0 takes a free one.")] = PORT,
    host: Annotated[
        str, typer.Option(parser=_loopback, metavar="ADDRESS", help="Of this machine only.")
    ] = "127.0.0.1",
    confidence: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="The detector's: weaker boxes are offered only.")
    ] = 0.4,
    export: Annotated[
        tuple[str, Path] | None,
        typer.Option(metavar="FORMAT FILE", help="Write what was reviewed as a labelled set, and end."),
    ] = None,
    import_: Annotated[
        Path | None,
        typer.Option(
            "--import", metavar="FILE", help="Take labels that were made elsewhere as reviews, and end."
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="A class to export; may be repeated. Else those looked for last."),
    ] = None,
    camera: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Export this camera only, or gate_*; may be repeated."),
    ] = None,
) -> None:
    """Look at frames that were kept, and say what is right."""
    store = _opened(folder)
    with store:
        if import_ is not None:
            _import(store, import_)
        if export is not None:
            _export(store, export[0], export[1], label, camera or ())
        if import_ is None and export is None:
            _serve(store, host, port, confidence)


def _opened(folder: Path) -> Store:
    from vedette.errors import ReviewError
    from vedette.quality.review.store import Store

    if not (folder / "review.db").exists():
        raise ReviewError(f"{folder}: is no review folder (there is no review.db in it)")
    return Store.open(folder)


def _reviewer() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, in a container
        return ""


def _serve(store: Store, host: str, port: int, confidence: float) -> None:
    try:
        from vedette.quality.review.page.serve import serve
    except ModuleNotFoundError as err:
        from vedette.errors import VedetteError

        if (err.name or "").partition(".")[0] not in ("nicegui", "fastapi", "starlette", "uvicorn"):
            raise
        raise VedetteError(
            "vedette review needs a package that is not installed: pip install 'vedette[review]'"
        ) from err
    from vedette.quality.review.page.settings import PageSettings

    store.sweep()
    settings = PageSettings(threshold=confidence, reviewer=_reviewer())
    serve(store, settings, host=host, port=port, ready=lambda url: print(f"Review at {url}", flush=True))


def _export(
    store: Store, format: str, file: Path, chosen: list[str] | None, cameras: Collection[str]
) -> None:
    from vedette.errors import ReviewError
    from vedette.quality.labels.formats import write
    from vedette.quality.review.convert import to_dataset
    from vedette.quality.review.rows import State

    reviewed = [
        pair
        for pair in store.reviewed()
        if pair[1].state is State.REVIEWED
        and (not cameras or any(fnmatchcase(pair[0].camera, pattern) for pattern in cameras))
    ]
    if not reviewed:
        of = f" of {', '.join(sorted(cameras))}" if cameras else ""
        raise ReviewError(f"{store.folder}: nothing{of} was reviewed yet")
    last = max((said for _, said in reviewed), key=lambda said: said.at)
    labels = chosen or last.looked_for
    dataset = to_dataset(reviewed, labels)
    write(dataset, file, format)
    print(
        f"{file}: {len(dataset.pictures)} pictures, {sum(len(each.boxes) for each in dataset.pictures)} boxes"
    )
    print(f"the pictures lie in {store.pictures}")
    if left := len(reviewed) - len(dataset.pictures):
        print(f"{left} left out: gone from the disk, or not all of {', '.join(labels)} were looked for")


def _import(store: Store, file: Path) -> None:
    import time

    from vedette.quality.labels.formats import read
    from vedette.quality.review.convert import reviews_of

    dataset = read(file, pictures=store.pictures)
    found = reviews_of(dataset, store.items(), reviewer=_reviewer(), at=time.time())
    print(f"{store.import_reviews(found.reviews)} reviews of {file}")
    for name in found.unknown:
        print(f"no frame of this folder: {name}")
