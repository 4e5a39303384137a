"""WWW-Authenticate, by RFC 9110 11.6.1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone.registry.challenge import parse_challenges


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", []),
        ('Basic realm="basic-realm"', [("basic", {"realm": "basic-realm"})]),
        ("BASIC", [("basic", {})]),
        (
            'Bearer realm="https://a.example/token",service="s",scope="repository:x:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://a.example/token",
                        "service": "s",
                        "scope": "repository:x:pull,push",
                    },
                )
            ],
        ),
        (
            'Basic realm="a, b", Bearer realm="c" , error = invalid_token',
            [("basic", {"realm": "a, b"}), ("bearer", {"realm": "c", "error": "invalid_token"})],
        ),
        ('Bearer realm="a\\"b"', [("bearer", {"realm": 'a"b'})]),
        ('Bearer realm="a",realm="b"', [("bearer", {"realm": "a"})]),
        ("Negotiate dG9rZW4=, Basic realm=x", [("negotiate", {}), ("basic", {"realm": "x"})]),
        (", ,Basic ,, realm=x", [("basic", {"realm": "x"})]),
        ('Bearer realm="unclosed', [("bearer", {})]),
        ('realm="x"', []),
        ("Basic \x00", [("basic", {})]),
    ],
)
def test_challenges(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    found = [(one.scheme, dict(one.parameters)) for one in parse_challenges(header)]
    assert found == expected


@given(st.text(alphabet='Basic erm="\\,;\t x\x00ü', max_size=60))
def test_any_header_ends(header: str) -> None:
    """A hostile header is read in finite time without an exception."""
    parse_challenges(header)


def test_long_hostile_header_is_linear() -> None:
    """Nothing backtracks: 64 KiB of each nuisance."""
    for piece in ('a="', "a,", "a ", "\\", '"\\'):
        parse_challenges("Bearer " + piece * 20_000)
