"""A client that is made when it is first used."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

from ocizone.registry.api import PullClient, Resolved
from ocizone.registry.late import LateClient
from ocizone.registry.manifest import Descriptor, IndexEntry, Manifest

DIGEST = "sha256:" + "a" * 64
BLOB = Descriptor("text/dns", DIGEST, 3, {})
MANIFEST = Manifest(DIGEST, "", BLOB, (BLOB,), {})
FOUND = Resolved(DIGEST, "prod", "registry.example/zones")


class Registry:
    """A PullClient that notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    def start_attempt(self, seconds: float) -> None:
        self.asked.append(("start_attempt", seconds))

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        self.asked.append(("resolve", fresh_s))
        return FOUND

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        self.asked.append(("fetch", layer, destination))

    def wait(self, event: threading.Event) -> None:
        self.asked.append(("wait", event))

    def manifest(self, digest: str) -> Manifest:
        self.asked.append(("manifest", digest))
        return MANIFEST

    def tagged(self, tag: str) -> Manifest | None:
        self.asked.append(("tagged", tag))
        return MANIFEST

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        self.asked.append(("referrers", digest))
        return ()

    def small(self, blob: Descriptor, most: int) -> bytes:
        self.asked.append(("small", blob, most))
        return b"abc"

    def abort(self) -> None:
        self.asked.append(("abort",))

    def close(self) -> None:
        self.asked.append(("close",))


def test_everything_is_passed_on() -> None:
    """One client is made, and is asked what was asked."""
    registry, made = Registry(), 0

    def make() -> PullClient:
        nonlocal made
        made += 1
        return registry

    late, event, path = LateClient(make), threading.Event(), Path("blob")
    late.start_attempt(3.0)
    assert late.resolve(1.0) == FOUND
    late.fetch(BLOB, path)
    late.wait(event)
    assert late.manifest(DIGEST) is MANIFEST
    assert late.tagged("prod") is MANIFEST
    assert late.referrers(DIGEST) == ()
    assert late.small(BLOB, 9) == b"abc"
    late.abort()
    late.close()
    assert made == 1
    assert registry.asked == [
        ("start_attempt", 3.0),
        ("resolve", 1.0),
        ("fetch", BLOB, path),
        ("wait", event),
        ("manifest", DIGEST),
        ("tagged", "prod"),
        ("referrers", DIGEST),
        ("small", BLOB, 9),
        ("abort",),
        ("close",),
    ]


def test_ending_what_was_never_used_makes_nothing() -> None:
    """A follower that is stopped before its first look needs no client for that."""

    def make() -> PullClient:
        raise AssertionError

    late = LateClient(make)
    late.abort()
    late.close()


def test_server_starts_without_what_speaks_http() -> None:
    """Nor with what only some need: each of them is a tenth of the start, and megabytes."""
    heavy = ("requests", "urllib3", "oras", "jsonschema", "yaml", "rich", "sigstore", "dns.message")
    code = f"import sys, ocizone.run; print([n for n in {heavy!r} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
