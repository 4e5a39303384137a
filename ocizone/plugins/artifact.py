"""What an ``oci`` directive says: what to follow, when, whom to trust, and what to hold back.

Values only, made by plugins.oci; read by plan, follow and registry.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ocizone import limits
from ocizone.corefile.types import Position
from ocizone.plugins.zonepolicy import ZonePolicy
from ocizone.registry.reference import Reference


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the block says of who we are; passwords never show in a repr.

    Exactly one of ``password`` and ``password_file`` is set when ``username`` is.
    """

    username: str
    password: str | None = field(default=None, repr=False)
    password_file: str | None = None


@dataclass(frozen=True, slots=True)
class Startup:
    """When the first look is made.

    Attributes:
        kind: at once, at a random moment, or not before the first tick.
        most_s: of the random moment, from the start; None for one interval.
    """

    kind: Literal["immediate", "jitter", "skip"] = "immediate"
    most_s: float | None = None


@dataclass(frozen=True, slots=True)
class Mirror:
    """Another registry that may have the same content.

    Attributes:
        registry: ``host[:port]``.
        repository: there; "" for the same name.
        insecure: plain HTTP.
    """

    registry: str
    repository: str = ""
    insecure: bool = False


@dataclass(frozen=True, slots=True)
class Identity:
    """Who may sign without a key of ours (sigstore): issuer and subject of the certificate."""

    issuer: str
    subject: str


@dataclass(frozen=True, slots=True)
class Verify:
    """Whose signature an artifact needs; any one of them is enough.

    Attributes:
        keys: absolute paths of PEM public keys, read at each use.
        identities: keyless signers.
        policy: what becomes of an artifact without such a signature.
    """

    keys: tuple[str, ...] = ()
    identities: tuple[Identity, ...] = ()
    policy: Literal["require", "warn"] = "require"


@dataclass(frozen=True, slots=True)
class Guard:
    """Which changes wait for ``ocizone approve``.

    Attributes:
        deletes: more than this fraction of a zone's records removed; None for any.
        ns: the apex NS RRset, addresses of its servers in the zone, or the SOA's MNAME changed.
        zones: a zone that was served is gone.
    """

    deletes: float | None = None
    ns: bool = False
    zones: bool = False


@dataclass(frozen=True, slots=True)
class Keep:
    """How many versions (digests) are kept, the current one among them, and for how long.

    Attributes:
        deployments: at least 1.
        age_s: older ones go, except the current one; None for no limit.
    """

    deployments: int
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Artifact:
    """One ``oci`` directive: what to follow and where to put it.

    Attributes:
        reference: registry, repository, tag or digest.
        path: absolute directory its files are materialised in.
        interval_s: seconds between looks, at least limits.MINIMUM_INTERVAL_S; with ``cron`` the
            default, which then only bounds waits.
        insecure: plain HTTP.
        credentials: from the block, or None for what docker_config says, or anonymous.
        ca_file: PEM file to trust instead of the system's, or None.
        position: for messages.
        policy: what is done with zones that are odd.
        cron: five fields, checked; "" for ``interval_s``.
        startup: when the first look is made.
        jitter: each tick comes up to this fraction of the interval later; 0 to 0.5.
        semver: the range that picks the tag, such as ``>=1.2 <2``; "" for the reference's own.
        mirrors: asked in order when the registry does not answer, and for content by digest.
        suspend: no looks until the Corefile says otherwise; what is served stays.
        docker_config: absolute path of a docker config.json, or None.
        client_cert: absolute paths of a PEM certificate and its key, or None.
        proxy: ``http://[user:pw@]host:port`` to go through, or "".
        allowed_types: artifact or layer media types; empty for any.
        verify: whose signature is needed, or None.
        allow_rollback: an older artifact is served like any other.
        guard: which changes are held, or None.
        keep: how much history is kept.
        attempts: of one look.
        backoff_s: between two of them.
        timeout_s: of one of them.
        max_octets: of all layers.
    """

    reference: Reference
    path: str
    interval_s: float
    insecure: bool
    credentials: Credentials | None
    ca_file: str | None
    # A line that moved is not a change: its follower must not restart.
    position: Position = field(compare=False)
    policy: ZonePolicy = field(default_factory=ZonePolicy)
    cron: str = ""
    startup: Startup = Startup()
    jitter: float = 0.0
    semver: str = ""
    mirrors: tuple[Mirror, ...] = ()
    suspend: bool = False
    docker_config: str | None = None
    client_cert: tuple[str, str] | None = None
    proxy: str = field(default="", repr=False)
    allowed_types: tuple[str, ...] = ()
    verify: Verify | None = None
    allow_rollback: bool = False
    guard: Guard | None = None
    keep: Keep = Keep(limits.KEEP_DEPLOYMENTS)
    attempts: int = limits.ATTEMPTS
    backoff_s: float = limits.BACKOFF_S
    timeout_s: float = limits.ATTEMPT_DEADLINE_S
    max_octets: int = limits.ARTIFACT_OCTETS

    @property
    def followed(self) -> str:
        """What is followed, for people: the reference, or the repository and the range of tags."""
        if not self.semver:
            return str(self.reference)
        return f"{self.reference.registry}/{self.reference.repository} ({self.semver})"
