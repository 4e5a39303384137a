"""Where a blob's redirects may not lead; that they are followed is in test_auth."""

from __future__ import annotations

import pytest

from ocizone.errors import FetchReason, Permanent
from ocizone.lab import LabRegistry
from ocizone.registry.client import Client
from ocizone.registry.manifest import Descriptor
from ocizone.registry.reference import Reference

REPOSITORY = "zones/example.org"


@pytest.mark.parametrize(
    "location",
    [
        "http://[::1",
        "http://127.0.0.1:99999/x",
        "http://127.0.0.1:0/x",
        "file:///etc/passwd",
        "ftp://127.0.0.1/x",
        "http://canary@127.0.0.1/x",
    ],
)
def test_redirects_that_are_not_followed(lab_registry: LabRegistry, location: str) -> None:
    digest = lab_registry.push_blob(REPOSITORY, b"zone")
    lab_registry.faults.redirect_next("blob", location)
    client = Client(Reference(lab_registry.host, REPOSITORY, "v1", None), insecure=True)
    client.start_attempt(10)
    with pytest.raises(Permanent) as caught:
        client.small(Descriptor("x/y", digest, 4, {}), 10)
    assert caught.value.reason is FetchReason.PROTOCOL
    assert len(lab_registry.requests) == 1
