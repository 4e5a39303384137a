"""What a registry lists page by page: tags, and the manifests that refer to another.

distribution spec "Listing Tags" and "Listing Referrers"; RFC 8288 Link headers. Pages and what
is on them are bounded (oras-go 1214: a Link that leads to itself).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import requests

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.registry.calls import Calls
from ocizone.registry.manifest import (
    OCI_INDEX,
    Index,
    IndexEntry,
    digest_of,
    read_manifest,
)
from ocizone.registry.strictjson import BadJSONError, read_json

_NEXT = re.compile(r'<([^<>]*)>\s*;[^,]*\brel="?next"?', re.IGNORECASE)
# How registries say that they have no referrers API; GHCR redirects to a web page.
_NO_REFERRERS = (301, 302, 303, 307, 308, 400, 404, 405, 406, 501)


def tags(calls: Calls) -> tuple[str, ...]:
    """Return the repository's tags; see Client.tags."""
    found: dict[str, None] = {}
    for raw, _ in _pages(calls, f"{calls.base}/tags/list?n=1000", "tags"):
        found.update(dict.fromkeys(_tags_of(calls, raw)))
        if len(found) > limits.TAGS:
            raise _too_many(calls, "tags", limits.TAGS)
    return tuple(found)


def _tags_of(calls: Calls, raw: bytes) -> list[str]:
    try:
        document = read_json(raw)
    except BadJSONError as error:
        raise Permanent(f"{calls.where}: tags: {error}", reason=FetchReason.PROTOCOL) from error
    listed = document.get("tags") if isinstance(document, dict) else 0
    if listed is None:
        return []
    if not isinstance(listed, list) or not all(isinstance(tag, str) for tag in listed):
        raise Permanent(f"{calls.where}: tags: not a list of names", reason=FetchReason.PROTOCOL)
    return listed


def referrers(calls: Calls, digest: str) -> tuple[IndexEntry, ...] | None:
    """Return what refers to a manifest by the API; None when the registry has no such API.

    Raises:
        Permanent: more than REFERRERS, more than TAG_PAGES pages, or refused.
        Transient: no answer, or the server is in trouble.
    """
    asked = f"referrers of {digest}"
    found: list[IndexEntry] = []
    for raw, content_type in _pages(
        calls, f"{calls.base}/referrers/{digest}", asked, ends=_NO_REFERRERS
    ):
        if content_type is None or content_type.partition(";")[0].strip().lower() != OCI_INDEX:
            return None
        named = digest_of(raw)
        with calls.usable(asked):
            page = read_manifest(raw, named, content_type, most=limits.REFERRERS)
        assert isinstance(page, Index)  # read_manifest: the Content-Type says so
        found += page.manifests
        if len(found) > limits.REFERRERS:
            raise _too_many(calls, asked, limits.REFERRERS)
    return tuple(found)


def _pages(
    calls: Calls, url: str | None, asked: str, ends: tuple[int, ...] = ()
) -> Iterator[tuple[bytes, str | None]]:
    """Yield body and Content-Type of each page.

    An answer with one of the statuses ``ends`` is an empty page without a Content-Type.
    """
    for _ in range(limits.TAG_PAGES):
        if url is None:
            return
        response = calls.expect(calls.do_request(url), asked, 200, *ends)
        raw = calls.read(response, asked, limits.MANIFEST_OCTETS)
        if response.status_code != requests.codes.ok:
            yield b"", None
            return
        yield raw, response.headers.get("Content-Type")
        link = _NEXT.search(response.headers.get("Link", ""))
        url = calls.absolute(url, link[1], asked) if link else None
    if url is not None:
        raise Permanent(
            f"{calls.where}: {asked}: more than {limits.TAG_PAGES} pages",
            reason=FetchReason.TOO_LARGE,
        )


def _too_many(calls: Calls, asked: str, most: int) -> Permanent:
    return Permanent(
        f"{calls.where}: {asked}: more than the limit of {most}", reason=FetchReason.TOO_LARGE
    )
