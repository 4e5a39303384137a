"""The ``errors`` directive: one line for each SERVFAIL, similar ones consolidated.

A consolidated error is counted, and after the rule's period one line says how many there were.
Not here: bugs, which are logged with a traceback whether the block asks or not (observe.bugs).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from twisted.internet.interfaces import IReactorTime

from ocizone.plugins.errors import Consolidate, Errors

#: Writes one line at a level: debug, info, warning or error.
Say = Callable[[str, str], None]


class ErrorLog:
    """One block's error log."""

    def __init__(self, directive: Errors, clock: IReactorTime, say: Say) -> None:
        self._rules = [(re.compile(rule.regexp), rule) for rule in directive.consolidate]
        self._clock = clock
        self._say = say
        self._counts: Counter[int] = Counter()

    def error(self, rcode: int, qname: str, qtype: str, text: str) -> None:
        """Log one error, or count it towards the first rule that matches its text."""
        line = f"plugin/errors: {rcode} {qname} {qtype}: {text}"
        for number, (pattern, rule) in enumerate(self._rules):
            if pattern.search(text):
                self._consolidate(number, rule, line)
                return
        self._say("error", line)

    def _consolidate(self, number: int, rule: Consolidate, line: str) -> None:
        if not self._counts[number]:
            self._clock.callLater(rule.period_s, self._report, number, rule)
            if rule.show_first:
                self._say(rule.level, line)
        self._counts[number] += 1

    def _report(self, number: int, rule: Consolidate) -> None:
        count = self._counts.pop(number)
        # With show_first the first one had its own line.
        if count > rule.show_first:
            self._say(
                rule.level,
                f"plugin/errors: {count} errors like '{rule.regexp}' occurred in last"
                f" {rule.period_s:g}s",
            )
