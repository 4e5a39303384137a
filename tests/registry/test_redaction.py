"""Secrets that came back are taken out of messages, however a library or a URL spells them."""

from __future__ import annotations

import base64

import pytest

from ocizone import limits
from ocizone.registry.redaction import Redaction


def known(*secrets: str) -> Redaction:
    redaction = Redaction()
    redaction.learn(*secrets)
    return redaction


@pytest.mark.parametrize(
    ("secret", "text"),
    [
        ("canary", "x canary y"),
        ("canary", "x CANARY y"),
        ("can/ary", "x can%2Fary y"),
        ("canäry", "x 'can\\xe4ry' y"),
        ("can.ry*", "x can.ry* y"),
        ("canary", "canary canary"),
    ],
)
def test_spellings(secret: str, text: str) -> None:
    """As it is, in a URL (RFC 3986 2.1), in a host, in a repr."""
    redaction = known(secret)
    assert redaction.holds(text)
    cleaned = redaction.clean(text)
    assert "[a secret of ours]" in cleaned
    assert "can" not in cleaned.lower()


def test_what_is_no_secret() -> None:
    """A password of three characters is in most messages."""
    for redaction in (known(), known("", "abc")):
        assert redaction.clean("abcdef") == "abcdef"
        assert not redaction.holds("abcdef")
    assert not known("can.ary").holds("canXary")


def test_the_longest_goes_first() -> None:
    assert known("canary", "canary-2").clean("canary-2") == "[a secret of ours]"


def test_basic() -> None:
    """The header, the pair, the password (RFC 7617 2)."""
    redaction = Redaction()
    encoded = base64.b64encode(b"alice:canary:2").decode()
    redaction.learn_basic(f"Basic {encoded}")
    for secret in (encoded, "alice:canary:2", "canary:2"):
        assert redaction.holds(f"x{secret}x")
    assert not redaction.holds("alice")


def test_tokens_of_long_ago_are_forgotten() -> None:
    redaction = known("canary-0")
    for number in range(limits.SECRETS_REMEMBERED):
        redaction.learn(f"token-{number:03}")
    assert not redaction.holds("canary-0")
    assert redaction.holds("token-000")
