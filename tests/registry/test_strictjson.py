"""strictjson: what is read, and what is refused."""

from __future__ import annotations

import contextlib
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocizone import limits
from ocizone.registry.strictjson import BadJSONError, read_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda children: (
        st.lists(children, max_size=4)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), children, max_size=4)
    ),
    max_leaves=20,
)


@given(JSON)
def test_what_json_writes_is_read(document: object) -> None:
    """RFC 8259 documents come back as they were."""
    assert read_json(json.dumps(document).encode()) == document


@given(st.binary(max_size=64))
def test_any_bytes_read_or_refused(raw: bytes) -> None:
    """Nothing but BadJSONError is raised, whatever the bytes."""
    with contextlib.suppress(BadJSONError):
        read_json(raw)


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"a":1,}', "not JSON"),
        (b'{"a":1} x', "not JSON"),
        (b"404 page not found\n", "not JSON"),
        (b"\xff\xfe{\x00}\x00", "not UTF-8"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b'{"a":1,"a":2}', "same key twice"),
        (b'[{"b":{"a":1,"a":1}}]', "same key twice"),
        (b"NaN", "NaN"),
        (b'{"size":-Infinity}', "-Infinity"),
        (b"9" * 5000, "digits"),
        (rb'"\ud800"', "surrogate"),
        (rb'{"\udfff":1}', "surrogate"),
        (b"[" * 33 + b"]" * 33, "nested"),
        (b"[" * 100_000, "nested"),
        (b'{"a":' * 100_000, "nested"),
        (b'"' + b"\\" * 100_001, "not JSON"),
    ],
)
def test_refused(raw: bytes, why: str) -> None:
    with pytest.raises(BadJSONError, match=why):
        read_json(raw)


def test_depth_counts_brackets_outside_strings_only() -> None:
    """A title full of brackets is no nesting; the limit itself is allowed."""
    assert read_json(b'"' + b"[" * 100 + b'"') == "[" * 100
    assert read_json(rb'"\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["')
    deepest = b"[" * limits.MANIFEST_JSON_DEPTH + b"]" * limits.MANIFEST_JSON_DEPTH
    read_json(deepest)


def test_largest_hostile_manifest_is_read_in_bounded_time() -> None:
    """4 MiB of the costliest kind ends in seconds: no quadratic scan."""
    start = time.process_time()
    with pytest.raises(BadJSONError):
        read_json(b"[" + b"[],{}," * (limits.MANIFEST_OCTETS // 6))
    with pytest.raises(BadJSONError):
        read_json(b'"\\' * (limits.MANIFEST_OCTETS // 2))
    assert time.process_time() - start < 10
