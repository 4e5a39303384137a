"""A validator's view: does a response prove what it says (RFC 4035 5.4, RFC 5155 8)?

Over dnspython, from the resolver's side of the RFCs: closest enclosers are found in the proof, not
in a zone. Signatures are not verified, only that they are there and how many labels they count.
"""

from __future__ import annotations

from dataclasses import dataclass

import dns.dnssec
import dns.message
import dns.name
import dns.rdatatype
import dns.rrset

from ocizone.limits import ALIAS_CHAIN

Name = dns.name.Name


@dataclass(frozen=True)
class Nsec:
    """An NSEC: from a name to the next."""

    owner: Name
    next: Name
    types: frozenset[str]

    def covers(self, name: Name) -> bool:
        """Tell whether this proves that a name does not exist, at least not with data."""
        if name.is_subdomain(self.owner) and (self.is_cut or "DNAME" in self.types):
            return False
        if self.owner < self.next:
            return bool(self.owner < name < self.next)
        return bool(self.owner < name)

    @property
    def is_cut(self) -> bool:
        return "NS" in self.types and "SOA" not in self.types


@dataclass(frozen=True)
class Nsec3:
    """An NSEC3: from a hash to the next."""

    hash: str
    next: str
    opt_out: bool
    types: frozenset[str]

    def covers(self, digest: str) -> bool:
        if self.hash < self.next:
            return self.hash < digest < self.next
        return digest > self.hash or digest < self.next


class Proofs:
    """The NSEC and NSEC3 of a response's authority section."""

    def __init__(self, message: dns.message.Message) -> None:
        self.nsec: list[Nsec] = []
        self.nsec3: list[Nsec3] = []
        self._hashing = ("", 0)
        signed = {
            rrset.name
            for rrset in message.authority
            if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers in (47, 50)
        }
        for rrset in message.authority:
            if rrset.rdtype in (dns.rdatatype.NSEC, dns.rdatatype.NSEC3):
                assert rrset.name in signed, rrset
                assert len(rrset) == 1, rrset
            if rrset.rdtype == dns.rdatatype.NSEC:
                following, *types = rrset[0].to_text().split()
                self.nsec.append(Nsec(rrset.name, dns.name.from_text(following), frozenset(types)))
            if rrset.rdtype == dns.rdatatype.NSEC3:
                _, flags, iterations, salt, following, *types = rrset[0].to_text().split()
                self._hashing = ("" if salt == "-" else salt, int(iterations))
                digest = rrset.name.labels[0].decode().upper()
                found = Nsec3(digest, following.upper(), flags == "1", frozenset(types))
                self.nsec3.append(found)

    # --- by name, of either kind ---

    def matching(self, name: Name) -> Nsec | Nsec3 | None:
        if self.nsec3:
            digest = self._digest(name)
            return next((found for found in self.nsec3 if found.hash == digest), None)
        return next((found for found in self.nsec if found.owner == name), None)

    def covering(self, name: Name) -> Nsec | Nsec3 | None:
        if self.nsec3:
            digest = self._digest(name)
            return next((found for found in self.nsec3 if found.covers(digest)), None)
        return next((found for found in self.nsec if found.covers(name)), None)

    def empty_non_terminal(self, name: Name) -> bool:
        """Tell whether a name is shown to exist without data."""
        if self.nsec3:
            found = self.matching(name)
            return found is not None and not found.types
        return any(nsec.covers(name) and nsec.next.is_subdomain(name) for nsec in self.nsec)

    def closest_encloser(self, name: Name) -> Name | None:
        """Return the closest encloser that is proven: next closer covered (RFC 5155 8.3)."""
        if self.nsec3:
            while True:
                above = name.parent()
                if self.matching(above):
                    return above if self.covering(name) else None
                if above == dns.name.root:
                    return None
                name = above
        covering = next((nsec for nsec in self.nsec if nsec.covers(name)), None)
        if covering is None:
            return None
        shared = [name.fullcompare(end)[2] for end in (covering.owner, covering.next)]
        return name.split(max(shared))[1]

    def _digest(self, name: Name) -> str:
        return dns.dnssec.nsec3_hash(name, *self._hashing, "SHA1")

    # --- claims ---

    def no_type(self, name: Name, rrtype: str) -> bool:
        """RFC 4035 5.4, RFC 5155 8.5 to 8.7; a wildcard's too."""
        if self._lacks(name, rrtype):
            return True
        encloser = self.closest_encloser(name)
        if encloser is None:
            return False
        if self._lacks(dns.name.Name((b"*", *encloser.labels)), rrtype):
            return True
        # A DS, or an ENT above insecure delegations alone: then all below is insecure.
        return self._opted_out(name, encloser)

    def no_name(self, name: Name) -> bool:
        """RFC 4035 5.4, RFC 5155 8.4."""
        encloser = self.closest_encloser(name)
        if encloser is None or self.empty_non_terminal(name):
            return False
        if self.covering(dns.name.Name((b"*", *encloser.labels))) is not None:
            return True
        # An ENT without an NSEC3 hides a wildcard above it: nothing could prove that it does
        # not apply, but all below that ENT is insecure.
        return self._opted_out(name, encloser)

    def insecure(self, cut: Name) -> bool:
        """RFC 4035 5.2, RFC 5155 8.9."""
        found = self.matching(cut)
        if found is not None:
            return "NS" in found.types and not found.types & {"DS", "SOA"}
        encloser = self.closest_encloser(cut)
        return encloser is not None and self._opted_out(cut, encloser)

    def expanded(self, name: Name, labels: int) -> bool:
        """RFC 4035 5.3.4, RFC 5155 8.8: the wildcard has so many labels, its asterisk not one."""
        if self.nsec3:
            return self.covering(name.split(labels + 2)[1]) is not None
        encloser = self.closest_encloser(name)
        return encloser is not None and len(encloser) - 1 == labels

    def _lacks(self, name: Name, rrtype: str) -> bool:
        found = self.matching(name)
        if found is None:
            return self.empty_non_terminal(name)
        if "NS" in found.types and "SOA" not in found.types and rrtype != "DS":
            return False
        return not found.types & {rrtype, "CNAME"}

    def _opted_out(self, name: Name, encloser: Name) -> bool:
        found = self.covering(name.split(len(encloser) + 1)[1])
        return isinstance(found, Nsec3) and found.opt_out


def judge(message: dns.message.Message, qname: str, qtype: str, apex: str) -> None:
    """Assert that a response to a question with DO proves what it claims."""
    proofs = Proofs(message)
    name = dns.name.from_text(qname)
    seen: set[Name] = set()
    while name not in seen:
        seen.add(name)
        answer = {rrset.rdtype: rrset for rrset in message.answer if rrset.name == name}
        answer.pop(dns.rdatatype.RRSIG, None)
        wanted = dns.rdatatype.from_text(qtype)
        if wanted in answer:
            _positive(message, proofs, answer[wanted])
            return
        if dns.rdatatype.CNAME not in answer:
            break
        alias = answer[dns.rdatatype.CNAME]
        _positive(message, proofs, alias)
        name = alias[0].target
    else:
        return  # a loop: it ends where it would repeat
    if not name.is_subdomain(dns.name.from_text(apex)) or len(seen) > ALIAS_CHAIN:
        assert message.rcode() == 0
        return
    _end(message, proofs, name, qtype)


def _end(message: dns.message.Message, proofs: Proofs, name: Name, qtype: str) -> None:
    kinds = {rrset.rdtype: rrset.name for rrset in message.authority}
    if dns.rdatatype.SOA in kinds:
        if message.rcode() == 3:
            assert proofs.no_name(name), (name, message.to_text())
        else:
            assert proofs.no_type(name, qtype), (name, message.to_text())
        return
    cut = kinds[dns.rdatatype.NS]
    assert name.is_subdomain(cut), message.to_text()
    assert dns.rdatatype.DS in kinds or proofs.insecure(cut), message.to_text()


def _positive(message: dns.message.Message, proofs: Proofs, rrset: dns.rrset.RRset) -> None:
    """Assert that an RRset is signed, and proven to be a wildcard's where it is one."""
    signatures = [
        found
        for found in message.answer
        if found.rdtype == dns.rdatatype.RRSIG
        and (found.name, found.covers) == (rrset.name, rrset.rdtype)
    ]
    if not signatures:
        # Only what a DNAME stands for is unsigned (RFC 6672 5.3.1).
        assert any(
            found.rdtype == dns.rdatatype.DNAME and rrset.name.is_subdomain(found.name)
            for found in message.answer
        ), message.to_text()
        return
    labels = signatures[0][0].labels
    if labels < len(rrset.name) - 1 and not rrset.name.is_wild():
        assert proofs.expanded(rrset.name, labels), message.to_text()
