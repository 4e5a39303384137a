r"""Regular expressions as Corefiles write them, Go's RE2, made into Python's.

What RE2 does not know (look-around, back-references, possessive repeats) is refused, so that a
Corefile means the same here and in CoreDNS. What the two spell differently is translated:
``\z``, ``$``, ``\Q...\E``, ``(?<name>``, ``\x{...}``, and the ASCII meaning of ``\d \w \s \b``.
"""

from __future__ import annotations

import re
from typing import Final

from ocizone.limits import COREFILE_REGEXP_CHARACTERS

_GROUP: Final = re.compile(r"\(\?(?:P?<(?P<name>\w+)>|(?P<flags>[ims]*(?:-[ims]+)?)(?P<end>[:)]))")
_HEX: Final = re.compile(r"\\x(?:\{([0-9A-Fa-f]{1,8})\}|([0-9A-Fa-f]{2}))")
_POSSESSIVE: Final = re.compile(r"(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\+")
_ASCII_CLASSES: Final = frozenset("dDwWsSbB")
_PLAIN_ESCAPES: Final = frozenset("aftnrv")


class BadRegexpError(ValueError):
    """The text is no regular expression RE2 would take; the message says why."""


def translate(text: str) -> str:
    """Return a Python pattern that finds what RE2 finds with ``text``.

    Raises:
        BadRegexpError: RE2 refuses it, or it is longer than limits.COREFILE_REGEXP_CHARACTERS.
    """
    if len(text) > COREFILE_REGEXP_CHARACTERS:
        raise BadRegexpError("regexp too large")
    flags, body = _leading_flags(text)
    pattern = _Translation(body, multiline="m" in flags).run()
    if "i" in flags or pattern.needs_ascii:
        flags = "a" + flags
    result = f"(?{flags}){pattern.text}" if flags else pattern.text
    try:
        re.compile(result)
    except (re.error, OverflowError, RecursionError) as error:
        raise BadRegexpError(f"error parsing regexp: {error}") from error
    return result


def _leading_flags(text: str) -> tuple[str, str]:
    """Return flags that stand for the whole expression, and the rest of it."""
    match = re.match(r"\(\?([ims]+)\)", text)
    return ("".join(sorted(set(match[1]))), text[match.end() :]) if match else ("", text)


class _Translation:
    """One pass over the expression. ``text`` and ``needs_ascii`` are the result."""

    def __init__(self, source: str, *, multiline: bool) -> None:
        self._source = source
        self._multiline = multiline
        self._at = 0
        self._out: list[str] = []
        self.needs_ascii = False

    @property
    def text(self) -> str:
        return "".join(self._out)

    def run(self) -> _Translation:
        while self._at < len(self._source):
            character = self._source[self._at]
            if character == "\\":
                self._escape(in_class=False)
            elif character == "[":
                self._class()
            elif self._source.startswith("(?", self._at):
                self._group()
            elif match := _POSSESSIVE.match(self._source, self._at):
                raise BadRegexpError(
                    f"error parsing regexp: invalid nested repetition operator: `{match[0]}`"
                )
            elif character == "$" and not self._multiline:
                # Python's $ also matches before a final newline.
                self._put(r"\Z", 1)
            else:
                self._put(character, 1)
        return self

    def _put(self, text: str, taken: int) -> None:
        self._out.append(text)
        self._at += taken

    def _group(self) -> None:
        match = _GROUP.match(self._source, self._at)
        if match is None:
            shown = self._source[self._at : self._at + 4]
            raise BadRegexpError(
                f"error parsing regexp: invalid or unsupported Perl syntax: `{shown}`"
            )
        if match["name"]:
            self._put(f"(?P<{match['name']}>", len(match[0]))
            return
        if match["end"] == ")":
            raise BadRegexpError(
                f"error parsing regexp: flags in the middle: `{match[0]}`; write (?{match['flags']}:...)"
            )
        if "m" in match["flags"]:
            raise BadRegexpError("error parsing regexp: write (?m) at the start")
        self.needs_ascii = self.needs_ascii or "i" in match["flags"]
        self._put(match[0], len(match[0]))

    def _escape(self, *, in_class: bool) -> None:
        rest = self._source[self._at + 1 : self._at + 2]
        if hexadecimal := _HEX.match(self._source, self._at):
            code = int(hexadecimal[1] or hexadecimal[2], 16)
            if code > 0x10FFFF:
                raise BadRegexpError(
                    f"error parsing regexp: invalid escape sequence: `{hexadecimal[0]}`"
                )
            self._put(f"\\U{code:08x}", len(hexadecimal[0]))
        elif rest == "Q":
            end = self._source.find("\\E", self._at + 2)
            quoted = self._source[self._at + 2 : end if end >= 0 else len(self._source)]
            self._put(re.escape(quoted), len(quoted) + (4 if end >= 0 else 2))
        elif rest in _ASCII_CLASSES and rest and not (in_class and rest in "bB"):
            self.needs_ascii = True
            self._put("\\" + rest, 2)
        elif rest == "z" and not in_class:
            self._put(r"\Z", 2)
        elif (rest == "A" and not in_class) or rest in _PLAIN_ESCAPES or _is_punctuation(rest):
            self._put("\\" + rest, 2)
        else:
            raise BadRegexpError(f"error parsing regexp: invalid escape sequence: `\\{rest}`")

    def _class(self) -> None:
        """Copy a bracketed class; POSIX names are refused, a bare ``[`` in it is text."""
        self._put("[", 1)
        if self._source.startswith("^", self._at):
            self._put("^", 1)
        if self._source.startswith("]", self._at):
            self._put("\\]", 1)
        while self._at < len(self._source) and self._source[self._at] != "]":
            character = self._source[self._at]
            if character == "\\":
                self._escape(in_class=True)
            elif self._source.startswith("[:", self._at):
                raise BadRegexpError(
                    "error parsing regexp: write a POSIX class such as [:alpha:] as a-zA-Z"
                )
            else:
                # Python reserves these in classes (set operations of a later version).
                self._put("\\" + character if character in "[&|~" else character, 1)
        if self._at == len(self._source):
            raise BadRegexpError("error parsing regexp: missing closing ]")
        self._put("]", 1)


def _is_punctuation(character: str) -> bool:
    return (
        character.isascii()
        and character.isprintable()
        and not character.isalnum()
        and character != ""
    )
