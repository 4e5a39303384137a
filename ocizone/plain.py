"""Dataclasses as plain values, ready for JSON: what ``dataclasses.asdict`` gives, in a tenth of the time.

A deployment of 10,000 zones is written down several times before it is served. Nothing is copied that
cannot change. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import StrEnum
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

_SCALARS: Final = frozenset({str, int, float, bool, NoneType})
_Maker = Callable[[Any], Any]
_MAKERS: Final[dict[type, _Maker]] = {}


def plain(value: Any) -> Any:
    """Return a value with every dataclass in it as a dict; lists, tuples and dicts stay what they are."""
    maker = _MAKERS.get(type(value))
    if maker is None:
        maker = _MAKERS[type(value)] = _maker(type(value))
    return maker(value)


def _maker(kind: type) -> _Maker:
    if kind in {list, tuple}:
        return lambda value: kind(map(plain, value))
    if kind is dict:
        return lambda value: {key: plain(one) for key, one in value.items()}
    if is_dataclass(kind):
        return _of_dataclass(kind)
    return _itself


def _itself(value: Any) -> Any:
    return value


def _of_dataclass(kind: Any) -> _Maker:
    names = tuple(one.name for one in fields(kind))
    if len(names) > 1 and all(map(_is_flat, get_type_hints(kind).values())):
        values = attrgetter(*names)
        return lambda value: dict(zip(names, values(value), strict=True))
    return lambda value: {name: plain(getattr(value, name)) for name in names}


def _is_flat(hint: Any) -> bool:
    """Tell whether what has this annotation is a value of JSON already."""
    if get_origin(hint) in {Union, UnionType}:
        return all(map(_is_flat, get_args(hint)))
    is_enum = isinstance(hint, type) and issubclass(hint, StrEnum)
    return hint in _SCALARS or is_enum or get_origin(hint) is Literal
