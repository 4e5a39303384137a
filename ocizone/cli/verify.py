"""``ocizone verify``: is what is stored whole, or: who signed an artifact."""

from __future__ import annotations

from contextlib import closing
from http import HTTPStatus
from pathlib import Path

import click

from ocizone.cli.exit_codes import Exit
from ocizone.cli.registry import Access, parse_reference, registry_options
from ocizone.cli.results import conclude, post
from ocizone.cli.server import server_options
from ocizone.cli.signature import signer
from ocizone.control import NoServerError, Where
from ocizone.limits import ATTEMPT_DEADLINE_S
from ocizone.plugins.artifact import Identity, Verify


@click.command(name="verify")
@click.argument("reference", required=False, metavar="[REF]")
@click.option(
    "--key",
    "keys",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, resolve_path=True),
    metavar="FILE",
    help="Public key whose signature REF needs; any one of several will do.",
)
@click.option(
    "--identity",
    "identities",
    nargs=2,
    multiple=True,
    metavar="ISSUER SUBJECT",
    help="Who may have signed REF without a key (sigstore).",
)
@registry_options
@server_options
def command(
    reference: str | None,
    keys: tuple[str, ...],
    identities: tuple[tuple[str, str], ...],
    access: Access,
    where: Where,
) -> int:
    """Hash everything that is stored again; or check the signature of REF.

    Without REF the running server hashes its blobs and images, and without a server they are
    hashed here. With REF its tag is resolved, and the digest needs a signature of a --key.
    """
    if reference is None:
        if keys or identities:
            raise click.UsageError("--key and --identity go with a REF")
        return _stored(where)
    if not keys and not identities:
        raise click.UsageError("give the public key that REF is to be signed with: --key FILE")
    whose = Verify(keys, tuple(Identity(*identity) for identity in identities))
    return _signed(reference, whose, access)


def _stored(where: Where) -> int:
    try:
        return post(where, "verify", {})
    except NoServerError:
        if not isinstance(where, Path) or not where.is_dir():
            raise
        from ocizone.storecare import verify  # noqa: PLC0415 - lmdb, when needed

        return conclude(HTTPStatus.OK, verify(where).to_json())


def _signed(text: str, whose: Verify, access: Access) -> int:
    reference = parse_reference(text)
    with closing(access.client(reference)) as client:
        client.start_attempt(ATTEMPT_DEADLINE_S)
        digest = client.resolve().digest
        by = signer(client, reference, digest, whose)
    if by is None:
        return Exit.INTEGRITY
    click.echo(f"{reference}@{digest} signed by {by}")
    return Exit.OK
