"""Hash names as NSEC3 does, and spell the hashes as owner names (RFC 5155 3, 5).

SHA-1 is the one algorithm there is (RFC 5155 11); it hides names and protects nothing. Not here:
which hashes prove what (zone.denial).
"""

from __future__ import annotations

import base64
import hashlib

from ocizone.zone.reader import Nsec3Params


def nsec3_hash(name: bytes, params: Nsec3Params) -> bytes:
    """Return the 20-octet hash of a name (RFC 5155 5).

    Args:
        name: lower-case wire name.
        params: salt and iterations; the latter are what it costs.
    """
    salt = params.salt
    digest = hashlib.sha1(name + salt, usedforsecurity=False).digest()
    for _ in range(params.iterations):
        digest = hashlib.sha1(digest + salt, usedforsecurity=False).digest()
    return digest


def nsec3_owner(digest: bytes, apex: bytes) -> bytes:
    """Return the owner of the NSEC3 of a hash: base32hex, lower case, below the apex."""
    label = base64.b32hexencode(digest).lower()
    return bytes([len(label)]) + label + apex
