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

from dataclasses import dataclass

DEFAULT_TAG = "latest"


class BadReferenceError(ValueError):
    """The text is not a reference; the message says why, with a hint."""


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
