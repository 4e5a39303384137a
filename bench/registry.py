"""A registry for load figures, and pushing to it without a client between.

docker-registry where it is installed, else the lab's. An artifact of one file is a titled layer;
one of many is one tar+gzip layer without a title, as Flux pushes. Not here: what is pushed (load).
"""

from __future__ import annotations

import hashlib
import http.client
import io
import json
import shutil
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from bench.ports import free_ports
from bench.processes import Process, wait_until
from bench.servers import PATH, ZoneFile

REPOSITORY = "bench/zones"
EMPTY = b"{}"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
TAR_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"


class Registry:
    """A running registry."""

    def __init__(self, host: str, process: Process) -> None:
        self.host, self._process = host, process
        self.reference = f"{host}/{REPOSITORY}:prod"

    def stop(self) -> None:
        """End it."""
        self._process.stop()

    def push(self, zones: Sequence[ZoneFile]) -> None:
        """Push zone files under the tag; when it returns the registry has them.

        Raises:
            RuntimeError: the registry refused.
        """
        if len(zones) == 1:
            content = zones[0].path.read_bytes()
            layer = {"mediaType": "text/dns", **self._blob(content)}
            layer["annotations"] = {"org.opencontainers.image.title": zones[0].path.name}
        else:
            layer = {"mediaType": TAR_TYPE, **self._blob(packed(zones))}
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "artifactType": "application/vnd.example.zones",
            "config": {"mediaType": EMPTY_TYPE, **self._blob(EMPTY)},
            "layers": [layer],
        }
        body = json.dumps(manifest).encode()
        path = f"/v2/{REPOSITORY}/manifests/prod"
        self._ask("PUT", path, body, {"Content-Type": MANIFEST_TYPE})

    def _blob(self, content: bytes) -> dict[str, object]:
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        place = self._ask("POST", f"/v2/{REPOSITORY}/blobs/uploads/", b"", {})
        parts = urlsplit(place)
        query = f"{parts.query}&digest={digest}" if parts.query else f"digest={digest}"
        headers = {"Content-Type": "application/octet-stream"}
        self._ask("PUT", f"{parts.path}?{query}", content, headers)
        return {"digest": digest, "size": len(content)}

    def _ask(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> str:
        connection = http.client.HTTPConnection(self.host, timeout=120)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        text = response.read()
        connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{method} {path}: {response.status} {text[:500]!r}")
        return response.headers.get("Location", "")


def packed(zones: Sequence[ZoneFile]) -> bytes:
    """Return zone files as a tar+gzip that depends on nothing but names and content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as archive:
        for zone in zones:
            content = zone.path.read_bytes()
            member = tarfile.TarInfo(zone.path.name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@contextmanager
def registry(directory: Path, core: int | None) -> Iterator[Registry]:
    """Run a registry with its content below a folder."""
    directory.mkdir()
    port = free_ports()
    host = f"127.0.0.1:{port}"
    process = Process(_command(directory, port), directory, core)
    found = Registry(host, process)
    try:
        wait_until("the registry listens", 20, _listening(host))
        yield found
    finally:
        found.stop()


def _command(directory: Path, port: int) -> list[str]:
    binary = shutil.which("docker-registry", path=PATH)
    if binary is None:
        return [sys.executable, "-m", "ocizone.lab", "--port", str(port)]
    config = {
        "version": 0.1,
        "log": {"level": "error", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(directory / "data")}},
        "http": {"addr": f"127.0.0.1:{port}"},
    }
    # JSON is YAML.
    (directory / "config.yml").write_text(json.dumps(config))
    return [binary, "serve", str(directory / "config.yml")]


def _listening(host: str) -> Iterator[bool]:
    while True:
        connection = http.client.HTTPConnection(host, timeout=1)
        try:
            connection.request("GET", "/v2/")
            yield connection.getresponse().status == http.client.OK
        except OSError:
            yield False
        finally:
            connection.close()
