"""Pushing files as one OCI 1.1 artifact, in the shape the oras CLI gives it.

Reproducible: the same files, titles, types and annotations make the same manifest digest, unless
a creation time is asked for. Blobs the registry has are not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TypeAlias
from urllib.parse import quote

from ocizone import limits
from ocizone.errors import ArtifactError, FetchReason, Permanent, Problem, Severity
from ocizone.registry.client import Client
from ocizone.registry.manifest import (
    ARTIFACT_TYPE,
    CREATED,
    EMPTY_DIGEST,
    EMPTY_TYPE,
    OCI_MANIFEST,
    TITLE,
    compact_json,
    digest_of,
)

ZONE_TYPE = "text/dns"
_CHUNK_OCTETS = 256 * 1024
_EMPTY = b"{}"

Content: TypeAlias = Path | bytes
Progress: TypeAlias = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _Blob:
    """Something to send: a file read anew at each try, or bytes."""

    content: Content
    digest: str
    size: int


def push(
    client: Client,
    files: Sequence[tuple[str, Content, str]],
    *,
    annotations: Mapping[str, str] | None = None,
    artifact_type: str = ARTIFACT_TYPE,
    created: str | None = None,
    progress: Progress | None = None,
    tagged: bool = True,
) -> str:
    """Push files as one artifact under the client's tag; return the manifest digest.

    Args:
        client: of the reference to push to.
        files: title (a relative path with ``/``), file or bytes, media type; in layer order.
        annotations: of the manifest.
        artifact_type: of the manifest.
        created: RFC 3339 time to record; None records none, which keeps pushes reproducible.
        progress: told the octets of each piece as it is sent, or found there already; or None.
        tagged: False leaves the tag where it is: the artifact is there by its digest alone, to be
            signed before anybody follows it.

    Raises:
        ArtifactError: a title cannot be used, appears twice, or a file cannot be read.
        Permanent: the registry refuses, or answers with something that makes no sense.
        Transient: it did not answer, or is in trouble.
    """
    _check_titles([title for title, _, _ in files])
    layers: list[dict[str, object]] = []
    blobs = {EMPTY_DIGEST: _Blob(_EMPTY, EMPTY_DIGEST, len(_EMPTY))}
    for title, content, media_type in files:
        blob = _measure(title, content)
        blobs[blob.digest] = blob
        layers.append(
            {
                "mediaType": media_type,
                "digest": blob.digest,
                "size": blob.size,
                "annotations": {TITLE: title},
            }
        )
    raw = _manifest(layers, artifact_type, dict(annotations or {}), created)
    for blob in blobs.values():
        _send_blob(client, blob, progress or _ignore)
    return _send_manifest(client, raw, tagged=tagged)


def _ignore(_octets: int) -> None:
    """Show no progress."""


def created_from(environ: Mapping[str, str]) -> str | None:
    """Return SOURCE_DATE_EPOCH as an RFC 3339 time, or None when it is not set.

    Raises:
        ArtifactError: it is set and no number of seconds.
    """
    text = environ.get("SOURCE_DATE_EPOCH")
    if text is None:
        return None
    try:
        moment = datetime.fromtimestamp(int(text), tz=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise _unusable("SOURCE_DATE_EPOCH", f"not a number of seconds: {text!a}") from error
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _manifest(
    layers: list[dict[str, object]],
    artifact_type: str,
    annotations: dict[str, str],
    created: str | None,
) -> bytes:
    if created is not None:
        annotations[CREATED] = created
    document: dict[str, object] = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": {
            "mediaType": EMPTY_TYPE,
            "digest": EMPTY_DIGEST,
            "size": len(_EMPTY),
            "data": "e30=",
        },
        "layers": layers,
    }
    if annotations:
        document["annotations"] = dict(sorted(annotations.items()))
    return compact_json(document)


# --- Files -----------------------------------------------------------------------------------


def _check_titles(titles: Sequence[str]) -> None:
    if not titles:
        raise _unusable("(nothing)", "no files to push")
    seen: set[str] = set()
    for title in titles:
        path = PurePosixPath(title)
        if not path.parts or path.is_absolute() or ".." in path.parts or str(path) != title:
            raise _unusable(title, "a title is a relative path without . or ..")
        if not title.isprintable():
            raise _unusable(title, "a title has no control characters")
        if title in seen:
            raise _unusable(title, "two files of one title: a pull would keep only one")
        seen.add(title)


def _unusable(title: str, message: str) -> ArtifactError:
    return ArtifactError([Problem(title, 0, 0, Severity.ERROR, "push-file", message)])


def _measure(title: str, content: Content) -> _Blob:
    checksum, size = hashlib.sha256(), 0
    try:
        for piece in _pieces(content):
            checksum.update(piece)
            size += len(piece)
    except OSError as error:
        raise _unusable(title, f"cannot be read: {error.strerror}") from error
    if size > limits.BLOB_OCTETS:
        raise _unusable(title, f"{size} octets, the limit is {limits.BLOB_OCTETS}")
    return _Blob(content, f"sha256:{checksum.hexdigest()}", size)


def _pieces(content: Content) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
        return
    with content.open("rb") as file:
        while piece := file.read(_CHUNK_OCTETS):
            yield piece


class _Body:
    """A request body with a length, read from the start at each iteration.

    requests takes an iterable with ``__len__`` as a stream of known length; oras sends it a
    second time when the first try was answered by a challenge.
    """

    def __init__(self, blob: _Blob, progress: Progress) -> None:
        self._blob = blob
        self._progress = progress

    def __len__(self) -> int:
        return self._blob.size

    def __iter__(self) -> Iterator[bytes]:
        for piece in _pieces(self._blob.content):
            yield piece
            self._progress(len(piece))


# --- Requests --------------------------------------------------------------------------------


def send_blob(client: Client, raw: bytes) -> str:
    """Upload bytes the registry does not have; return their digest.

    Raises:
        Permanent: the registry refuses.
        Transient: it did not answer, or is in trouble.
    """
    blob = _Blob(raw, digest_of(raw), len(raw))
    _send_blob(client, blob, _ignore)
    return blob.digest


def send_manifest(
    client: Client, raw: bytes, name: str, media_type: str = OCI_MANIFEST
) -> Mapping[str, str]:
    """Put a manifest under a tag or its own digest; return the headers of the answer.

    Raises:
        Permanent: the registry refuses, or stored something else.
        Transient: it did not answer, or is in trouble.
    """
    calls, digest = client.calls, digest_of(raw)
    asked = f"push of manifest {name}"
    done = calls.do_request(
        f"{calls.base}/manifests/{name}", "PUT", raw, {"Content-Type": media_type}
    )
    calls.read(calls.expect(done, asked, 200, 201), asked, limits.ERROR_BODY_OCTETS)
    stored = done.headers.get("Docker-Content-Digest", digest)
    if stored != digest:
        raise Permanent(
            f"{client.where}: {asked}: the registry stored something else than {digest}",
            reason=FetchReason.INTEGRITY,
        )
    return done.headers


def _send_blob(client: Client, blob: _Blob, progress: Progress) -> None:
    calls, asked = client.calls, f"upload of {blob.digest}"
    found = calls.do_request(f"{calls.base}/blobs/{blob.digest}", "HEAD")
    calls.read(found, asked, limits.ERROR_BODY_OCTETS)
    if found.status_code == 200:
        progress(blob.size)
        return
    begun = calls.do_request(f"{calls.base}/blobs/uploads/", "POST", b"")
    calls.read(calls.expect(begun, asked, 202), asked, limits.ERROR_BODY_OCTETS)
    # Where it leads is the registry's word: do_request refuses another origin (P11,
    # GHSA-jxpm-75mh-9fp7).
    location = calls.absolute(calls.base, begun.headers.get("Location", ""), asked)
    joint = "&" if "?" in location else "?"
    done = calls.do_request(
        f"{location}{joint}digest={quote(blob.digest)}",
        "PUT",
        _Body(blob, progress) if blob.size else b"",
        {"Content-Type": "application/octet-stream"},
    )
    calls.read(calls.expect(done, asked, 201), asked, limits.ERROR_BODY_OCTETS)


def _send_manifest(client: Client, raw: bytes, *, tagged: bool) -> str:
    digest = digest_of(raw)
    wanted = client.reference.digest
    if wanted is not None and wanted != digest:
        raise Permanent(
            f"{client.where}: push to {wanted}: these files make {digest}; push to a tag",
            reason=FetchReason.INTEGRITY,
        )
    send_manifest(client, raw, (client.reference.tag if tagged else None) or digest)
    return digest
