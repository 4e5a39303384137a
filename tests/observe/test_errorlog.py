"""The ``errors`` directive: every error a line, or one line a period (corefile.md 2.8)."""

from __future__ import annotations

import pytest
from twisted.internet.task import Clock

from ocizone.observe.errorlog import ErrorLog
from ocizone.plugins.errors import Consolidate, Errors

HEAD = "plugin/errors: 2 a.org. A: "


class Site:
    def __init__(self, *rules: Consolidate) -> None:
        self.clock = Clock()
        self.lines: list[tuple[str, str]] = []
        self.log = ErrorLog(
            Errors(False, rules), self.clock, lambda level, line: self.lines.append((level, line))
        )

    def error(self, text: str, times: int = 1) -> None:
        for _ in range(times):
            self.log.error(2, "a.org.", "A", text)


def test_without_rules_every_error_is_a_line():
    """RCODE in numbers, then name, type and text."""
    site = Site()
    site.error("why", 2)
    assert site.lines == [("error", f"{HEAD}why")] * 2


def test_similar_errors_become_one_line_a_period():
    """Counted, and told once when the period ends; then it begins anew."""
    site = Site(Consolidate(30, "^no version", "warning", False))
    site.error("no version of a", 3)
    site.error("other")
    assert site.lines == [("error", f"{HEAD}other")]
    site.clock.advance(30)
    told = ("warning", "plugin/errors: 3 errors like '^no version' occurred in last 30s")
    assert site.lines[1:] == [told]
    site.clock.advance(300)
    assert len(site.lines) == 2
    site.error("no version of b")
    site.clock.advance(30)
    assert site.lines[2][1].startswith("plugin/errors: 1 errors like")


def test_the_first_rule_that_matches_counts():
    """In the order of the Corefile; each has its own period."""
    site = Site(Consolidate(10, "a", "info", False), Consolidate(20, ".", "debug", False))
    site.error("a")
    site.error("b")
    site.clock.advance(10)
    assert [level for level, _ in site.lines] == ["info"]
    site.clock.advance(10)
    assert [level for level, _ in site.lines] == ["info", "debug"]


@pytest.mark.parametrize(("times", "told"), [(1, 0), (2, 1), (5, 1)])
def test_show_first_shows_the_first_at_once(times, told):
    """And sums up only when there were more."""
    site = Site(Consolidate(30, ".", "error", True))
    site.error("why", times)
    assert site.lines == [("error", f"{HEAD}why")]
    site.clock.advance(30)
    assert len(site.lines) == 1 + told


def test_a_million_errors_cost_one_timer():
    """A flood of queries for a zone that is not ready yet."""
    site = Site(Consolidate(30, ".", "error", False))
    site.error("why", 10_000)
    assert len(site.clock.getDelayedCalls()) == 1
    assert site.lines == []
