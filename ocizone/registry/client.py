"""One repository of one registry: resolve its tag, read manifests, fetch blobs, list tags.

Implements ``registry.api.PullClient``. Blocking, for pool threads, one thread at a time; only
``abort`` may be called from another. Everything read is checked against a digest or a limit.
Retries nothing but a kept connection the server had closed: trying again is the follower's.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import urlsplit

import requests

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, StoreError, Transient
from ocizone.registry import body
from ocizone.registry.api import Resolved
from ocizone.registry.attempt import Attempt
from ocizone.registry.calls import Calls
from ocizone.registry.manifest import (
    MANIFEST_TYPES,
    BadManifestError,
    Descriptor,
    Index,
    Manifest,
    choose,
    is_digest,
    read_manifest,
)
from ocizone.registry.reference import Reference
from ocizone.registry.strictjson import BadJSONError, read_json

_ACCEPT = {"Accept": ", ".join(MANIFEST_TYPES)}
_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")
_REDIRECTS = (301, 302, 303, 307, 308)
_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)


def api_address(reference: Reference) -> tuple[str, str]:
    """Return host and repository as the API wants them (Docker Hub has names of its own)."""
    if reference.registry.lower() not in _HUB:
        return reference.registry, reference.repository
    repository = reference.repository
    return "registry-1.docker.io", repository if "/" in repository else f"library/{repository}"


class Client:
    """The client; its arguments are what an ``oci`` block or a command line says.

    Args:
        reference: what is followed or pushed.
        insecure: plain HTTP.
        username: or None for anonymous.
        password: called at each use, so that a rotated password file is seen at once.
        ca_file: PEM file trusted instead of the system's CAs, or None.
        now: seconds since the epoch.
        monotonic: seconds that never go back, for deadlines.

    Making one touches neither network nor files.
    """

    def __init__(
        self,
        reference: Reference,
        *,
        insecure: bool = False,
        username: str | None = None,
        password: Callable[[], str] | None = None,
        ca_file: str | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        host, repository = api_address(reference)
        self.reference = reference
        self.where = f"{reference.registry}/{reference.repository}"
        self._attempt = Attempt(self.where, monotonic)
        self.calls = Calls(
            host=host,
            repository=repository,
            where=self.where,
            insecure=insecure,
            username=username,
            password=password,
            ca_file=ca_file,
            now=now,
            attempt=self._attempt,
        )

    def start_attempt(self, seconds: float) -> None:
        """Begin a new attempt: everything until the next call shares this deadline.

        Before the first call there is no deadline (a push has none). Undoes ``abort``.
        """
        self._attempt.start(seconds)

    def abort(self) -> None:
        """Make a call under way in another thread, and each after it, end within a second."""
        self._attempt.abort()

    def close(self) -> None:
        """Close the kept connections."""
        self.calls.close()

    # --- Manifests ---------------------------------------------------------------------------

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        """Return what the tag names now: one HEAD when nothing is odd.

        A registry that sends no Docker-Content-Digest, or knows no HEAD, is asked by GET.

        Args:
            fresh_s: see registry.api; this client learns nothing of others.

        Raises:
            Permanent: no such tag, refused, or an answer that makes no sense.
            Transient: no answer, too many requests, or the server is in trouble.
        """
        tag = self.reference.tag
        del fresh_s
        if tag is None:
            assert self.reference.digest is not None  # one of the two is set
            return Resolved(self.reference.digest, "", self.where)
        url, asked = f"{self.calls.base}/manifests/{tag}", f"tag {tag}"
        response = self.calls.do_request(url, "HEAD", headers=_ACCEPT)
        self.calls.read(response, asked, limits.ERROR_BODY_OCTETS)
        if response.status_code not in (405, 501):
            self.calls.expect(response, asked, 200)
            if "Docker-Content-Digest" in response.headers:
                return Resolved(self._named_digest(response, asked), tag, self.where)
        raw, _ = self._get_manifest(url, asked, None)
        return Resolved(_digest_of(raw), tag, self.where)

    def manifest(self, digest: str) -> Manifest:
        """Return the image manifest with this digest, its bytes verified.

        An index is followed to the manifest ``registry.manifest.choose`` picks; the result then
        carries that manifest's own digest.

        Raises:
            Permanent: wrong digest, too large, not a manifest we can use, not there.
            Transient: as for ``resolve``.
        """
        found = self._read(digest)
        if isinstance(found, Index):
            with self._usable(digest):
                chosen = choose(found)
            found = self._read(chosen.digest, chosen.size)
            if isinstance(found, Index):
                raise Permanent(
                    f"{self.where}: manifest {digest}: an index inside an index is not followed",
                    reason=FetchReason.PROTOCOL,
                )
        total = sum(layer.size for layer in found.layers)
        if total > limits.ARTIFACT_OCTETS:
            raise Permanent(
                f"{self.where}: manifest {found.digest}: layers of {total} octets, the limit is "
                f"{limits.ARTIFACT_OCTETS}",
                reason=FetchReason.TOO_LARGE,
            )
        return found

    def _read(self, digest: str, size: int | None = None) -> Manifest | Index:
        if not is_digest(digest):
            raise Permanent(f"{self.where}: not a digest: {digest!a}", reason=FetchReason.PROTOCOL)
        asked = f"manifest {digest}"
        raw, content_type = self._get_manifest(
            f"{self.calls.base}/manifests/{digest}", asked, digest
        )
        if size is not None and len(raw) != size:
            raise self._corrupt(asked, f"{len(raw)} octets where the index says {size}")
        with self._usable(digest):
            return read_manifest(raw, digest, content_type)

    def _get_manifest(self, url: str, asked: str, digest: str | None) -> tuple[bytes, str | None]:
        """Return bytes and Content-Type, checked against ``digest`` and the header's digest."""
        response = self.calls.expect(self.calls.do_request(url, headers=_ACCEPT), asked, 200)
        raw = self.calls.read(response, asked, limits.MANIFEST_OCTETS)
        actual = _digest_of(raw)
        if digest is not None and actual != digest:
            raise self._corrupt(asked, f"the bytes sent have the digest {actual}")
        if "Docker-Content-Digest" in response.headers:
            named = self._named_digest(response, asked)
            if named != actual:
                raise self._corrupt(asked, f"Docker-Content-Digest says {named}, not {actual}")
        return raw, response.headers.get("Content-Type")

    def _named_digest(self, response: requests.Response, asked: str) -> str:
        named = response.headers["Docker-Content-Digest"]
        if not is_digest(named):
            raise self._corrupt(asked, f"Docker-Content-Digest {named[:80]!a} is no sha256 digest")
        return named

    def _usable(self, digest: str) -> contextlib.AbstractContextManager[None]:
        return _translate_bad_manifest(f"{self.where}: manifest {digest}")

    def _corrupt(self, asked: str, what: str) -> Permanent:
        return Permanent(f"{self.where}: {asked}: {what}", reason=FetchReason.INTEGRITY)

    # --- Blobs -------------------------------------------------------------------------------

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        """Stream a blob into ``destination`` (created, 0600, synced), size and digest verified.

        On any failure the file is removed. The caller renames it into place.

        Raises:
            Permanent: too large, wrong size or digest, not there, refused.
            Transient: as for ``resolve``, and a body cut short.
            StoreError: the file cannot be created or written.
        """
        asked = f"blob {layer.digest}"
        if layer.size > limits.BLOB_OCTETS:
            raise Permanent(
                f"{self.where}: {asked}: {layer.size} octets, the limit is {limits.BLOB_OCTETS}",
                reason=FetchReason.TOO_LARGE,
            )
        response = self._get_blob(f"{self.calls.base}/blobs/{layer.digest}", asked)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            file = os.fdopen(os.open(destination, flags, 0o600), "wb", buffering=0)
        except OSError as error:
            response.close()
            raise StoreError(f"{destination}: {error.strerror}") from error
        complete = False
        try:
            with file:
                self._receive(response, layer, file, asked)
                os.fsync(file.fileno())
            complete = True
        except OSError as error:
            raise StoreError(f"{destination}: {error.strerror}") from error
        finally:
            if not complete:
                destination.unlink(missing_ok=True)

    def _receive(
        self, response: requests.Response, layer: Descriptor, file: BinaryIO, asked: str
    ) -> None:
        received, checksum = 0, hashlib.sha256()
        pieces = body.chunks(response)
        try:
            while True:
                with self.calls.translated():
                    self._attempt.remaining(limits.READ_S)
                    piece = next(pieces, b"")
                if not piece:
                    break
                received += len(piece)
                if received > layer.size:
                    raise self._corrupt(asked, f"more than the {layer.size} octets announced")
                checksum.update(piece)
                view = memoryview(piece)
                while view:
                    view = view[file.write(view) :]
        finally:
            response.close()
        if received < layer.size:
            raise Transient(
                f"{self.where}: {asked}: cut short after {received} of {layer.size} octets",
                reason=FetchReason.NETWORK,
            )
        if f"sha256:{checksum.hexdigest()}" != layer.digest:
            raise self._corrupt(
                asked, f"the bytes sent have the digest sha256:{checksum.hexdigest()}"
            )

    def _get_blob(self, url: str, asked: str) -> requests.Response:
        """GET a blob, through at most REDIRECTS redirects; credentials stay at home."""
        at_home = True
        for _ in range(limits.REDIRECTS + 1):
            get = self.calls.do_request if at_home else self.calls.get_elsewhere
            response = get(url)
            if response.status_code not in _REDIRECTS:
                return self.calls.expect(response, asked, 200)
            response.close()
            target = self.calls.absolute(url, response.headers.get("Location", ""), asked)
            self._check_redirect(url, target, asked)
            # Once away, credentials do not come back either: who redirects here is a stranger.
            at_home = at_home and self.calls.is_home(target)
            url = target
        raise Permanent(
            f"{self.where}: {asked}: more than {limits.REDIRECTS} redirects",
            reason=FetchReason.PROTOCOL,
        )

    def _check_redirect(self, source: str, target: str, asked: str) -> None:
        try:
            parts = urlsplit(target)
            usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            usable = False
        downgrade = source.startswith("https:") and not target.startswith("https:")
        if not usable or downgrade or parts.username is not None:
            raise Permanent(
                f"{self.where}: {asked}: redirected to {target[:200]!a}, which is not followed",
                reason=FetchReason.PROTOCOL,
            )

    # --- Tags --------------------------------------------------------------------------------

    def tags(self) -> tuple[str, ...]:
        """Return the repository's tags in the registry's order, without doubles.

        Raises:
            Permanent: more than TAG_PAGES pages or TAGS tags, or an answer that makes no sense.
            Transient: as for ``resolve``.
        """
        tags: dict[str, None] = {}
        url: str | None = f"{self.calls.base}/tags/list?n=1000"
        for _ in range(limits.TAG_PAGES):
            if url is None:
                return tuple(tags)
            response = self.calls.expect(self.calls.do_request(url), "tags", 200)
            raw = self.calls.read(response, "tags", limits.MANIFEST_OCTETS)
            tags.update(dict.fromkeys(self._page(raw)))
            if len(tags) > limits.TAGS:
                break
            link = _NEXT.search(response.headers.get("Link", ""))
            url = self.calls.absolute(url, link[1], "tags") if link else None
        else:
            if url is None:
                return tuple(tags)
        raise Permanent(
            f"{self.where}: tags: more than {limits.TAGS} tags or {limits.TAG_PAGES} pages",
            reason=FetchReason.TOO_LARGE,
        )

    def _page(self, raw: bytes) -> list[str]:
        try:
            document = read_json(raw)
        except BadJSONError as error:
            raise Permanent(f"{self.where}: tags: {error}", reason=FetchReason.PROTOCOL) from error
        listed = document.get("tags") if isinstance(document, dict) else 0
        if listed is None:
            return []
        if not isinstance(listed, list) or not all(isinstance(tag, str) for tag in listed):
            raise Permanent(f"{self.where}: tags: not a list of names", reason=FetchReason.PROTOCOL)
        return listed


@contextlib.contextmanager
def _translate_bad_manifest(what: str) -> Iterator[None]:
    try:
        yield
    except BadManifestError as error:
        raise Permanent(f"{what}: {error}", reason=FetchReason.PROTOCOL) from error


def _digest_of(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
