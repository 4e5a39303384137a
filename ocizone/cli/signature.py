"""Looking who signed an artifact: for ``verify`` and ``pull``."""

from __future__ import annotations

import click

from ocizone.observe.printable import printable
from ocizone.plugins.artifact import Verify
from ocizone.registry.client import Client
from ocizone.registry.reference import Reference
from ocizone.registry.trust import Signed, Unsigned, Untrusted


def signer(client: Client, reference: Reference, digest: str, whose: Verify) -> str | None:
    """Return who signed a digest; None, and why on stderr, when nobody did who counts."""
    from ocizone.registry.signatures import check_signature  # noqa: PLC0415 - cryptography

    verdict = check_signature(client, digest, whose)
    match verdict:
        case Signed():
            return printable(verdict.by)
        case Unsigned():
            click.echo(f"{reference}@{digest} not signed: {printable(verdict.why)}", err=True)
        case Untrusted():
            said = f"not signed by whom it should be: {printable(verdict.why)}"
            click.echo(f"{reference}@{digest} {said}", err=True)
    return None
