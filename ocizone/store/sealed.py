"""Small JSON records that know when they are damaged.

A record carries the SHA-256 of its content, because one flipped bit in a digest or a serial is
still valid JSON.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from ocizone.errors import StoreError
from ocizone.store.disk import read

_FORMAT = 1
_BEFORE_CONTENT = b'"content": '
_BEHIND_CONTENT = b"}\n"


class DamagedError(StoreError):
    """A record is there but is not what was written."""


def seal(content: dict[str, Any]) -> bytes:
    """Return the bytes of a record."""
    text = json.dumps(content, sort_keys=True)
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return f'{{"format": {_FORMAT}, "sha256": "{checksum}", "content": {text}}}\n'.encode()


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return a record's content, None when there is none.

    Raises:
        DamagedError: it is cut short, altered, or of another format.
        StoreError: it cannot be read.
    """
    data = read(path)
    if data is None:
        return None
    try:
        raw = json.loads(data)
        content: dict[str, Any] = raw["content"]
        if raw["format"] != _FORMAT or not _is_of(raw["sha256"], data, content):
            raise DamagedError(f"{path} is damaged: its checksum differs")
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DamagedError(f"{path} is damaged: {error}") from error
    return content


def _is_of(checksum: str, data: bytes, content: dict[str, Any]) -> bool:
    """Tell whether a checksum is of a content: as it was written, or however it is written."""
    _, _, written = data.partition(_BEFORE_CONTENT)
    if hashlib.sha256(written.removesuffix(_BEHIND_CONTENT)).hexdigest() == checksum:
        return True
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest() == checksum
