"""Single arguments: durations, addresses, numbers, zones."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocizone.corefile.arguments import (
    address,
    duration,
    number,
    parse_duration,
    regexp,
    zones,
)
from ocizone.corefile.directive import BadArgumentError, Given
from ocizone.corefile.lexer import Token
from ocizone.corefile.report import Report


def words(*texts: str) -> Given:
    tokens = tuple(Token(text, "F", 1, 1, 0) for text in texts)
    return Given("x", Token("x", "F", 1, 1, 0), tokens, Report())


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("+0", 0.0),
        ("-0", 0.0),
        ("5s", 5.0),
        ("300ms", 0.3),
        ("1.5h", 5400.0),
        ("2h45m", 9900.0),
        ("-2s", -2.0),
        ("+2s", 2.0),
        (".5s", 0.5),
        ("1.s", 1.0),
        ("1us", 1e-6),
        ("1\u00b5s", 1e-6),
        ("1\u03bcs", 1e-6),
        ("1ns", 1e-9),
        ("1m1s1ms", 61.001),
    ],
)
def test_durations(text: str, seconds: float) -> None:
    """Go's time.ParseDuration."""
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", 'time: invalid duration ""'),
        ("-", 'time: invalid duration "-"'),
        ("s", 'time: invalid duration "s"'),
        (".s", 'time: invalid duration ".s"'),
        ("1h s", 'time: unknown unit "h s" in duration "1h s"'),
        ("30", 'time: missing unit in duration "30"'),
        ("1.5", 'time: missing unit in duration "1.5"'),
        ("1d", 'time: unknown unit "d" in duration "1d"'),
        ("1S", 'time: unknown unit "S" in duration "1S"'),
        ("--1s", 'time: invalid duration "--1s"'),
        ("+-1s", 'time: invalid duration "+-1s"'),
        ("\u0661s", 'time: invalid duration "\u0661s"'),
        ("9223372037s", 'time: invalid duration "9223372037s"'),
    ],
)
def test_durations_refused(text: str, message: str) -> None:
    """Go's words."""
    with pytest.raises(ValueError, match=r"^time: ") as caught:
        parse_duration(text)
    assert str(caught.value) == message


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 10**6), st.sampled_from(["h", "m", "s", "ms", "us"])),
        min_size=1,
        max_size=4,
    )
)
def test_durations_add_up(parts: list[tuple[int, str]]) -> None:
    """A duration is the sum of its parts."""
    unit: dict[str, int | Decimal] = {
        "h": 3600,
        "m": 60,
        "s": 1,
        "ms": Decimal("0.001"),
        "us": Decimal("0.000001"),
    }
    expected = sum((count * Decimal(unit[name]) for count, name in parts), Decimal(0))
    if expected < 2**33:
        assert parse_duration("".join(f"{count}{name}" for count, name in parts)) == float(expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (":8080", ("", 8080)),
        ("localhost:9153", ("127.0.0.1", 9153)),
        ("192.0.2.1:0", ("192.0.2.1", 0)),
        ("[::1]:80", ("::1", 80)),
        ("[]:80", ("", 80)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    """HOST:PORT as net.SplitHostPort has it."""
    assert address(words(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("8080", "address 8080: missing port in address"),
        ("::1:80", "address ::1:80: too many colons in address"),
        ("localhost:http", "address localhost:http: invalid port"),
        (":65536", "address :65536: invalid port"),
        (":", "address :: invalid port"),
        ("ns1.example.org:80", "address ns1.example.org:80: not an IP address"),
    ],
)
def test_addresses_refused(text: str, message: str) -> None:
    """Names are refused: resolving one would need the network."""
    with pytest.raises(BadArgumentError) as caught:
        address(words(text))
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("parse", "text", "message"),
    [
        (number(1, 9), "0", "'0' is not a number from 1 to 9"),
        (number(1, 9), "10", "'10' is not a number from 1 to 9"),
        (number(1, 9), "x", "'x' is not a number from 1 to 9"),
        (number(1, 9), "\u0661", "'\u0661' is not a number from 1 to 9"),
        (number(1, 9), "9" * 5000, f"'{'9' * 120}...' is not a number from 1 to 9"),
        (duration, "-1s", "invalid duration: -1s"),
        (duration, "30", 'time: missing unit in duration "30"'),
        (regexp, "(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=a`"),
        (zones, "a..b", "zone is not a valid domain name: a..b"),
    ],
)
def test_refused(parse: Callable[[Given], object], text: str, message: str) -> None:
    """Each says what stands there and what should."""
    with pytest.raises(BadArgumentError) as caught:
        parse(words(text))
    assert str(caught.value) == message


def test_accepted() -> None:
    """Numbers, durations and zones."""
    assert number(1, 9)(words("9")) == 9
    assert duration(words("1m")) == 60.0
    assert zones(words("A.", "10.0.0.0/8", "a")) == (
        b"\x01a\x00",
        b"\x0210\x07in-addr\x04arpa\x00",
    )
