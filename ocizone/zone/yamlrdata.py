"""Values of YAML zones to rdata: octoDNS's field names to presentation form, then zone.rdata.

A field is one token and cannot smuggle in another: blanks, quotes, parentheses, semicolons and
backslashes are errors outside of the fields that are text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from ocizone.wire import name as names
from ocizone.zone import rdata as rr
from ocizone.zone.yamltree import Mapping, Scalar, Sequence, Value

_TOKEN: Final = re.compile(r'[^\s;"()\\]+', re.ASCII)
_STRING_OCTETS: Final = 255


class BadValueError(ValueError):
    """The value is not one of its type: why, and how to help."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structured value: its names (the first is today's), and its kind."""

    names: tuple[str, ...]
    kind: Callable[[str], str]
    default: str | None = None


def value_rdata(mnemonic: str, rrtype: int, value: Value, origin: bytes) -> bytes:
    """Return the wire form of one value.

    Args:
        mnemonic: a key of KINDS.
        rrtype: its number.
        value: text, or a mapping of fields, as the type has it.
        origin: absolute wire name (no name in a value is relative; dnspython wants one).

    Raises:
        BadValueError: it is no value of this type.
    """
    if mnemonic == "TXT":
        return _txt(value)
    try:
        return rr.rdata_from_text(rrtype, _presentation(mnemonic, value), origin)
    except rr.BadRdataError as error:
        raise BadValueError(str(error)) from error


def _presentation(mnemonic: str, value: Value) -> str:
    fields = KINDS[mnemonic]
    if isinstance(fields, Field):
        if not isinstance(value, Scalar):
            raise BadValueError("it is text")
        return fields.kind(value.text)
    if not isinstance(value, Mapping):
        raise BadValueError("it is a mapping", f"of {', '.join(f.names[0] for f in fields)}")
    known = {name for one in fields for name in one.names}
    parameters = mnemonic in ("SVCB", "HTTPS")
    for name in value.entries:
        if name not in known and not (parameters and name == "svcparams"):
            raise BadValueError(f"unknown field {name}", f"known are {', '.join(sorted(known))}")
    parts = [_field(one, value) for one in fields]
    if parameters and "svcparams" in value.entries:
        parts += _parameters(value.entries["svcparams"][1])
    return " ".join(parts)


def _field(field: Field, value: Mapping) -> str:
    for name in field.names:
        if name in value.entries:
            found = value.entries[name][1]
            if not isinstance(found, Scalar):
                raise BadValueError(f"{name} is text")
            return field.kind(found.text)
    if field.default is None:
        raise BadValueError(f"{field.names[0]} is missing")
    return field.kind(field.default)


def _parameters(value: Value) -> list[str]:
    """Return SvcParams as ``key=value`` tokens (RFC 9460 2.1); a list is joined by commas."""
    if not isinstance(value, Mapping):
        raise BadValueError("svcparams is a mapping")
    tokens = []
    for name, (_, found) in value.entries.items():
        key = _token(name)
        if isinstance(found, Sequence):
            items = [item.text for item in found.items if isinstance(item, Scalar)]
            if len(items) != len(found.items):
                raise BadValueError(f"{name} is a list of text")
            tokens.append(f"{key}={','.join(_token(item) for item in items)}")
        elif isinstance(found, Scalar) and found.text not in ("", "null", "~"):
            tokens.append(f"{key}={_token(found.text)}")
        elif isinstance(found, Scalar):
            tokens.append(key)
        else:
            raise BadValueError(f"{name} is text or a list")
    return tokens


def _token(text: str) -> str:
    if not text.isascii():
        raise BadValueError("it is not ASCII", "write A-labels (xn--) for names")
    if _TOKEN.fullmatch(text) is None:
        raise BadValueError("a blank, quote, parenthesis, semicolon or backslash in it")
    return text


def _name(text: str) -> str:
    """Return an absolute name; a relative one is refused as octoDNS does."""
    if not text.endswith("."):
        raise BadValueError("a name without its final dot", "names in values are absolute")
    try:
        return names.to_text(names.from_text(text))
    except names.BadNameError as error:
        raise BadValueError(f"no name: {error}") from error


def _quoted(text: str) -> str:
    return '"' + "".join(_escaped(octet) for octet in text.encode("utf-8")) + '"'


def _escaped(octet: int) -> str:
    plain = 0x20 <= octet < 0x7F and octet not in b'"\\'
    return chr(octet) if plain else f"\\{octet:03d}"


def _txt(value: Value) -> bytes:
    """Return TXT rdata: strings of up to 255 octets, as many as the text needs (RFC 1035 3.3.14)."""
    if not isinstance(value, Scalar):
        raise BadValueError("it is text")
    # octoDNS wants semicolons escaped; both ways mean the same here.
    octets = value.text.replace("\\;", ";").encode("utf-8")
    strings = [
        octets[at : at + _STRING_OCTETS] for at in range(0, len(octets), _STRING_OCTETS)
    ] or [b""]
    rdata = b"".join(bytes([len(string)]) + string for string in strings)
    if len(rdata) > 65_535:
        raise BadValueError("it is over 65535 octets")
    return rdata


def _one(kind: Callable[[str], str]) -> Field:
    return Field(("value",), kind)


def _fields(*fields: tuple[str, Callable[[str], str]]) -> tuple[Field, ...]:
    return tuple(Field(tuple(name.split("|")), kind) for name, kind in fields)


_SVCB: Final = (
    Field(("svcpriority",), _token),
    Field(("targetname",), _name),
)

#: For each type a YAML zone may hold: one text, or its fields in presentation order.
KINDS: Final[dict[str, Field | tuple[Field, ...]]] = {
    "A": _one(_token),
    "AAAA": _one(_token),
    "NS": _one(_name),
    "CNAME": _one(_name),
    "DNAME": _one(_name),
    "PTR": _one(_name),
    "TXT": _one(_quoted),
    "MX": _fields(("preference|priority", _token), ("exchange|value", _name)),
    "SRV": _fields(("priority", _token), ("weight", _token), ("port", _token), ("target", _name)),
    "CAA": (
        Field(("flags",), _token, "0"),
        Field(("tag",), _token),
        Field(("value",), _quoted),
    ),
    "SSHFP": _fields(("algorithm", _token), ("fingerprint_type", _token), ("fingerprint", _token)),
    "TLSA": _fields(
        ("certificate_usage", _token),
        ("selector", _token),
        ("matching_type", _token),
        ("certificate_association_data", _token),
    ),
    "NAPTR": _fields(
        ("order", _token),
        ("preference", _token),
        ("flags", _quoted),
        ("service", _quoted),
        ("regexp", _quoted),
        ("replacement", _name),
    ),
    "DS": _fields(
        ("key_tag", _token),
        ("algorithm", _token),
        ("digest_type", _token),
        ("digest", _token),
    ),
    "SVCB": _SVCB,
    "HTTPS": _SVCB,
    "SOA": _fields(
        ("mname", _name),
        ("rname", _name),
        ("serial", _token),
        ("refresh", _token),
        ("retry", _token),
        ("expire", _token),
        ("minimum", _token),
    ),
}
