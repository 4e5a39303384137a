"""Making what cosign reads: the payloads that are signed, and the bundle around one.

Pure: values in, bytes out. Not here: keys and where it is pushed (sign.py), reading (cosign.py).
"""

from __future__ import annotations

import base64

from ocizone.registry.cosign import (
    BUNDLE,
    CONTAINER_SIGNATURE,
    IN_TOTO,
    SIGN_PREDICATE,
    STATEMENT,
)
from ocizone.registry.manifest import compact_json


def make_payload(digest: str, where: str) -> bytes:
    """Return the simple signing payload for a digest in ``registry/repository``."""
    critical = {
        "identity": {"docker-reference": where},
        "image": {"docker-manifest-digest": digest},
        "type": CONTAINER_SIGNATURE,
    }
    return compact_json({"critical": critical, "optional": None})


def make_statement(digest: str) -> bytes:
    """Return the in-toto statement with which cosign signs a digest."""
    subject = {"digest": {"sha256": digest.removeprefix("sha256:")}}
    return compact_json(
        {
            "_type": STATEMENT,
            "subject": [subject],
            "predicateType": SIGN_PREDICATE,
            "predicate": {},
        }
    )


def make_bundle(payload: bytes, signature: bytes, hint: bytes) -> bytes:
    """Return a bundle of an in-toto statement signed with a key.

    Args:
        payload: the statement.
        signature: over its pre-authentication encoding.
        hint: of the key, for people; nobody may trust it.
    """
    return compact_json(
        {
            "mediaType": BUNDLE,
            "verificationMaterial": {"publicKey": {"hint": write_base64(hint)}, "tlogEntries": []},
            "dsseEnvelope": {
                "payload": write_base64(payload),
                "payloadType": IN_TOTO,
                "signatures": [{"sig": write_base64(signature)}],
            },
        }
    )


def write_base64(raw: bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(raw).decode("ascii")
