"""Making clients: what a block or a command line says, put together with what clients share.

Making one touches neither network nor files. Not here: what a client does (client.py), in
what order mirrors are asked (mirrors.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

from ocizone.plugins.artifact import Artifact, Mirror
from ocizone.registry import keychain
from ocizone.registry.api import PullClient
from ocizone.registry.attempt import Attempt
from ocizone.registry.calls import Calls
from ocizone.registry.client import Client, api_address
from ocizone.registry.credentials import GetLogin, anonymous, of_block, user
from ocizone.registry.dockerconfig import DockerConfig
from ocizone.registry.mirrors import MirroredClient, Resting
from ocizone.registry.politeness import Politeness
from ocizone.registry.reference import Reference
from ocizone.registry.route import Route
from ocizone.registry.sharing import (
    LayeredManifests,
    ManifestCache,
    OnRequest,
    RecentManifests,
    Resolutions,
    Sharing,
)


def shared_by_all(
    on_request: OnRequest,
    on_lookup: Callable[[bool], None],
    far: ManifestCache | None = None,
    on_warning: Callable[[str, str], None] = lambda _host, _text: None,
) -> Sharing:
    """Return what the blocks of a server share.

    Args:
        on_request: told of each request, in the thread that made it.
        on_lookup: told whether a manifest was in memory, in the thread that asked.
        far: a cache behind that, such as memcached; or None.
        on_warning: told of a host and of what it warns people of, in the thread that asked.
    """
    near: ManifestCache = RecentManifests(on_lookup)
    manifests = near if far is None else LayeredManifests(near, far)
    return Sharing(Politeness(), manifests, Resolutions(), on_request, on_warning)


class ClientFactory:
    """Makes the clients of ``oci`` blocks.

    Args:
        sharing: politeness, manifests, resolutions and the observer, for all of them.
        environ: of this process; credential helpers get a part of it.
        warn: told once of each entry of a docker config that cannot be used.
        monotonic: seconds that never go back.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        sharing: Sharing,
        environ: Mapping[str, str],
        warn: Callable[[str], None],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._sharing = sharing
        self._warn = warn
        self._monotonic = monotonic
        self._now = now
        self._run = keychain.runner(environ, monotonic)
        self._resting = Resting(monotonic)
        self._configs: dict[str, DockerConfig] = {}

    def client(self, artifact: Artifact) -> PullClient:
        """Return the client of a block."""
        reference = artifact.reference
        attempt = Attempt(f"{reference.registry}/{reference.repository}", self._monotonic)
        login = self._from_config(artifact, reference)
        if artifact.credentials is not None:
            login = of_block(artifact.credentials)
        home = Client(
            reference,
            insecure=artifact.insecure,
            ca_file=artifact.ca_file,
            client_cert=artifact.client_cert,
            proxy=artifact.proxy,
            login=login,
            semver=artifact.semver,
            sharing=self._sharing,
            identity=_identity(artifact),
            attempt=attempt,
            now=self._now,
        )
        if not artifact.mirrors:
            return home
        mirrors = [self._mirror(artifact, mirror, attempt) for mirror in artifact.mirrors]
        return MirroredClient(home, mirrors, attempt, self._resting)

    def _mirror(self, artifact: Artifact, mirror: Mirror, attempt: Attempt) -> Client:
        """Return the client of a mirror; the block's credentials and certificate stay at home."""
        followed = artifact.reference
        repository = mirror.repository or followed.repository
        reference = Reference(mirror.registry, repository, followed.tag, followed.digest)
        return Client(
            reference,
            insecure=mirror.insecure,
            ca_file=artifact.ca_file,
            proxy=artifact.proxy,
            login=self._from_config(artifact, reference),
            semver=artifact.semver,
            sharing=self._sharing,
            identity=_identity(artifact),
            attempt=attempt,
            now=self._now,
        )

    def _from_config(self, artifact: Artifact, reference: Reference) -> GetLogin:
        path = artifact.docker_config
        if path is None:
            return anonymous
        # One for a path, so that it warns once; fetches make clients in threads of their own.
        config = self._configs.setdefault(path, DockerConfig(Path(path), self._run, self._warn))
        return lambda: config.login(reference.registry, reference.repository)


def _identity(artifact: Artifact) -> tuple[object, ...]:
    """Return what else than its address decides how a registry answers."""
    return (
        artifact.credentials,
        artifact.docker_config,
        artifact.ca_file,
        artifact.client_cert,
        artifact.proxy,
    )


# --- The command line --------------------------------------------------------------------------


def docker_config_path(environ: Mapping[str, str]) -> Path:
    """Return where docker keeps its config: ``$DOCKER_CONFIG``, or ``.docker`` at home."""
    directory = environ.get("DOCKER_CONFIG")
    if directory:
        return Path(directory, "config.json")
    return Path(environ.get("HOME") or "/", ".docker", "config.json")


def command_login(
    reference: Reference,
    environ: Mapping[str, str],
    warn: Callable[[str], None],
    *,
    username: str | None = None,
    password: Callable[[], str] | None = None,
) -> GetLogin:
    """Return who a command is: what was said on its line, else what docker's config says."""
    if username is not None and password is not None:
        return user(username, password)
    config = DockerConfig(
        docker_config_path(environ), keychain.runner(environ), warn, required=False
    )
    return lambda: config.login(reference.registry, reference.repository)


def command_client(
    reference: Reference,
    environ: Mapping[str, str],
    warn: Callable[[str], None],
    *,
    username: str | None = None,
    password: Callable[[], str] | None = None,
    ca_file: str | None = None,
    plain_http: bool = False,
    proxy: str = "",
) -> Client:
    """Return the client of a command: it shares nothing and has no deadline.

    Args:
        reference: to pull from or push to.
        environ: of this process.
        warn: told of what is skipped in docker's config.
        username: from the command line, with ``password``; or None for docker's config.
        password: called at each use.
        ca_file: PEM file trusted instead of the system's CAs, or None.
        plain_http: no TLS.
        proxy: ``http://[user:pw@]host:port`` to go through, or "".
    """
    login = command_login(reference, environ, warn, username=username, password=password)
    return Client(reference, insecure=plain_http, ca_file=ca_file, login=login, proxy=proxy)


def ping(
    registry: str,
    login: GetLogin,
    *,
    seconds: float,
    ca_file: str | None = None,
    plain_http: bool = False,
    proxy: str = "",
) -> None:
    """Check that a registry lets somebody in: ``GET /v2/`` (distribution spec "Determining Support").

    Raises:
        Permanent: it refuses, or is no registry.
        Transient: it did not answer in so many seconds, or is in trouble.
    """
    attempt = Attempt(registry)
    host, _ = api_address(Reference(registry, "library/any", None, None))
    calls = Calls(
        host=host,
        repository="",
        where=registry,
        route=Route(plain_http, ca_file, None, proxy),
        login=login,
        now=time.time,
        attempt=attempt,
        sharing=Sharing(),
    )
    attempt.start(seconds)
    try:
        response = calls.do_request(calls.base)
        calls.expect(response, "login", 200).close()
    finally:
        calls.close()
