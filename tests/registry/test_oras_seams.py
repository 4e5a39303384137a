"""The places of oras and requests we lean on; an upgrade that moves one fails here first."""

from __future__ import annotations

import inspect

import oras.auth
import oras.provider
import requests.adapters
from oras.auth.token import TokenAuth

from ocizone.registry.auth import ChallengeAuth
from ocizone.registry.calls import Calls


def test_bare_do_request_is_reachable() -> None:
    """``__wrapped__`` steps around the decorator that sleeps 131 seconds."""
    bare = oras.provider.Registry.do_request.__wrapped__
    assert list(inspect.signature(bare).parameters) == [
        "self",
        "url",
        "method",
        "data",
        "headers",
        "json",
        "stream",
    ]
    source = inspect.getsource(bare)
    assert "self.auth.authenticate_request(" in source
    assert "self.session.request(" in source
    assert "sleep" not in source


def test_our_signatures_are_the_ones_oras_calls() -> None:
    """Overrides take what oras passes."""
    assert list(inspect.signature(Calls.do_request).parameters) == list(
        inspect.signature(oras.provider.Registry.do_request).parameters
    )
    for name in ("authenticate_request", "get_auth_header"):
        assert list(inspect.signature(getattr(ChallengeAuth, name)).parameters) == list(
            inspect.signature(getattr(TokenAuth, name)).parameters
        )


def test_token_backend_is_the_one_do_request_asks() -> None:
    """``do_request`` sends a kept token only for its own TokenAuth."""
    assert issubclass(ChallengeAuth, oras.auth.TokenAuth)


def test_adapter_hooks() -> None:
    """The adapter methods we replace exist and are called by ``send``."""
    source = inspect.getsource(requests.adapters.HTTPAdapter)
    assert "self.cert_verify(conn, request.url, verify, cert)" in source
    assert "self.build_connection_pool_key_attributes(" in source
