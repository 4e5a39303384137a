"""References: the grammar of its docstring, and what never shows in a message."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.registry.reference import BadReferenceError, Reference

HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h/r", Reference("h", "r", "latest", None)),
        ("h/r:t", Reference("h", "r", "t", None)),
        (f"h/r@sha256:{HEX}", Reference("h", "r", None, f"sha256:{HEX}")),
        (f"h/r:t@sha256:{HEX}", Reference("h", "r", None, f"sha256:{HEX}")),
        ("localhost:5000/g/d", Reference("localhost:5000", "g/d", "latest", None)),
        ("[::1]:5000/d", Reference("[::1]:5000", "d", "latest", None)),
        ("[2001:db8::1]/d", Reference("[2001:db8::1]", "d", "latest", None)),
        ("GHCR.IO/a/b", Reference("GHCR.IO", "a/b", "latest", None)),
        ("h/a-b__c.d_e--f/0:_.-A", Reference("h", "a-b__c.d_e--f/0", "_.-A", None)),
        (f"h/r:{'x' * 128}", Reference("h", "r", "x" * 128, None)),
    ],
)
def test_accepted(text: str, expected: Reference) -> None:
    """Tag and digest are optional; a digest drops the tag."""
    assert Reference.parse(text) == expected
    assert Reference.parse(str(expected)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "h",
        "h/",
        "/r",
        "h/R",
        "h/a//b",
        "h/-a",
        "h/a-",
        "h/a...b",
        "h/a___b",
        "h/r:",
        "h/r:-x",
        f"h/r:{'x' * 129}",
        "h/r:t:u",
        "h/r@",
        "h/r@sha256:abc",
        f"h/r@sha256:{HEX.upper()}",
        f"h/r@sha512:{HEX}",
        f"h/r@sha256:{HEX}\n",
        "u@h/r",
        "h:99999/r",
        "h:/r",
        "h:5000000/r",
        "[::z]/r",
        "[:::]/r",
        "-h/r",
        "h h/r",
        "https://h/r",
        "oci://h/r",
        "h/r\n",
        "h/\u0661",
    ],
)
def test_refused(text: str) -> None:
    """What the grammar does not make is refused."""
    with pytest.raises(BadReferenceError):
        Reference.parse(text)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("https://h/r", "omit https://"),
        ("s3cret://h/r", "omit SCHEME://"),
        ("u:p@h/r", "omit USER@: credentials stand elsewhere"),
        ("h", "write REGISTRY/REPOSITORY[:TAG]"),
        ("h/Zones", "repositories are lower case: zones"),
        ("h/a b", ""),
    ],
)
def test_hints(text: str, hint: str) -> None:
    """The message says why, the hint what to write; both are in the text of the error."""
    with pytest.raises(BadReferenceError) as caught:
        Reference.parse(text)
    assert caught.value.hint == hint
    assert str(caught.value) == caught.value.message + (f" ({hint})" if hint else "")


@pytest.mark.parametrize("text", ["u:s3cret@h/r", "https://u:s3cret@h/r", "s3cret://h/r"])
def test_no_password_in_a_message(text: str) -> None:
    """What may be a password is not repeated."""
    with pytest.raises(BadReferenceError) as caught:
        Reference.parse(text)
    assert "s3cret" not in str(caught.value)


COMPONENT = st.from_regex(r"[a-z0-9]+((\.|_|__|-{1,3})[a-z0-9]+){0,3}", fullmatch=True)
HOST = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,10}[A-Za-z0-9])?(:[0-9]{1,4})?", fullmatch=True)


@settings(max_examples=80, deadline=None)
@given(
    registry=HOST,
    repository=st.lists(COMPONENT, min_size=1, max_size=4).map("/".join),
    tail=st.one_of(
        st.from_regex(r":[A-Za-z0-9_][A-Za-z0-9._-]{0,20}", fullmatch=True),
        st.from_regex(r"@sha256:[0-9a-f]{64}", fullmatch=True),
    ),
)
def test_every_reference_parses_back(registry: str, repository: str, tail: str) -> None:
    """str() of a reference is the reference."""
    text = f"{registry}/{repository}{tail}"
    assert str(Reference.parse(text)) == text


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet="ab-_./:@[]09A ", max_size=40))
def test_any_text_is_a_reference_or_refused(text: str) -> None:
    """No other error, and what is accepted has the distribution spec's repository grammar."""
    try:
        found = Reference.parse(text)
    except BadReferenceError:
        return
    grammar = r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*"
    assert re.fullmatch(grammar, found.repository)
    assert (found.tag is None) != (found.digest is None)


def test_long_repositories_are_matched_in_linear_time() -> None:
    """The spec's own expression backtracks for ever on these."""
    with pytest.raises(BadReferenceError) as caught:
        Reference.parse("h/" + "a" * 50_000 + "!")
    assert len(str(caught.value)) < 200
