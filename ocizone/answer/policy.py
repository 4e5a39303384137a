"""What a block's directives change in an answer, one function a directive.

Pure: the client is a text, rotation is seeded by the message id. Not here: the zones
and ``minimal`` (answer.compose), and the directives' grammar (plugins).
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from ocizone import __version__
from ocizone.answer.blocks import Block, Loaded, Policy, Transport
from ocizone.limits import (
    CHARACTER_STRING_OCTETS,
    NAME_OCTETS,
    PLAIN_UDP_OCTETS,
    TCP_MESSAGE_OCTETS,
    UDP_PAYLOAD_OCTETS,
)
from ocizone.plugins.acl import Acl, AclRule, Action
from ocizone.plugins.chaos import Chaos
from ocizone.wire.codes import (
    CLASS_CH,
    TYPE_A,
    TYPE_AAAA,
    TYPE_ANY,
    TYPE_CNAME,
    TYPE_HINFO,
    TYPE_MX,
    TYPE_SRV,
    TYPE_TXT,
)
from ocizone.wire.edns import Edns
from ocizone.wire.name import from_text, is_at_or_below
from ocizone.wire.query import Query
from ocizone.wire.render import Answer, Section
from ocizone.zone.node import RRset

_AUTHORS: Final = ("The ocizone maintainers",)
_VERSION_NAMES: Final = frozenset({from_text("version.bind."), from_text("version.server.")})
_AUTHOR_NAMES: Final = frozenset({from_text("authors.bind.")})
_HOST_NAMES: Final = frozenset({from_text("hostname.bind."), from_text("id.server.")})
_ARTIFACT: Final = b"\x08artifact"
_ROTATED: Final = frozenset({TYPE_A, TYPE_AAAA, TYPE_MX})
# RFC 8482 4.2; text and TTL are CoreDNS', which its users grep for.
_HINFO: Final = RRset(TYPE_HINFO, 8482, (b"\x0dANY obsoleted\x0cSee RFC 8482",))


# --- acl -------------------------------------------------------------------------------------


def acl(rules: tuple[Acl, ...], name: bytes, qtype: int, client: str) -> Action:
    """Return what the first matching rule says; ``allow`` when none matches.

    A client that is no address is blocked: no rule could have let it in on purpose.
    """
    if not rules:
        return "allow"
    address = client_address(client)
    if address is None:
        return "block"
    for directive in rules:
        if any(is_at_or_below(name, zone) for zone in directive.zones):
            for rule in directive.rules:
                if _matches(rule, qtype, address):
                    return rule.action
    return "allow"


def _matches(rule: AclRule, qtype: int, address: IPv4Address | IPv6Address) -> bool:
    if rule.qtypes is not None and qtype not in rule.qtypes:
        return False
    return rule.networks is None or any(address in network for network in rule.networks)


def client_address(client: str) -> IPv4Address | IPv6Address | None:
    """Return the client's address; of ``::ffff:192.0.2.1`` the IPv4 one, as operators write it."""
    try:
        address = ip_address(client)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


# --- bufsize ---------------------------------------------------------------------------------


def size_limit(transport: Transport, edns: Edns | None, policy: Policy | None) -> int:
    """Return how many octets the response may have (RFC 1035 4.2.1, RFC 6891 6.2.3-6.2.5)."""
    if transport.protocol != "udp":
        return TCP_MESSAGE_OCTETS
    if edns is None:
        return PLAIN_UDP_OCTETS
    cap = UDP_PAYLOAD_OCTETS
    if policy is not None and policy.bufsize is not None:
        cap = policy.bufsize.octets
    return max(PLAIN_UDP_OCTETS, min(edns.size, cap))


# --- chaos, provenance, whoami: answers that are in no zone ------------------------------------


def chaos_answer(query: Query, chaos: Chaos, hostname: str) -> Answer | None:
    """Return who we are, as TXT in class CH; None for any other question (RFC 4892)."""
    if query.qclass != CLASS_CH or query.qtype not in (TYPE_TXT, TYPE_ANY):
        return None
    if query.name in _VERSION_NAMES:
        texts: tuple[str, ...] = (chaos.version or f"ocizone-{__version__}",)
    elif query.name in _AUTHOR_NAMES:
        texts = chaos.authors or _AUTHORS
    elif query.name in _HOST_NAMES:
        texts = (hostname,)
    else:
        return None
    rdatas = tuple(_character_string(text) for text in texts)
    records = RRset(TYPE_TXT, 0, rdatas)
    return Answer(aa=True, answer=((query.name, records),), rrclass=CLASS_CH)


def _character_string(text: str) -> bytes:
    """Return one <character-string>, cut at 255 octets (RFC 1035 3.3)."""
    octets = text.encode()[:CHARACTER_STRING_OCTETS]
    return bytes([len(octets)]) + octets


def provenance_answer(query: Query, block: Block) -> Answer | None:
    """Return where the zone a CH TXT ``artifact.APEX`` names comes from; None otherwise.

    One record of three strings. A reference that is longer than a string goes on in the next
    one: "=" is in no reference, so ``digest=`` is still found.
    """
    if not block.policy.provenance or query.qclass != CLASS_CH:
        return None
    if query.qtype not in (TYPE_TXT, TYPE_ANY) or not query.name.startswith(_ARTIFACT):
        return None
    zone = block.zones.get(query.name[len(_ARTIFACT) :])
    if not isinstance(zone, Loaded) or zone.provenance is None:
        return None
    told = zone.provenance
    texts = (f"ref={told.reference}", f"digest={told.digest}", f"since={told.since}")
    rdata = b"".join(_character_strings(text) for text in texts)
    records = RRset(TYPE_TXT, 0, (rdata,))
    return Answer(aa=True, answer=((query.name, records),), rrclass=CLASS_CH)


def _character_strings(text: str) -> bytes:
    """Return as many <character-string>s as the text needs (RFC 1035 3.3)."""
    octets = text.encode(errors="replace")
    starts = range(0, len(octets), CHARACTER_STRING_OCTETS)
    pieces = [octets[start : start + CHARACTER_STRING_OCTETS] for start in starts]
    return b"".join(bytes([len(piece)]) + piece for piece in pieces)


def whoami_answer(query: Query, transport: Transport) -> Answer:
    """Return who asked: address, and port and transport as an SRV, as CoreDNS does."""
    additional: Section = ()
    address = client_address(transport.client)
    if address is not None:
        rrtype = TYPE_A if address.version == 4 else TYPE_AAAA
        additional += ((query.name, RRset(rrtype, 0, (address.packed,))),)
    owner = (b"\x04_udp" if transport.protocol == "udp" else b"\x04_tcp") + query.name
    if len(owner) <= NAME_OCTETS:
        port = b"\x00\x00\x00\x00" + transport.client_port.to_bytes(2) + b"\x00"
        additional += ((owner, RRset(TYPE_SRV, 0, (port,))),)
    return Answer(aa=True, additional=additional)


# --- any, loadbalance: answers changed ---------------------------------------------------------


def shape(query: Query, answer: Answer, policy: Policy) -> Answer:
    """Return the answer as the block's directives want it."""
    if policy.any_hinfo and query.qtype == TYPE_ANY:
        answer = any_as_hinfo(query, answer)
    if policy.loadbalance is not None:
        answer = rotate(answer, query.id)
    return answer


def any_as_hinfo(query: Query, answer: Answer) -> Answer:
    """Answer ANY with one HINFO where there would be records (RFC 8482 4.2).

    Aliases, denials and referrals stay as they are: they are small, and true.
    """
    if not answer.answer or any(rrset.rrtype == TYPE_CNAME for _, rrset in answer.answer):
        return answer
    return Answer(aa=True, answer=((query.name, _HINFO),))


def rotate(answer: Answer, seed: int) -> Answer:
    """Rotate the addresses and MX of the answer, so that clients spread over them."""
    return replace(
        answer,
        answer=_rotated(answer.answer, seed),
        additional=_rotated(answer.additional, seed),
    )


def _rotated(section: Section, seed: int) -> Section:
    return tuple(
        (
            owner,
            RRset(rrset.rrtype, rrset.ttl, _turn(rrset.rdatas, seed), rrset.signatures)
            if rrset.rrtype in _ROTATED
            else rrset,
        )
        for owner, rrset in section
    )


def _turn(rdatas: tuple[bytes, ...], seed: int) -> tuple[bytes, ...]:
    by = seed % len(rdatas)
    return rdatas[by:] + rdatas[:by]
