"""At which line of which file a record of a served zone was written. Blocking; reads blobs.

For ``ocizone which``: the server says which artifact answers a name (ocizone.which), and parses no
zones; the blobs it names are unpacked and read again here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocizone.compiler.select import YAML_SUFFIXES
from ocizone.compiler.spec import Layer
from ocizone.compiler.tree import SourceTree
from ocizone.findings import Findings
from ocizone.store.unpack import unpack
from ocizone.wire import name as names
from ocizone.zone.masterfile import read_master
from ocizone.zone.rdata import type_name
from ocizone.zone.record import Record
from ocizone.zone.yamlfile import read_yaml


@dataclass(frozen=True, slots=True, order=True)
class FileLine:
    """Where a record stands.

    Attributes:
        file: path inside the artifact; an included file is named itself.
        line: 1-based, of the entry's first word.
        type: mnemonic.
    """

    file: str
    line: int
    type: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


def file_lines(answer: dict[str, Any], types: frozenset[str]) -> tuple[FileLine, ...] | None:
    """Return where the records of an answer stand, sorted; None when its blobs are not here.

    Args:
        answer: one of ``/v1/which``: zone, owner, file and layers.
        types: mnemonics that are meant.

    Raises:
        StoreError: a blob cannot be read.
    """
    layers = tuple(Layer(**layer) for layer in answer["layers"])
    if not layers or not all(Path(layer.blob).is_file() for layer in layers):
        return None
    owner = names.lower(names.from_text(answer["owner"]))
    with tempfile.TemporaryDirectory(prefix="ocizone-which-") as name:
        files = unpack(layers, Path(name), Findings())
        path = _path(answer["file"], [file.path for file in files])
        if path is None:
            return ()
        records = _records(SourceTree(Path(name)), path, names.from_text(answer["zone"]))
        found = {
            FileLine(record.file, record.line, type_name(record.rrtype))
            for record in records
            if names.lower(record.owner) == owner and type_name(record.rrtype) in types
        }
    return tuple(sorted(found))


def _path(named: str, paths: Iterable[str]) -> str | None:
    """Return the file of the tree that a finding would call so; a local source has a prefix."""
    known = set(paths)
    if named in known:
        return named
    return max((path for path in known if named.endswith(f"/{path}")), key=len, default=None)


def _records(tree: SourceTree, path: str, origin: bytes) -> Iterable[Record]:
    data, findings = tree.read(path), Findings()
    if path.endswith(YAML_SUFFIXES):
        return read_yaml(data, file=path, origin=origin, findings=findings)
    return read_master(data, file=path, origin=origin, findings=findings, resolver=tree.include)
