"""Signed zones for unit tests: a small signer over dnspython, whose every step a test may spoil."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache

import dns.dnssec
import dns.name
import dns.rdatatype
import dns.rrset
import dns.zone
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

#: When everything is signed: 2026-11-21T00:00:00Z.
NOW = 1_795_219_200
DAY = 86_400
ORIGIN = dns.name.from_text("example.org.")
TEXT = """\
@ 300 SOA ns hostmaster 7 7200 3600 1209600 300
@ 300 NS ns
@ 300 MX 10 Mail
ns 300 A 192.0.2.1
Mail 300 AAAA 2001:db8::1
a.b.c 300 TXT "x"
*.w 300 A 192.0.2.2
secure 300 NS ns.secure
secure 300 DS 1 13 2 d4b7d520e7bb5f0f67674a0cceb1e3e0614b93c4f9e99b8383f6a1e4469da50a
ns.secure 300 A 192.0.2.3
insecure 300 NS ns.deep.insecure
ns.deep.insecure 300 A 192.0.2.4
x.ent 300 NS ns.elsewhere.net.
plain 300 NS ns.elsewhere.net.
naptr 300 NAPTR 10 100 "S" "SIP+D2U" "" _Sip._udp.example.org.
"""

_Key = tuple[dns.name.Name, dns.rdatatype.RdataType]


@cache
def private_key(algorithm: int, number: int):
    """Return a private key; of the elliptic curves the same in every run."""
    match algorithm:
        case 13:
            return ec.derive_private_key(1000 + number, ec.SECP256R1())
        case 14:
            return ec.derive_private_key(1000 + number, ec.SECP384R1())
        case 15:
            return ed25519.Ed25519PrivateKey.from_private_bytes(bytes([number] * 32))
        case 16:
            return ed448.Ed448PrivateKey.from_private_bytes(bytes([number] * 57))
        case _:
            return rsa.generate_private_key(65537, 2048)


def dnskey(algorithm: int = 13, number: int = 1, flags: int = 257):
    """Return the DNSKEY rdata of a private key."""
    return dns.dnssec.make_dnskey(private_key(algorithm, number).public_key(), algorithm, flags)


@dataclass
class Signer:
    """A zone on its way to be signed: RRsets may be changed between any two steps.

    Attributes:
        rrsets: by owner and type; NSEC3 stand at their hashes.
        algorithm: of the keys made here.
        inception: unix seconds.
        expiration: unix seconds.
    """

    text: str = TEXT
    algorithm: int = 13
    inception: int = NOW - DAY
    expiration: int = NOW + 14 * DAY
    rrsets: dict[_Key, dns.rrset.RRset] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.add(self.text)
        self.keys = [(private_key(self.algorithm, 1), dnskey(self.algorithm))]
        self.add(f"@ 300 DNSKEY {self.keys[0][1]}")

    def add(self, text: str) -> None:
        """Add records in presentation form."""
        zone = dns.zone.from_text(text, ORIGIN, relativize=False, check_origin=False)
        for name, rdataset in zone.iterate_rdatasets():
            key = (name, rdataset.rdtype)
            found = self.rrsets.setdefault(
                key, dns.rrset.from_rdata_list(name, 300, list(rdataset))
            )
            found.update(rdataset)

    @property
    def _cuts(self) -> list[dns.name.Name]:
        return [name for name, kind in self.rrsets if kind == dns.rdatatype.NS and name != ORIGIN]

    def is_glue(self, name: dns.name.Name) -> bool:
        return any(name != cut and name.is_subdomain(cut) for cut in self._cuts)

    def names(self) -> list[dns.name.Name]:
        """Return the authoritative names and cuts, sorted."""
        return sorted({name for name, _ in self.rrsets if not self.is_glue(name)})

    def types(self, name: dns.name.Name) -> list[str]:
        """Return the types a chain tells of a name, RRSIG not among them."""
        kinds = [kind for owner, kind in self.rrsets if owner == name]
        if name in self._cuts:
            kinds = [kind for kind in kinds if kind in {dns.rdatatype.NS, dns.rdatatype.DS}]
        return [kind.name for kind in kinds]

    def nsec(self) -> Signer:
        """Make the NSEC chain."""
        names = self.names()
        for at, name in enumerate(names):
            after = names[(at + 1) % len(names)]
            kinds = " ".join([*self.types(name), "RRSIG", "NSEC"])
            self.add(f"{name} 300 NSEC {after} {kinds}")
        return self

    def nsec3(self, *, iterations: int = 0, salt: str = "-", opt_out: bool = False) -> Signer:
        """Make the NSEC3 chain and its NSEC3PARAM."""
        self.add(f"@ 300 NSEC3PARAM 1 0 {iterations} {salt}")
        hashed: dict[str, list[str]] = {}
        for name in self.names():
            kinds = self.types(name)
            if opt_out and kinds == ["NS"]:
                continue
            above = name
            while above != ORIGIN:
                above = above.parent()
                hashed.setdefault(self.hash(above, iterations, salt), [])
            signed = [] if kinds == ["NS"] else ["RRSIG"]
            hashed[self.hash(name, iterations, salt)] = kinds + signed
        order = sorted(hashed)
        for at, one in enumerate(order):
            after = order[(at + 1) % len(order)]
            told = " ".join(hashed[one])
            self.add(f"{one} 300 NSEC3 1 {int(opt_out)} {iterations} {salt} {after} {told}")
        return self

    def hash(self, name: str | dns.name.Name, iterations: int = 0, salt: str = "-") -> str:
        """Return the label of a name's NSEC3, lower case."""
        absolute = dns.name.from_text(str(name), ORIGIN)
        octets = "" if salt == "-" else salt
        return dns.dnssec.nsec3_hash(absolute, octets, iterations, 1).lower()

    def signature(self, rrset: dns.rrset.RRset, number: int = 0, **times: int) -> str:
        """Return the RRSIG line of an RRset by one of the keys."""
        private, public = self.keys[number]
        rrsig = dns.dnssec.sign(
            rrset,
            private,
            ORIGIN,
            public,
            inception=times.get("inception", self.inception),
            expiration=times.get("expiration", self.expiration),
        )
        return f"{rrset.name} {rrset.ttl} IN RRSIG {rrsig}"

    def lines(self, unsigned: Iterable[_Key] = ()) -> list[str]:
        """Return the zone, a record a line, every authoritative RRset signed but these."""
        found: list[str] = []
        cuts = self._cuts
        for (name, kind), rrset in self.rrsets.items():
            found += [f"{name} {rrset.ttl} IN {kind.name} {rdata}" for rdata in rrset]
            at_cut = name in cuts and kind not in {dns.rdatatype.DS, dns.rdatatype.NSEC}
            if not at_cut and not self.is_glue(name) and (name, kind) not in unsigned:
                found.append(self.signature(rrset))
        return found


@cache
def signed_text(denial: str = "nsec", serial: int = 7) -> str:
    """Return a valid signed zone, for tests that want one as it is."""
    signer = Signer(TEXT.replace(" 7 7200", f" {serial} 7200"))
    made = signer.nsec() if denial == "nsec" else signer.nsec3()
    return "\n".join(made.lines()) + "\n"
