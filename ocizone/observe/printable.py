"""Text of unknown origin as one line that is safe to print. Pure; imports nothing heavy."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Return the text as one line of printable characters; the rest as ``\xNN`` escapes.

    Names and error texts come from the network: a newline or an escape sequence in one must
    not forge a line or drive a terminal.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
        for char in text
    )
