"""Properties of ``oci`` about when it looks, which tag it looks at, and how often it tries.

Values only: follow.schedule makes ticks of them, registry.tagrule chooses the tag.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cronsim import CronSim, CronSimError

from ocizone import limits
from ocizone.corefile.arguments import duration, number, parse_duration
from ocizone.corefile.directive import BadArgumentError, Given, Property, Use
from ocizone.corefile.lexer import Token
from ocizone.plugins.artifact import Startup
from ocizone.registry.tagrule import BadRangeError, TagRule

DEFAULT_INTERVAL: Final = "3600"
_INTEGER: Final = re.compile(r"[+-]?[0-9]+")
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")
_NICKNAMES: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}
_CRON_HINT: Final = (
    "write minute, hour, day of month, month and day of week, @hourly, @daily, @weekly, @monthly,"
    " or @every DURATION"
)
# Any moment: whether an expression ever comes does not depend on the time of day.
_SOME_DAY: Final = datetime(2026, 1, 1, tzinfo=UTC)


def seconds(written: str) -> float | None:
    """Return seconds of ``60`` or ``1m``; None for what is neither."""
    if _INTEGER.fullmatch(written):
        # Any integer of more digits than this is over the maximum; int() has a limit of its own.
        digits = written.lstrip("+-").lstrip("0") or "0"
        value = float(int(digits[:12]))
        return -value if written.startswith("-") else value
    try:
        return parse_duration(written)
    except ValueError:
        return None


def percent(given: Given) -> float:
    """Return a fraction of ``N%``, 0 to 1."""
    match = _PERCENT.fullmatch(given.text)
    if match is None or float(match[1]) > 100:
        raise BadArgumentError(
            f"'{given.words[0].shown}' is not a percentage", "write it as 10%", rule="out-of-range"
        )
    return float(match[1]) / 100


def _interval(given: Given) -> float:
    """Return seconds. What CoreDNS ignores (``abc``, ``0``, ``-5``) is ignored with a warning."""
    found = seconds(given.text)
    if found is None or found <= 0:
        given.warn(
            "bad-interval",
            f"interval '{given.words[0].shown}' is not a positive number of seconds or a duration:"
            f" the default of {DEFAULT_INTERVAL}s is used",
        )
        return float(DEFAULT_INTERVAL)
    return _bounded(given, given.words[0].shown, found)


def _bounded(given: Given, shown: str, found: float) -> float:
    if found < limits.MINIMUM_INTERVAL_S:
        given.warn(
            "interval-raised",
            f"interval {shown} is raised to the minimum of {limits.MINIMUM_INTERVAL_S:g}s",
        )
        return limits.MINIMUM_INTERVAL_S
    if found > limits.MAXIMUM_INTERVAL_S:
        given.warn("interval-lowered", f"interval {shown} is lowered to one year")
        return limits.MAXIMUM_INTERVAL_S
    return found


def _cron(given: Given) -> str | float:
    """Return five checked fields, or the seconds of ``@every``."""
    text = " ".join(word for token in given.words for word in token.text.split())
    name, _, rest = text.partition(" ")
    if name == "@every":
        every = seconds(rest)
        if every is None or every <= 0:
            raise _bad_cron(given, "@every needs a duration such as 10m")
        return _bounded(given, _shown(given), every)
    if text.startswith("@") and text not in _NICKNAMES:
        raise _bad_cron(given, "no such name")
    text = _NICKNAMES.get(text, text)
    if len(text.split()) != 5:
        raise _bad_cron(given, f"five fields are needed, here are {len(text.split())}")
    try:
        next(CronSim(text, _SOME_DAY))
    except CronSimError as error:
        raise _bad_cron(given, str(error)[:1].lower() + str(error)[1:]) from error
    except StopIteration as error:
        raise _bad_cron(given, "such a day never comes") from error
    return text


def _bad_cron(given: Given, why: str) -> BadArgumentError:
    return BadArgumentError(f"invalid cron expression '{_shown(given)}': {why}", _CRON_HINT)


def _shown(given: Given) -> str:
    return " ".join(token.shown for token in given.words)[: limits.SHOWN_CHARACTERS]


def _startup(given: Given) -> Startup:
    words = given.words[1:]
    match given.text, len(words):
        case "immediate" | "skip" as kind, 0:
            return Startup(kind)
        case "jitter", 0:
            return Startup("jitter")
        case "jitter", 1:
            return Startup("jitter", duration(given.over(words)))
        case "immediate" | "skip" as kind, _:
            raise BadArgumentError(f"startup {kind} takes no argument", at=words[0])
        case _:
            raise BadArgumentError(
                f"startup '{given.words[0].shown}' is none of immediate, jitter and skip"
            )


def _jitter(given: Given) -> float:
    found = percent(given)
    if found > limits.MOST_JITTER:
        raise BadArgumentError(
            f"jitter {given.words[0].shown} is more than {limits.MOST_JITTER:.0%}",
            rule="out-of-range",
        )
    return found


def _semver(given: Given) -> tuple[Token, str]:
    text = " ".join(word for token in given.words for word in token.text.split())
    try:
        TagRule(text)
    except BadRangeError as error:
        raise BadArgumentError(
            f"semver '{_shown(given)}' is {error}",
            'quote it, as in semver ">=1.2 <2"',
            rule="bad-range",
        ) from error
    return given.name, text


def flag(given: Given) -> bool:
    """Return whether a property is on: it is there, alone or with ``true`` or ``false``."""
    if not given.words or given.text == "true":
        return True
    if given.text == "false":
        return False
    raise BadArgumentError(
        f"{given.name.text} '{given.words[0].shown}' is neither true nor false",
        f"write '{given.name.text}' alone to turn it on",
    )


def _retries(given: Given) -> tuple[int, float]:
    """Return attempts in all, and seconds between two of them."""
    again = number(0, limits.MOST_ATTEMPTS - 1)(given)
    if len(given.words) == 1:
        return again + 1, limits.BACKOFF_S
    wait = duration(given.over(given.words[1:]))
    if wait > limits.MOST_BACKOFF_S:
        raise BadArgumentError(
            f"retries: a wait of {given.words[1].shown} is more than an hour",
            rule="out-of-range",
            at=given.words[1],
        )
    return again + 1, wait


def _timeout(given: Given) -> float:
    found = duration(given)
    if not limits.LEAST_ATTEMPT_DEADLINE_S <= found <= limits.MOST_ATTEMPT_DEADLINE_S:
        raise BadArgumentError(
            f"timeout {given.words[0].shown} is not between 1s and 1h", rule="out-of-range"
        )
    return found


INTERVAL = Property(
    "interval",
    "SECONDS|DURATION",
    _interval,
    "Time between looks at the tag, at least 5 seconds, at most a year.",
    default=DEFAULT_INTERVAL,
)
CRON = Property(
    "cron",
    "EXPR",
    _cron,
    "Looks at the times of a cron expression of five fields, in UTC, instead of `interval`; also"
    " `@hourly`, `@daily`, `@weekly`, `@monthly` and `@every DURATION`.",
    most=None,
)
STARTUP = Property(
    "startup",
    "immediate|jitter [MAX]|skip",
    _startup,
    "The first look: at once; at a random moment within MAX, or one interval without it; or at the"
    " first regular time, if a version is there from before.",
    default="immediate",
    most=2,
)
JITTER = Property(
    "jitter",
    "N%",
    _jitter,
    "Each look comes later by a random part of the interval, up to so much (at most 50%): a fleet"
    " does not look at one moment.",
    default="0%",
)
SEMVER = Property(
    "semver",
    "RANGE...",
    _semver,
    'Follow the newest tag with a version in RANGE, such as `">=1.2 <2"`, instead of one tag.',
    most=None,
)
SUSPEND = Property(
    "suspend",
    "[true|false]",
    flag,
    "No looks; what is served stays.",
    default="false",
    least=0,
)
RETRIES = Property(
    "retries",
    "N [DURATION]",
    _retries,
    "How often a look that failed is tried again, and after how long.",
    default=f"{limits.ATTEMPTS - 1} {limits.BACKOFF_S:.0f}s",
    most=2,
)
TIMEOUT = Property(
    "timeout",
    "DURATION",
    _timeout,
    "How long one try may take, from 1s to 1h.",
    default=f"{limits.ATTEMPT_DEADLINE_S:.0f}s",
)
SCHEDULE: Final = (INTERVAL, CRON, STARTUP, JITTER, SEMVER, SUSPEND, RETRIES, TIMEOUT)


@dataclass(frozen=True, slots=True)
class Timing:
    """When to look: ``cron`` is "" for ``interval_s``."""

    interval_s: float
    cron: str


def timing(use: Use) -> Timing:
    """Return what the block says of the time between looks.

    Raises:
        BadArgumentError: it says two things.
    """
    cron = use.last(CRON)
    if cron is None:
        return Timing(use.value(INTERVAL), "")
    given = [one.token for one in use.settings if one.declared is INTERVAL]
    if given:
        raise BadArgumentError(
            "interval and cron exclude one another", rule="schedule-twice", at=given[-1]
        )
    if isinstance(cron, float):
        return Timing(cron, "")
    return Timing(float(DEFAULT_INTERVAL), cron)
