"""Making followers: clients, threads, the compiler and the store, put together.

A part of the composition root (ocizone.app), apart because it is one idea: what a follower
gets. The registry client is imported when the first one is made: it is a third of the start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from twisted.internet.defer import DeferredLock

from ocizone import limits
from ocizone.compiler.spec import Layer
from ocizone.errors import ArtifactError, FetchReason, Permanent
from ocizone.findings import Findings
from ocizone.follow.compile import ChildCompiler, child_environment
from ocizone.follow.follower import Follower
from ocizone.follow.following import Follows, MakeFollower
from ocizone.follow.local import LocalFollower
from ocizone.follow.pool import DaemonPool
from ocizone.follow.source import OciSource, Source
from ocizone.follow.tools import Observe, Serving, Tools
from ocizone.plugins.artifact import Artifact, Credentials, Verify
from ocizone.registry.api import PullClient, SignatureClient
from ocizone.registry.trust import Verdict
from ocizone.store.store import Store
from ocizone.store.unpack import unpack


def make_follower(
    reactor: Any,
    store: Store,
    serving: Serving,
    observe: Observe,
    wall: Callable[[], float],
    environ: Mapping[str, str],
) -> MakeFollower:
    """Return what makes a follower for a source.

    Args:
        reactor: of Twisted.
        store: the opened state directory.
        serving: is told of deployments.
        observe: is told of events.
        wall: unix seconds.
        environ: of this process; the compiler gets a part of it.
    """
    files = DaemonPool("files", limits.FILE_THREADS, reactor)
    tools = Tools(
        clock=reactor,
        wall=wall,
        pulls=DaemonPool("pull", limits.PULL_THREADS, reactor),
        files=files,
        store=store,
        compile=ChildCompiler(reactor, reactor, files, child_environment(environ)),
        unpack=_unpack,
        serving=serving,
        observe=observe,
        activating=DeferredLock(),
    )

    def make(source: Source) -> Follows:
        if isinstance(source, OciSource):
            return Follower(source, make_client, tools, _check_signature)
        return LocalFollower(source, tools)

    return make


def make_client(artifact: Artifact) -> PullClient:
    """Return a client for an ``oci`` directive; touches neither network nor files."""
    from ocizone.registry.client import Client  # noqa: PLC0415 - see the module docstring

    credentials = artifact.credentials
    return Client(
        artifact.reference,
        insecure=artifact.insecure,
        username=credentials.username if credentials else None,
        password=_password(credentials) if credentials else None,
        ca_file=artifact.ca_file,
    )


def _check_signature(client: SignatureClient, digest: str, verify: Verify) -> Verdict:
    from ocizone.registry.signatures import check_signature  # noqa: PLC0415 - cryptography, when needed

    return check_signature(client, digest, verify)


def _password(credentials: Credentials) -> Callable[[], str]:
    """Return what gives the password; a file is read again at each use, so it may rotate."""
    if credentials.password_file is None:
        return lambda: credentials.password or ""
    path = Path(credentials.password_file)

    def read() -> str:
        try:
            return path.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
            raise Permanent(
                f"cannot read the password file {path}: {reason}", reason=FetchReason.AUTH
            ) from error

    return read


def _unpack(layers: tuple[Layer, ...], tree: Path) -> object:
    findings = Findings()
    files = unpack(layers, tree, findings)
    if findings.refused:
        raise ArtifactError(findings.problems())
    return files
