"""YAML to a tree of plain values with places: no tags, no anchors, bounded depth.

Built from parser events, so that nothing is expanded or constructed: every scalar stays the
text it was written as (``no`` is no boolean, ``1:30`` no number). Not here: what zones mean by it.
"""

from __future__ import annotations

from dataclasses import dataclass

import yaml

from ocizone.findings import shown
from ocizone.limits import YAML_DEPTH, YAML_OCTETS


class YamlError(Exception):
    """The text is no YAML we take: where, and what and how to help."""

    def __init__(self, line: int, column: int, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.line = line
        self.column = column
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Scalar:
    """Text, as written; ``plain`` when it stood without quotes."""

    text: str
    plain: bool
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Sequence:
    """A list."""

    items: list[Value]
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping in the order written; duplicate keys are refused while reading."""

    entries: dict[str, tuple[Scalar, Value]]
    line: int
    column: int


Value = Scalar | Sequence | Mapping


def read_tree(data: bytes) -> Value | None:
    """Return the one document in these octets, None when there is none.

    Raises:
        YamlError: it is no YAML, or uses what is not taken here.
    """
    if len(data) > YAML_OCTETS:
        raise YamlError(0, 0, f"YAML over {YAML_OCTETS} octets")
    try:
        events = _Events(data)
        return events.document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise YamlError(line, column, f"no YAML: {shown(error.problem or 'bad syntax')}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise YamlError(0, 0, f"no YAML: {shown(str(error).splitlines()[0])}") from error


class _Events:
    """The parser's events, one ahead."""

    def __init__(self, data: bytes) -> None:
        # libyaml's parser where PyYAML was built with it: ten times faster, the same events.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events = yaml.parse(data, Loader=loader)

    def document(self) -> Value | None:
        tree: Value | None = None
        documents = 0
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _error(event, "a second document", "one file is one zone")
                tree = self._value(next(self._events), 0)
        return tree

    def _value(self, event: yaml.Event, depth: int) -> Value:
        line, column = _place(event)
        if depth > YAML_DEPTH:
            raise _error(event, f"nested deeper than {YAML_DEPTH}")
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _error(event, "anchors and aliases are not taken", "write the value out")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            raise _error(event, f"the tag {shown(str(tag))} is not taken")
        if isinstance(event, yaml.ScalarEvent):
            return Scalar(event.value, event.style is None, line, column)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := next(self._events), yaml.SequenceEndEvent):
                items.append(self._value(inner, depth + 1))
            return Sequence(items, line, column)
        return Mapping(self._entries(depth + 1), line, column)

    def _entries(self, depth: int) -> dict[str, tuple[Scalar, Value]]:
        entries: dict[str, tuple[Scalar, Value]] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth)
            if not isinstance(key, Scalar):
                raise _error(event, "a key is text")
            if key.text in entries:
                first = entries[key.text][0]
                raise _error(
                    event,
                    f"the key {shown(key.text)!r} again; the first is in line {first.line}",
                    "put several records of one name into one list",
                )
            entries[key.text] = (key, self._value(next(self._events), depth))
        return entries


def _place(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (0, 0)


def _error(event: yaml.Event, message: str, hint: str = "") -> YamlError:
    return YamlError(*_place(event), message, hint)
