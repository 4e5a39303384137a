"""What an operator may write as a side of a comparison."""

from __future__ import annotations

from pathlib import Path

import pytest

from ocizone.registry.reference import Reference
from ocizone.sides import BadSideError, Files, Served, Stored, Transferred, parse_side

HEX = "6b1f" * 16


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("r.test/dns/zones:prod", Stored(Reference("r.test", "dns/zones", "prod", None))),
        ("r.test/zones", Stored(Reference("r.test", "zones", "latest", None))),
        (f"r.test/z@sha256:{HEX}", Stored(Reference("r.test", "z", "latest", None), "", f"sha256:{HEX}")),
        ("r.test/z:prod@sha256:6b1f", Stored(Reference("r.test", "z", "prod", None), "", "sha256:6b1f")),
        ("prod", Stored(None, "prod")),
        ("v1.2", Stored(None, "v1.2")),
        ("prod@sha256:90aa", Stored(None, "", "sha256:90aa")),
        ("sha256:90aa", Stored(None, "", "sha256:90aa")),
        ("@served", Served()),
        ("@served/r.test/z:prod", Served("r.test/z:prod")),
        ("@192.0.2.53", Transferred("192.0.2.53")),
        ("@ns1.example.org:5353", Transferred("ns1.example.org", 5353)),
        ("@[2001:db8::53]", Transferred("2001:db8::53")),
        ("@[2001:db8::53]:5353", Transferred("2001:db8::53", 5353)),
        ("./prod", Files(Path("prod"))),
        ("/zones", Files(Path("/zones"))),
        (".", Files(Path())),
        ("here", Files(Path("here"))),
        ("some/here", Files(Path("some/here"))),
    ],
)  # fmt: skip
def test_sides(text, side):
    """What exists is a path; else a slash makes a reference of it."""
    assert parse_side(text, exists=lambda path: path.name == "here") == side


@pytest.mark.parametrize(
    "text",
    ["", "-x", "sha256:xyz", "sha256:6b", "prod@sha256:90AA", "r.test/z@sha256:90a", "r.test/UPPER",
     "http://r.test/z", "u:p@r.test/z", "@", "@x/y", "@:53", "@h:99999", "@h:", "@h:x"],
)  # fmt: skip
def test_no_sides(text):
    """Each is told before anything is asked."""
    with pytest.raises(BadSideError):
        parse_side(text, exists=lambda _: False)
