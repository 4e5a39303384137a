"""References: ``registry/repository[:tag][@digest]`` (ORAS rules: no docker.io default).

Grammar (distribution spec "Pulling manifests"; oras-go's registry.Reference)::

    reference  := registry "/" repository [ ":" tag ] [ "@" digest ]
    registry   := host [ ":" port ]          any case
    repository := component { "/" component }
    component  := [a-z0-9]+ ( ( [._] | "__" | "-"* ) [a-z0-9]+ )*
    tag        := [A-Za-z0-9_] [A-Za-z0-9._-]{0,127}
    digest     := "sha256:" 64 lower-case hex digits

With both, the tag is dropped: a digest says everything. With neither, the tag is ``latest``.
Pure: no network, no files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Final

from ocizone.limits import SHOWN_CHARACTERS

DEFAULT_TAG = "latest"

# "-+" where the grammar has "-*": the same names, and no two ways to match one of them.
_COMPONENT: Final = "[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_REPOSITORY: Final = re.compile(f"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG: Final = re.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile("sha256:[0-9a-f]{64}")
_REGISTRY: Final = re.compile(
    r"(?:(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)|\[(?P<ipv6>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
)


class BadReferenceError(ValueError):
    """The text is not a reference; the message says why.

    Attributes:
        hint: what to write instead, or "".
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed reference; exactly one of ``tag`` and ``digest`` is set."""

    registry: str
    repository: str
    tag: str | None
    digest: str | None

    def __str__(self) -> str:
        tail = f"@{self.digest}" if self.digest else f":{self.tag}"
        return f"{self.registry}/{self.repository}{tail}"

    @classmethod
    def parse(cls, text: str) -> Reference:
        """Return the reference a text is.

        Raises:
            BadReferenceError: it is none. No part that could be a password is in the message.
        """
        if "://" in text:
            scheme = text.partition("://")[0]
            known = scheme if scheme in {"https", "http", "oci", "docker"} else "SCHEME"
            raise BadReferenceError("invalid reference: it has a scheme", f"omit {known}://")
        registry, slash, path = text.partition("/")
        if "@" in registry:
            raise BadReferenceError(
                "invalid reference: invalid registry", "omit USER@: credentials stand elsewhere"
            )
        if not slash or not registry:
            raise BadReferenceError(
                f"invalid reference: missing registry or repository in '{_cut(text)}'",
                "write REGISTRY/REPOSITORY[:TAG]",
            )
        if not _is_registry(registry):
            raise BadReferenceError(
                f"invalid reference: invalid registry '{_cut(registry)}'", "write HOST or HOST:PORT"
            )
        named, at, digest = path.partition("@")
        repository, colon, tag = named.partition(":")
        if not _REPOSITORY.fullmatch(repository):
            lowered = repository.lower()
            raise BadReferenceError(
                f"invalid reference: invalid repository '{_cut(repository)}'",
                f"repositories are lower case: {_cut(lowered)}"
                if _REPOSITORY.fullmatch(lowered)
                else "",
            )
        if at:
            if not _DIGEST.fullmatch(digest):
                raise BadReferenceError(
                    f"invalid reference: invalid digest '{_cut(digest)}'",
                    "write sha256: and 64 lower-case hex digits",
                )
            return cls(registry, repository, None, digest)
        if not colon:
            return cls(registry, repository, DEFAULT_TAG, None)
        if not _TAG.fullmatch(tag):
            raise BadReferenceError(
                f"invalid reference: invalid tag '{_cut(tag)}'",
                "a tag is up to 128 letters, digits, '_', '.', '-'",
            )
        return cls(registry, repository, tag, None)


def is_tag(text: str) -> bool:
    """Tell whether text is a tag's name."""
    return _TAG.fullmatch(text) is not None


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "..."


def _is_registry(text: str) -> bool:
    match = _REGISTRY.fullmatch(text)
    if match is None or int(match["port"] or 0) > 65_535:
        return False
    if match["ipv6"]:
        try:
            IPv6Address(match["ipv6"])
        except ValueError:
            return False
    return True
