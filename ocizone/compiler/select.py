"""Which files become zones of which view: the rules ``file``, ``auto`` and ``artifact``.

Not here: what the files hold, but for the SOA owner of a file whose name does not tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import itemgetter
from typing import Final

from ocizone.compiler.spec import ZoneRule
from ocizone.compiler.tree import SourceTree
from ocizone.findings import Findings, shown
from ocizone.store.paths import is_leftover
from ocizone.wire import name as names
from ocizone.wire.codes import TYPE_SOA
from ocizone.zone.masterfile import read_master

YAML_SUFFIXES: Final = (".yaml", ".yml")
_ZONE_TESTS: Final = frozenset({f"zone-tests{suffix}" for suffix in YAML_SUFFIXES})
_SHOWN_FILES: Final = 20
_GZIP_MAGIC: Final = b"\x1f\x8b"
# A SOA stands at the top; a file without one among its first records names no zone.
_SOA_WITHIN_RECORDS: Final = 20
_SOA_WITHIN_OCTETS: Final = 65_536
_FIELD: Final = re.compile(r"\{(\w+)\}|\$(?:(\w+)|\{(\w+)\})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Selected:
    """A file read as a zone, for one or several views.

    Attributes:
        path: relative to the tree.
        origin: lower-case wire name.
        rules: one a view, sorted by view.
    """

    path: str
    origin: bytes
    rules: tuple[ZoneRule, ...]


def select(tree: SourceTree, rules: Sequence[ZoneRule], findings: Findings) -> tuple[Selected, ...]:
    """Return the zones the rules make of a tree's files, sorted by path and origin.

    Findings tell of a file that is missing, a zone outside a block's zones, an origin claimed
    by two files in one view, and of a tree that gives no zone at all.
    """
    files = tuple(path for path in tree.files() if not is_zone_tests(path))
    claims: dict[tuple[str, bytes], tuple[str, ZoneRule]] = {}
    for rule in rules:
        for origin, path in _of_rule(rule, tree, files, findings):
            claimed, _ = claims.setdefault((rule.view, origin), (path, rule))
            if claimed != path:
                findings.error(
                    tree.display(path),
                    0,
                    0,
                    "origin-claimed-twice",
                    f"{names.to_text(origin)} is claimed by {tree.display(claimed)} and by "
                    f"{tree.display(path)} in {rule.view}",
                    "one view has one file a zone",
                )
    if not claims and not findings.refused:
        _no_zone(files, tree, findings)
    wanted: dict[tuple[str, bytes], list[ZoneRule]] = {}
    for (_, origin), (path, rule) in sorted(claims.items(), key=itemgetter(0)):
        wanted.setdefault((path, origin), []).append(rule)
    return tuple(Selected(path, origin, tuple(of)) for (path, origin), of in sorted(wanted.items()))


def is_zone_tests(path: str) -> bool:
    """Tell whether a path names a file of zone tests (compiler.testfile), which is no zone."""
    return path.rsplit("/", 1)[-1] in _ZONE_TESTS


def origin_of_name(path: str) -> bytes | None:
    """Return the origin a file's name tells, lower case: ``db.ORIGIN``, ``ORIGIN.zone``, YAML.

    A YAML name of one label (``values.yaml``, ``mkdocs.yml``) is any program's configuration.
    """
    base = path.rsplit("/", 1)[-1]
    if base.startswith("db."):
        return _origin(base.removeprefix("db."))
    if base.endswith(".zone"):
        return _origin(base.removesuffix(".zone"))
    for suffix in YAML_SUFFIXES:
        origin = base.removesuffix(suffix).removesuffix(".")
        if base.endswith(suffix) and "." in origin:
            return _origin(origin)
    return None


def origin_of_soa(tree: SourceTree, path: str) -> bytes | None:
    """Return the owner of the SOA a master file begins with, lower case, or None.

    Only a file that says its origin itself tells one: relative to the root, ``@`` is nobody.
    """
    head = tree.head(path, _SOA_WITHIN_OCTETS)
    records = read_master(
        head,
        file=tree.prefix + path,
        origin=names.ROOT,
        findings=Findings(1),
        resolver=tree.include,
    )
    for count, record in enumerate(records):
        if record.rrtype == TYPE_SOA and record.owner != names.ROOT:
            return names.lower(record.owner)
        if count >= _SOA_WITHIN_RECORDS:
            break
    return None


def _of_rule(
    rule: ZoneRule, tree: SourceTree, files: Sequence[str], findings: Findings
) -> Iterator[tuple[bytes, str]]:
    origins = tuple(names.lower(names.from_text(origin)) for origin in rule.origins)
    match rule.kind:
        case "file":
            if rule.path in files:
                yield from ((origin, rule.path) for origin in origins)
            else:
                message = f"{shown(rule.path)} is not in the artifact"
                findings.error(shown(rule.path), 0, 0, "no-such-file", message, _seen(files))
        case "auto":
            yield from _auto(rule, origins, tree, files, findings)
        case "artifact":
            yield from _artifact(rule, origins, tree, files, findings)


def _auto(
    rule: ZoneRule,
    origins: Sequence[bytes],
    tree: SourceTree,
    files: Sequence[str],
    findings: Findings,
) -> Iterator[tuple[bytes, str]]:
    pattern = re.compile(rule.regexp)
    folder = f"{rule.path.rstrip('/')}/" if rule.path else ""
    for path in files:
        base = path.rsplit("/", 1)[-1]
        found = pattern.search(base)
        if not path.startswith(folder) or found is None or is_leftover(path):
            continue
        text = _FIELD.sub(partial(_capture, found), rule.template)
        origin = _origin(text)
        if origin is None:
            message = f"{shown(text)}, made from the file's name, is no zone name"
            findings.warning(tree.display(path), 0, 0, "origin", message)
        elif _wanted(origin, origins):
            yield origin, path
        else:
            _outside(tree.display(path), origin, rule, findings)


def _artifact(
    rule: ZoneRule,
    origins: Sequence[bytes],
    tree: SourceTree,
    files: Sequence[str],
    findings: Findings,
) -> Iterator[tuple[bytes, str]]:
    for path in files:
        if is_leftover(path):
            continue
        origin = origin_of_name(path)
        if origin is None or not _wanted(origin, origins):
            stated = None if path.endswith(YAML_SUFFIXES) else origin_of_soa(tree, path)
            # The name decides; but db.corp with "$ORIGIN corp.example.org." is that zone.
            origin = stated or origin
        if origin is None:
            continue
        if _wanted(origin, origins):
            yield origin, path
        else:
            _outside(tree.display(path), origin, rule, findings)


def _capture(found: re.Match[str], part: re.Match[str]) -> str:
    """Return a capture by number or name; one that is not there is empty, as in CoreDNS."""
    key = next(group for group in part.groups() if group is not None)
    try:
        return found[int(key) if key.isdigit() else key] or ""
    except IndexError:
        return ""


def _origin(text: str) -> bytes | None:
    try:
        return names.lower(names.from_text(text.removesuffix(".") + "."))
    except names.BadNameError:
        return None


def _wanted(origin: bytes, origins: Sequence[bytes]) -> bool:
    return any(names.is_at_or_below(origin, zone) for zone in origins)


def _outside(file: str, origin: bytes, rule: ZoneRule, findings: Findings) -> None:
    findings.warning(
        file,
        0,
        0,
        "outside-block",
        f"{names.to_text(origin)} is not at or below {', '.join(rule.origins)}: not served by "
        f"{rule.view}",
        "add the zone to the server block's key line",
    )


def _no_zone(files: Sequence[str], tree: SourceTree, findings: Findings) -> None:
    hint = "zone files are called db.ORIGIN, ORIGIN.zone or ORIGIN.yaml, or begin with $ORIGIN and a SOA"
    packed = next((path for path in files if tree.head(path, 2) == _GZIP_MAGIC), None)
    if packed is not None:
        hint = f"{shown(packed)} is gzip: a packed folder needs io.deis.oras.content.unpack=true"
    place = "this directory" if tree.prefix else "artifact"
    message = f"no zone files in {place}; {_seen(files)}"
    findings.error(tree.name or tree.prefix, 0, 0, "no-zone-files", message, hint)


def _seen(files: Sequence[str]) -> str:
    if not files:
        return "it holds no files"
    more = f" and {len(files) - _SHOWN_FILES} more" if len(files) > _SHOWN_FILES else ""
    return f"it holds {', '.join(shown(path) for path in files[:_SHOWN_FILES])}{more}"
