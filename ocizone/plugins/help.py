"""What `ocizone help NAME` prints about a directive: its declaration, in words."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from ocizone.corefile.directive import Declaration, Property
from ocizone.corefile.report import did_you_mean
from ocizone.plugins.directives import DECLARATIONS
from ocizone.plugins.others import OTHERS

_WIDTH = 80


def help_text(name: str) -> str:
    """Return what a directive is and how it is written, as plain text.

    For a directive of CoreDNS that does not work here: what becomes of it, and why.

    Raises:
        LookupError: nobody knows the directive; the message names a near one.
    """
    for declared in DECLARATIONS:
        if declared.name == name:
            return _text(declared)
    if name in OTHERS:
        verdict = OTHERS[name]
        return "\n".join(filter(None, [verdict.message(name), verdict.hint])) + "\n"
    hint = did_you_mean(name, [declared.name for declared in DECLARATIONS] + list(OTHERS))
    raise LookupError(f"Unknown directive '{name}'" + (f" ({hint})" if hint else ""))


def _text(declared: Declaration) -> str:
    lines = [declared.synopsis, "", *textwrap.wrap(_plain(declared.summary), _WIDTH)]
    for argument in declared.arguments:
        lines += ["", f"  {argument.name}", *_wrapped(argument.doc, argument.default)]
    for one in declared.properties:
        lines += ["", *_property(one, "  ")]
        for inner in one.properties:
            lines += ["", *_property(inner, "      ")]
    return "\n".join(lines) + "\n"


def _property(declared: Property[Any], margin: str) -> list[str]:
    head = f"{margin}{declared.name} {declared.takes}".rstrip()
    return [head, *_wrapped(declared.doc, declared.default or "", margin)]


def _wrapped(doc: str, default: str, margin: str = "  ") -> list[str]:
    text = _plain(doc) + (f" Default: {default}" if default else "")
    indent = margin + "    "
    return textwrap.wrap(text, _WIDTH, initial_indent=indent, subsequent_indent=indent)


def _plain(text: str) -> str:
    """Return the text without Markdown's marks for code and names."""
    return re.sub(r"\*(\w+)\*", r"\1", text).replace("`", "")
