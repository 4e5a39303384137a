"""What the lab registry holds: blobs, manifests, tags and uploads, in memory, under one lock.

Knows digests and names, nothing of HTTP.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field

from ocizone.registry.manifest import digest_of


@dataclass(frozen=True, slots=True)
class StoredManifest:
    """A manifest as it was pushed."""

    media_type: str
    raw: bytes

    @property
    def digest(self) -> str:
        """Its digest."""
        return digest_of(self.raw)

    @property
    def fields(self) -> dict[str, object]:
        """Its JSON object; {} when it is none (tests store hostile ones)."""
        try:
            document = json.loads(self.raw)
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}


@dataclass(slots=True)
class _Repository:
    manifests: dict[str, StoredManifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    uploads: dict[str, bytearray] = field(default_factory=dict)


class Storage:
    """Repositories by name; every method is safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._repositories: dict[str, _Repository] = {}

    def _of(self, name: str) -> _Repository:
        return self._repositories.setdefault(name, _Repository())

    def repositories(self) -> list[str]:
        """Return the names of the repositories that hold something, sorted."""
        with self._lock:
            return sorted(name for name, held in self._repositories.items() if held.manifests)

    # --- Blobs and uploads -------------------------------------------------------------------

    def put_blob(self, name: str, raw: bytes) -> str:
        """Keep a blob; return its digest."""
        with self._lock:
            digest = digest_of(raw)
            self._of(name).blobs[digest] = raw
            return digest

    def blob(self, name: str, digest: str) -> bytes | None:
        """Return a blob, or None."""
        with self._lock:
            return self._of(name).blobs.get(digest)

    def delete_blob(self, name: str, digest: str) -> bool:
        """Forget a blob; tell whether it was there."""
        with self._lock:
            return self._of(name).blobs.pop(digest, None) is not None

    def start_upload(self, name: str) -> str:
        """Return the id of a new upload."""
        with self._lock:
            session = str(uuid.uuid4())
            self._of(name).uploads[session] = bytearray()
            return session

    def append(self, name: str, session: str, raw: bytes) -> int | None:
        """Add bytes to an upload; return its size, or None when there is none of that id."""
        with self._lock:
            upload = self._of(name).uploads.get(session)
            if upload is None:
                return None
            upload += raw
            return len(upload)

    def finish_upload(self, name: str, session: str, digest: str) -> bool:
        """Make a blob of an upload when its digest is this one; the upload is over either way."""
        with self._lock:
            upload = bytes(self._of(name).uploads.pop(session, b""))
            if digest_of(upload) != digest:
                return False
            self._of(name).blobs[digest] = upload
            return True

    # --- Manifests and tags ------------------------------------------------------------------

    def put_manifest(self, name: str, tag: str | None, manifest: StoredManifest) -> str:
        """Keep a manifest, under a tag if given; return its digest."""
        with self._lock:
            digest = manifest.digest
            self._of(name).manifests[digest] = manifest
            if tag is not None:
                self._of(name).tags[tag] = digest
            return digest

    def manifest(self, name: str, reference: str) -> StoredManifest | None:
        """Return the manifest of a tag or digest, or None."""
        with self._lock:
            held = self._of(name)
            return held.manifests.get(held.tags.get(reference, reference))

    def missing(self, name: str, manifest: StoredManifest) -> list[str]:
        """Return the digests a manifest names that this repository does not hold."""
        fields = manifest.fields
        layers, children = fields.get("layers"), fields.get("manifests")
        wanted = [fields.get("config"), *(layers if isinstance(layers, list) else [])]
        with self._lock:
            held = self._of(name)
            absent = [
                str(one["digest"])
                for one in wanted
                if isinstance(one, dict) and one.get("digest") not in held.blobs
            ]
            absent += [
                str(one["digest"])
                for one in (children if isinstance(children, list) else [])
                if isinstance(one, dict) and one.get("digest") not in held.manifests
            ]
        return absent

    def delete_manifest(self, name: str, reference: str) -> bool:
        """Forget a digest with all its tags, or one tag; tell whether it was there."""
        with self._lock:
            held = self._of(name)
            if held.tags.pop(reference, None) is not None:
                return True
            held.tags = {tag: digest for tag, digest in held.tags.items() if digest != reference}
            return held.manifests.pop(reference, None) is not None

    def tags(self, name: str) -> list[str] | None:
        """Return the tags, sorted; None when nobody ever pushed to the name."""
        with self._lock:
            held = self._repositories.get(name)
            return sorted(held.tags) if held is not None and held.manifests else None

    def referrers(self, name: str, subject: str) -> list[dict[str, object]]:
        """Return descriptors of the manifests whose subject is this digest."""
        with self._lock:
            manifests = list(self._of(name).manifests.values())
        found: list[dict[str, object]] = []
        for manifest in manifests:
            fields = manifest.fields
            about, config = fields.get("subject"), fields.get("config")
            if not isinstance(about, dict) or about.get("digest") != subject:
                continue
            kind = fields.get("artifactType")
            if kind is None and isinstance(config, dict):
                kind = config.get("mediaType")
            found.append(
                {
                    "mediaType": manifest.media_type,
                    "digest": manifest.digest,
                    "size": len(manifest.raw),
                    "artifactType": kind,
                    "annotations": fields.get("annotations") or {},
                }
            )
        return found
