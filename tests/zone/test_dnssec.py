"""Signed zones that are right, and each rule of zone.dnssec as a zone that breaks it alone."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import dns.dnssec
import dns.name
import dns.rdata
import dns.rdatatype
import pytest
from cryptography.exceptions import InvalidSignature

from ocizone import limits
from ocizone.findings import Findings
from ocizone.wire.name import from_text
from ocizone.zone import dnssecfindings, signatures
from ocizone.zone.build import nsec3_nodes, zone_info
from ocizone.zone.check import check_zone
from ocizone.zone.content import Content, gather
from ocizone.zone.dnskey import Dnskey
from ocizone.zone.dnssec import check_dnssec
from ocizone.zone.dnssecpolicy import DnssecPolicy
from ocizone.zone.masterfile import read_master
from tests.signedzones import DAY, NOW, ORIGIN, TEXT, Signer, dnskey, private_key

APEX = from_text("example.org.")
A, NSEC, NSEC3 = dns.rdatatype.A, dns.rdatatype.NSEC, dns.rdatatype.NSEC3
NSEC3PARAM = dns.rdatatype.NSEC3PARAM


def content_of(lines: list[str]) -> Content:
    findings = Findings()
    text = "\n".join(lines) + "\n"
    records = read_master(text.encode(), file="db", origin=APEX, findings=findings)
    content = gather(records, APEX, findings)
    assert not findings.refused, findings.problems()
    return content


def found(lines: list[str], policy: DnssecPolicy | None = None) -> list[str]:
    """Return ``severity rule`` of every finding, those of the plain checks too."""
    content = content_of(lines)
    findings = Findings()
    check_zone(content, findings, "db")
    check_dnssec(content, findings, policy or DnssecPolicy(NOW))
    return [f"{problem.severity} {problem.rule}" for problem in findings.problems()]


def without(lines: list[str], *starts: str) -> list[str]:
    """Leave out the lines that begin so; each start is there."""
    for start in starts:
        kept = [line for line in lines if not line.startswith(start)]
        assert len(kept) < len(lines), start
        lines = kept
    return lines


def name(text: str) -> dns.name.Name:
    return dns.name.from_text(text, ORIGIN)


# --- Right ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", [8, 10, 13, 14, 15, 16])
def test_signatures_of_every_algorithm_verify(algorithm: int):
    """RFC 8624 3.1: those that signers use."""
    assert found(Signer(algorithm=algorithm).nsec().lines()) == []


@pytest.mark.parametrize("salt", ["-", "aabb"])
@pytest.mark.parametrize("opt_out", [False, True])
def test_an_nsec3_chain_is_right(salt: str, *, opt_out: bool):
    """RFC 5155 7.1: hashes of names and empty non-terminals; opt-out leaves some out."""
    assert found(Signer().nsec3(salt=salt, opt_out=opt_out).lines()) == []


def test_an_unsigned_zone_is_none_of_its_business():
    """No DNSSEC record of its own, no finding; a DS is the child's."""
    assert found(TEXT.splitlines()) == []
    assert not content_of(TEXT.splitlines()).is_signed
    assert content_of(Signer().nsec().lines()).is_signed


def test_names_in_rdata_are_signed_in_lower_case():
    """RFC 4034 6.2, RFC 6840 5.1: of the types there were then, not of SVCB."""
    more = (
        "a 300 SRV 0 0 1 Mail.Example.ORG.\nb 300 RP Me.Example.org. Txt.Example.org.\n"
        "c 300 SVCB 1 Svc.Example.org.\nd 300 KX 1 Kx.Example.org.\ne 300 AFSDB 1 Afs.Example.org.\n"
        "f 300 CNAME Mail.Example.org.\ng 300 DNAME Dn.Example.org.\nh 300 PTR Mail.Example.org.\n"
    )
    assert found(Signer(TEXT + more).nsec().lines()) == []


@pytest.mark.peers("dnssec-keygen", "dnssec-signzone", "ldns-signzone")
@pytest.mark.parametrize(
    "command",
    [
        "dnssec-signzone -S -Q -o example.org -f signed zone",
        "dnssec-signzone -S -Q -3 - -H 0 -o example.org -f signed zone",
        "dnssec-signzone -S -Q -3 aabb -A -H 0 -o example.org -f signed zone",
        "ldns-signzone -o example.org -f signed zone {keys}",
        "ldns-signzone -n -p -t 0 -o example.org -f signed zone {keys}",
    ],
)
def test_what_other_signers_make_is_right(tmp_path: Path, command: str):
    """dnssec-signzone of BIND and ldns-signzone of NSD's makers."""
    (tmp_path / "zone").write_text("$ORIGIN example.org.\n" + TEXT)
    keys = []
    for flags in ([], ["-f", "KSK"]):
        made = ["dnssec-keygen", "-q", "-a", "13", *flags, "example.org"]
        keys.append(subprocess.check_output(made, cwd=tmp_path, text=True).strip())
    words = command.format(keys=" ".join(keys)).split()
    subprocess.run(words, cwd=tmp_path, check=True, capture_output=True)
    now = int((tmp_path / "signed").stat().st_mtime)
    lines = (tmp_path / "signed").read_text().splitlines()
    rules = found(lines, DnssecPolicy(now))
    assert rules == ([] if "-t" not in words else rules)
    assert not [rule for rule in rules if "error" in rule]


# --- One thing wrong -----------------------------------------------------------------------------


def nsec_missing() -> list[str]:
    signer = Signer().nsec()
    del signer.rrsets[name("ns"), NSEC]
    return signer.lines()


def nsec_passed_over() -> list[str]:
    signer = Signer()
    held = signer.rrsets.pop((name("ns"), A))
    signer.nsec().rrsets[name("ns"), A] = held
    return signer.lines()


def nsec_next() -> list[str]:
    signer = Signer().nsec()
    del signer.rrsets[name("ns"), NSEC]
    signer.add("ns 300 NSEC naptr A RRSIG NSEC")
    return signer.lines()


def nsec_end() -> list[str]:
    signer = Signer().nsec()
    del signer.rrsets[name("x.ent"), NSEC]
    signer.add("x.ent 300 NSEC elsewhere.net. NS RRSIG NSEC")
    return signer.lines()


def nsec_types(kinds: str) -> list[str]:
    signer = Signer().nsec()
    del signer.rrsets[name("ns"), NSEC]
    signer.add(f"ns 300 NSEC plain {kinds}")
    return signer.lines()


def nsec_types_of_glue() -> list[str]:
    signer = Signer()
    signer.add("x.ent 300 A 192.0.2.9")
    signer.nsec()
    del signer.rrsets[name("x.ent"), NSEC]
    signer.add("x.ent 300 NSEC insecure NS A RRSIG NSEC")
    return signer.lines()


def nsec_of_glue() -> list[str]:
    return [*Signer().nsec().lines(), "ns.secure 300 NSEC *.w A NSEC"]


def nsec3_without(owner: str) -> list[str]:
    signer = Signer().nsec3()
    return without(signer.lines(), f"{signer.hash(owner)}.")


def nsec3_passed_over(owner: str, *, opt_out: bool = False) -> list[str]:
    """A chain closed around a name."""
    signer = Signer()
    taken = {key: signer.rrsets.pop(key) for key in list(signer.rrsets) if key[0] == name(owner)}
    signer.nsec3(opt_out=opt_out).rrsets.update(taken)
    return signer.lines()


def nsec3_changed(owner: str, old: str, new: str) -> list[str]:
    signer = Signer().nsec3()
    key = (name(signer.hash(owner)), NSEC3)
    text = signer.rrsets.pop(key)[0].to_text()
    assert old in text
    signer.add(f"{signer.hash(owner)} 300 NSEC3 {text.replace(old, new, 1)}")
    return signer.lines()


def nsec3_broken() -> list[str]:
    signer = Signer().nsec3()
    key = (name(signer.hash("ns")), NSEC3)
    fields = signer.rrsets.pop(key)[0].to_text().split()
    fields[4] = signer.hash("nowhere")
    signer.add(f"{signer.hash('ns')} 300 NSEC3 {' '.join(fields)}")
    return signer.lines()


def nsec3_of_nothing() -> list[str]:
    signer = Signer()
    signer.add("gone 300 A 192.0.2.9")
    signer.nsec3()
    del signer.rrsets[name("gone"), A]
    return signer.lines()


def nsec3_with_flagged_param() -> list[str]:
    """RFC 5155 4.1.2: a flagged one is as good as none."""
    signer = Signer().nsec3()
    del signer.rrsets[ORIGIN, NSEC3PARAM]
    signer.add("@ 300 NSEC3PARAM 1 1 0 -")
    return signer.lines()


def nsec3_without_param() -> list[str]:
    signer = Signer().nsec3()
    del signer.rrsets[ORIGIN, NSEC3PARAM]
    return signer.lines()


def rrsig_changed(owner: str, kind: str, place: int, value: str) -> list[str]:
    lines = Signer().nsec().lines()
    start = f"{name(owner)} 300 IN RRSIG {kind} "
    (old,) = [line for line in lines if line.startswith(start)]
    words = old.split(" ")
    words[4 + place] = value
    return [" ".join(words) if line == old else line for line in lines]


def rrsig_of(owner: str, kind: str, **times: int) -> list[str]:
    signer = Signer().nsec()
    key = (name(owner), dns.rdatatype.from_text(kind))
    return [*signer.lines([key]), signer.signature(signer.rrsets[key], **times)]


def glue_signed(owner: str, kind: str) -> list[str]:
    signer = Signer().nsec()
    key = (name(owner), dns.rdatatype.from_text(kind))
    return [*signer.lines(), signer.signature(signer.rrsets[key])]


def key_gone() -> list[str]:
    """One RRset is signed by a key that is not published."""
    signer = Signer().nsec()
    signer.keys.append((private_key(13, 9), dnskey(13, 9)))
    key = (name("ns"), A)
    return [*signer.lines([key]), signer.signature(signer.rrsets[key], 1)]


def signature_cut_short() -> list[str]:
    lines = Signer().nsec().lines()
    (old,) = [line for line in lines if line.startswith("ns.example.org. 300 IN RRSIG A ")]
    return [old.rsplit(" ", 1)[0] if line == old else line for line in lines]


def unsigned_nsec() -> list[str]:
    """A chain without keys and signatures."""
    signer = Signer()
    del signer.rrsets[ORIGIN, dns.rdatatype.DNSKEY]
    return [line for line in signer.nsec().lines() if " IN RRSIG " not in line]


def key_of_another_use() -> list[str]:
    """RFC 4034 2.1.1: without the Zone Key flag it signs nothing."""
    signer = Signer()
    private = private_key(13, 1)
    signer.keys = [(private, dnskey(13, 1, 0))]
    del signer.rrsets[ORIGIN, dns.rdatatype.DNSKEY]
    signer.add(f"@ 300 DNSKEY {signer.keys[0][1]}")
    return [line for line in signer.nsec().lines() if " IN RRSIG " not in line]


def no_denial() -> list[str]:
    return Signer().lines()


def malformed_key() -> list[str]:
    signer = Signer()
    signer.add("@ 300 DNSKEY 257 3 13 AAAA")
    return signer.nsec().lines()


def revoked_key() -> list[str]:
    """RFC 5011 2.1: a revoked key signs the DNSKEYs alone."""
    signer = Signer()
    revoked = (private_key(13, 8), dnskey(13, 8, 257 | 128))
    signer.keys.append(revoked)
    signer.add(f"@ 300 DNSKEY {revoked[1]}")
    signer.nsec()
    key = (name("ns"), A)
    return [*signer.lines([key]), signer.signature(signer.rrsets[key], 1)]


WRONG = [
    ("nsec-missing", nsec_missing),
    ("nsec-missing", nsec_passed_over),
    ("nsec-next", lambda: without(Signer().nsec().lines(), "naptr.example.org. ")),
    ("nsec-next", nsec_next),
    ("nsec-next", nsec_end),
    ("nsec-types", lambda: nsec_types("A TXT RRSIG NSEC")),
    ("nsec-types", lambda: nsec_types("RRSIG NSEC")),
    ("nsec-types", lambda: nsec_types("A NSEC")),
    ("nsec-types", nsec_types_of_glue),
    ("nsec-of-glue", nsec_of_glue),
    ("nsec3-missing", lambda: nsec3_without("ns")),
    ("nsec3-missing", lambda: nsec3_without("b.c")),
    ("nsec3-missing", lambda: nsec3_without("insecure")),
    ("nsec3-missing", lambda: nsec3_passed_over("naptr")),
    ("nsec3-missing", lambda: nsec3_passed_over("naptr", opt_out=True)),
    ("nsec3-missing", lambda: nsec3_passed_over("plain")),
    ("nsec3-next", nsec3_broken),
    ("nsec3-types", lambda: nsec3_changed("ns", " A ", " A TXT ")),
    ("nsec3-types", lambda: nsec3_changed("secure", "NS DS RRSIG", "NS RRSIG")),
    ("nsec3-types", lambda: nsec3_changed("insecure", " NS", " NS RRSIG")),
    ("nsec3-flags", lambda: nsec3_changed("ns", "1 0 0 -", "1 2 0 -")),
    ("nsec3-params", lambda: nsec3_changed("ns", "1 0 0 -", "1 0 0 aa")),
    ("nsec3-of-nothing", nsec3_of_nothing),
    ("no-nsec3param", nsec3_without_param),
    ("no-nsec3param", nsec3_with_flagged_param),
    ("nsec3-iterations", lambda: Signer().nsec3(iterations=51).lines()),
    ("rrsig-missing", lambda: without(Signer().nsec().lines(), "ns.example.org. 300 IN RRSIG A")),
    (
        "rrsig-missing",
        lambda: without(Signer().nsec().lines(), "insecure.example.org. 300 IN RRSIG NSEC"),
    ),
    (
        "rrsig-missing",
        lambda: without(Signer().nsec().lines(), "secure.example.org. 300 IN RRSIG DS"),
    ),
    ("rrsig-of-glue", lambda: glue_signed("insecure", "NS")),
    ("rrsig-of-glue", lambda: glue_signed("ns.secure", "A")),
    ("rrsig-signer", lambda: rrsig_changed("ns", "A", 7, "org.")),
    ("rrsig-labels", lambda: rrsig_changed("ns", "A", 2, "2")),
    ("rrsig-labels", lambda: rrsig_changed("*.w", "A", 2, "4")),
    ("rrsig-key", key_gone),
    ("rrsig-key", revoked_key),
    ("rrsig-expired", lambda: rrsig_of("ns", "A", expiration=NOW - 1)),
    ("rrsig-not-yet-valid", lambda: rrsig_of("ns", "A", inception=NOW + 1)),
    ("rrsig-bogus", lambda: rrsig_changed("ns", "A", 3, "301")),
    (
        "rrsig-bogus",
        lambda: [line.replace("192.0.2.1", "192.0.2.99") for line in Signer().nsec().lines()],
    ),
    ("rrsig-bogus", signature_cut_short),
    ("no-dnskey", unsigned_nsec),
    ("no-dnskey", key_of_another_use),
    ("no-denial", no_denial),
    ("dnskey-malformed", malformed_key),
]


@pytest.mark.parametrize(
    ("rule", "make"), WRONG, ids=[f"{at}-{w[0]}" for at, w in enumerate(WRONG)]
)
def test_one_thing_wrong_is_one_finding(rule, make):
    """Each mutation of a valid zone is found, by its rule alone."""
    lines = make()
    assert found(lines) == [f"error {rule}"]
    assert found(lines, DnssecPolicy(NOW, refuse=False)) == [f"warning {rule}"]


def test_a_name_has_one_nsec_and_a_hash_one_nsec3():
    """RFC 4035 2.3, RFC 5155 7.1; the signature over both is another matter."""
    nsec = [*Signer().nsec().lines(), "ns 300 NSEC naptr A RRSIG NSEC"]
    assert sorted(found(nsec)) == ["error rrsig-bogus", "error several-nsec"]
    signer = Signer().nsec3()
    own = f"{signer.hash('ns')}.example.org. 300 IN NSEC3 1 0"
    lines = signer.lines()
    (line,) = [line for line in lines if line.startswith(own)]
    more = [*lines, line.replace("NSEC3 1 0", "NSEC3 1 1")]
    assert sorted(found(more)) == ["error rrsig-bogus", "error several-nsec3"]


# --- Told, not refused ---------------------------------------------------------------------------


def cds_lines(*more: str) -> list[str]:
    signer = Signer()
    for line in more:
        signer.add(line)
    return signer.nsec().lines()


def ds_text(number: int = 1, digest: str = "SHA256") -> str:
    return dns.dnssec.make_ds(ORIGIN, dnskey(13, number), digest).to_text()


def both_chains() -> list[str]:
    """RFC 5155 10.4: on the way from NSEC to NSEC3."""
    return Signer().nsec().nsec3().lines()


def nsec3_in_work() -> list[str]:
    """The same before the NSEC3PARAM is there."""
    signer = Signer().nsec().nsec3()
    del signer.rrsets[ORIGIN, NSEC3PARAM]
    return signer.lines()


def second_chain() -> list[str]:
    """RFC 5155 7.3: an NSEC3 with another salt, and the NSEC3PARAM of its chain."""
    other = Signer().nsec3(salt="aa")
    signer = Signer()
    signer.nsec3()
    signer.rrsets.update({key: one for key, one in other.rrsets.items() if key[1] == NSEC3})
    return signer.lines()


def rolled_over() -> list[str]:
    """A signature of a key that is gone, beside a good one (RFC 6781 4.1)."""
    signer = Signer().nsec()
    signer.keys.append((private_key(13, 9), dnskey(13, 9)))
    return [*signer.lines(), signer.signature(signer.rrsets[name("ns"), A], 1)]


def second_algorithm() -> list[str]:
    signer = Signer()
    signer.add(f"@ 300 DNSKEY {dnskey(15, 2, 256)}")
    return signer.nsec().lines()


def unknown_algorithm() -> list[str]:
    """RFC 8624: what is not known here is served, and not verified."""
    signer = Signer()
    signer.add("@ 300 DNSKEY 256 3 200 AAAA")
    return signer.nsec().lines()


def no_entry_point() -> list[str]:
    signer = Signer()
    zsk = (private_key(13, 3), dnskey(13, 3, 256))
    signer.add(f"@ 300 DNSKEY {zsk[1]}")
    signer.keys.insert(0, zsk)
    return signer.nsec().lines()


TOLD = [
    ("rrsig-expiring", lambda: rrsig_of("ns", "A", expiration=NOW + DAY - 1)),
    ("rrsig-key", rolled_over),
    ("dnskey-algorithm", unknown_algorithm),
    ("dnskey-sep", no_entry_point),
    ("nsec3-iterations", lambda: Signer().nsec3(iterations=1).lines()),
    ("nsec-beside-nsec3", both_chains),
    ("no-nsec3param", nsec3_in_work),
    ("cds", lambda: cds_lines(f"@ 300 CDS {ds_text(9)}")),
    ("cds", lambda: cds_lines(f"@ 300 CDNSKEY {dnskey(13, 9)}")),
    (
        "cds",
        lambda: cds_lines(
            f"@ 300 CDS {ds_text(1)}", f"@ 300 CDS {ds_text(9)}", f"@ 300 CDNSKEY {dnskey()}"
        ),
    ),
]


@pytest.mark.parametrize(("rule", "make"), TOLD, ids=[f"{at}-{w[0]}" for at, w in enumerate(TOLD)])
def test_what_works_and_is_likely_a_mistake_is_told(rule, make):
    """A warning, under either policy."""
    rules = [one for one in found(make()) if one != "warning rrsig-algorithm"]
    assert rules == [f"warning {rule}"]


def test_only_the_first_chain_counts():
    """RFC 5155 7.3: records of another salt are told of, ten and a count."""
    rules = found(second_chain())
    shown = dnssecfindings._SHOWN
    assert rules == ["warning nsec3-other-chain"] * (shown + 1)
    signer = Signer().nsec3()
    lines = [*signer.lines([(ORIGIN, NSEC3PARAM)]), "@ 300 NSEC3PARAM 1 0 0 aa"]
    rrset = signer.rrsets[ORIGIN, NSEC3PARAM]
    rrset.add(dns.rdata.from_text("IN", "NSEC3PARAM", "1 0 0 aa"))
    assert found([*lines, signer.signature(rrset)]) == ["warning several-nsec3param"]
    flagged = dns.rdata.from_text("IN", "NSEC3PARAM", "1 1 0 aa")
    rrset = signer.rrsets[ORIGIN, NSEC3PARAM] = Signer().nsec3().rrsets[ORIGIN, NSEC3PARAM]
    rrset.add(flagged)
    assert found(signer.lines()) == [], "flags: not for servers (RFC 5155 4.1.2)"
    unknown = Signer().nsec3()
    del unknown.rrsets[ORIGIN, NSEC3PARAM]
    unknown.add("@ 300 NSEC3PARAM 2 0 0 -")
    assert found(unknown.lines()) == ["error nsec3-algorithm"]


def test_a_chain_of_other_parameters_alone_proves_nothing():
    """Every name lacks its NSEC3, those that opt-out might leave out too."""
    signer = Signer().nsec3(salt="aa")
    signer.rrsets[ORIGIN, NSEC3PARAM] = Signer().nsec3().rrsets[ORIGIN, NSEC3PARAM]
    assert set(found(signer.lines())) == {"error nsec3-missing", "warning nsec3-other-chain"}


def test_every_algorithm_of_the_keys_signs_everything():
    """RFC 4035 2.2; told, because a validator takes what it trusts (RFC 6840 5.11)."""
    assert "warning rrsig-algorithm" in found(second_algorithm())


def test_a_request_to_delete_the_ds_is_no_mistake():
    """RFC 8078 4: CDS 0 0 0 00."""
    assert found(cds_lines("@ 300 CDS 0 0 0 00", "@ 300 CDNSKEY 0 3 0 AA==")) == []
    both = (f"@ 300 CDS {ds_text()}", f"@ 300 CDNSKEY {dnskey()}")
    assert found(cds_lines(*both)) == []
    assert found(cds_lines(f"@ 300 CDS {ds_text(1, 'SHA384')}")) == []
    malformed = (f"@ 300 CDS {ds_text()}", "@ 300 CDNSKEY 257 3 13 AAAA")
    assert set(found(cds_lines(*malformed))) == {"warning cds"}


def test_what_was_served_before_may_have_expired():
    """Last good always: a restart does not refuse what ran out meanwhile."""
    late = DnssecPolicy(NOW + 30 * DAY, excuse_expired=True)
    rules = found(Signer().nsec().lines(), late)
    assert set(rules) == {"warning rrsig-expired"}
    assert set(found(Signer().nsec().lines(), DnssecPolicy(NOW + 30 * DAY))) == {
        "error rrsig-expired"
    }
    bogus = [
        line.replace("192.0.2.1", "192.0.2.9")
        for line in Signer(expiration=NOW + 90 * DAY).nsec().lines()
    ]
    assert found(bogus, late) == ["error rrsig-bogus"]


@pytest.mark.parametrize("moment", [2**32 - 5, 2**32, 2**32 + 5])
def test_times_of_signatures_are_serials(moment: int):
    """RFC 4034 3.1.5: they go round in 2106."""
    signer = Signer(inception=moment - DAY, expiration=(moment + 30 * DAY) % 2**32)
    signer.inception %= 2**32
    assert found(signer.nsec().lines(), DnssecPolicy(moment)) == []


def test_of_a_large_zone_a_sample_is_verified(monkeypatch):
    """The apex always, of the rest every n-th: all other rules hold for all of it."""
    lines = Signer().nsec().lines()
    count = content_of(lines).signatures
    monkeypatch.setattr(signatures, "VERIFIED_SIGNATURES", count)
    assert found(lines) == []
    monkeypatch.setattr(signatures, "VERIFIED_SIGNATURES", count // 3)
    assert found(lines) == ["warning rrsig-sampled"]
    spoiled = [
        line.replace("2001:db8::1", "2001:db8::2")
        .replace("192.0.2.", "192.0.9.")
        .replace("NAPTR 10", "NAPTR 11")
        for line in lines
    ]
    bogus = found(spoiled).count("error rrsig-bogus")
    assert 0 < bogus < 4
    apex = [line.replace("MX 10", "MX 11") for line in lines]
    assert sorted(found(apex)) == ["error rrsig-bogus", "warning rrsig-sampled"]


def test_an_rrsig_over_an_nsec3_that_is_gone_is_no_node():
    """It is left out; the chain's own rule tells of the NSEC3."""
    signer = Signer().nsec3()
    start = f"{signer.hash('ns')}.example.org. 300 IN NSEC3 "
    lines = without(signer.lines(), start)
    assert found(lines) == ["error nsec3-missing"]
    content = content_of(lines)
    assert len(dict(nsec3_nodes(content))) == len(content.nsec3) - 1


@pytest.mark.parametrize(("end", "expected"), [(2**32 - 10, 2**32 - 10), (5, 2**32 + 5)])
def test_when_the_first_signature_ends(end: int, expected: int):
    """RFC 4034 3.1.5: the nearer reading; 0 in a zone without signatures."""
    signer = Signer(inception=2**32 - DAY, expiration=end)
    info = zone_info(content_of(signer.nsec().lines()), "db", 2**32 - 100)
    assert info.signed_until == expected
    assert zone_info(content_of(TEXT.splitlines()), "db").signed_until == 0


def test_keys_of_one_tag_are_tried_a_few_times(monkeypatch):
    """KeyTrap, CVE-2023-50387: no signature costs as much as there are keys."""
    tried = []
    monkeypatch.setattr(signatures, "KEY_COLLISIONS", 4)

    def spoiled(_signature: bytes, _octets: bytes) -> None:
        tried.append(1)
        raise InvalidSignature

    own = Dnskey.read(dnskey().to_wire() or b"")
    keys = [replace(own, verify=spoiled) for _ in range(100)]
    content = content_of(Signer().nsec().lines())
    judged = dnssecfindings.DnssecFindings(Findings(), refuse=True)
    signatures.SignatureCheck(content, keys, DnssecPolicy(NOW), judged).run()
    assert len(tried) == 4 * content.signatures


def test_a_fault_everywhere_is_told_ten_times():
    """And once more with the count and the last place."""
    signer = Signer()
    signer.keys = [(private_key(13, 9), signer.keys[0][1])]
    findings = Findings()
    check_dnssec(content_of(signer.nsec().lines()), findings, DnssecPolicy(NOW))
    problems = findings.problems()
    assert len(problems) == dnssecfindings._SHOWN + 1
    (rest,) = [problem for problem in problems if "more like this" in problem.message]
    assert (
        int(rest.message.split()[0]) + dnssecfindings._SHOWN
        == content_of(signer.lines()).signatures
    )
    assert limits.NSEC3_ITERATIONS == 50, "RFC 9276 3.2"
