"""answer.route: longest key, longest zone, and DS at the parent."""

from __future__ import annotations

import pytest

from ocizone.answer.blocks import Block, NotReady
from ocizone.answer.route import route
from ocizone.wire.name import from_text, to_text
from tests.zonebuilder import block

NONE = NotReady("test")
BLOCKS: dict[bytes, Block] = {
    served.keys[0]: served
    for served in (
        block("org.", {"org.": NONE, "deep.example.org.": NONE}),
        block("example.org.", {"example.org.": NONE, "b.example.org.": NONE}),
        block("empty.org.", {}),
        block("child.example.org.", {"child.example.org.": NONE}),
    )
}


@pytest.mark.parametrize(
    ("name", "qtype", "key", "apex"),
    [
        ("org.", 1, "org.", "org."),
        ("x.org.", 1, "org.", "org."),
        ("example.org.", 1, "example.org.", "example.org."),
        ("a.b.c.example.org.", 1, "example.org.", "example.org."),
        ("a.b.example.org.", 1, "example.org.", "b.example.org."),
        # The longest key decides, even when another block has the longer zone.
        ("deep.example.org.", 1, "example.org.", "example.org."),
        ("xexample.org.", 1, "org.", "org."),
        ("x.empty.org.", 1, "empty.org.", None),
        ("net.", 1, None, None),
        (".", 1, None, None),
        # RFC 4035 3.1.4.1.
        ("example.org.", 43, "org.", "org."),
        ("b.example.org.", 43, "example.org.", "example.org."),
        ("child.example.org.", 43, "example.org.", "example.org."),
        ("x.child.example.org.", 43, "child.example.org.", "child.example.org."),
        # No parent is served here: the child says what it knows.
        ("org.", 43, "org.", "org."),
    ],
)
def test_route(name: str, qtype: int, key: str | None, apex: str | None) -> None:
    """Longest match, label by label; DS goes to the parent where it is served."""
    found = route(BLOCKS, from_text(name), qtype)
    assert (found.block and to_text(found.block.keys[0])) == key
    assert (found.apex and to_text(found.apex)) == apex
    assert (found.zone is None) == (apex is None)


def test_root_zone() -> None:
    """The root has no parent to ask for its DS, and takes all that nobody else has."""
    blocks = {b"\x00": block(".", {".": NONE})}
    for name, qtype in ((".", 43), (".", 1), ("a.b.", 1), ("a.", 43)):
        assert route(blocks, from_text(name), qtype).apex == b"\x00"
