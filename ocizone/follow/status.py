"""What following a source is doing, what a look came to, and what happened on the way.

Values only: ``ocizone status``, ready, metrics and the log read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

from ocizone.compiler.spec import CompiledZone
from ocizone.errors import (
    CompilerError,
    InputError,
    OcizoneError,
    Problem,
    RegistryError,
    Severity,
    StoreError,
)
from ocizone.store.standing import Held, Pin, Suspension

State = Literal["idle", "looking", "waiting", "deploying", "suspended", "stopped"]

STORAGE_FAILED: Final = "StorageOperationFailed"
COMPILER_FAILED: Final = "CompilerFailed"
CONTENT_REFUSED: Final = "ContentRefused"
BUG: Final = "InternalError"
#: Reasons of a look that found something it may not serve (yet).
WAITING_FOR_SIGNATURE: Final = "WaitingForSignature"
SIGNATURE_REFUSED: Final = "SignatureRefused"
TYPE_REFUSED: Final = "TypeRefused"
CHANGE_GUARD: Final = "ChangeGuard"
ROLLBACK_DETECTED: Final = "RollbackDetected"


class Outcome(StrEnum):
    """What a look came to."""

    UNCHANGED = "unchanged"
    ACTIVATED = "activated"
    REFUSED = "refused"
    HELD = "held"
    """Compiled, or not even fetched, and waiting: for a signature, or for ``approve``."""
    SUSPENDED = "suspended"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a look did not succeed.

    Attributes:
        reason: one word: a FetchReason, or one of the constants above.
        message: for the operator; one line for all but findings.
    """

    reason: str
    message: str

    @classmethod
    def of(cls, error: OcizoneError) -> Failure:
        """Return the failure an error stands for."""
        match error:
            case RegistryError():
                return cls(str(error.reason), str(error))
            case StoreError():
                return cls(STORAGE_FAILED, str(error))
            case CompilerError():
                return cls(COMPILER_FAILED, str(error))
            case InputError():
                # What refuses it first: a page may show one line of it.
                worst = sorted(error.problems, key=lambda one: one.severity is not Severity.ERROR)
                return cls(CONTENT_REFUSED, "\n".join(map(str, worst)))
            case _:
                return cls(BUG, str(error))


@dataclass(frozen=True, slots=True)
class LookResult:
    """What one look came to.

    Attributes:
        outcome: see Outcome.
        digest: what the tag names, "" when that could not be learned.
        failure: why it failed or was refused, else None.
        problems: findings about the content: errors of a refused one, warnings of another.
    """

    outcome: Outcome
    digest: str = ""
    failure: Failure | None = None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """A source at one moment. Times are unix seconds, None before the first.

    Attributes:
        key: of the source.
        name: of the source.
        reference: what is followed, as text.
        digest: of the deployment that is served, "" before the first.
        generation: of that deployment, 0 before the first.
        state: what the service is doing.
        last_check: when the last look ended.
        last_success: when the last look ended that found nothing wrong.
        activated: when the served deployment was activated.
        next_check: when the next look is due.
        attempts: made by the look under way, or by the last one.
        last_error: of the last look, or of the attempt before a wait; None when it succeeded.
        problems: findings of the last look or deployment.
        materialised: False while PATH could not be brought up to date.
        zones: that are served.
        tag: that named what is served, "" for none.
        verified_by: whose signature it has, "" for nobody's or when none is asked for.
        found: digest the tag named at the last look that learned it, "" before the first.
        pin: what holds the source to a digest, or None.
        suspension: why it does not look, or None.
        held: what waits for ``approve``, or None.
        verify: whether a signature is required: "", ``warn`` or ``require``.
        octets: fetched since the start.
    """

    key: str
    name: str
    reference: str
    digest: str
    generation: int
    state: State
    last_check: float | None
    last_success: float | None
    activated: float | None
    next_check: float | None
    attempts: int
    last_error: Failure | None
    problems: tuple[Problem, ...]
    materialised: bool
    zones: tuple[CompiledZone, ...]
    tag: str = ""
    verified_by: str = ""
    found: str = ""
    pin: Pin | None = None
    suspension: Suspension | None = None
    held: Held | None = None
    verify: str = ""
    octets: int = 0


#: What was being done beside serving when something went wrong.
Disturbance = Literal["materialise", "collect", "remember", "restore", "report"]

# --- Events ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AttemptFailed:
    """An attempt failed and another one follows in ``retry_in_s`` seconds."""

    source: str
    attempt: int
    failure: Failure
    retry_in_s: float


@dataclass(frozen=True, slots=True)
class Looked:
    """A look ended; every look does, with exactly one of these."""

    source: str
    result: LookResult
    seconds: float


@dataclass(frozen=True, slots=True)
class Activated:
    """A deployment went live.

    Attributes:
        source: name of the source.
        digest: of the revision.
        generation: of the deployment.
        zones: it serves.
        restored: it was read from the state directory at start.
        problems: warnings about its content.
        derived: what was taken over from what was served before (compiler.derive).
    """

    source: str
    digest: str
    generation: int
    zones: tuple[CompiledZone, ...]
    restored: bool
    problems: tuple[Problem, ...]
    derived: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Disturbed:
    """Something beside serving went wrong; the deployment is live nevertheless.

    Attributes:
        source: name of the source.
        what: see Disturbance.
        failure: why.
        problems: warnings, a file each.
    """

    source: str
    what: Disturbance
    failure: Failure | None
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class VerbRefused:
    """What an operator asked for cannot be done; nothing changed. ``why`` is for people."""

    why: str


@dataclass(frozen=True, slots=True)
class Decided:
    """An operator decided something about a source.

    Attributes:
        source: name of the source.
        verb: ``pin``, ``unpin``, ``rollback``, ``suspend``, ``resume`` or ``approve``.
        digest: it is about, "" for none.
        reason: the operator's words, "" for none.
    """

    source: str
    verb: str
    digest: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Crashed:
    """A bug: the look ended with an exception nobody foresaw; the next one is due as ever."""

    source: str
    traceback: str


Event = AttemptFailed | Looked | Activated | Disturbed | Decided | Crashed
