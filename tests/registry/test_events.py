"""Notifications of registries, in the shapes they send; and everything else."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone import limits
from ocizone.registry.events import Notification, Pushed, read_notification
from ocizone.registry.reference import Reference

HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
DIGEST = f"sha256:{HEX}"
OTHER = f"sha256:{'ab' * 32}"
ENVELOPE = {"content-type": "application/vnd.docker.distribution.events.v1+json"}


def event(action: str = "push", **target: object) -> dict[str, Any]:
    """What distribution 2.8.2 sends, as observed."""
    return {
        "id": "8a9a4b1c-0000-4000-8000-000000000000",
        "timestamp": "2026-11-20T10:00:00.123456789Z",
        "action": action,
        "target": {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": DIGEST,
            "size": 700,
            "length": 700,
            "repository": "dns/zones",
            "url": f"http://evil.example/v2/dns/zones/manifests/{DIGEST}",
            "tag": "prod",
            **target,
        },
        "request": {"id": "1", "addr": "127.0.0.1:1", "host": "evil.example", "method": "PUT"},
        "actor": {},
        "source": {"addr": "registry:5000", "instanceID": "1"},
    }


def harbor(tag: str = "prod", kind: str = "PUSH_ARTIFACT") -> dict[str, Any]:
    return {
        "type": kind,
        "occur_at": 1732000000,
        "operator": "admin",
        "event_data": {
            "resources": [
                {"digest": DIGEST, "tag": tag, "resource_url": "harbor.example/dns/zones:prod"}
            ],
            "repository": {
                "date_created": 1,
                "name": "zones",
                "namespace": "dns",
                "repo_full_name": "dns/zones",
                "repo_type": "private",
            },
        },
    }


def harbor_cloud(kind: str = "harbor.artifact.pushed") -> dict[str, Any]:
    data = harbor()["event_data"]
    return {"specversion": "1.0", "id": "1", "source": "/projects/1/webhook/policies/1",
            "type": kind, "datacontenttype": "application/json", "data": data}  # fmt: skip


def zot(kind: str = "zotregistry.image.updated", reference: str = "prod") -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": "1", "source": "zot", "type": kind,
        "datacontenttype": "application/json",
        "data": {
            "name": "dns/zones", "reference": reference, "digest": DIGEST,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "manifest": '{"schemaVersion":2}',
        },
    }  # fmt: skip


def ghcr(event_name: str = "registry_package", action: str = "published") -> dict[str, Any]:
    return {
        "action": action,
        event_name: {
            "name": "zones", "namespace": "Octo-Org", "package_type": "CONTAINER",
            "package_version": {
                "version": DIGEST,
                "container_metadata": {"tag": {"name": "prod", "digest": DIGEST}},
            },
        },
    }  # fmt: skip


DOCKER_HUB = {
    "callback_url": "https://registry.hub.docker.com/u/dns/zones/hook/1/",
    "push_data": {"pushed_at": 1417566161, "pusher": "somebody", "tag": "prod"},
    "repository": {"name": "zones", "namespace": "dns", "repo_name": "dns/zones"},
}
QUAY = {
    "name": "zones", "repository": "dns/zones", "namespace": "dns",
    "docker_url": "quay.io/dns/zones", "homepage": "https://quay.io/repository/dns/zones",
    "updated_tags": ["prod", "latest"],
}  # fmt: skip
JFROG = {
    "domain": "docker", "event_type": "pushed",
    "data": {"repo_key": "docker-local", "image_name": "dns/zones", "tag": "prod", "sha256": HEX,
             "path": "dns/zones/prod/manifest.json"},
}  # fmt: skip
SIGNATURE = f"sha256-{HEX}.sig"
PROD = Pushed("dns/zones", "prod", DIGEST)

SHAPES: list[tuple[dict[str, str], Any, str, tuple[Pushed, ...]]] = [
    (ENVELOPE, {"events": [event()]}, "distribution", (PROD,)),
    (ENVELOPE, {"events": [event(tag=SIGNATURE, digest=OTHER)]}, "distribution",
     (Pushed("dns/zones", SIGNATURE, OTHER),)),
    ({}, {"events": [event(), event(), event(tag="v2", digest=OTHER)]}, "distribution",
     (PROD, Pushed("dns/zones", "v2", OTHER))),
    (ENVELOPE, {"events": [event("pull"), event(mediaType="application/octet-stream")]},
     "distribution", ()),
    ({}, {"id": "1", "action": "push", "target": event()["target"]}, "acr", (PROD,)),
    ({}, {"id": "1", "action": "ping", "target": {}}, "acr", ()),
    ({}, harbor(), "harbor", (PROD,)),
    ({}, harbor(DIGEST), "harbor", (Pushed("dns/zones", "", DIGEST),)),
    ({}, harbor(kind="DELETE_ARTIFACT"), "harbor", ()),
    ({}, harbor_cloud(), "harbor", (PROD,)),
    ({}, harbor_cloud("harbor.artifact.deleted"), "harbor", ()),
    ({}, zot(), "zot", (PROD,)),
    ({}, zot(reference=OTHER), "zot", (Pushed("dns/zones", "", DIGEST),)),
    ({}, zot("org.example.image.updated"), "zot", (PROD,)),
    ({}, zot("zotregistry.image.deleted"), "zot", ()),
    ({"ce-type": "zotregistry.image.updated", "ce-specversion": "1.0"}, zot()["data"], "zot",
     (PROD,)),
    ({"ce-type": "harbor.artifact.pushed"}, harbor()["event_data"], "harbor", (PROD,)),
    ({"x-github-event": "registry_package"}, ghcr(), "ghcr",
     (Pushed("octo-org/zones", "prod", DIGEST),)),
    ({"x-github-event": "package"}, ghcr("package", "updated"), "ghcr",
     (Pushed("octo-org/zones", "prod", DIGEST),)),
    ({"x-github-event": "package"}, ghcr("package", "deleted"), "ghcr", ()),
    ({"x-github-event": "package"}, {"action": "published", "package": {"name": 7}}, "ghcr", ()),
    ({"x-github-event": "ping"}, {"zen": "Keep it logically awesome.", "hook_id": 1}, "ghcr", ()),
    ({}, DOCKER_HUB, "dockerhub", (Pushed("dns/zones", "prod"),)),
    ({}, QUAY, "quay", (Pushed("dns/zones", "prod"), Pushed("dns/zones", "latest"))),
    ({}, {**QUAY, "updated_tags": {"prod": HEX[:8]}}, "quay", (Pushed("dns/zones", "prod"),)),
    ({}, {**QUAY, "updated_tags": []}, "quay", (Pushed("dns/zones"),)),
    ({}, JFROG, "jfrog", (PROD, Pushed("docker-local/dns/zones", "prod", DIGEST))),
    ({}, {"event_type": "pushed", "image_name": "zones", "tag": "1"}, "jfrog",
     (Pushed("zones", "1"),)),
    ({}, {"event_type": "deleted", "image_name": "zones"}, "jfrog", ()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("headers", "body", "sender", "pushed"),
    SHAPES,
    ids=[f"{s[2]}-{i}" for i, s in enumerate(SHAPES)],
)
def test_shapes(headers: dict[str, str], body: object, sender: str, pushed: tuple[Pushed, ...]):
    """What each registry sends; deletions, pulls and layers are no pushes."""
    reason = "" if pushed else "it tells of no push"
    assert read_notification(headers, json.dumps(body).encode()) == Notification(
        sender, pushed, reason
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not JSON: Expecting value at character 0"),
        (b"\xff{}", "not UTF-8 at octet 0"),
        (b"[]", "not a JSON object"),
        (b"7", "not a JSON object"),
        (b"{}", "no shape of a known registry"),
        (b'{"type": "Other", "data": {}}', "no shape of a known registry"),
        (b'{"type": 7}', "no shape of a known registry"),
        (b'{"events": 7}', "no shape of a known registry"),
        (b'{"events": [], "events": []}', "the same key twice in one object"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper than 32"),
        (b'{"events": [' + b'{"a": NaN}' + b"]}", "NaN is not JSON"),
        (b'{"events": [' + b"{}," * 20_000 + b"{}]}", "more in it than any registry sends"),
    ],
)
def test_what_is_not_understood(body: bytes, reason: str):
    """Nothing is pushed, and the reason says why without quoting."""
    assert read_notification({}, body) == Notification("", (), reason)


@pytest.mark.parametrize(
    "target",
    [
        {"repository": None},
        {"repository": 7},
        {"repository": ""},
        {"repository": "../etc"},
        {"repository": "UPPER"},
        {"repository": "a b"},
        {"repository": "a" * 256},
        {"repository": "a:tag"},
        {"repository": f"a@{DIGEST}"},
        {"repository": "a\r\nX: y"},
    ],
)
def test_what_is_no_repository(target: dict[str, Any]):
    """A name the registry could not have is nobody's."""
    assert read_notification({}, json.dumps({"events": [event(**target)]}).encode()).pushed == ()


@pytest.mark.parametrize(
    ("target", "pushed"),
    [
        ({"tag": None}, Pushed("dns/zones", "", DIGEST)),
        ({"tag": "-x"}, Pushed("dns/zones", "", DIGEST)),
        ({"tag": 7, "digest": 7}, Pushed("dns/zones")),
        ({"tag": f"a@{DIGEST}", "digest": "sha256:x"}, Pushed("dns/zones")),
        ({"tag": OTHER, "digest": None}, Pushed("dns/zones", "", OTHER)),
    ],
)
def test_what_is_no_tag_or_digest(target: dict[str, Any], pushed: Pushed):
    """The repository counts anyway."""
    assert read_notification({}, json.dumps({"events": [event(**target)]}).encode()).pushed == (
        pushed,
    )


def test_odd_members_are_passed_over():
    """Lists of anything."""
    body = {"events": [None, 7, {"action": "push"}, {"action": "push", "target": []}, event()]}
    assert read_notification({}, json.dumps(body).encode()).pushed == (PROD,)
    odd = harbor()
    odd["event_data"]["resources"] = [None, *odd["event_data"]["resources"]]
    assert read_notification({}, json.dumps(odd).encode()).pushed == (PROD,)
    odd["event_data"]["resources"] = {}
    assert read_notification({}, json.dumps(odd).encode()).pushed == ()


def test_github_forms():
    """Its default is a form with the JSON in it."""
    form = urlencode({"payload": json.dumps(ghcr())}).encode()
    headers = {"x-github-event": "registry_package"}
    assert read_notification(headers, form).pushed == (Pushed("octo-org/zones", "prod", DIGEST),)
    assert read_notification({}, form).reason == "not JSON: Expecting value at character 0"


def test_many_pushes_are_cut():
    """One notification cannot cause any number of looks."""
    body = {"events": [event(repository=f"r{index}") for index in range(1100)]}
    found = read_notification({}, json.dumps(body).encode())
    assert len(found.pushed) == limits.WEBHOOK_EVENTS


JSON = st.recursive(
    st.none() | st.integers() | st.sampled_from(["push", "dns/zones", DIGEST, ""]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["type", "events", "target", "action", "event_data", "data", "push_data", "repository",
             "docker_url", "event_type", "image_name", "resources", "specversion", "package"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=300)
@given(JSON, st.sampled_from(["", "x-github-event", "ce-type"]), st.sampled_from(["package", "x"]))
def test_any_document(body: object, header: str, value: str):
    """Whatever is where: an answer, and only names that are some."""
    found = read_notification({header: value}, json.dumps(body).encode())
    assert bool(found.pushed) == (not found.reason)
    for one in found.pushed:
        assert str(Reference.parse(f"r.test/{one.repository}")) == f"r.test/{one.repository}:latest"
