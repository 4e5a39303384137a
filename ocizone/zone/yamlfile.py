"""YAML zone files in octoDNS's layout, to records with every finding and its place.

    www:                    # relative owner; '' is the apex
      - type: A
        ttl: 300            # seconds; 3600 when left out
        values: [192.0.2.1, 192.0.2.2]
      - {type: TXT, value: hello}

Beyond octoDNS: the zone's SOA is a record too (``type: SOA`` at ``''``), because a server has
to have one. Names in values are absolute, with the final dot. Not here: YAML itself
(zone.yamltree), whether the records make a zone (zone.check).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ocizone.findings import Findings, shown
from ocizone.wire import name as names
from ocizone.zone import rdata as rr
from ocizone.zone.record import Record, Records
from ocizone.zone.ttl import BadTtlError, looks_like_ttl, parse_ttl
from ocizone.zone.yamlrdata import KINDS, BadValueError, value_rdata
from ocizone.zone.yamltree import Mapping, Scalar, Sequence, Value, YamlError, read_tree

_DEFAULT_TTL: Final = 3600
# What octoDNS keeps beside a record for its own use; it says nothing to a server.
_KNOWN_KEYS: Final = frozenset({"type", "ttl", "value", "values", "octodns"})


def read_yaml(data: bytes, *, file: str, origin: bytes, findings: Findings) -> Records:
    """Yield the records of a YAML zone file; findings grow as it is read.

    Args:
        data: the file's octets, UTF-8.
        file: its name in findings.
        origin: absolute wire name of the zone.
        findings: where problems go; what has an error yields nothing.
    """
    try:
        tree = read_tree(data)
        if tree is None:
            return
        if not isinstance(tree, Mapping):
            raise _error(tree, "a zone is a mapping of names to records")
    except YamlError as error:
        _tell(findings, file, error)
        return
    for key, value in tree.entries.values():
        yield from _owner(key, value, file, origin, findings)


def _owner(
    key: Scalar, value: Value, file: str, origin: bytes, findings: Findings
) -> Iterator[Record]:
    """Yield the records of one name."""
    try:
        owner = origin if key.text == "" else names.from_text(key.text, origin)
    except names.BadNameError as error:
        message = f"{shown(key.text)} is no name: {shown(str(error))}"
        findings.error(file, key.line, key.column, "bad-name", message)
        return
    for entry in value.items if isinstance(value, Sequence) else [value]:
        try:
            yield from _record(entry, owner, file, origin, findings)
        except YamlError as error:
            _tell(findings, file, error)


def _record(
    entry: Value, owner: bytes, file: str, origin: bytes, findings: Findings
) -> Iterator[Record]:
    """Yield the records of one entry: one for each of its values."""
    if not isinstance(entry, Mapping):
        raise _error(entry, "a record is a mapping with type and value")
    for name, (key, _) in entry.entries.items():
        if name not in _KNOWN_KEYS:
            raise _error(key, f"unknown key {shown(name)}", "known are type, ttl, value, values")
    mnemonic = _text(entry, "type").upper()
    # octoDNS's SPF type is the obsolete one (RFC 7208 3.1); its data is served as TXT.
    mnemonic = "TXT" if mnemonic == "SPF" else mnemonic
    rrtype = rr.type_number(mnemonic)
    if mnemonic not in KINDS or rrtype is None:
        raise _error(entry, f"type {shown(mnemonic)} is not known in YAML zones")
    ttl = _ttl(entry)
    for value in _values(entry):
        try:
            rdata = value_rdata(mnemonic, rrtype, value, origin)
        except BadValueError as error:
            message = f"bad {mnemonic} value: {shown(str(error))}"
            findings.error(file, value.line, value.column, "rdata", message, error.hint)
            continue
        yield Record(owner, rrtype, ttl, rdata, file, value.line, value.column)


def _text(entry: Mapping, name: str) -> str:
    found = entry.entries.get(name)
    if found is None or not isinstance(found[1], Scalar):
        raise _error(entry, f"a record has a {name}")
    return found[1].text


def _ttl(entry: Mapping) -> int:
    if "ttl" not in entry.entries:
        return _DEFAULT_TTL
    value = entry.entries["ttl"][1]
    if not isinstance(value, Scalar) or not looks_like_ttl(value.text):
        raise _error(value, "ttl is a number of seconds")
    try:
        return parse_ttl(value.text)
    except BadTtlError as error:
        raise _error(value, str(error), "RFC 2181 8") from error


def _values(entry: Mapping) -> list[Value]:
    present = [entry.entries[name][1] for name in ("value", "values") if name in entry.entries]
    if len(present) != 1:
        raise _error(entry, "a record has either value or values")
    found = present[0]
    values: list[Value] = found.items if isinstance(found, Sequence) else [found]
    if not values:
        raise _error(found, "a record without a value")
    return values


def _error(at: Value, message: str, hint: str = "") -> YamlError:
    return YamlError(at.line, at.column, message, hint)


def _tell(findings: Findings, file: str, error: YamlError) -> None:
    findings.error(file, error.line, error.column, "yaml", error.message, error.hint)
