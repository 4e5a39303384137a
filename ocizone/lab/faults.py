"""Faults a test asks the lab registry for, by the kind of request they strike.

Kinds: ``ping manifest blob upload tags referrers token`` and ``any``. A fault strikes the next
``times`` requests of its kind (and method, when given), then is gone.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """One fault; what is None or empty is left as it was.

    Attributes:
        kind: of the requests it strikes.
        method: the method it strikes, or None for all.
        left: how many more requests it strikes.
        hang: never answer.
        drop: close the connection without an answer.
        status: answer this instead.
        body: the body of that answer, or of the real one.
        headers: set over the answer's own; None removes one.
        cut_at: close the connection after this many octets of the body.
        corrupt: change the first octet of the body.
        octets_per_s: send the body one octet at a time, so slowly.
    """

    kind: str
    method: str | None = None
    left: float = 1
    hang: bool = False
    drop: bool = False
    status: int | None = None
    body: bytes | None = None
    headers: Mapping[str, str | None] = field(default_factory=dict)
    cut_at: int | None = None
    corrupt: bool = False
    octets_per_s: float | None = None


class Faults:
    """The faults still to strike, first asked for first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let any fault strike."""
        with self._lock:
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget what has not struck."""
        with self._lock:
            self._waiting.clear()

    def take(self, kind: str, method: str) -> Fault | None:
        """Return the fault that strikes this request, or None."""
        with self._lock:
            for fault in self._waiting:
                if fault.kind in (kind, "any") and fault.method in (method, None):
                    fault.left -= 1
                    if fault.left <= 0:
                        self._waiting.remove(fault)
                    return fault
        return None

    # --- By name -----------------------------------------------------------------------------

    def fail_next(
        self,
        kind: str,
        status: int,
        *,
        retry_after: int | str | None = None,
        body: bytes = b"",
        content_type: str = "application/json",
        times: float = 1,
        method: str | None = None,
    ) -> None:
        """Answer with a status instead."""
        headers: dict[str, str | None] = {"Content-Type": content_type}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        self.add(Fault(kind, method, times, status=status, body=body, headers=headers))

    def redirect_next(self, kind: str, url: str, status: int = 307, *, times: float = 1) -> None:
        """Answer with a redirect."""
        self.add(Fault(kind, left=times, status=status, body=b"", headers={"Location": url}))

    def hang_next(self, kind: str, *, times: float = 1) -> None:
        """Accept and never answer."""
        self.add(Fault(kind, left=times, hang=True))

    def hang(self, kind: str = "any") -> None:
        """Never answer again, until ``clear``."""
        self.hang_next(kind, times=math.inf)

    def drop_next(self, kind: str, *, times: float = 1) -> None:
        """Close the connection without an answer."""
        self.add(Fault(kind, left=times, drop=True))

    def cut_next(self, kind: str, at: int, *, times: float = 1) -> None:
        """Announce the whole body and send only its first octets."""
        self.add(Fault(kind, "GET", times, cut_at=at))

    def corrupt_next(self, kind: str, *, times: float = 1) -> None:
        """Change the body, keep its length."""
        self.add(Fault(kind, "GET", times, corrupt=True))

    def trickle_next(self, kind: str, octets_per_s: float, *, times: float = 1) -> None:
        """Send the body an octet at a time."""
        self.add(Fault(kind, "GET", times, octets_per_s=octets_per_s))

    def digest_next(
        self, kind: str, digest: str | None, *, method: str | None = None, times: float = 1
    ) -> None:
        """Lie in Docker-Content-Digest, or leave it out (None)."""
        self.add(Fault(kind, method, times, headers={"Docker-Content-Digest": digest}))

    def replace_next(
        self, kind: str, body: bytes, *, content_type: str | None = None, times: float = 1
    ) -> None:
        """Send another body with status 200 and the real headers."""
        headers = {} if content_type is None else {"Content-Type": content_type}
        self.add(Fault(kind, "GET", times, body=body, headers=headers))
