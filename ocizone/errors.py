"""The tree of errors, and the one shape of a finding.

    OcizoneError
    ├── InputError            what an operator or author wrote is wrong: carries Problems
    │   ├── ConfigError       a Corefile
    │   ├── ZoneError         zone files, or the set of them
    │   └── ArtifactError     an artifact whose content cannot be used (unpack, selection)
    ├── RegistryError         talking to a registry failed: carries a FetchReason
    │   ├── Transient         may succeed when tried again
    │   └── Permanent         will not, until somebody changes something
    ├── StoreError            the state directory failed us (full, read-only, corrupt)
    └── CompilerError         the compiler child died, was killed or timed out

Bad packets are values (wire.query.Reject, Drop), never exceptions. Anything else that is
raised is a bug: SERVFAIL, a traceback and a counter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How much a finding matters: an error refuses, a warning tells."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One finding, where it is, and what to do about it.

    Attributes:
        file: the path as the operator gave it, or the path inside the artifact.
        line: 1-based; 0 when the finding is about the whole file.
        column: 1-based; 0 when unknown.
        severity: whether it refuses or only tells.
        rule: a stable kebab-case id, such as ``cname-and-other-data``.
        message: what is wrong, in one line; names the record or directive.
        hint: what to do, with the RFC section where one decides; may be empty.
    """

    file: str
    line: int
    column: int
    severity: Severity
    rule: str
    message: str
    hint: str = ""

    def where(self) -> str:
        """Return ``FILE``, ``FILE:LINE`` or ``FILE:LINE:COL``, as much as is known; "" of none."""
        parts = [self.file]
        if self.line:
            parts.append(str(self.line))
            if self.column:
                parts.append(str(self.column))
        return ":".join(parts)

    def __str__(self) -> str:
        tail = f" ({self.hint})" if self.hint else ""
        # A finding about an artifact as a whole has no place.
        place = f"{self.where()}: " if self.file else ""
        return f"{place}{self.severity}[{self.rule}]: {self.message}{tail}"


class OcizoneError(Exception):
    """Everything ocizone raises on purpose."""


class InputError(OcizoneError):
    """What an operator or author wrote is wrong; all findings, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


class ConfigError(InputError):
    """A Corefile cannot be used."""


class ZoneError(InputError):
    """Zone files cannot be compiled."""


class ArtifactError(InputError):
    """An artifact's content cannot be used."""


class FetchReason(StrEnum):
    """Why talking to a registry failed; shown in conditions and metrics."""

    #: A file the operator names, of keys, certificates or credentials, cannot be used.
    CONFIG = "Config"
    AUTH = "Auth"
    NETWORK = "Network"
    TIMEOUT = "Timeout"
    NOT_FOUND = "NotFound"
    RATE_LIMITED = "RateLimited"
    TOO_LARGE = "TooLarge"
    INTEGRITY = "Integrity"
    PROTOCOL = "Protocol"
    SERVER = "Server"


class RegistryError(OcizoneError):
    """Talking to a registry failed.

    Attributes:
        reason: the class of failure.
        status: the HTTP status, when there was one.
        retry_after_s: seconds the registry asked us to wait, when it did.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: FetchReason,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.retry_after_s = retry_after_s


class Transient(RegistryError):  # noqa: N818 - the two words callers branch on
    """May succeed when tried again."""


class Permanent(RegistryError):  # noqa: N818 - the two words callers branch on
    """Will not succeed until somebody changes something."""


class StoreError(OcizoneError):
    """The state directory failed us; the message names the path and the reason."""


class CompilerError(OcizoneError):
    """The compiler child died, was killed, or ran out of time."""
