"""Run zone tests against compiled zones, through what answers queries (answer.compose).

A test holds when it holds in every view that has the name's zone. What a server block's
directives do to answers (acl, any) is no part of it, and aliases are followed through the zones
of the artifact alone. Not here: the file of tests (compiler.testfile).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from ocizone.answer.compose import Wanted, compose
from ocizone.answer.route import longest
from ocizone.compiler.testfile import RCODES, RULE, ZoneTest, comparable
from ocizone.findings import Findings, shown
from ocizone.wire import name as names
from ocizone.wire.codes import NOERROR, TYPE_DS, TYPE_NS, TYPE_SOA, TYPE_TXT
from ocizone.wire.render import Answer
from ocizone.zone import rdata as rr
from ocizone.zone.reader import ZoneInfo, ZoneReader

#: What one view answers from, by apex.
_View = Mapping[bytes, ZoneReader]

_RCODE_NAMES: Final = {number: name for name, number in RCODES.items()}
# Positive answers without authority: what stands there is a denial or a delegation.
_WANTED: Final = Wanted(minimal=True)
_SHOWN_RECORDS: Final = 5
_NO_RECORDS: Final = "no records"
_HINT: Final = "correct the zone, or the test"


def run_tests(
    tests: Iterable[ZoneTest],
    zones: Mapping[tuple[str, bytes], ZoneReader],
    origins: Collection[bytes],
    findings: Findings,
) -> int:
    """Run tests; return how many held. One that fails is an error finding at its place.

    Args:
        tests: what is expected.
        zones: by view and apex.
        origins: what these zones are to cover, lower-case wire names: a test of a name elsewhere
            is passed over (a server may take one zone of several), of a name here that no zone
            has it fails.
        findings: where problems go.
    """
    views = _views(zones)
    held = 0
    for test in tests:
        asked = [view for view in views if _zone_of(view, test.name, test.rrtype) is not None]
        failure = next(filter(None, (_failure(test, view) for view in asked)), "")
        if not asked and any(names.is_at_or_below(test.name, origin) for origin in origins):
            failure = "no zone of the artifact has this name"
        if failure:
            message = f"{names.to_text(test.name)} {rr.type_name(test.rrtype)}: {failure}"
            findings.error(test.file, test.line, test.column, RULE, message, _HINT)
        held += bool(asked) and not failure
    return held


def _views(zones: Mapping[tuple[str, bytes], ZoneReader]) -> list[_View]:
    """Return what each view answers from; views that hold the same zones are asked once."""
    by_view: dict[str, dict[bytes, ZoneReader]] = {}
    for (view, apex), reader in zones.items():
        by_view.setdefault(view, {})[apex] = reader
    distinct: dict[frozenset[ZoneInfo], _View] = {}
    for held in by_view.values():
        distinct.setdefault(frozenset(reader.info for reader in held.values()), held)
    return list(distinct.values())


def _zone_of(view: _View, name: bytes, rrtype: int) -> ZoneReader | None:
    """Return the zone that answers; DS of an apex is its parent's (RFC 4035 3.1.4.1)."""
    found = longest(view, name)
    if found is not None and rrtype == TYPE_DS and found[0] == name:
        found = longest(view, names.parent(name)) or found
    return None if found is None else found[1]


def _failure(test: ZoneTest, view: _View) -> str:
    """Return what was expected and what came; "" when the test holds."""

    def zone_of(name: bytes) -> ZoneReader | None:
        return _zone_of(view, name, test.rrtype)

    zone = zone_of(test.name)
    assert zone is not None  # run_tests looked
    answer = compose(test.name, test.rrtype, zone, zone_of, _WANTED)
    found = _records(test, answer)
    rdatas = {comparable(test.rrtype, rdata) for _, rdata in found}
    if answer.rcode != test.rcode or (test.rdata is not None and rdatas != test.rdata):
        return f"expected {_expected(test)}, got {_came(test, answer, found)}"
    if test.ttl is None:
        return ""
    ttls = {ttl for ttl, _ in found} or _denial_ttls(answer)
    least, most = test.ttl
    wrong = sorted(ttl for ttl in ttls if not least <= ttl <= most)
    if ttls and not wrong:
        return ""
    bounds = f"{least}" if least == most else f"{least} to {most}"
    return f"expected a TTL of {bounds}, got {wrong[0] if wrong else _came(test, answer, found)}"


def _records(test: ZoneTest, answer: Answer) -> list[tuple[int, bytes]]:
    """Return TTL and rdata of what answers; of a delegation its NS, for who asks for them."""
    section = answer.answer
    cut = _cut(answer)
    if test.rrtype == TYPE_NS and cut is not None and names.lower(cut) == test.name:
        section = answer.authority
    return [
        (rrset.ttl, rdata)
        for _, rrset in section
        if rrset.rrtype == test.rrtype
        for rdata in rrset.rdatas
    ]


def _cut(answer: Answer) -> bytes | None:
    """Return the zone an answer delegates to, None when it does not."""
    owner, rrset = answer.authority[0] if answer.authority else (None, None)
    return owner if rrset is not None and rrset.rrtype == TYPE_NS else None


def _denial_ttls(answer: Answer) -> set[int]:
    """Return for how long a denial may be kept (RFC 2308 5)."""
    return {rrset.ttl for _, rrset in answer.authority if rrset.rrtype == TYPE_SOA}


def _expected(test: ZoneTest) -> str:
    if test.rdata is None or test.rcode != NOERROR:
        return _RCODE_NAMES[test.rcode]
    if test.rrtype == TYPE_TXT:
        return _listed(f'"{shown(text)}"' for text in sorted(test.rdata))
    return _listed(rr.rdata_text(test.rrtype, rdata) for rdata in sorted(test.rdata))


def _came(test: ZoneTest, answer: Answer, found: Collection[tuple[int, bytes]]) -> str:
    if answer.rcode != NOERROR:
        return _RCODE_NAMES.get(answer.rcode, f"rcode {answer.rcode}")
    if found:
        return _listed(rr.rdata_text(test.rrtype, rdata) for _, rdata in found)
    cut = _cut(answer)
    if cut is not None:
        return f"a delegation to {names.to_text(cut)}"
    if answer.answer and not answer.authority:
        # Without a denial: the last alias leads out, or in a circle.
        return f"an alias to {names.to_text(answer.answer[-1][1].rdatas[0])}, where the artifact has no answer"
    return _NO_RECORDS


def _listed(texts: Iterable[str]) -> str:
    every = list(texts)
    more = f" and {len(every) - _SHOWN_RECORDS} more" if len(every) > _SHOWN_RECORDS else ""
    return (", ".join(map(shown, every[:_SHOWN_RECORDS])) or _NO_RECORDS) + more
