"""Every directive that works, in CoreDNS' plugin order. The order decides, not the Corefile."""

from __future__ import annotations

from typing import Final

from ocizone.corefile.arguments import text
from ocizone.corefile.directive import Argument, Declaration, Directive
from ocizone.plugins import (
    acl,
    any,  # noqa: A004 - a module is named like its directive
    api,
    artifacts,
    auto,
    bind,
    bufsize,
    catalog,
    chaos,
    cookies,
    debug,
    errors,
    file,
    health,
    loadbalance,
    log,
    memcached,
    minimal,
    multisocket,
    nsid,
    oci,
    prometheus,
    provenance,
    ready,
    reload,
    root,
    tls,
    transfer,
    tsig,
    webhook,
    whoami,
)

DIRECTIVES: Final[tuple[Directive, ...]] = (
    root.DIRECTIVE,
    multisocket.DIRECTIVE,
    reload.DIRECTIVE,
    nsid.DIRECTIVE,
    bufsize.DIRECTIVE,
    bind.DIRECTIVE,
    debug.DIRECTIVE,
    ready.DIRECTIVE,
    health.DIRECTIVE,
    prometheus.DIRECTIVE,
    api.DIRECTIVE,
    webhook.DIRECTIVE,
    artifacts.DIRECTIVE,
    memcached.DIRECTIVE,
    errors.DIRECTIVE,
    log.DIRECTIVE,
    any.DIRECTIVE,
    chaos.DIRECTIVE,
    provenance.DIRECTIVE,
    loadbalance.DIRECTIVE,
    tsig.DIRECTIVE,
    cookies.DIRECTIVE,
    acl.DIRECTIVE,
    tls.DIRECTIVE,
    minimal.DIRECTIVE,
    transfer.DIRECTIVE,
    catalog.DIRECTIVE,
    file.DIRECTIVE,
    auto.DIRECTIVE,
    whoami.DIRECTIVE,
    oci.DIRECTIVE,
)

#: Part of the grammar, not of a server block: the parser puts files and snippets in its place.
IMPORT: Final = Declaration(
    "import",
    "*import* puts the content of files, or of a snippet, where it stands.",
    (
        Argument(
            "PATTERN",
            text,
            "A snippet's name; else a path, relative to the file the line stands in, with at most"
            " one `*`.",
            required=True,
        ),
    ),
)

#: Everything that has a page.
DECLARATIONS: Final[tuple[Declaration, ...]] = (*DIRECTIVES, IMPORT)
