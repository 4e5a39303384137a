"""A Corefile, from its path or its text to frozen values. The way in to this package.

All mistakes of all blocks are found in one run. Nothing is started, resolved or written.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

from ocizone.corefile.arguments import is_address
from ocizone.corefile.directive import BadArgumentError, Directive, Scope
from ocizone.corefile.httpaddresses import check_http
from ocizone.corefile.keys import keys_of
from ocizone.corefile.lexer import Token
from ocizone.corefile.listeners import Claim, check_overlap
from ocizone.corefile.parser import Occurrence, RawBlock, parse_blocks
from ocizone.corefile.reading import read as read_use
from ocizone.corefile.reading import refuse
from ocizone.corefile.report import Report, did_you_mean
from ocizone.corefile.sources import Glob, Read, World, glob_files, read_file
from ocizone.corefile.stream import TokenStream
from ocizone.corefile.types import Corefile, Key, ServerBlock
from ocizone.errors import ConfigError, Problem, Severity
from ocizone.plugins.bind import Bind
from ocizone.plugins.directives import DIRECTIVES
from ocizone.plugins.others import OTHERS, Verdict
from ocizone.plugins.root import Root
from ocizone.wire.name import to_text


def load(
    path: str,
    *,
    read: Read = read_file,
    glob: Glob = glob_files,
    environ: Mapping[str, str],
    default_port: int = 53,
    cwd: str,
) -> Corefile:
    """Return the Corefile at a path.

    Args:
        path: as the operator gave it; findings name it so.
        read: returns the text of an absolute path.
        glob: returns the paths that match an absolute pattern, for ``import``.
        environ: what ``{$NAME}`` stands for.
        default_port: of ``dns`` keys without one.
        cwd: absolute; what a relative path starts from.

    Raises:
        ConfigError: with all findings, sorted by place.
    """
    try:
        text = read(World(read, glob, environ, cwd).absolute(path))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        message = f"open {path}: {reason[:1].lower()}{reason[1:]}"
        raise ConfigError(
            [Problem(path, 0, 0, Severity.ERROR, "corefile-unreadable", message)]
        ) from error
    return parse_text(
        text, path, read=read, glob=glob, environ=environ, default_port=default_port, cwd=cwd
    )


def parse_text(
    text: str,
    path: str = "Corefile",
    *,
    read: Read = read_file,
    glob: Glob = glob_files,
    environ: Mapping[str, str],
    default_port: int = 53,
    cwd: str,
) -> Corefile:
    """Return the Corefile a text is, as if it stood at ``path``; otherwise as ``load``.

    Raises:
        ConfigError: with all findings, sorted by place.
    """
    world = World(read, glob, environ, cwd)
    report = Report()
    stream = TokenStream(text, path, world, report)
    raw_blocks = parse_blocks(stream, report)
    if not raw_blocks:
        report.error(_Whole(path), "empty-corefile", f"no server blocks in {path}")
    noting = _Noting(world.read)
    drafts = [_draft(raw, cwd, noting, default_port, report) for raw in raw_blocks]
    check_overlap([claim for draft in drafts for claim in draft.claims()], report)
    check_http([value for draft in drafts for value in draft.values], report)
    report.raise_errors()
    return Corefile(
        path=path,
        blocks=tuple(draft.block() for draft in drafts),
        notices=report.problems,
        fingerprint=noting.added_to(stream.fingerprint),
        files=(world.absolute(path), *stream.files, *noting.texts),
    )


@dataclass(frozen=True, slots=True)
class _Whole:
    """The place of a finding about a whole file."""

    file: str
    line: int = 0
    column: int = 0


class _Noting:
    """Reads files that directives name, and notes what was in them: they are configuration.

    Attributes:
        texts: by absolute path.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self.texts: dict[str, str] = {}

    def __call__(self, path: str) -> str:
        """Return a file's text; raises as what it reads with does."""
        self.texts[path] = self._read(path)
        return self.texts[path]

    def added_to(self, fingerprint: str) -> str:
        """Return a fingerprint of the Corefile and of these files."""
        if not self.texts:
            return fingerprint
        parts = [fingerprint, *(part for item in sorted(self.texts.items()) for part in item)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


@dataclass(slots=True)
class _Draft:
    """A server block on its way."""

    keys: list[tuple[Key, Token]]
    values: list[object] = field(default_factory=list)

    def bound(self) -> tuple[str, ...]:
        """Return every address and name of ``bind`` that ``except`` leaves, each once."""
        binds = [value for value in self.values if isinstance(value, Bind)]
        return tuple(
            dict.fromkeys(
                name for bind in binds for name in bind.names if name not in bind.excepted
            )
        )

    def claims(self) -> list[Claim]:
        hosts = self.bound()
        return [Claim(key, hosts, token) for key, token in self.keys]

    def block(self) -> ServerBlock:
        return ServerBlock(
            keys=tuple(key for key, _ in self.keys),
            hosts=tuple(str(ip_address(host)) for host in self.bound() if is_address(host)),
            values=tuple(self.values),
            position=self.keys[0][0].position,
        )


def _draft(raw: RawBlock, cwd: str, read: Read, default_port: int, report: Report) -> _Draft:
    keys = [(key, token) for token in raw.keys for key in keys_of(token, default_port, report)]
    draft = _Draft(keys)
    uses = _by_directive(raw, report)
    origins = tuple(dict.fromkeys(key.zone for key, _ in keys))
    scope = Scope(cwd, None, origins, read)
    for directive in DIRECTIVES:
        occurrences = uses.get(directive.name, [])
        for occurrence in occurrences[1:] if directive.once else ():
            report.error(
                occurrence.name,
                "directive-repeated",
                f"plugin/{directive.name}: this plugin can only be used once per Server Block",
                f"first at {occurrences[0].name.position}",
            )
        for occurrence in occurrences:
            draft.values += _values(directive, occurrence, scope, report)
        if directive.name == "root" and occurrences:
            roots = [value.path for value in draft.values if isinstance(value, Root)]
            # A bad `root` is reported already; what relies on one should not complain too.
            scope = replace(scope, root=roots[-1] if roots else cwd)
    _require_tls(draft, uses, report)
    return draft


def _by_directive(raw: RawBlock, report: Report) -> dict[str, list[Occurrence]]:
    """Return a block's uses by directive; those that do not work here are reported."""
    known = [directive.name for directive in DIRECTIVES]
    uses: dict[str, list[Occurrence]] = {}
    for occurrence in raw.uses:
        name = occurrence.name.text
        uses.setdefault(name, []).append(occurrence)
        if name in known:
            continue
        if name in OTHERS:
            _tell_verdict(occurrence.name, OTHERS[name], report)
            continue
        report.error(
            occurrence.name,
            "unknown-directive",
            f"Unknown directive '{occurrence.name.shown}'",
            _unknown_hint(name, known),
        )
    return uses


def _unknown_hint(name: str, known: list[str]) -> str:
    owners = [
        owner
        for directive in DIRECTIVES
        for owner, properties in [
            (directive.name, directive.properties),
            *((f"{directive.name}'s {one.name}", one.properties) for one in directive.properties),
        ]
        if name in (declared.name for declared in properties)
    ]
    if owners:
        return f"'{name}' belongs in the block of {' or '.join(owners)}"
    if "." in name or name.endswith("{"):
        return "a second server block? both need braces, and a space before '{'"
    return did_you_mean(name, [*known, *OTHERS])


def _tell_verdict(at: Token, verdict: Verdict, report: Report) -> None:
    if verdict.refused:
        report.error(at, "directive-not-supported", verdict.message(at.text), verdict.hint)
    else:
        report.warning(at, "directive-ignored", verdict.message(at.text), verdict.hint)


def _values(
    directive: Directive, occurrence: Occurrence, scope: Scope, report: Report
) -> list[object]:
    use = read_use(directive, occurrence, report)
    if use is None:
        return []
    try:
        return list(directive.build(use, scope))
    except BadArgumentError as error:
        refuse(use.given, error)
        return []


def _require_tls(draft: _Draft, uses: dict[str, list[Occurrence]], report: Report) -> None:
    """CoreDNS serves plain text on a tls:// key without ``tls``; nobody wants that."""
    schemes = {key.scheme for key, _ in draft.keys}
    for key, token in draft.keys:
        if key.scheme == "tls" and "tls" not in uses:
            report.error(
                token,
                "tls-missing",
                "tls:// needs a 'tls' directive in its server block",
                "write 'tls CERT KEY', the certificate to serve it with",
            )
    if "tls" in uses and schemes == {"dns"}:
        report.warning(
            uses["tls"][0].name,
            "tls-unused",
            "plugin/tls: no key of this server block is served over TLS",
            f"write 'tls://{to_text(draft.keys[0][0].zone)}' for one that is",
        )
