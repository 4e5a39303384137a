"""What a registry's notification says was pushed: a hint, for which of our sources to look at.

Shapes are those of distribution 2.8 and 3 (also Azure's ``target``), zot (CloudEvents 1.0), Harbor
(its own and CloudEvents), GHCR, Docker Hub, Quay and JFrog. Nothing in them is believed but the
name of a repository, and that only to ask the registry we know: hosts and URLs are not even read
(distribution repeats the pusher's Host header there). A tag that names a digest (a signature's)
counts like any other: a late signature is what somebody waits for. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import unquote_to_bytes

from ocizone.limits import REPOSITORY_CHARACTERS, WEBHOOK_EVENTS, WEBHOOK_MARKS
from ocizone.registry.reference import BadReferenceError, Reference
from ocizone.registry.strictjson import BadJSONError, read_json

_Object = dict[str, object]
_BLOB: Final = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Pushed:
    """Something was pushed.

    Attributes:
        repository: its name, without a registry.
        tag: "" when there was none, or none is told.
        digest: "" when none is told.
    """

    repository: str
    tag: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Notification:
    """A notification as far as it is understood.

    Attributes:
        sender: whose shape it has; "" for no known one.
        pushed: each once, in order.
        reason: why nothing is in ``pushed``, else "".
    """

    sender: str
    pushed: tuple[Pushed, ...] = ()
    reason: str = ""


def read_notification(headers: Mapping[str, str], body: bytes) -> Notification:
    """Return what a notification says was pushed.

    Args:
        headers: of the request, names in lower case.
        body: bounded.
    """
    text = _unwrapped(headers, body)
    if sum(map(text.count, (b"{", b"[", b","))) > WEBHOOK_MARKS:
        return Notification("", reason="more in it than any registry sends")
    try:
        document = read_json(text)
    except BadJSONError as error:
        return Notification("", reason=str(error))
    if not isinstance(document, dict):
        return Notification("", reason="not a JSON object")
    sender, found = _by_shape(headers, document)
    if not sender:
        return Notification("", reason="no shape of a known registry")
    pushed = tuple(dict.fromkeys(islice(found, WEBHOOK_EVENTS)))
    return Notification(sender, pushed, "" if pushed else "it tells of no push")


def _unwrapped(headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the JSON; GitHub puts it into a form unless it is told otherwise."""
    if "x-github-event" in headers and body.startswith(b"payload="):
        return unquote_to_bytes(body.removeprefix(b"payload=").replace(b"+", b" "))
    return body


def _by_shape(headers: Mapping[str, str], body: _Object) -> tuple[str, Iterator[Pushed]]:
    """Return whose shape it is, and what was pushed."""
    kind = body.get("type") or headers.get("ce-type")
    if "x-github-event" in headers:
        return "ghcr", _github(headers["x-github-event"], body)
    if isinstance(body.get("events"), list):
        return "distribution", _distribution(body["events"])
    if isinstance(body.get("target"), dict):
        return "acr", _distribution([body])
    if kind == "PUSH_ARTIFACT" or (isinstance(kind, str) and _object(body, "event_data")):
        return "harbor", _harbor(kind == "PUSH_ARTIFACT", _object(body, "event_data"))
    # In the binary mode of CloudEvents (HTTP binding 3.1) the type is a header, the data the body.
    data = _object(body, "data") if "type" in body else body
    if isinstance(kind, str) and kind.startswith("harbor."):
        return "harbor", _harbor(kind == "harbor.artifact.pushed", data)
    if isinstance(kind, str) and ("ce-type" in headers or "specversion" in body):
        # Its first part can be configured.
        return "zot", _zot(kind.endswith(".image.updated"), data)
    if isinstance(body.get("push_data"), dict):
        return "dockerhub", _docker_hub(body)
    if isinstance(body.get("docker_url"), str):
        return "quay", _quay(body)
    if isinstance(body.get("event_type"), str):
        return "jfrog", _jfrog(body)
    return "", iter(())


def _distribution(events: object) -> Iterator[Pushed]:
    for event in events if isinstance(events, list) else ():
        if not isinstance(event, dict) or event.get("action") != "push":
            continue
        target = _object(event, "target")
        if target.get("mediaType") != _BLOB:
            yield from _pushed(target.get("repository"), target.get("tag"), target.get("digest"))


def _harbor(is_push: bool, data: _Object) -> Iterator[Pushed]:  # noqa: FBT001 - asked of each shape
    repository = _object(data, "repository").get("repo_full_name")
    resources = data.get("resources")
    for resource in resources if is_push and isinstance(resources, list) else ():
        if isinstance(resource, dict):
            yield from _pushed(repository, resource.get("tag"), resource.get("digest"))


def _zot(is_push: bool, data: _Object) -> Iterator[Pushed]:  # noqa: FBT001 - asked of each shape
    if is_push:
        yield from _pushed(data.get("name"), data.get("reference"), data.get("digest"))


def _github(event: str, body: _Object) -> Iterator[Pushed]:
    if event not in {"registry_package", "package"} or body.get("action") == "deleted":
        return
    package = _object(body, event)
    version = _object(package, "package_version")
    tag = _object(_object(version, "container_metadata"), "tag")
    namespace, name = package.get("namespace"), package.get("name")
    if isinstance(namespace, str) and isinstance(name, str):
        # Owners may have capitals, their repositories have none.
        yield from _pushed(
            f"{namespace}/{name}".lower(),
            tag.get("name"),
            tag.get("digest") or version.get("version"),
        )


def _docker_hub(body: _Object) -> Iterator[Pushed]:
    repository = _object(body, "repository").get("repo_name")
    yield from _pushed(repository, _object(body, "push_data").get("tag"), "")


def _quay(body: _Object) -> Iterator[Pushed]:
    tags = body.get("updated_tags")
    for tag in tags if isinstance(tags, (list, dict)) and tags else [""]:
        yield from _pushed(body.get("repository"), tag, "")


def _jfrog(body: _Object) -> Iterator[Pushed]:
    if body["event_type"] != "pushed":
        return
    data = _object(body, "data") or body
    image, key = data.get("image_name"), data.get("repo_key")
    digest = f"sha256:{data['sha256']}" if isinstance(data.get("sha256"), str) else ""
    yield from _pushed(image, data.get("tag"), digest)
    if isinstance(key, str) and isinstance(image, str):
        # Clients name the repository key too, unless it has a host name of its own.
        yield from _pushed(f"{key}/{image}", data.get("tag"), digest)


def _object(holder: _Object, name: str) -> _Object:
    found = holder.get(name)
    return found if isinstance(found, dict) else {}


def _pushed(repository: object, tag: object, digest: object) -> Iterator[Pushed]:
    """Yield a push if the repository has a name; a bad tag or digest is left out."""
    if not isinstance(repository, str) or len(repository) > REPOSITORY_CHARACTERS:
        return
    try:
        named = Reference.parse(f"any/{repository}")
    except BadReferenceError:
        return
    if named.repository != repository:
        return
    # Harbor and zot give the digest of an untagged push as its tag.
    is_tag = not (isinstance(tag, str) and ":" in tag)
    yield Pushed(
        repository,
        _checked(f"any/any:{tag}", tag) if is_tag else "",
        _checked(f"any/any@{digest}", digest)
        or ("" if is_tag else _checked(f"any/any@{tag}", tag)),
    )


def _checked(reference: str, part: object) -> str:
    """Return a tag or digest when the reference with it is one, else ""."""
    if not isinstance(part, str) or not part:
        return ""
    try:
        named = Reference.parse(reference)
    except BadReferenceError:
        return ""
    return part if part in {named.tag, named.digest} else ""
