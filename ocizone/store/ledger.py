"""The ledger of a source: which files below PATH are ours, and which directories we made there.

Kept in ``sources/<key>/ledger.json``. Not here: what is done with them (store.materialise).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from ocizone.plain import plain


@dataclass(frozen=True, slots=True)
class Ledger:
    """Our files below one PATH, and the directories we made there.

    Attributes:
        root: PATH.
        files: by relative path, the hex digests the content may have: two while a file is being
            replaced, because a crash may leave either.
        directories: relative paths.
    """

    root: str
    files: dict[str, list[str]] = field(default_factory=dict)
    directories: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        found: dict[str, Any] = plain(self)
        return found
