"""Tags as people want them listed."""

from __future__ import annotations

import pytest

from ocizone.registry.tagrule import BadRangeError, TagRule
from ocizone.taglist import listed_tags

SIGNATURE = f"sha256-{'a' * 64}.sig"
TAGS = ["latest", "v1.10.0", SIGNATURE, "1.2.0", "v1.9.3", "2.0.0-rc.1", "2.0.0"]


@pytest.mark.parametrize(
    ("semver", "every", "expected"),
    [
        (None, False, ["1.2.0", "2.0.0", "2.0.0-rc.1", "latest", "v1.10.0", "v1.9.3"]),
        (None, True, ["1.2.0", "2.0.0", "2.0.0-rc.1", "latest", SIGNATURE, "v1.10.0", "v1.9.3"]),
        (">=1.2 <2", False, ["v1.10.0", "v1.9.3", "1.2.0"]),
        ("*", False, ["2.0.0", "v1.10.0", "v1.9.3", "1.2.0"]),
        (">=3", False, []),
    ],
)
def test_lists(semver, every, expected):
    """Sorted; of a range the newest first, without signatures unless they are asked for."""
    assert listed_tags(TAGS, semver, every=every) == expected


def test_the_first_is_what_a_block_follows():
    """The same rule decides."""
    assert listed_tags(TAGS, ">=1 <3", every=False)[0] == TagRule(">=1 <3").choose(TAGS)


def test_no_range():
    """The rule says so."""
    with pytest.raises(BadRangeError):
        listed_tags(TAGS, "newest", every=False)
