"""Keys of server blocks, ``[SCHEME://]ZONE[:PORT]``, and the zone lists of directives.

A key ``ADDRESS/LENGTH`` stands for the reverse zones that cover the network exactly
(RFC 1035 3.5, RFC 3596 2.5): a length between two label boundaries becomes several zones.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final

from ocizone.corefile.lexer import Token
from ocizone.corefile.report import Report
from ocizone.corefile.types import Key
from ocizone.limits import SHOWN_CHARACTERS
from ocizone.wire.name import BadNameError, from_text, lower, to_text

TLS_PORT: Final = 853
#: Every scheme CoreDNS knows and its port; None is the port DNS is served on.
_PORTS: Final[dict[str, int | None]] = {
    "dns": None,
    "tls": TLS_PORT,
    "quic": 853,
    "grpc": 443,
    "https": 443,
    "https3": 443,
    "unix": None,
}
_SERVED: Final = ("dns", "tls")
_ZONE_CHARACTERS: Final = 255
_PREFERRED: Final = re.compile(r"([A-Za-z]([A-Za-z0-9-]*[A-Za-z0-9])?\.)+")
_CIDR: Final = re.compile(r"([0-9A-Fa-f.:]+)/([0-9]{1,3})")


class BadKeyError(ValueError):
    """The text is no key or zone; the message is CoreDNS', ``hint`` is ours."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class SplitKey:
    """A key taken apart: the zone still as written, the port that of the scheme if not given."""

    scheme: str
    zone: str
    port: int


def split_key(text: str, default_port: int) -> SplitKey:
    """Return the parts of a key.

    Args:
        text: as written, environment expanded, without a trailing comma.
        default_port: the port of a ``dns`` key without one.

    Raises:
        BadKeyError: an unknown scheme, or a port out of range.
    """
    scheme, separator, rest = text.partition("://")
    if not separator:
        scheme, rest = "dns", text
    elif scheme not in _PORTS:
        raise BadKeyError(
            f"unknown scheme '{scheme[:SHOWN_CHARACTERS]}://'",
            "a key is [SCHEME://]ZONE[:PORT], SCHEME dns or tls",
        )
    host, colon, port = rest.rpartition(":")
    if colon and not port:
        raise BadKeyError(f'expecting data after last colon: "{rest[:SHOWN_CHARACTERS]}"')
    if not colon or not (port.isascii() and port.isdigit()):
        return SplitKey(scheme, rest, _PORTS[scheme] or default_port)
    # Six digits are out of range already, and int() refuses thousands of them.
    number = int(port.lstrip("0")[:6] or "0")
    if number > 65_535:
        raise BadKeyError(f"address {port[:20]}: invalid port", "a port is 0 to 65535")
    return SplitKey(scheme, host, number)


def zones_of(text: str) -> tuple[bytes, ...]:
    """Return the lower-case wire names a zone or a network in CIDR form stands for.

    Raises:
        BadKeyError: it is neither.
    """
    if len(text) > _ZONE_CHARACTERS:
        raise BadKeyError(f"specified zone is too long: {len(text)} > {_ZONE_CHARACTERS}")
    network = _network(text)
    if network is not None:
        return _reverse_zones(network)
    try:
        return (lower(from_text(text)),)
    except BadNameError as error:
        hint = "write '.' for every zone" if not text else str(error)
        raise BadKeyError(f"zone is not a valid domain name: {text}", hint) from error


def keys_of(token: Token, default_port: int, report: Report) -> tuple[Key, ...]:
    """Return the keys one written key stands for; none when it is wrong, which is reported."""
    try:
        split = split_key(token.text, default_port)
        zones = zones_of(split.zone)
    except BadKeyError as error:
        report.error(token, "bad-key", str(error), error.hint)
        return ()
    if split.scheme not in _SERVED:
        report.error(
            token,
            "scheme-not-supported",
            f"'{split.scheme}://' is not supported by ocizone",
            "ocizone serves dns:// (UDP and TCP) and tls:// (DNS over TLS)",
        )
        return ()
    for zone in zones[:1]:
        _warn_of_odd_name(token, to_text(zone), report)
    return tuple(Key(split.scheme, zone, split.port, token.position) for zone in zones)


def _warn_of_odd_name(token: Token, zone: str, report: Report) -> None:
    if zone == "." or zone.endswith((".in-addr.arpa.", ".ip6.arpa.")) or _PREFERRED.fullmatch(zone):
        return
    report.warning(
        token,
        "odd-zone-name",
        f'Domain "{zone}" does not follow RFC1035 preferred syntax',
        "separate keys with a comma and a space" if "," in zone else "",
    )


def _network(text: str) -> IPv4Network | IPv6Network | None:
    if not _CIDR.fullmatch(text):
        return None
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    if text.startswith(":") or (text.startswith("0") and ":" in text):
        # CoreDNS refuses these; a Corefile that works here should work there.
        raise BadKeyError(f"invalid CIDR {text}")
    return network


def _reverse_zones(network: IPv4Network | IPv6Network) -> tuple[bytes, ...]:
    """Return the reverse zones that together are exactly this network; at most 128."""
    bits = 8 if network.version == 4 else 4
    length = -(-network.prefixlen // bits) * bits
    dropped = (network.max_prefixlen - length) // bits
    found = []
    for part in network.subnets(new_prefix=length):
        labels = part.network_address.reverse_pointer.split(".")
        found.append(from_text(".".join(labels[dropped:])))
    return tuple(found)
