"""The lab registry's HTTP side: the distribution spec, as far as real clients use it.

distribution-spec 1.1: ping, manifests, blobs (with Range), uploads (monolithic, chunked, mount),
tags with paging, referrers, deletes, error bodies; plus If-None-Match and a token service.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlencode, urlsplit

from ocizone.lab.events import PushEvent, Request
from ocizone.lab.faults import Fault
from ocizone.lab.storage import StoredManifest
from ocizone.limits import MANIFEST_OCTETS
from ocizone.registry.manifest import OCI_INDEX, OCI_MANIFEST, digest_of, is_digest

if TYPE_CHECKING:
    from ocizone.lab.registry import _Server

_NAME = (
    r"(?P<name>[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*)"
)
_ROUTES = tuple(
    (kind, re.compile(pattern))
    for kind, pattern in (
        ("ping", r"/v2/"),
        ("token", r"/token"),
        ("manifest", rf"/v2/{_NAME}/manifests/(?P<reference>[A-Za-z0-9_][A-Za-z0-9._:-]{{0,127}})"),
        ("upload", rf"/v2/{_NAME}/blobs/uploads/(?P<reference>[0-9a-f-]*)"),
        ("blob", rf"/v2/{_NAME}/blobs/(?P<reference>sha256:[0-9a-f]{{64}})"),
        ("tags", rf"/v2/{_NAME}/tags/list"),
        ("referrers", rf"/v2/{_NAME}/referrers/(?P<reference>sha256:[0-9a-f]{{64}})"),
    )
)
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class LabHandler(BaseHTTPRequestHandler):
    """One connection to the lab registry."""

    protocol_version = "HTTP/1.1"
    server_version = "ocizone-lab"
    # A body that leaves in two small writes would wait 40 ms for the client's delayed ACK.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing: requests are counted instead."""

    def setup(self) -> None:
        """Start the connection."""
        self.lab = cast("_Server", self.server).lab
        self.fault: Fault | None = None
        super().setup()

    # --- Dispatch ----------------------------------------------------------------------------

    def _dispatch(self) -> None:
        url = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(url.query).items()}
        kind, groups = "unknown", dict[str, str]()
        for name, pattern in _ROUTES:
            match = pattern.fullmatch(url.path)
            if match:
                kind, groups = name, match.groupdict()
                break
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.lab.requests.append(Request(self.command, kind, self.path, headers, time.monotonic()))
        self.name, self.reference = groups.get("name", ""), groups.get("reference", "")
        self.fault = fault = self.lab.faults.take(kind, self.command)
        if fault is not None and (fault.hang or fault.drop):
            if fault.hang:
                self.lab.stopping.wait()
            self.close_connection = True
            return
        self.payload = self._read_payload()
        if fault is not None and fault.status is not None:
            self._reply(fault.status, fault.body or b"")
        elif kind == "unknown":
            self._reply(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
        elif kind == "token":
            self._token()
        elif self._admitted():
            self._serve(kind)

    do_GET = _dispatch  # noqa: N815 - the names http.server calls
    do_HEAD = _dispatch  # noqa: N815 - the same
    do_PUT = _dispatch  # noqa: N815 - the same
    do_POST = _dispatch  # noqa: N815 - the same
    do_PATCH = _dispatch  # noqa: N815 - the same
    do_DELETE = _dispatch  # noqa: N815 - the same

    def _serve(self, kind: str) -> None:
        method = "get" if self.command == "HEAD" else self.command.lower()
        answer: Callable[[], None] | None = getattr(self, f"_{method}_{kind}", None)
        if answer is None:
            self._refuse(405, "UNSUPPORTED", "the operation is unsupported")
        else:
            answer()

    def _read_payload(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        payload = bytearray()
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            payload += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return bytes(payload)

    # --- Authentication ----------------------------------------------------------------------

    def _admitted(self) -> bool:
        actions = "pull" if self.command in ("GET", "HEAD") else "pull,push"
        scope = f"repository:{self.name}:{actions}" if self.name else ""
        if self.lab.gate.allows(self.headers.get("Authorization", ""), scope):
            return True
        realm = f"{self.lab.url}/token" if self.lab.realm is None else self.lab.realm
        challenge = self.lab.gate.challenge(realm, scope)
        self._refuse(
            401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge}
        )
        return False

    def _token(self) -> None:
        form = parse_qs(self.payload.decode() or urlsplit(self.path).query)
        scopes = " ".join(form.get("scope", []))
        if self.command == "POST":
            granted = form.get("grant_type") == ["refresh_token"]
            identity = form.get("refresh_token", [""])[0] if granted else ""
            token = self.lab.gate.renew(identity, scopes)
        else:
            token = self.lab.gate.issue(self.headers.get("Authorization", ""), scopes)
        if token is None:
            self._refuse(401, "UNAUTHORIZED", "authentication required")
            return
        # OAuth2 answers with another name. A whole number: containers/image refuses 300.0.
        name = "access_token" if self.command == "POST" else "token"
        self._reply_json(200, {name: token, "expires_in": int(self.lab.gate.token_s)})

    # --- Answers to GET and HEAD -------------------------------------------------------------

    def _get_ping(self) -> None:
        self._reply_json(200, {})

    def _get_manifest(self) -> None:
        manifest = self.lab.storage.manifest(self.name, self.reference)
        if manifest is None:
            self._refuse(404, "MANIFEST_UNKNOWN", "manifest unknown")
            return
        headers = {
            "Content-Type": manifest.media_type,
            "Docker-Content-Digest": manifest.digest,
            "ETag": f'"{manifest.digest}"',
        }
        if self.headers.get("If-None-Match", "").strip('"') == manifest.digest:
            self._reply(304, b"", headers)
        else:
            self._reply(200, manifest.raw, headers)

    def _get_blob(self) -> None:
        blob = self.lab.storage.blob(self.name, self.reference)
        if blob is None:
            self._refuse(404, "BLOB_UNKNOWN", "blob unknown to registry")
            return
        headers = {
            "Content-Type": "application/octet-stream",
            "Docker-Content-Digest": self.reference,
            "Accept-Ranges": "bytes",
        }
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        if wanted is None:
            self._reply(200, blob, headers)
            return
        first, last = int(wanted[1]), min(int(wanted[2] or len(blob)), len(blob) - 1)
        if first > last:
            self._refuse(416, "SIZE_INVALID", "range outside the blob")
            return
        headers["Content-Range"] = f"bytes {first}-{last}/{len(blob)}"
        self._reply(206, blob[first : last + 1], headers)

    def _get_tags(self) -> None:
        tags = self.lab.storage.tags(self.name)
        if tags is None:
            self._refuse(404, "NAME_UNKNOWN", "repository name not known to registry")
            return
        tags = [tag for tag in tags if tag > self.query.get("last", "")]
        most = int(self.query.get("n") or len(tags))
        headers = {}
        if most and len(tags) > most:
            more = urlencode({"last": tags[most - 1], "n": most})
            headers["Link"] = f'</v2/{self.name}/tags/list?{more}>; rel="next"'
        self._reply_json(200, {"name": self.name, "tags": tags[:most]}, headers)

    def _get_referrers(self) -> None:
        if not self.lab.referrers:
            self._reply(404, b"404 page not found\n", {"Content-Type": "text/plain; charset=utf-8"})
            return
        found = self.lab.storage.referrers(self.name, self.reference)
        headers = {"Content-Type": OCI_INDEX}
        wanted = self.query.get("artifactType")
        if wanted:
            found = [one for one in found if one["artifactType"] == wanted]
            headers["OCI-Filters-Applied"] = "artifactType"
        self._reply_json(
            200, {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": found}, headers
        )

    # --- Pushing -----------------------------------------------------------------------------

    def _put_manifest(self) -> None:
        media_type = self.headers.get("Content-Type", OCI_MANIFEST)
        manifest = StoredManifest(media_type, self.payload)
        missing = self.lab.storage.missing(self.name, manifest)
        by_digest = ":" in self.reference
        if len(self.payload) > MANIFEST_OCTETS or not manifest.fields:
            self._refuse(400, "MANIFEST_INVALID", "manifest invalid")
        elif by_digest and manifest.digest != self.reference:
            self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        elif missing:
            self._refuse(400, "MANIFEST_BLOB_UNKNOWN", f"blob unknown to registry: {missing[0]}")
        else:
            tag = None if by_digest else self.reference
            digest = self.lab.storage.put_manifest(self.name, tag, manifest)
            if self.lab.on_push is not None:
                self.lab.on_push(PushEvent(self.name, tag, digest))
            headers = self._created(f"manifests/{digest}", digest)
            subject = manifest.fields.get("subject")
            if self.lab.referrers and isinstance(subject, dict):
                headers["OCI-Subject"] = str(subject.get("digest"))
            self._reply(201, b"", headers)

    def _post_upload(self) -> None:
        mounted = self.query.get("mount", "")
        blob = self.lab.storage.blob(self.query.get("from", ""), mounted) if mounted else None
        digest = self.query.get("digest", "")
        if blob is not None:
            self.lab.storage.put_blob(self.name, blob)
            self._reply(201, b"", self._created(f"blobs/{mounted}", mounted))
        elif digest and digest_of(self.payload) == digest:
            self.lab.storage.put_blob(self.name, self.payload)
            self._reply(201, b"", self._created(f"blobs/{digest}", digest))
        elif digest and self.payload:
            self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        else:
            self._reply(202, b"", self._upload_headers(self.lab.storage.start_upload(self.name), 0))

    def _get_upload(self) -> None:
        self._appended(b"", 204)

    def _patch_upload(self) -> None:
        self._appended(self.payload, 202)

    def _appended(self, raw: bytes, status: int) -> None:
        size = self.lab.storage.append(self.name, self.reference, raw)
        if size is None:
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        else:
            self._reply(status, b"", self._upload_headers(self.reference, size))

    def _put_upload(self) -> None:
        digest = self.query.get("digest", "")
        if self.lab.storage.append(self.name, self.reference, self.payload) is None:
            self._refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry")
        elif not is_digest(digest) or not self.lab.storage.finish_upload(
            self.name, self.reference, digest
        ):
            self._refuse(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        else:
            self._reply(201, b"", self._created(f"blobs/{digest}", digest))

    def _delete_manifest(self) -> None:
        found = self.lab.storage.delete_manifest(self.name, self.reference)
        self._deleted("MANIFEST_UNKNOWN", found=found)

    def _delete_blob(self) -> None:
        self._deleted("BLOB_UNKNOWN", found=self.lab.storage.delete_blob(self.name, self.reference))

    def _deleted(self, code: str, *, found: bool) -> None:
        if found:
            self._reply(202, b"")
        else:
            self._refuse(404, code, "not found")

    def _created(self, path: str, digest: str) -> dict[str, str]:
        return {"Location": f"/v2/{self.name}/{path}", "Docker-Content-Digest": digest}

    def _upload_headers(self, session: str, size: int) -> dict[str, str]:
        return {
            "Location": f"/v2/{self.name}/blobs/uploads/{session}",
            "Docker-Upload-UUID": session,
            "Range": f"0-{max(0, size - 1)}",
        }

    # --- Sending -----------------------------------------------------------------------------

    def _refuse(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        self._reply_json(status, {"errors": [{"code": code, "message": message}]}, headers)

    def _reply_json(
        self, status: int, document: object, headers: Mapping[str, str] | None = None
    ) -> None:
        self._reply(
            status,
            json.dumps(document).encode(),
            {"Content-Type": "application/json", **(headers or {})},
        )

    def _reply(self, status: int, raw: bytes, headers: Mapping[str, str] | None = None) -> None:
        fault = self.fault or Fault("none")
        if fault.body is not None:
            raw = fault.body
        if fault.corrupt and raw:
            raw = bytes([raw[0] ^ 0xFF]) + raw[1:]
        all_headers = {
            "Docker-Distribution-API-Version": "registry/2.0",
            "Content-Length": str(len(raw)),
            **(headers or {}),
            **fault.headers,
        }
        self.send_response(status)
        for name, value in all_headers.items():
            if value is not None and not (status in (204, 304) and name == "Content-Length"):
                self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD" or status in (204, 304):
            return
        if fault.octets_per_s is not None:
            self._trickle(raw, fault.octets_per_s)
        else:
            self.wfile.write(raw[: fault.cut_at])
        if fault.cut_at is not None:
            self.close_connection = True

    def _trickle(self, raw: bytes, octets_per_s: float) -> None:
        for octet in raw:
            self.wfile.write(bytes([octet]))
            self.wfile.flush()
            if self.lab.stopping.wait(1 / octets_per_s):
                self.close_connection = True
                return
