r"""Domain names in wire form: text, labels, case, and canonical order (RFC 1035 3.1, RFC 4034 6.1).

A name is ``bytes``: length-prefixed labels ending in the root label, never compressed. Names
used as keys are lower case. What this is not: a parser of messages (wire.query does that).
"""

from __future__ import annotations

from typing import Final

from ocizone.limits import LABEL_OCTETS, NAME_OCTETS

ROOT: Final = b"\x00"
_SPECIAL: Final = frozenset(b'."\\();@$')
_PRINTABLE: Final = range(0x21, 0x7F)


class BadNameError(ValueError):
    """The text is not a domain name; the message says why."""


def lower(name: bytes) -> bytes:
    """Return the name with ASCII letters lowered.

    Safe on the whole wire form: length octets are at most 63, below ``A`` (0x41).
    """
    return name.lower()


def labels(name: bytes) -> list[bytes]:
    """Return the labels without the root, leftmost first."""
    found = []
    at = 0
    while size := name[at]:
        found.append(name[at + 1 : at + 1 + size])
        at += 1 + size
    return found


def join(parts: list[bytes]) -> bytes:
    """Return the wire form of these labels (leftmost first, root not included).

    Raises:
        BadNameError: a label or the whole is too long, or a label is empty.
    """
    wire = bytearray()
    for part in parts:
        if not part:
            raise BadNameError("empty label")
        if len(part) > LABEL_OCTETS:
            raise BadNameError(f"label of {len(part)} octets, over {LABEL_OCTETS}")
        wire.append(len(part))
        wire += part
    wire.append(0)
    if len(wire) > NAME_OCTETS:
        raise BadNameError(f"name of {len(wire)} octets, over {NAME_OCTETS}")
    return bytes(wire)


def from_text(text: str, origin: bytes | None = None) -> bytes:
    r"""Return the wire form of a name in presentation form (RFC 1035 5.1), case kept.

    Args:
        text: ``www``, ``www.example.org.``, ``@``, ``a\.b``, ``\065``; ASCII only.
        origin: what a relative name is completed with; without it the name is absolute.

    Raises:
        BadNameError: it is no name.
    """
    if text == "@" and origin is not None:
        return origin
    if text == ".":
        return ROOT
    if not text:
        raise BadNameError("empty name")
    parts, absolute = _split(text)
    if absolute or origin is None:
        return join(parts)
    return join(parts + labels(origin))


def _split(text: str) -> tuple[list[bytes], bool]:
    """Return the labels of a presentation-form name, and whether it ended in a dot."""
    try:
        raw = text.encode("ascii")
    except UnicodeEncodeError:
        raise BadNameError(f"{text!r} is not ASCII: write its A-label (xn--)") from None
    if b"\\" not in raw:
        absolute = raw.endswith(b".")
        return (raw[:-1] if absolute else raw).split(b"."), absolute
    parts: list[bytes] = []
    label = bytearray()
    absolute = False
    at = 0
    while at < len(raw):
        octet = raw[at]
        absolute = False
        if octet == 0x5C:
            digits = raw[at + 1 : at + 4]
            if len(digits) == 3 and digits.isdigit():
                if int(digits) > 255:
                    raise BadNameError(f"\\{digits.decode()} is over \\255")
                label.append(int(digits))
                at += 4
            elif at + 1 < len(raw) and not raw[at + 1 : at + 2].isdigit():
                label.append(raw[at + 1])
                at += 2
            else:
                raise BadNameError(f"bad escape in {text!r}")
            continue
        if octet == 0x2E:
            parts.append(bytes(label))
            label.clear()
            absolute = True
        else:
            label.append(octet)
        at += 1
    if label or not absolute:
        parts.append(bytes(label))
    return parts, absolute


def to_text(name: bytes) -> str:
    r"""Return the absolute presentation form; octets outside printable ASCII as ``\\DDD``."""
    if name == ROOT:
        return "."
    return "".join(label_text(label) + "." for label in labels(name))


def label_text(label: bytes) -> str:
    """Return one label in presentation form, escaped."""
    return "".join(
        f"\\{chr(octet)}"
        if octet in _SPECIAL
        else chr(octet)
        if octet in _PRINTABLE
        else f"\\{octet:03d}"
        for octet in label
    )


def parent(name: bytes) -> bytes:
    """Return the name without its leftmost label; the root is its own parent."""
    return name[1 + name[0] :] if name[0] else name


def ancestor(name: bytes, up: int) -> bytes:
    """Return the name without its ``up`` leftmost labels. It has that many."""
    at = 0
    for _ in range(up):
        at += 1 + name[at]
    return name[at:]


def is_at_or_below(name: bytes, zone: bytes) -> bool:
    """Tell whether ``name`` is ``zone`` or below it. Both in the same case."""
    if not name.endswith(zone):
        return False
    at, start = 0, len(name) - len(zone)
    # A suffix of octets is a suffix of labels only when it starts at a label's length octet.
    while at < start:
        at += 1 + name[at]
    return at == start


def relative_key(name: bytes, apex_labels: int) -> bytes:
    r"""Return the order-preserving key of a name below an apex (RFC 4034 6.1).

    Labels from the apex outwards, lower case, each ended by 0x00; 0x00 and 0x01 inside a label
    are escaped as 01 01 and 01 02, so that ``bytes`` order is canonical order. The apex is
    ``b""``. At most 508 octets for a legal name, under LMDB's 511 with a three-octet prefix.

    Args:
        name: lower-case wire name at or below the apex.
        apex_labels: how many labels the apex has, root not counted.
    """
    own = labels(name)
    del own[len(own) - apex_labels :]
    own.reverse()
    key = b"\x00".join(own)
    if key and b"\x01" not in key and key.count(0) == len(own) - 1:
        return key + b"\x00"
    return b"".join([key_label(part) for part in own])


def key_label(label: bytes) -> bytes:
    """Return one lower-case label as it stands in a key, terminator included."""
    if b"\x00" in label or b"\x01" in label:
        label = label.replace(b"\x01", b"\x01\x02").replace(b"\x00", b"\x01\x01")
    return label + b"\x00"


def name_from_key(key: bytes, apex: bytes) -> bytes:
    """Return the lower-case wire name that ``relative_key`` made this key from."""
    own = key.split(b"\x00")[:-1]
    if len(own) == 1 and b"\x01" not in key:
        return bytes((len(key) - 1,)) + own[0] + apex
    wire = bytearray()
    for part in reversed(own):
        if b"\x01" in part:
            part = part.replace(b"\x01\x01", b"\x00").replace(b"\x01\x02", b"\x01")  # noqa: PLW2901
        wire.append(len(part))
        wire += part
    return bytes(wire) + apex
