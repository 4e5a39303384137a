"""Which source had which key: ``keys.json`` in the state directory.

A source's state is found by its key. Keys are given out in Corefile order, so that a block moved to
another tag goes on from its state; but a block added above must not take the state of one below.
What had a key keeps it, as long as it is in the plan (ocizone.plan).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ocizone.errors import StoreError
from ocizone.store.disk import Disk
from ocizone.store.sealed import read_sealed, seal

_NAME = "keys.json"


def read_keys(root: Path) -> dict[str, str]:
    """Return the keys on record, by what tells sources apart; none when they cannot be read.

    Before the directory is opened: which sources there are is known before anything starts.
    """
    try:
        raw = read_sealed(root / _NAME) or {}
    except StoreError:
        return {}
    return {
        identity: key
        for identity, key in raw.items()
        if isinstance(identity, str) and isinstance(key, str)
    }


def keep_keys(root: Path, disk: Disk, keys: Mapping[str, str]) -> None:
    """Write the keys down, unless they are on record already.

    Raises:
        StoreError: it failed; the next start gives keys out by order.
    """
    if read_keys(root) != keys:
        disk.write(root / _NAME, seal(dict(keys)), "keys")
