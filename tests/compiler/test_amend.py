"""Zones amended where a few lines of their file changed: as if all of it had been read."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from ocizone.compiler import derive
from ocizone.compiler.spec import CompileReport
from tests.revisions import RULE, Revisions

APEX = "example.org"
HEAD = """\
$TTL 300
@ IN SOA ns1 hostmaster (
    {serial} ; serial
    7200 3600 1209600 300 )
  IN NS ns1
  IN NS ns2
@ MX 10 mail
"""
BODY = """\
; hosts
ns1 A 192.0.2.1
ns2 A 192.0.2.2
mail A 192.0.2.3
     AAAA 2001:db8::3
www CNAME web
web A 192.0.2.4
web A 192.0.2.5
web TXT "one"
deep.er.and.deeper A 192.0.2.6
er.and.deeper TXT "above"
sub NS ns.sub
ns.sub A 192.0.2.7
Mixed A 192.0.2.8
$ORIGIN lab.example.org.
a A 192.0.2.9
b 60 A 192.0.2.10
text TXT ( "several"
   "lines" )
$ORIGIN example.org.
last A 192.0.2.11
h.cut A 192.0.2.20
"""
#: So that what is there for the tests is not the whole zone.
FILLER = "".join(f"fill{number} A 10.0.{number >> 8}.{number & 255}\n" for number in range(40))


def file(body: str = BODY, serial: int = 1) -> str:
    return HEAD.format(serial=serial) + body + FILLER


@pytest.fixture(autouse=True)
def _every_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "AMENDED_FILE_OCTETS", 0)


@pytest.fixture
def revisions(tmp_path: Path) -> Revisions:
    """Return a source without revisions."""
    return Revisions(tmp_path)


def changed(report: CompileReport) -> int | None:
    """Return how many names were changed, None when the file was read."""
    derived = report.extra.get("derived")
    return derived["names_changed"] if derived and derived["zones_amended"] else None


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("", "", 1),
        ("ns2 A 192.0.2.2\n", "ns2 A 192.0.2.22\n", 2),
        ("last A", "last 60 A", 2),
        ("last A 192.0.2.11\n", "last A 192.0.2.11\nlater A 192.0.2.12\n", 2),
        ("last A 192.0.2.11\n", "last A 192.0.2.11\nx.y.z A 192.0.2.12\n", 4),
        ("last A 192.0.2.11\n", "", 2),
        ("last A 192.0.2.11\n", 'last TXT "no address"\n', 2),
        ("last A 192.0.2.11\n", "last CNAME web\n", 2),
        ("last A 192.0.2.11\n", "last A 192.0.2.11\nlast AAAA 2001:db8::11\n", 2),
        ("web A 192.0.2.4\n", "", 2),
        ("web A 192.0.2.4\nweb A 192.0.2.5\n", "web A 192.0.2.5\nweb A 192.0.2.4\n", 2),
        ('web TXT "one"\n', 'web TXT "two"\n', 2),
        ("     AAAA 2001:db8::3\n", "     AAAA 2001:db8::4\n", 2),
        ("     AAAA 2001:db8::3\n", "", 2),
        ("www CNAME web\n", "www CNAME last\n", 2),
        ("www CNAME web\n", "www A 192.0.2.4\n", 2),
        ("deep.er.and.deeper A 192.0.2.6\n", "", 2),
        ('deep.er.and.deeper A 192.0.2.6\ner.and.deeper TXT "above"\n', "", 5),
        ('er.and.deeper TXT "above"\n', "", 2),
        ("b 60 A 192.0.2.10\n", "b 60 A 192.0.2.10\nc A 192.0.2.10\n", 2),
        ('"lines" )', '"other lines" )', 2),
        ("Mixed A 192.0.2.8", "Mixed A 192.0.2.88", 2),
        ("Mixed A 192.0.2.8", "mixed A 192.0.2.8", 2),
        ("; hosts", "; comments are nothing", 1),
        ("@ MX 10 mail\n", '@ MX 10 mail\n@ TXT "v=spf1 -all"\n', 1),
        ("  IN NS ns2\n", "  IN NS ns2\n  IN NS ns1.example.net.\n", 1),
        ("sub NS ns.sub\n", "sub NS ns.sub\nsub DS 1 13 2 " + "00" * 32 + "\n", 2),
        ("last A 192.0.2.11\n", "last A 192.0.2.11\nnew NS ns.new\nns.new A 192.0.2.1\n", 3),
        # Names below a cut that comes or goes.
        ("h.cut A 192.0.2.20\n", "h.cut A 192.0.2.20\ncut NS ns1\n", 3),
        ("sub NS ns.sub\n", "", 3),
        # The line behind the new one inherits from it.
        ("mail A 192.0.2.3\n", "mail A 192.0.2.3\nother A 192.0.2.9\n", 3),
        ("mail A 192.0.2.3\n", "other A 192.0.2.9\n", None),
        # What only reading all of it can judge.
        ("mail A 192.0.2.3\n     AAAA 2001:db8::3\n", "mail TXT gone\n", None),
        ("ns2 A 192.0.2.2\n", "", None),
        ("ns.sub A 192.0.2.7\n", "", None),
        ("last A 192.0.2.11\n", "* A 192.0.2.11\n", None),
        ("last A 192.0.2.11\n", "last A 192.0.2.11\nlast A 192.0.2.11\n", None),
        ("last A 192.0.2.11\n", "last CNAME last\n", None),
        ("$TTL 300", "$TTL 301", None),
        ("$ORIGIN lab.example.org.\n", "$ORIGIN lap.example.org.\n", None),
        ("last A 192.0.2.11\n", "$GENERATE 1-3 g$ A 192.0.2.$\n", None),
        ("last A 192.0.2.11\n", "last A 192.0.2.11\nout.example.net. A 192.0.2.1\n", None),
    ],
)
def test_edits(revisions: Revisions, old: str, new: str, names: int | None) -> None:
    """With the serial raised: these names are written and no others, or the file is read."""
    revisions.add({f"db.{APEX}": file()})
    assert old in file()
    body = file(serial=2).replace(old, new, 1) if old else file(serial=2)
    report = revisions.add({f"db.{APEX}": body})
    assert changed(report) == names


def test_records_of_a_name_far_apart(revisions: Revisions) -> None:
    """One takes the place of another; what is added somewhere has no place that is known."""
    body = BODY + '@ TXT "far"\nweb AAAA 2001:db8::4\n'
    revisions.add({f"db.{APEX}": file(body)})
    assert changed(revisions.add({f"db.{APEX}": file(body, serial=2)})) == 1
    body = body.replace("192.0.2.5", "192.0.2.55")
    assert changed(revisions.add({f"db.{APEX}": file(body, serial=3)})) == 2
    body = body.replace("web A 192.0.2.55\n", "")
    assert changed(revisions.add({f"db.{APEX}": file(body, serial=4)})) is None
    body = body.replace("web AAAA 2001:db8::4\n", "Web AAAA 2001:db8::5\n")
    assert changed(revisions.add({f"db.{APEX}": file(body, serial=5)})) is None


def test_below_a_wildcard(revisions: Revisions) -> None:
    """A name that comes to exist takes what the wildcard gave to those who point at it."""
    body = BODY + "*.wild A 192.0.2.30\ndeleg NS ns.wild\nplain.wild TXT p\n"
    revisions.add({f"db.{APEX}": file(body)})
    body += "other.wild TXT o\n"
    assert changed(revisions.add({f"db.{APEX}": file(body)})) == 1
    body = body.replace("plain.wild TXT p\n", "")
    assert changed(revisions.add({f"db.{APEX}": file(body)})) == 1
    report = revisions.add({f"db.{APEX}": file(body + "below.ns.wild TXT b\n")})
    assert changed(report) is None
    assert [problem.rule for problem in report.problems] == ["ns-without-address"]


def test_without_a_new_serial(revisions: Revisions) -> None:
    """Only the name that changed is written."""
    revisions.add({f"db.{APEX}": file()})
    report = revisions.add({f"db.{APEX}": file(BODY.replace("192.0.2.11", "192.0.2.12"))})
    assert changed(report) == 1


@pytest.mark.parametrize("serial", ["auto", "unixtime"])
def test_the_server_gives_the_serial(tmp_path: Path, serial: str) -> None:
    """Again and again; the file's own serial stays what it is."""
    from dataclasses import replace  # noqa: PLC0415 - the only use

    rule = replace(RULE, serial=serial)  # type: ignore[arg-type] # pytest's parameters are texts
    revisions = Revisions(tmp_path, rules=(rule, replace(rule, view="v")))
    revisions.add({f"db.{APEX}": file()})
    for number in range(20, 24):
        revisions.now += 100
        body = BODY.replace("192.0.2.11", f"192.0.2.{number}")
        report = revisions.add({f"db.{APEX}": file(body)})
        assert changed(report) == 2
        assert report.changes[0].serial_before != report.changes[0].serial


def test_views_of_different_serials_are_read(tmp_path: Path) -> None:
    """The zone is in the image twice then."""
    from dataclasses import replace  # noqa: PLC0415 - the only use

    revisions = Revisions(tmp_path, rules=(RULE, replace(RULE, view="v", serial="unixtime")))
    revisions.add({f"db.{APEX}": file()})
    assert changed(revisions.add({f"db.{APEX}": file(serial=2)})) is None


@pytest.mark.parametrize("what", ["blob gone", "blob changed"])
def test_the_former_file_is_needed(revisions: Revisions, what: str) -> None:
    """As its digest says; else the zone is read."""
    revisions.add({f"db.{APEX}": file()})
    assert revisions.former is not None
    blob = Path(revisions.former[0].layers[0].blob)
    if what == "blob gone":
        blob.unlink()
    else:
        blob.write_text(file(serial=9), "ascii")
    assert changed(revisions.add({f"db.{APEX}": file(serial=2)})) is None


def test_files_in_an_archive(tmp_path: Path) -> None:
    """The former file is unpacked once more."""
    revisions = Revisions(tmp_path, archive=True)
    revisions.add(
        {f"zones/db.{APEX}": file(), "db.z": "$TTL 5\n@ SOA n.x. h.x. 1 2 3 4 5\n@ NS n.x.\n"}
    )
    report = revisions.add(
        {
            f"zones/db.{APEX}": file(serial=2),
            "db.z": "$TTL 5\n@ SOA n.x. h.x. 1 2 3 4 5\n@ NS n.x.\n",
        }
    )
    assert changed(report) == 1


def test_small_files_are_read(revisions: Revisions, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading them is quicker than comparing."""
    monkeypatch.setattr(derive, "AMENDED_FILE_OCTETS", len(file()) + 1)
    revisions.add({f"db.{APEX}": file()})
    assert changed(revisions.add({f"db.{APEX}": file(serial=2)})) is None


def test_a_zone_with_findings_is_read(revisions: Revisions) -> None:
    """They have lines, which move."""
    odd = file(BODY + "last A 192.0.2.11\n")
    assert revisions.add({f"db.{APEX}": odd}).problems
    assert changed(revisions.add({f"db.{APEX}": odd.replace("192.0.2.10", "192.0.2.12")})) is None


def test_a_file_without_ttl_directive(revisions: Revisions) -> None:
    """Each record states its own, as transfers write them; who leaves it out has that before it."""
    lines = [line.replace(" ", " 60 ", 1) for line in FILLER.splitlines()]
    head = "@ 60 SOA ns.x. h.x. {} 2 3 4 5\n@ 60 NS ns.x.\n"
    text = head.format(1) + "\n".join(lines) + "\n"
    revisions.add({f"db.{APEX}": text})
    text = text.replace("10.0.0.7\n", "10.0.0.77\n").replace(head.format(1), head.format(2))
    assert changed(revisions.add({f"db.{APEX}": text})) == 2
    text = text.replace("fill9 60 A", "fill9 A")
    assert changed(revisions.add({f"db.{APEX}": text})) is None
    text = text.replace("fill8 60 A", "fill8 70 A")
    assert changed(revisions.add({f"db.{APEX}": text})) is None


# --- The law -------------------------------------------------------------------------------------

# Records that make a sound zone together, whichever of them there are.
_SOUND = """\
ns A 192.0.2.1
ns AAAA 2001:db8::1
@ MX 10 m
@ TXT "( ;"
@ CAA 0 issue ca.example
m A 192.0.2.2
a A 192.0.2.3
a A 192.0.2.4
a TXT a
a.b A 192.0.2.5
c.a.b TXT ( "x"|"y" )
b AAAA 2001:db8::2
w CNAME a
v CNAME w
A.Mixed TXT spelled
\\097bc TXT escaped
d.e.f TXT d
srv SRV 1 2 3 m
"""
_PLAIN = st.lists(
    st.sampled_from([line.replace("|", "\n  ") for line in _SOUND.splitlines()]),
    unique=True,
    max_size=12,
)
_OWNERS = st.sampled_from(
    ["@", "", "a", "b", "A", "a.b", "c.a.b", "e.f", "*", "*.b", "x.a", "ns", "sub", "ns.sub", "m"]
)
_TTL = st.sampled_from(["", "", "", "", "60 ", "300 "])
_DATA = st.sampled_from(
    [
        "A 192.0.2.1",
        "A 192.0.2.9",
        "AAAA 2001:db8::1",
        "TXT b",
        'TXT ( "x"\n "y" )',
        "CNAME a",
        "CNAME v",
        "MX 10 ns",
        "SRV 1 2 3 a.b",
        "NS ns",
        "NS ns.sub",
        "DNAME other.example.",
    ]
)
_RECORDS = st.one_of(
    st.builds("{} {}{}".format, _OWNERS, _TTL, _DATA),
    st.sampled_from(["n1 A 192.0.2.8", "n2.n1 TXT n", "new CNAME a", "ns TXT ns", "w.w TXT w"]),
)
_OTHERS = st.sampled_from(
    [
        "$TTL 60",
        "$TTL 300",
        "$ORIGIN b.example.org.",
        "$ORIGIN example.org.",
        "; a comment",
        "",
        " ",
    ]
)
_SOA = st.sampled_from(
    ["@ SOA ns h. {} 2 3 4 5", "@ SOA ns h. (\n {} 2\n 3 4 5 )", "@ 60 SOA ns h. {} 2 3 4 6"]
)


@st.composite
def _edited(draw: st.DrawFn) -> list[str]:
    """Draw versions of a file, each a few edits from the one before."""
    lines = draw(_PLAIN)
    for _ in range(draw(st.integers(0, 2))):
        lines.insert(draw(st.integers(0, len(lines))), draw(st.one_of(_OTHERS, _RECORDS)))
    soa, serial = draw(_SOA), 1
    head = draw(st.sampled_from(["$TTL 300", "$TTL 300", "$TTL 300", ""]))
    always = ["ns 300 A 192.0.2.99", "m 300 AAAA ::1", *(f"f{n} 300 TXT {n}" for n in range(6))]
    versions = []
    for _ in range(draw(st.integers(2, 4))):
        versions.append("\n".join([head, soa.format(serial), "@ 300 NS ns", *lines, *always, ""]))
        serial += draw(st.integers(0, 1))
        lines = list(lines)
        for _ in range(draw(st.integers(0, 3))):
            at = draw(st.integers(0, len(lines)))
            kind = draw(st.sampled_from(["insert", "delete", "replace", "move", "sound"]))
            if kind == "sound":
                lines.insert(at, draw(_PLAIN.filter(bool))[0])
            elif kind == "insert" or at == len(lines):
                lines.insert(at, draw(_RECORDS))
            elif kind == "delete":
                del lines[at]
            elif kind == "replace":
                lines[at] = draw(st.one_of(_RECORDS, _RECORDS, _RECORDS, _OTHERS))
            else:
                line = lines.pop(at)
                lines.insert(draw(st.integers(0, len(lines))), line)
    return versions


@settings(max_examples=200, deadline=None)
@given(_edited())
@example(
    # The order of types is that of their first records, some of which stand elsewhere.
    [
        f"$TTL 300\n@ SOA ns h. 1 2 3 4 5\n@ NS ns\n{ns}f TXT f\nns A 192.0.2.99\n"
        for ns in ("ns A 192.0.2.1\nns AAAA ::1\n", "ns AAAA ::1\nns A 192.0.2.1\n")
    ]
)
def test_amended_is_cold(versions: list[str]) -> None:
    """Nodes, facts, findings and changes, whatever was edited (``add`` compares)."""
    derive_all = pytest.MonkeyPatch()
    with tempfile.TemporaryDirectory() as folder, derive_all.context() as patch:
        patch.setattr(derive, "AMENDED_FILE_OCTETS", 0)
        revisions = Revisions(Path(folder))
        for text in versions:
            report = revisions.add({f"db.{APEX}": text})
            if report.refused:
                event("refused")
                return
            names = changed(report)
            event("read" if names is None else "amended" if names else "as it was")
