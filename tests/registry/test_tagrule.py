"""Which tag a range picks: npm's ranges, semver.org's precedence."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.registry.tagrule import BadRangeError, TagRule, choose_tag, is_referrer_tag

HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
TAGS: list[str] = [
    "latest",
    "1.0.0",
    "v1.1.0",
    "1.2.0",
    "1.2.1",
    "1.9.9",
    "1.10.0",
    "2.0.0-alpha.1",
    "2.0.0-rc.2",
    "2.0.0-rc.10",
    "2.0.0",
    "2.1.0-beta",
    "3.0.0_b2",
    "prod",
    "1.2",
    "v9",
    "01.0.0",
    "99.99",
]


@pytest.mark.parametrize(
    ("text", "picked"),
    [
        (">=1.2 <2", "1.10.0"),
        (">= 1.2  < 2", "1.10.0"),
        (">=v1.2 <v2", "1.10.0"),
        ("^1.0", "1.10.0"),
        ("~1.2", "1.2.1"),
        ("1.2.x", "1.2.1"),
        ("1.2", "1.2.1"),
        ("v1.2", "1.2.1"),
        ("1.0.0 - 1.2.0", "1.2.0"),
        ("<1.2", "v1.1.0"),
        ("~1.0 || ~1.2", "1.2.1"),
        ("=1.0.0", "1.0.0"),
        ("*", "3.0.0_b2"),
        (">=4", None),
        ("<=2.0.0", "2.0.0"),
        # --- A pre-release only for who names one of the same three numbers -------------------
        ("<2.0.0", "1.10.0"),
        (">=2.0.0-alpha <2.0.0", "2.0.0-rc.10"),
        (">2.0.0 <3", None),
        (">=2.1.0-0 <3", "2.1.0-beta"),
        (">=2.0.0-alpha <2", None),
        ("<=2.0.0-rc.5", "2.0.0-rc.2"),
        ("2.0.0-rc.2", "2.0.0-rc.2"),
        (">2.0.0-rc.2 <2.0.0", "2.0.0-rc.10"),
        ("^2.0.0-rc.1", "2.0.0"),
        # --- The parts that are missing ----------------------------------------------------------
        (">1.2", "3.0.0_b2"),
        (">1", "3.0.0_b2"),
        (">3.0", None),
        ("<=1", "1.10.0"),
        ("<=1.2", "1.2.1"),
        ("<2", "1.10.0"),
        ("<1", None),
        (">=1.9.x <1.10", "1.9.9"),
        ("~1", "1.10.0"),
        ("~1.2.0", "1.2.1"),
        ("~1.2.2", None),
        ("1.2 - 1.9", "1.9.9"),
        ("1.2 - 1", "1.10.0"),
        ("=1.2.x", "1.2.1"),
        ("1.x.7", "1.10.0"),
        ("^x", "3.0.0_b2"),
        # --- Build metadata says nothing of precedence ----------------------------------------
        ("3.x", "3.0.0_b2"),
        ("3.0.0+other", "3.0.0_b2"),
    ],
)
def test_newest_match(text: str, picked: str | None):
    """Numbers count as numbers (1.10 is after 1.9), in whatever order the registry lists them."""
    shuffled = list(TAGS)
    random.Random(text).shuffle(shuffled)
    assert choose_tag(text, shuffled) == picked


@pytest.mark.parametrize(
    "text",
    ["", " ", "newest", "latest", ">=", "<*", ">x", "foo - bar", "- ", "1 - 2 - 3", ">=1.2.3-01",
     "1..2", ">1.0.0-b..1", "1.2.3.4", "9" * 5000, "\u0661.0.0", "1.x ||", "|| 1.x", "1.2-rc",
     ">=1 - <=2", "1 -", ">>1", "1.0.0-" + "9" * 5000],
)  # fmt: skip
def test_what_is_no_range(text: str):
    """It is told, whatever the parser underneath makes of it; without quoting it."""
    with pytest.raises(BadRangeError, match=r"^not a range of versions such as >=1\.2 <2$"):
        TagRule(text)


@pytest.mark.parametrize(
    "tag",
    [
        f"sha256-{HEX}",
        f"sha256-{HEX}.sig",
        f"sha256-{HEX}.att",
        f"sha256-{HEX}.sbom",
        f"sha512-{HEX}{HEX}",
        # Not all numbers, or not a version at all:
        "1.2", "1", "v1", "1.2.3.4", "01.2.3", "1.2.3-01", "1.2.3-", "1.2.3_", "1.2.3-a..b",
        "1.2.3_a_b", "V1.2.3", "vv1.2.3", "release-1.2.3", "1.2.3+b", " 1.2.3", "1.2.3\n",
        "\u0661.2.3", f"1.2.{'3' * 130}", "",
    ],
)  # fmt: skip
def test_what_is_no_version(tag: str):
    """Tags that move, signatures, and what no tag can be are left out."""
    assert choose_tag("*", [tag]) is None
    assert choose_tag("<=99.0.0", [tag]) is None


def test_names_of_digests():
    """A signature's tag is one, a version that looks a little like it is none."""
    assert is_referrer_tag(f"sha256-{HEX}")
    assert is_referrer_tag(f"sha256-{HEX}.sig")
    assert not is_referrer_tag("sha256-1")
    assert not is_referrer_tag("1.0.0-sha256")


@pytest.mark.parametrize(
    "tags",
    [("1.2.0", "v1.2.0"), ("1.2.0_a", "1.2.0_b"), ("1.2.0", "1.2.0_a"), ("v1.2.0", "v1.2.0_z")],
)
def test_ties(tags: tuple[str, ...]):
    """Tags of one version: always the same one, the last."""
    assert choose_tag("1.x", tags) == choose_tag("1.x", tags[::-1]) == tags[-1]


@pytest.mark.parametrize(
    ("text", "bounds"),
    [("^0.2.3", "0.2.3 0.2.9"), ("^0.0.3", "0.0.3 0.0.3"), ("^0.0", "0.0.0 0.0.9"),
     ("^0", "0.0.0 0.9.9"), ("^1.2.3", "1.2.3 1.9.9"), ("^0.0.0", "0.0.0 0.0.0")],
)  # fmt: skip
def test_the_caret(text: str, bounds: str):
    """npm: no change of the leftmost number that is not 0; first and last of what it takes."""
    tags = [f"{a}.{b}.{c}" for a in range(3) for b in range(10) for c in range(10)]
    taken = [tag for tag in tags if choose_tag(text, [tag])]
    assert f"{taken[0]} {taken[-1]}" == bounds


def test_the_order_of_semver_org():
    """semver.org 11.4, its own example."""
    tags = [
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
    ]
    for index, tag in enumerate(tags):
        assert choose_tag(f">=1.0.0-0 <={tag}", tags) == tag
        assert choose_tag(f">=1.0.0-0 <{tag}", tags) == (tags[index - 1] if index else None)


NUMBERS = st.tuples(*[st.integers(0, 30)] * 3)


@settings(max_examples=60)
@given(st.lists(NUMBERS, min_size=1), NUMBERS)
def test_the_order_of_versions(versions: list[tuple[int, int, int]], least: tuple[int, int, int]):
    """semver.org 11.2: the greatest triple not below the bound."""
    tags = [".".join(map(str, one)) for one in versions]
    expected = max((one for one in versions if one >= least), default=None)
    assert choose_tag(">=" + ".".join(map(str, least)), tags) == (
        ".".join(map(str, expected)) if expected else None
    )


@settings(max_examples=200)
@given(st.text(alphabet="0123456789.-_xvV*|<>=^~ab ", max_size=20), st.lists(st.text(max_size=12)))
def test_never_anything_else(text: str, tags: list[str]):
    """Any text is a range or is told to be none; any tags can be chosen from."""
    try:
        rule = TagRule(text)
    except BadRangeError:
        return
    assert rule.choose(tags) in {None, *tags}
