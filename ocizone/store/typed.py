"""Records as values: every field is what its annotation says, or the record is damaged.

A checksum tells that a record is what was written, not that who wrote it meant what we read: an
earlier version, a restored backup, a hand. One reader for all of them, made from the dataclasses:
``str``, ``int``, ``float``, ``bool``, ``Literal``, enums of text, ``X | None``, ``list``, ``dict``
and ``tuple``, and dataclasses of these. A field that is missing has its default, and must have
one; one that is not known is passed over: a later version may have written it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from ocizone.store.sealed import DamagedError, read_sealed

T = TypeVar("T")
#: Returns the value a JSON value stands for, or raises _WrongError.
_Reader = Callable[[Any], Any]

#: The last second of the year 9999: what no date can tell is no time, and no serial, size or
#: count of a record is larger. -1 stands for "not known".
_NUMBERS: Final = range(-1, 253_402_300_800)


class _WrongError(ValueError):
    """A JSON value is not what is asked for."""


def read_as(kind: type[T], path: Path) -> T | None:
    """Return the value a sealed record holds, None when there is no record.

    Raises:
        DamagedError: it is cut short, altered, or holds something else.
        StoreError: it cannot be read.
    """
    raw = read_sealed(path)
    try:
        return None if raw is None else value_of(kind, raw)
    except DamagedError as error:
        raise DamagedError(f"{path} is damaged: {error}") from error


def value_of(kind: type[T], raw: Any) -> T:
    """Return the dataclass that JSON values stand for (``dataclasses.asdict`` made them).

    Raises:
        DamagedError: they are of something else; the message names the field.
    """
    try:
        found: T = _reader(kind)(raw)
    except _WrongError as error:
        raise DamagedError(str(error)) from error
    return found


_READERS: Final[dict[Any, _Reader]] = {}


def _reader(kind: Any) -> _Reader:
    """Return what reads values of a type; made once a type."""
    found = _READERS.get(kind)
    if found is None:
        found = _READERS[kind] = _made(kind)
    return found


def _made(kind: Any) -> _Reader:
    if is_dataclass(kind):
        return _of_fields(kind)
    arguments = get_args(kind)
    match get_origin(kind):
        case None:
            return _plain(kind)
        case origin if origin is Literal:
            return _one_of(dict.fromkeys(arguments))
        case origin if origin in {Union, UnionType}:
            (inner,) = (one for one in arguments if one is not NoneType)
            read = _reader(inner)
            return lambda raw: None if raw is None else read(raw)
        case origin if origin is dict:
            return _items(_reader(arguments[1]))
        case origin if origin is list:
            return _each(list, _reader(arguments[0]))
        case _:
            if arguments[1:] == (...,):
                return _each(tuple, _reader(arguments[0]))
            return _row([_reader(one) for one in arguments])


def _plain(kind: Any) -> _Reader:
    if issubclass(kind, StrEnum):
        return _one_of({str(one): one for one in kind})
    if kind is int:
        return _whole
    if kind is float:
        return _number

    def read(raw: Any) -> Any:
        if type(raw) is not kind:
            raise _WrongError(f"no {kind.__name__}")
        return raw

    return read


def _whole(raw: Any) -> int:
    if type(raw) is not int or raw not in _NUMBERS:
        raise _WrongError("no number that can be meant")
    return raw


def _number(raw: Any) -> float:
    if type(raw) is int:
        return _whole(raw)
    if type(raw) is not float or not math.isfinite(raw) or int(raw) not in _NUMBERS:
        raise _WrongError("no number that can be meant")
    return raw


def _one_of(known: dict[str, Any]) -> _Reader:
    def read(raw: Any) -> Any:
        if type(raw) is not str or raw not in known:
            raise _WrongError("none of the words it may be")
        return raw if known[raw] is None else known[raw]

    return read


def _each(made: Callable[[list[Any]], Any], read: _Reader) -> _Reader:
    def read_all(raw: Any) -> Any:
        if type(raw) is not list:
            raise _WrongError("no list")
        return made([read(one) for one in raw])

    return read_all


def _row(readers: list[_Reader]) -> _Reader:
    def read(raw: Any) -> Any:
        if type(raw) is not list or len(raw) != len(readers):
            raise _WrongError(f"no list of {len(readers)}")
        return tuple(each(one) for each, one in zip(readers, raw, strict=True))

    return read


def _items(read: _Reader) -> _Reader:
    def read_all(raw: Any) -> Any:
        if type(raw) is not dict:
            raise _WrongError("no object")
        return {name: read(one) for name, one in raw.items()}

    return read_all


def _of_fields(kind: Any) -> _Reader:
    hints = get_type_hints(kind)
    readers = {one.name: _reader(hints[one.name]) for one in fields(kind)}
    required = {
        one.name
        for one in fields(kind)
        if one.default is MISSING and one.default_factory is MISSING
    }

    def read(raw: Any) -> Any:
        if type(raw) is not dict:
            raise _WrongError("no object")
        if not raw.keys() >= required:
            raise _WrongError(f"{min(required - raw.keys())} is missing")
        given = {}
        for name, one in readers.items():
            if name in raw:
                try:
                    given[name] = one(raw[name])
                except _WrongError as error:
                    raise _WrongError(f"{name}: {error}") from error
        return kind(**given)

    return read
