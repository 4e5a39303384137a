"""From a Corefile to what has to run: listening addresses, views, and sources of zones.

Pure: a plan starts nothing and reads nothing. Which zone comes from where is decided here: a
``file`` or ``auto`` whose path lies in the PATH of an ``oci`` directive takes its zones from
that artifact, every other one from the disk; an ``oci`` that no ``file`` or ``auto`` points
into serves the zones the artifact itself names (CoreDNS has no such case; design section 8).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ocizone.compiler.spec import ZoneRule
from ocizone.corefile.types import Corefile, Key, Position, ServerBlock
from ocizone.endpoint import Endpoint
from ocizone.errors import ConfigError, Problem, Severity
from ocizone.follow.source import OciSource, Source
from ocizone.keyring import cookie_secrets, tsig_keys
from ocizone.plugins.artifact import Artifact, Keep
from ocizone.plugins.bind import Bind
from ocizone.plugins.catalog import Catalog
from ocizone.plugins.memcached import Memcached
from ocizone.plugins.tls import Tls
from ocizone.wire.name import to_text
from ocizone.wire.tsig import TsigKey
from ocizone.zonerules import digest_of, rules_for

#: Addresses of an interface name, or the literal itself; raises OSError for an unknown name.
AddressesOf = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One server block: its stable name, and which of its keys each endpoint carries."""

    name: str
    block: ServerBlock
    keys: tuple[tuple[Endpoint, bytes], ...]
    rules: tuple[tuple[str, ZoneRule], ...]
    """Where its zones come from: (source key, rule)."""

    @property
    def zones(self) -> tuple[bytes, ...]:
        """The zones of its key line, each once."""
        return tuple(dict.fromkeys(zone for _, zone in self.keys))


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What a Corefile asks to run."""

    corefile: Corefile
    endpoints: tuple[Endpoint, ...]
    views: tuple[View, ...]
    sources: tuple[Source, ...]
    tls: Mapping[Endpoint, Tls]
    """The certificate of each ``tls`` endpoint."""
    keys: Mapping[bytes, TsigKey] = field(default_factory=dict)
    """Every TSIG key by name."""
    cookie_secrets: tuple[bytes, ...] = field(default=(), repr=False)
    """What DNS cookies are made with; empty for a secret made at start."""
    memcached: tuple[str, int] | None = None
    """Where a fleet shares manifests."""
    notices: tuple[Problem, ...] = ()
    """Warnings about how the blocks go together; those of each are the Corefile's."""
    keys_by_identity: Mapping[str, str] = field(default_factory=dict)
    """The key of each artifact, by what tells it apart; to be given to the next plan."""

    @property
    def keeps(self) -> dict[str, Keep]:
        """How much history is kept, by the key of each source followed in a registry."""
        return {
            source.key: source.artifact.keep
            for source in self.sources
            if isinstance(source, OciSource)
        }


def make_plan(
    corefile: Corefile,
    addresses_of: AddressesOf,
    recorded: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Return the plan of a Corefile.

    Args:
        corefile: parsed, without errors.
        addresses_of: resolves the names of ``bind``; injected, because it asks the system.
        recorded: keys that sources had, as ``Plan.keys_by_identity`` gave them.

    Raises:
        ConfigError: ``bind`` names an interface that does not exist or has no address; two
            blocks have one zone or catalog on one address, or differ there in scheme or
            certificate; two ``oci`` of a block have one repository and PATH; or blocks differ
            in what a key or the cookies' secrets are.
    """
    sources: dict[str, Source] = {}
    drafts = [_draft(block, addresses_of) for block in corefile.blocks]
    _refuse_overlap(drafts)
    artifacts = _artifacts(drafts, recorded)
    views = []
    rules_of: dict[str, list[ZoneRule]] = {}
    for name, block, keys in drafts:
        own = [(key, artifact) for at, key, artifact in artifacts if at == name]
        others = [(key, artifact) for at, key, artifact in artifacts if at != name]
        rules = rules_for(name, block, keys, own, others)
        views.append(View(name, block, keys, tuple((found.key, found.rule) for found in rules)))
        for found in rules:
            rules_of.setdefault(found.key, []).append(found.rule)
            if found.local is not None:
                # Two `file` lines may name one file for different zones: one source, all rules.
                sources[found.key] = replace(found.local, rules=tuple(rules_of[found.key]))
    for _, key, artifact in artifacts:
        sources[key] = OciSource(
            key=key,
            name=artifact.followed,
            artifact=artifact,
            rules=tuple(rules_of.get(key, ())),
        )
    endpoints = tuple(dict.fromkeys(endpoint for view in views for endpoint, _ in view.keys))
    tls = _certificates(drafts)
    return Plan(
        corefile,
        endpoints,
        tuple(views),
        _named_apart(sources.values()),
        tls,
        tsig_keys(corefile.blocks),
        cookie_secrets(corefile.blocks),
        _memcached(corefile.blocks),
        _shared_paths(artifacts),
        {_identity(view, artifact): key for view, key, artifact in artifacts},
    )


def _shared_paths(artifacts: list[tuple[str, str, Artifact]]) -> tuple[Problem, ...]:
    """Return a warning about each artifact whose PATH is another one's: files may be too."""
    first: dict[str, Artifact] = {}
    found = []
    for _, _, artifact in artifacts:
        other = first.setdefault(artifact.path, artifact)
        if other.followed != artifact.followed:
            at = artifact.position
            message = f"oci {artifact.followed}: its PATH {artifact.path} is {other.followed}'s too"
            hint = f"files of one name are the other's; first at {other.position}"
            found.append(
                Problem(at.file, at.line, 0, Severity.WARNING, "path-shared", message, hint)
            )
    return tuple(found)


def _memcached(blocks: Iterable[ServerBlock]) -> tuple[str, int] | None:
    """Return the one memcached there is.

    Raises:
        ConfigError: two blocks name different ones.
    """
    named = [one for block in blocks for one in block.all(Memcached)]
    for one in named[1:]:
        if (one.host, one.port) != (named[0].host, named[0].port):
            raise _refused(
                one.position,
                "memcached-differs",
                "there is one cache of manifests for the whole server",
                f"first at {named[0].position}",
            )
    return (named[0].host, named[0].port) if named else None


def keys_of(artifact: Artifact, view: str) -> tuple[str, ...]:
    """Return the keys an artifact's state may be kept under, the plainest first.

    The plainest is its repository alone. A block moved from ``:v1`` to ``:v2`` goes on serving v1
    until v2 is there; another PATH, key line, port or address needs no registry; all of it also
    across a restart. The others tell several artifacts of one repository apart.

    Args:
        artifact: of an ``oci`` directive.
        view: the name of its block.
    """
    reference = artifact.reference
    words = [reference.registry, reference.repository]
    apart = [artifact.semver or reference.tag or reference.digest or "", artifact.path, view]
    return tuple(digest_of("oci", *words, *apart[:count]) for count in range(len(apart) + 1))


def _identity(view: str, artifact: Artifact) -> str:
    """Return what tells an artifact apart from every other one of a Corefile."""
    return f"{artifact.followed}\n{artifact.path}\n{view}"


def _artifacts(
    drafts: list[_Draft], recorded: Mapping[str, str]
) -> list[tuple[str, str, Artifact]]:
    """Return (view, key, artifact) of every ``oci`` directive, in order.

    One that had a key keeps it: its state, and with it what an operator decided, must not pass
    to a block that was written above it.
    """
    listed = [(name, one) for name, block, _ in drafts for one in block.all(Artifact)]
    kept = {
        identity: recorded[identity]
        for identity in (_identity(name, artifact) for name, artifact in listed)
        if identity in recorded
    }
    found: dict[str, tuple[str, str, Artifact]] = {}
    seen: set[str] = set()
    taken = set(kept.values())
    for name, artifact in listed:
        identity = _identity(name, artifact)
        if identity in seen:
            raise _refused(
                artifact.position,
                "artifact-twice",
                f"oci {artifact.reference} into {artifact.path}: this block does so already",
                "leave one of them out",
            )
        seen.add(identity)
        # One of the four is free: the last one differs wherever the identity does.
        free = (key for key in keys_of(artifact, name) if key not in taken)
        key = kept.get(identity) or next(free)
        taken.add(key)
        found[key] = (name, key, artifact)
    return list(found.values())


def _refuse_overlap(drafts: list[_Draft]) -> None:
    """Refuse a zone that two blocks have on one address, once interfaces are addresses.

    Raises:
        ConfigError: with the block that comes second.
    """
    claimed: dict[tuple[Endpoint, bytes], ServerBlock] = {}
    for _, block, keys in drafts:
        for endpoint, zone in keys:
            first = claimed.setdefault((endpoint, zone), block)
            if first is not block:
                raise _refused(
                    block.position,
                    "listener-overlap",
                    f"cannot serve {to_text(zone)} on {endpoint} - it is already defined",
                    f"first at {first.position}",
                )
    for _, block, keys in drafts:
        catalog = block.get(Catalog)
        for endpoint in dict.fromkeys(endpoint for endpoint, _ in keys) if catalog else ():
            assert catalog is not None
            first = claimed.setdefault((endpoint, catalog.name), block)
            # That of its own block was refused with the directive.
            if first is not block:
                raise _refused(
                    block.position,
                    "catalog-overlap",
                    f"catalog {to_text(catalog.name)} is served on {endpoint} already",
                    f"by the block at {first.position}",
                )


def _certificates(drafts: list[_Draft]) -> dict[Endpoint, Tls]:
    """Return the certificate of each TLS address.

    Raises:
        ConfigError: two blocks name different ones, or speak plain TCP on the same port; a
            client says which zone it wants only after the handshake.
    """
    found: dict[Endpoint, Tls] = {}
    schemes: dict[tuple[str, int], tuple[str, Position]] = {}
    for _, block, keys in drafts:
        tls = block.get(Tls)
        for endpoint in dict.fromkeys(endpoint for endpoint, _ in keys):
            at = block.position
            here = (endpoint.scheme, at)
            scheme, first = schemes.setdefault((endpoint.host, endpoint.port), here)
            if scheme != endpoint.scheme and endpoint.port:
                raise _refused(
                    at,
                    "listener-overlap",
                    f"cannot listen on {endpoint} - {scheme}:// is there already",
                    f"first at {first}; give one of them another port",
                )
            if endpoint.scheme == "tls" and tls and found.setdefault(endpoint, tls) != tls:
                raise _refused(
                    tls.position,
                    "tls-differs",
                    f"{endpoint} has another certificate already",
                    f"first at {found[endpoint].position}: one address, one 'tls'",
                )
    return found


def _refused(at: Position, rule: str, message: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(at.file, at.line, 0, Severity.ERROR, rule, message, hint)])


def _named_apart(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return the sources with names that differ: log lines and metrics go by them."""
    listed = list(sources)
    counts = Counter(source.name for source in listed)
    return tuple(
        source
        if counts[source.name] == 1
        else replace(source, name=f"{source.name} for {_whose(source)}")
        for source in listed
    )


def _whose(source: Source) -> str:
    """Return what tells a source from its namesakes: its PATH, and the blocks it is for."""
    views = ", ".join(dict.fromkeys(rule.view for rule in source.rules)) or "nobody"
    return f"{source.artifact.path} {views}" if isinstance(source, OciSource) else views


#: A block's name, the block, and (endpoint, zone) for each key and address.
_Draft = tuple[str, ServerBlock, tuple[tuple[Endpoint, bytes], ...]]


def _draft(block: ServerBlock, addresses_of: AddressesOf) -> _Draft:
    """Return a block's name, the block, and (endpoint, zone) for each key and address."""
    binds = block.all(Bind)
    hosts: list[str] = [] if binds else [""]
    for bind in binds:
        left_out = set(_addresses(block, bind.excepted, addresses_of))
        found = _addresses(block, bind.names, addresses_of)
        hosts += [address for address in found if address not in left_out]
    hosts = list(dict.fromkeys(hosts))
    if not hosts:
        names = " ".join(name for bind in binds for name in bind.names)
        message = f"bind {names} leaves no address to listen on"
        raise _refused(block.position, "bind", message)
    keys = tuple(
        (Endpoint(key.scheme, host, key.port), key.zone) for key in block.keys for host in hosts
    )
    bound = "@" + ",".join(name for bind in binds for name in bind.names) if binds else ""
    return ",".join(_key_text(key) for key in block.keys) + bound, block, keys


def _addresses(block: ServerBlock, names: tuple[str, ...], addresses_of: AddressesOf) -> list[str]:
    found: list[str] = []
    for name in names:
        try:
            found += addresses_of(name)
        except OSError as error:
            message = f'bind: not a valid IP address or interface name: "{name}"'
            raise _refused(block.position, "bind", message) from error
    return found


def _key_text(key: Key) -> str:
    return f"{key.scheme}://{to_text(key.zone)}:{key.port}"
