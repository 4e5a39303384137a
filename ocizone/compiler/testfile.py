"""Read zone tests: ``zone-tests.yaml``, what an author expects of the zones beside it.

    - {name: www.example.org, type: A, rdata: [192.0.2.10], ttl: 300}
    - {name: example.org, type: MX, rdata: ["10 mail.example.org"], ttl: {min: 60, max: 3600}}
    - {name: old.example.org, type: A, rcode: NXDOMAIN}
    - {name: example.org, type: AAAA, rdata: []}

Names are absolute, with or without the final dot. Not here: YAML itself (zone.yamltree), and
whether a test holds (compiler.zonetests).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from ocizone.compiler.tree import SourceTree
from ocizone.findings import Findings, shown
from ocizone.limits import ZONE_TESTS, ZONE_TESTS_OCTETS
from ocizone.wire import name as names
from ocizone.wire.codes import NOERROR, NXDOMAIN, TYPE_TXT, YXDOMAIN
from ocizone.zone import rdata as rr
from ocizone.zone.canonical import canonical_rdata
from ocizone.zone.fastline import FastReader
from ocizone.zone.ttl import BadTtlError, looks_like_ttl, parse_ttl
from ocizone.zone.yamlrdata import BadValueError, value_rdata
from ocizone.zone.yamltree import Mapping, Scalar, Sequence, Value, YamlError, read_tree

RULE: Final = "zone-test"
#: What a zone can answer; everything else is a server's trouble.
RCODES: Final = {"NOERROR": NOERROR, "NXDOMAIN": NXDOMAIN, "YXDOMAIN": YXDOMAIN}
_KEYS: Final = ("name", "type", "rdata", "rcode", "ttl")
_EXAMPLE: Final = "such as {name: www.example.org, type: A, rdata: [192.0.2.10]}"


@dataclass(frozen=True, slots=True)
class ZoneTest:
    """One question and what is expected.

    Attributes:
        file: as findings call it.
        line: where the test begins.
        column: the same.
        name: lower-case wire name.
        rrtype: no meta type.
        rcode: of the response.
        rdata: records of the type at the end of all aliases, as ``comparable`` gives them;
            empty for none, None for any.
        ttl: least and greatest of these records, or of a denial; None for any.
    """

    file: str
    line: int
    column: int
    name: bytes
    rrtype: int
    rcode: int = NOERROR
    rdata: frozenset[bytes] | None = None
    ttl: tuple[int, int] | None = None


def comparable(rrtype: int, rdata: bytes) -> bytes:
    """Return what is equal for rdata that says the same.

    Names without case, as in DNSSEC (RFC 4034 6.2); the strings of a TXT joined, as those who
    read them do (RFC 7208 3.3, RFC 6376 3.6.2.2).
    """
    if rrtype != TYPE_TXT:
        return canonical_rdata(rrtype, rdata)
    parts, at = [], 0
    while at < len(rdata):
        parts.append(rdata[at + 1 : at + 1 + rdata[at]])
        at += 1 + rdata[at]
    return b"".join(parts)


def read_tests(tree: SourceTree, paths: Iterable[str], findings: Findings) -> tuple[ZoneTest, ...]:
    """Return the tests in these files; what is malformed is an error finding.

    Args:
        tree: where the files are.
        paths: relative to the tree.
        findings: where problems go.

    Raises:
        StoreError: a file cannot be read.
    """
    tests: list[ZoneTest] = []
    for path in paths:
        file = tree.display(path)
        for entry in _entries(tree, path, file, findings):
            if len(tests) == ZONE_TESTS:
                message = f"over {ZONE_TESTS} tests"
                findings.error(file, entry.line, entry.column, RULE, message)
                return ()
            try:
                tests.append(_test(entry, file))
            except YamlError as error:
                findings.error(file, error.line, error.column, RULE, error.message, error.hint)
    return tuple(tests)


def _entries(tree: SourceTree, path: str, file: str, findings: Findings) -> list[Value]:
    data = tree.head(path, ZONE_TESTS_OCTETS + 1)
    if len(data) > ZONE_TESTS_OCTETS:
        findings.error(file, 0, 0, RULE, f"zone tests over {ZONE_TESTS_OCTETS} octets")
        return []
    try:
        root = read_tree(data)
    except YamlError as error:
        findings.error(file, error.line, error.column, RULE, error.message, error.hint)
        return []
    if root is None:
        return []
    if not isinstance(root, Sequence):
        message = "zone tests are a list"
        findings.error(file, root.line, root.column, RULE, message, f"of tests {_EXAMPLE}")
        return []
    return root.items


def _test(entry: Value, file: str) -> ZoneTest:
    if not isinstance(entry, Mapping):
        raise _error(entry, "a test is a mapping", _EXAMPLE)
    for name, (key, _) in entry.entries.items():
        if name not in _KEYS:
            raise _error(key, f"unknown key {shown(name)}", f"known are {', '.join(_KEYS)}")
    if not {"rdata", "rcode", "ttl"} & entry.entries.keys():
        raise _error(entry, "a test that expects nothing", "add rdata, rcode or ttl")
    rrtype = _type(entry)
    rcode = _rcode(entry)
    rdata = _rdata(entry, rrtype)
    if rdata and rcode == NXDOMAIN:
        raise _error(entry, "a name that does not exist has no rdata")
    return ZoneTest(file, entry.line, entry.column, _name(entry), rrtype, rcode, rdata, _ttl(entry))


def _text(entry: Mapping, key: str) -> Scalar:
    found = entry.entries.get(key)
    if found is None or not isinstance(found[1], Scalar):
        raise _error(found[1] if found else entry, f"a test has a {key}", _EXAMPLE)
    return found[1]


def _name(entry: Mapping) -> bytes:
    found = _text(entry, "name")
    try:
        return names.lower(names.from_text(found.text))
    except names.BadNameError as error:
        raise _error(found, f"no name: {shown(str(error))}") from error


def _type(entry: Mapping) -> int:
    found = _text(entry, "type")
    rrtype = rr.type_number(found.text.upper())
    if rrtype is None:
        raise _error(found, f"{shown(found.text)} is no type of records")
    return rrtype


def _rcode(entry: Mapping) -> int:
    if "rcode" not in entry.entries:
        return NOERROR
    found = _text(entry, "rcode")
    rcode = RCODES.get(found.text.upper())
    if rcode is None:
        hint = "of a name without the type: rdata: []"
        raise _error(found, f"rcode is one of {', '.join(RCODES)}", hint)
    return rcode


def _rdata(entry: Mapping, rrtype: int) -> frozenset[bytes] | None:
    if "rdata" not in entry.entries:
        return None
    value = entry.entries["rdata"][1]
    items = value.items if isinstance(value, Sequence) else [value]
    return frozenset(comparable(rrtype, _one_rdata(item, rrtype)) for item in items)


def _one_rdata(item: Value, rrtype: int) -> bytes:
    if not isinstance(item, Scalar):
        raise _error(item, "rdata is a list of texts")
    try:
        # The text of a TXT is as a rule written without the quotes of presentation form.
        if rrtype == TYPE_TXT and '"' not in item.text:
            return value_rdata("TXT", rrtype, item, names.ROOT)
        if not item.text.isascii():
            raise BadValueError("it is not ASCII")
        line = f"@ 0 {rr.type_name(rrtype)} {item.text}".encode("ascii")
        quick = FastReader(names.ROOT).read(line)
        return quick.rdata if quick else rr.rdata_from_text(rrtype, item.text, names.ROOT)
    except (BadValueError, rr.BadRdataError) as error:
        message = f"bad {rr.type_name(rrtype)} rdata {shown(item.text)}: {shown(str(error))}"
        raise _error(item, message) from error


def _ttl(entry: Mapping) -> tuple[int, int] | None:
    if "ttl" not in entry.entries:
        return None
    value = entry.entries["ttl"][1]
    if isinstance(value, Mapping) and value.entries and value.entries.keys() <= {"min", "max"}:
        bounds = {key: _seconds(found) for key, (_, found) in value.entries.items()}
        least, most = bounds.get("min", 0), bounds.get("max", 2**31 - 1)
        if least > most:
            raise _error(value, "min is above max")
        return least, most
    exact = _seconds(value)
    return exact, exact


def _seconds(value: Value) -> int:
    if not isinstance(value, Scalar) or not looks_like_ttl(value.text):
        raise _error(value, "ttl is a number of seconds", "or {min: 60, max: 3600}")
    try:
        return parse_ttl(value.text)
    except BadTtlError as error:
        raise _error(value, str(error), "RFC 2181 8") from error


def _error(at: Value, message: str, hint: str = "") -> YamlError:
    return YamlError(at.line, at.column, message, hint)
