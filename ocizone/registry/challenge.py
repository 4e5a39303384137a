"""``WWW-Authenticate`` challenges, read by their grammar (RFC 9110 11.2, 11.6.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - RFC 9110 5.6.2 "token", not a secret
_PARAMETER = re.compile(rf'({_TOKEN})[ \t]*=[ \t]*(?:"([^"\\]*+(?:\\.[^"\\]*+)*)"|({_TOKEN}))')
_SCHEME = re.compile(rf"({_TOKEN})(?:[ \t]+|$|(?=,))")
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=[ \t]*(?:,|$))")
_SEPARATORS = re.compile(r"[ \t,]*")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: the scheme in lower case, and its parameters by lower-case name."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Return the challenges in order; reading stops at the first octet that fits nowhere."""
    challenges: list[Challenge] = []
    parameters: dict[str, str] = {}
    at = 0
    while True:
        separators = _SEPARATORS.match(header, at)
        assert separators is not None  # it matches the empty string
        at = separators.end()
        parameter = _PARAMETER.match(header, at)
        if parameter is not None and challenges:
            name, quoted, plain = parameter.groups()
            value = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else plain
            parameters.setdefault(name.lower(), value)
            at = parameter.end()
            continue
        scheme = _SCHEME.match(header, at)
        if scheme is None:
            return tuple(challenges)
        parameters = {}
        challenges.append(Challenge(scheme[1].lower(), MappingProxyType(parameters)))
        at = scheme.end()
        token68 = _TOKEN68.match(header, at)
        if token68 is not None and _SCHEME.match(header, at) is None:
            at = token68.end()
