"""Tags as people want them listed: without those of signatures, versions in their order. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key

from ocizone.registry.tagrule import TagRule, is_referrer_tag


def listed_tags(tags: Iterable[str], semver: str | None, *, every: bool) -> list[str]:
    """Return tags to show.

    Args:
        tags: in the registry's order.
        semver: a range: only versions in it, the newest first; None for all tags, sorted.
        every: also tags that name a digest: of signatures, and of what refers to it.

    Raises:
        BadRangeError: the range is none.
    """
    wanted = [tag for tag in tags if every or not is_referrer_tag(tag)]
    if semver is None:
        return sorted(wanted)
    rule = TagRule(semver)
    matching = [tag for tag in wanted if rule.choose([tag]) is not None]

    def newer_first(one: str, other: str) -> int:
        """Ask the rule which of two it would pick."""
        return -1 if rule.choose([one, other]) == one else 1

    return sorted(matching, key=cmp_to_key(newer_first))
