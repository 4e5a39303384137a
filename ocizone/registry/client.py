"""One repository of one registry: its tags, manifests, referrers and blobs.

Implements ``registry.api.PullClient``. Blocking, for pool threads, one thread at a time; only
``abort`` may be called from another. Everything read is checked against a digest or a limit.
Retries nothing but a kept connection the server had closed: trying again is the follower's.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from pathlib import Path

import requests

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.registry import blobs, listing
from ocizone.registry.api import Resolved
from ocizone.registry.attempt import Attempt
from ocizone.registry.calls import Calls
from ocizone.registry.credentials import GetLogin, anonymous
from ocizone.registry.manifest import (
    MANIFEST_TYPES,
    Descriptor,
    Index,
    IndexEntry,
    Manifest,
    choose,
    digest_of,
    is_digest,
    read_manifest,
)
from ocizone.registry.reference import Reference, is_tag
from ocizone.registry.route import Route
from ocizone.registry.sharing import Sharing
from ocizone.registry.tagrule import choose_tag

_ACCEPT = {"Accept": ", ".join(MANIFEST_TYPES)}
_HUB = ("docker.io", "index.docker.io", "registry-1.docker.io")


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
        ca_file: PEM file trusted instead of the system's CAs, or None.
        login: who we are, called at each use, so that a rotated password is seen at once.
        client_cert: PEM files of our certificate and its key, or None.
        proxy: ``http://[user:pw@]host:port`` to go through, or "".
        semver: the range that picks the tag, checked; "" for the reference's own tag.
        sharing: with other clients.
        identity: equal for clients whose registry would give them equal answers.
        attempt: the deadline, when several clients share one; or None.
        now: seconds since the epoch.
        monotonic: seconds that never go back, for deadlines.

    Making one touches neither network nor files.
    """

    def __init__(
        self,
        reference: Reference,
        *,
        insecure: bool = False,
        ca_file: str | None = None,
        login: GetLogin = anonymous,
        client_cert: tuple[str, str] | None = None,
        proxy: str = "",
        semver: str = "",
        sharing: Sharing | None = None,
        identity: Hashable = None,
        attempt: Attempt | None = None,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        host, repository = api_address(reference)
        self.reference = reference
        self.where = f"{reference.registry}/{reference.repository}"
        self._attempt = attempt or Attempt(self.where, monotonic)
        self._sharing = sharing or Sharing()
        self.calls = Calls(
            host=host,
            repository=repository,
            where=self.where,
            route=Route(insecure, ca_file, client_cert, proxy),
            login=login,
            now=now,
            attempt=self._attempt,
            sharing=self._sharing,
        )
        self._semver = semver
        self._key = (self.calls.base, reference.tag, semver, identity)

    def start_attempt(self, seconds: float) -> None:
        """Begin a new attempt: everything until the next call shares this deadline.

        Before the first call there is no deadline (a push has none). Undoes ``abort``.
        """
        self._attempt.start(seconds)

    def wait(self, event: threading.Event) -> None:
        """Wait for another thread, no longer than the attempt lasts; see PullClient."""
        self._attempt.wait(event)

    def abort(self) -> None:
        """Make a call under way in another thread, and each after it, end within a second."""
        self._attempt.abort()

    def close(self) -> None:
        """Close the kept connections."""
        self.calls.close()

    # --- Manifests ---------------------------------------------------------------------------

    def resolve(self, fresh_s: float = 0.0) -> Resolved:
        """Return what the tag names now: one HEAD when nothing is odd.

        A range of versions takes the list of tags first. A registry that sends no Docker-Content-Digest, or knows no HEAD, is asked by GET.

        Args:
            fresh_s: what another client learned of the same tag will do, if its request began at
                most so many seconds ago.

        Raises:
            Permanent: no such tag, refused, or an answer that makes no sense.
            Transient: no answer, too many requests, or the server is in trouble.
        """
        tag, shared = self.reference.tag, self._sharing.resolutions
        if tag is None:
            assert self.reference.digest is not None  # one of the two is set
            return Resolved(self.reference.digest, "", self.where)
        if shared is None:
            return self._ask(tag)
        return shared.resolve(self._key, fresh_s, self._attempt, lambda: self._ask(tag))

    def _ask(self, tag: str) -> Resolved:
        if self._semver:
            tag = self._newest()
        return Resolved(self._digest_of_tag(tag), tag, self.where)

    def _newest(self) -> str:
        tags = self.tags()
        tag = choose_tag(self._semver, tags)
        if tag is None:
            raise Permanent(
                f"{self.where}: none of {len(tags)} tags is a version in {self._semver}",
                reason=FetchReason.NOT_FOUND,
            )
        return tag

    def _digest_of_tag(self, tag: str) -> str:
        url, asked = f"{self.calls.base}/manifests/{tag}", f"tag {tag}"
        response = self.calls.do_request(url, "HEAD", headers=_ACCEPT)
        self.calls.read(response, asked, limits.ERROR_BODY_OCTETS)
        if response.status_code not in (405, 501):
            self.calls.expect(response, asked, 200)
            if "Docker-Content-Digest" in response.headers:
                return self._named_digest(response, asked)
        raw, _ = self._get_manifest(url, asked, None)
        return digest_of(raw)

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
            found = self._image(found)
        total = sum(layer.size for layer in found.layers)
        if total > limits.ARTIFACT_OCTETS:
            raise Permanent(
                f"{self.where}: manifest {found.digest}: layers of {total} octets, the limit is "
                f"{limits.ARTIFACT_OCTETS}",
                reason=FetchReason.TOO_LARGE,
            )
        return found

    def _image(self, index: Index) -> Manifest:
        """Return the manifest of an index that ``choose`` picks."""
        with self.calls.usable(f"manifest {index.digest}"):
            chosen = choose(index)
        found = self._read(chosen.digest, chosen.size)
        if isinstance(found, Index):
            raise Permanent(
                f"{self.where}: manifest {index.digest}: an index inside an index is not followed",
                reason=FetchReason.PROTOCOL,
            )
        return found

    def _check_digest(self, digest: str) -> None:
        if not is_digest(digest):
            raise Permanent(f"{self.where}: not a digest: {digest!a}", reason=FetchReason.PROTOCOL)

    def _read(self, digest: str, size: int | None = None) -> Manifest | Index:
        self._check_digest(digest)
        asked, kept = f"manifest {digest}", self._sharing.manifests
        raw, content_type = kept.get(digest), None
        is_kept = raw is not None and digest_of(raw) == digest
        if raw is None or not is_kept:
            raw, content_type = self._get_manifest(
                f"{self.calls.base}/manifests/{digest}", asked, digest
            )
        if size is not None and len(raw) != size:
            raise self._corrupt(asked, f"{len(raw)} octets where the index says {size}")
        with self.calls.usable(asked):
            found = read_manifest(raw, digest, content_type)
        if not is_kept:
            kept.put(digest, raw)
        return found

    def _get_manifest(self, url: str, asked: str, digest: str | None) -> tuple[bytes, str | None]:
        """Return bytes and Content-Type, checked against ``digest`` and the header's digest."""
        response = self.calls.expect(self.calls.do_request(url, headers=_ACCEPT), asked, 200)
        raw = self.calls.read(response, asked, limits.MANIFEST_OCTETS)
        actual = digest_of(raw)
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
            # Not quoted: it may be anything, our own password among it.
            raise self._corrupt(asked, "Docker-Content-Digest is no sha256 digest")
        return named

    def _corrupt(self, asked: str, what: str) -> Permanent:
        return Permanent(f"{self.where}: {asked}: {what}", reason=FetchReason.INTEGRITY)

    def tagged(self, tag: str) -> Manifest | None:
        """Return the manifest a tag of the repository names, None when there is none.

        Raises:
            Permanent: no tag's name, or as for ``manifest``.
            Transient: as for ``resolve``.
        """
        found = self._named(tag)
        return self._image(found) if isinstance(found, Index) else found

    def _named(self, tag: str, most: int = limits.MANIFEST_LAYERS) -> Manifest | Index | None:
        if not is_tag(tag):
            raise Permanent(f"{self.where}: not a tag: {tag[:200]!a}", reason=FetchReason.PROTOCOL)
        try:
            raw, content_type = self._get_manifest(
                f"{self.calls.base}/manifests/{tag}", f"tag {tag}", None
            )
        except Permanent as error:
            if error.reason is FetchReason.NOT_FOUND:
                return None
            raise
        with self.calls.usable(f"tag {tag}"):
            return read_manifest(raw, digest_of(raw), content_type, most=most)

    def referrers(self, digest: str) -> tuple[IndexEntry, ...]:
        """Return what refers to a manifest (OCI 1.1), by the API or by the fallback tag.

        distribution spec "Listing Referrers" and "Referrers Tag Schema". That the API is not
        there decides for the tag; that it fails does not.

        Raises:
            Permanent: more than REFERRERS of them, or as for ``manifest``.
            Transient: as for ``resolve``.
        """
        self._check_digest(digest)
        listed = listing.referrers(self.calls, digest)
        if listed is not None:
            return listed
        found = self._named(digest.replace(":", "-"), limits.REFERRERS)
        return found.manifests if isinstance(found, Index) else ()

    # --- Blobs and tags ----------------------------------------------------------------------

    def fetch(self, layer: Descriptor, destination: Path) -> None:
        """Stream a blob into ``destination`` (created, 0600, synced), size and digest verified.

        On any failure the file is removed. The caller renames it into place.

        Raises:
            Permanent: too large, wrong size or digest, not there, refused.
            Transient: as for ``resolve``, and a body cut short.
            StoreError: the file cannot be created or written.
        """
        blobs.fetch(self.calls, layer, destination)

    def small(self, blob: Descriptor, most: int) -> bytes:
        """Return a blob of at most ``most`` octets, size and digest verified.

        Raises:
            Permanent: larger than ``most``, wrong size or digest, not there, refused.
            Transient: as for ``resolve``, and a body cut short.
        """
        return blobs.small(self.calls, blob, most)

    def tags(self) -> tuple[str, ...]:
        """Return the repository's tags in the registry's order, without doubles.

        Raises:
            Permanent: more than TAG_PAGES pages or TAGS tags, or an answer that makes no sense.
            Transient: as for ``resolve``.
        """
        return listing.tags(self.calls)
