"""Events as lines: one line each, nothing raw, whatever a field holds."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.logger import Logger, LogLevel
from twisted.python.failure import Failure

from ocizone.observe.log import line_of, observer
from ocizone.observe.printable import printable

WHEN = 1_790_000_000.0
HEAD = "2026-09-21T14:13:20Z INFO  "
RAW = re.compile("[\x00-\x1f\x7f-\x9f]")


def lines_of(template: str | None, **fields: Any) -> list[str]:
    return line_of({"log_time": WHEN, "log_format": template, **fields})


@pytest.mark.parametrize(
    ("fields", "shown"),
    [
        ({}, "event"),
        ({"source": "r.test/a", "zones": 3}, "event source=r.test/a zones=3"),
        ({"why": "two words"}, 'event why="two words"'),
        ({"why": 'say "hi" now'}, r'event why="say \"hi\" now"'),
        ({"why": 'a" level=forged'}, r'event why="a\" level=forged"'),
        ({"why": 'a"b'}, r'event why="a\"b"'),
        ({"why": "a\\ b"}, r'event why="a\\ b"'),
        ({"why": ""}, "event"),
        ({"why": None}, "event"),
        ({"count": 0}, "event count=0"),
        ({"name": "a\nERROR forged"}, r'event name="a\nERROR forged"'),
        ({"name": "\x1b[31mred\x9b"}, r"event name=\x1b[31mred\x9b"),
        ({"name": "{0.__class__} %s $x `id`"}, 'event name="{0.__class__} %s $x `id`"'),
        ({"name": "\u202egro\u2028x"}, r'event name="\u202egro\u2028x"'),
        ({"name": "zürich.example"}, "event name=zürich.example"),
        ({"message": ("x",), "time": 1, "isError": 0}, "event"),
    ],
)
def test_fields_follow_the_event(fields, shown):
    """Quoted where a value could be read as more than itself, escaped where it could act."""
    assert lines_of("event", **fields) == [HEAD + shown]


@given(st.text(), st.text())
def test_a_line_is_one_printable_line(event, value):
    """No event and no value makes a second line or a control character."""
    lines = lines_of(event.replace("{", ""), value=value)
    assert len(lines) == 1
    assert not RAW.search(lines[0])
    assert lines[0].isprintable()


@given(st.text())
def test_printable_text_is_left_alone(text):
    """And what was escaped once is printable."""
    assert printable(text) == text or not text.isprintable()
    assert printable(printable(text)) == printable(text)


def test_events_of_twisted_keep_their_form():
    """Their format names their fields; ours never has a brace."""
    assert lines_of("lost {peer}", peer="1.2.3.4\n") == [HEAD + r"lost 1.2.3.4\n"]
    assert lines_of("lost {nosuch!z}")[0].startswith(HEAD)
    assert lines_of(None, log_text="text") == [HEAD + "text"]
    assert lines_of(None, message=("old", "way")) == [HEAD + "old way"]


@pytest.mark.parametrize(
    ("level", "shown"),
    [("debug", "DEBUG"), ("info", "INFO "), ("warn", "WARN "), ("error", "ERROR"), ("critical", "ERROR")],
)  # fmt: skip
def test_levels(level, shown):
    """Five octets each, so that lines stand in columns."""
    (line,) = lines_of("event", log_level=LogLevel.lookupByName(level))
    assert line == f"2026-09-21T14:13:20Z {shown} event"


def test_a_traceback_is_marked_lines():
    """Every line of it carries time and level."""
    try:
        raise ValueError("bad\x1b name")
    except ValueError:
        fault = Failure()
    lines = lines_of("bug", log_failure=fault, log_level=LogLevel.critical)
    assert lines[0] == "2026-09-21T14:13:20Z ERROR bug"
    assert len(lines) > 3
    assert all(line.startswith("2026-09-21T14:13:20Z ERROR | ") for line in lines[1:])
    assert r"bad\x1b name" in lines[-1]


@pytest.mark.parametrize(("debug", "count"), [(False, 2), (True, 3)])
def test_what_is_written(debug, count):
    """Ours from INFO on (or all); Twisted's own talk only when something is wrong."""
    written: list[str] = []
    seen = observer(written.append, debug=debug)
    for namespace in ("ocizone", "twisted.internet.tcp"):
        log = Logger(namespace=namespace, observer=seen)
        log.debug("d")
        log.info("i")
    Logger(namespace="twisted.web", observer=seen).warn("w")
    assert [line.split()[1] for line in written] == ["DEBUG", "INFO", "WARN"][-count:]
