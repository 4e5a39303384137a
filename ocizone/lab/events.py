"""What the lab registry tells: the requests it saw, and the manifests that were pushed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``kind`` is ping, manifest, blob, upload, tags, referrers, token or unknown.

    Header names are in lower case; ``at`` is on the monotonic clock.
    """

    method: str
    kind: str
    path: str
    headers: Mapping[str, str]
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class PushEvent:
    """A manifest was put; ``tag`` is None when it was put by digest."""

    repository: str
    tag: str | None
    digest: str
