"""``ocizone gc``: remove what nothing refers to any more."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import click

from ocizone.cli.results import conclude, post
from ocizone.cli.server import server_options
from ocizone.control import NoServerError, Where
from ocizone.errors import StoreError


@click.command(name="gc")
@click.option("--forgotten", is_flag=True, help="Also what no block of the Corefile names now.")
@click.argument("digests", nargs=-1, metavar="[DIGEST]...")
@server_options
def command(forgotten: bool, digests: tuple[str, ...], where: Where) -> int:
    """Remove blobs, images and records that nothing refers to any more.

    A DIGEST is of a version to forget, unless it is served, pinned or held. The running server does it, as after each deployment; without one, it is done here.
    """
    try:
        return post(where, "gc", {"forgotten": forgotten, "digests": list(digests)})
    except NoServerError:
        if not isinstance(where, Path) or not where.is_dir():
            raise
        if forgotten:
            # Which sources are forgotten only a Corefile tells: the server's.
            raise StoreError(f"--forgotten: no server runs in {where} to say what is") from None
        from ocizone.storecare import collect  # noqa: PLC0415 - lmdb, when needed

        return conclude(HTTPStatus.OK, collect(where, digests).to_json())
