"""The lab registry: starting it, filling it, and looking at what it was asked."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http.server import ThreadingHTTPServer
from typing import Any, Self

from ocizone.lab.events import PushEvent, Request
from ocizone.lab.faults import Faults
from ocizone.lab.gate import Access, Gate
from ocizone.lab.http import LabHandler
from ocizone.lab.storage import Storage, StoredManifest
from ocizone.registry.manifest import ARTIFACT_TYPE, EMPTY_DIGEST, EMPTY_TYPE, OCI_MANIFEST, TITLE


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A stopped registry's port must be usable at once: tests restart registries.
    allow_reuse_address = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], lab: LabRegistry) -> None:
        self.lab = lab
        self.live: set[socket.socket] = set()
        self.live_lock = threading.Lock()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, LabHandler)

    def get_request(self) -> tuple[socket.socket, Any]:
        sock, address = super().get_request()
        if self.lab.ssl_context is not None:
            # The handshake happens in the thread of the connection, at its first read.
            sock = self.lab.ssl_context.wrap_socket(
                sock, server_side=True, do_handshake_on_connect=False
            )
        with self.live_lock:
            self.live.add(sock)
        return sock, address

    def shutdown_request(self, request: Any) -> None:
        with self.live_lock:
            self.live.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that go away are what tests are about."""


class LabRegistry:
    """An OCI registry on loopback; a context manager, or ``start`` and ``stop``.

    Args:
        address: a loopback address.
        port: 0 for any free one.
        access: how it authenticates.
        users: passwords by name.
        token_s: how long a bearer token lives.
        ssl_context: a server context, for https.
        referrers: offer the referrers API (docker-registry 2.8 does not).
        on_push: called in the connection's thread after each manifest, before the answer.
        now: seconds for token expiry.

    Attributes:
        host: ``address:port``, once started.
        requests: every request, oldest first.
        faults: what to do wrong next.
        gate: users and tokens.
        storage: what it holds.
        realm: the token service named in challenges; its own unless a test says otherwise.
    """

    def __init__(
        self,
        *,
        address: str = "127.0.0.1",
        port: int = 0,
        access: Access = Access.OPEN,
        users: Mapping[str, str] | None = None,
        token_s: float = 300.0,
        ssl_context: ssl.SSLContext | None = None,
        referrers: bool = True,
        on_push: Callable[[PushEvent], None] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not ipaddress.ip_address(address).is_loopback:
            raise ValueError(f"{address} is not a loopback address: the lab registry stays there")
        self.ssl_context = ssl_context
        self.referrers = referrers
        self.on_push = on_push
        self.faults = Faults()
        self.gate = Gate(access, users or {}, token_s, now)
        self.storage = Storage()
        self.requests: list[Request] = []
        self.realm: str | None = None
        self.host = ""
        self.stopping = threading.Event()
        self._address = (address, port)
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """``http://host`` or ``https://host``."""
        return f"{'http' if self.ssl_context is None else 'https'}://{self.host}"

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.host.rpartition(":")[2])

    def start(self) -> Self:
        """Listen and serve, in daemon threads; a stopped one starts again on its old port."""
        self.stopping.clear()
        self._server = _Server(self._address, self)
        address, port = self._server.server_address[:2]
        self._address = (str(address), int(port))
        self.host = f"[{address!s}]:{port}" if ":" in str(address) else f"{address!s}:{port}"
        threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="lab registry",
            daemon=True,
        ).start()
        return self

    def stop(self) -> None:
        """Stop listening and cut every connection, also those that hang; content is kept."""
        server, self._server = self._server, None
        if server is None:
            return
        self.stopping.set()
        server.shutdown()
        server.server_close()
        with server.live_lock:
            live = list(server.live)
        for sock in live:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    # --- Looking -----------------------------------------------------------------------------

    def count(self, method: str | None = None, kind: str | None = None) -> int:
        """Return how many requests of this method and kind were seen."""
        return sum(
            method in (None, request.method) and kind in (None, request.kind)
            for request in list(self.requests)
        )

    def clear_requests(self) -> None:
        """Forget the requests seen so far."""
        self.requests.clear()

    # --- Filling -----------------------------------------------------------------------------

    def push_blob(self, repository: str, raw: bytes) -> str:
        """Keep a blob; return its digest."""
        return self.storage.put_blob(repository, raw)

    def push_manifest(
        self, repository: str, tag: str | None, raw: bytes, media_type: str = OCI_MANIFEST
    ) -> str:
        """Keep a manifest, whatever it says; return its digest."""
        return self.storage.put_manifest(repository, tag, StoredManifest(media_type, raw))

    def push_files(
        self,
        repository: str,
        tag: str | None,
        files: Mapping[str, bytes],
        *,
        media_type: str = "text/dns",
        artifact_type: str = ARTIFACT_TYPE,
        annotations: Mapping[str, str] | None = None,
    ) -> str:
        """Keep an OCI 1.1 artifact of titled layers, as ``oras push`` makes; return its digest."""
        layers = [
            {
                "mediaType": media_type,
                "digest": self.push_blob(repository, raw),
                "size": len(raw),
                "annotations": {TITLE: title},
            }
            for title, raw in files.items()
        ]
        self.push_blob(repository, b"{}")
        manifest: dict[str, object] = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": artifact_type,
            "config": {"mediaType": EMPTY_TYPE, "digest": EMPTY_DIGEST, "size": 2},
            "layers": layers,
        }
        if annotations:
            manifest["annotations"] = dict(annotations)
        return self.push_manifest(repository, tag, json.dumps(manifest).encode())
