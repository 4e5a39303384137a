"""JSON from strangers (RFC 8259), read so that two readers cannot see two documents.

Refused beyond bad syntax: anything but UTF-8, duplicate keys (CVE-2021-41190's family), NaN and
Infinity, numbers of absurd length, nesting beyond the limit, lone surrogates. Pure.
"""

from __future__ import annotations

import json
import re

from ocizone import limits

# Strings first, so that brackets inside them do not count. An unclosed one runs to the end: were
# it no match, the scan would begin again at each quote inside it and take quadratic time.
_STRUCTURE = re.compile(r'"(?:[^"\\]|\\.?)*"?|[\[\]{}]', re.DOTALL)


class BadJSONError(ValueError):
    """The bytes are not JSON we are ready to read; the message says why."""


def read_json(raw: bytes) -> object:
    """Return the document as dicts, lists, strings, ints, floats, bools and None.

    Raises:
        BadJSONError: it is not strict JSON, or nested deeper than MANIFEST_JSON_DEPTH.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadJSONError(f"not UTF-8 at octet {error.start}") from error
    _check_depth(text)
    try:
        document: object = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
        # Escapes such as \ud800 make strings nothing can print or store.
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except json.JSONDecodeError as error:
        raise BadJSONError(f"not JSON: {error.msg} at character {error.pos}") from error
    except UnicodeEncodeError as error:
        raise BadJSONError("a string holds half a surrogate pair") from error
    except ValueError as error:
        # int() refuses more than 4,300 digits.
        raise BadJSONError(str(error)) from error
    return document


def _check_depth(text: str) -> None:
    """Bound the nesting first: json's parser recurses."""
    depth = 0
    for match in _STRUCTURE.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > limits.MANIFEST_JSON_DEPTH:
                raise BadJSONError(f"nested deeper than {limits.MANIFEST_JSON_DEPTH}")
        elif mark in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise BadJSONError("the same key twice in one object")
    return document


def _no_constant(name: str) -> object:
    raise BadJSONError(f"{name} is not JSON")
