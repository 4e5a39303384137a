"""The secrets all server blocks share: TSIG keys, and what DNS cookies are made with.

Pure. A key's name means one key, whichever block has it: clients name no block.
"""

from __future__ import annotations

from collections.abc import Iterable

from ocizone.corefile.types import Position, ServerBlock
from ocizone.errors import ConfigError, Problem, Severity
from ocizone.plugins.cookies import Cookies
from ocizone.plugins.transfer import Transfer
from ocizone.plugins.tsig import Tsig
from ocizone.wire.name import to_text
from ocizone.wire.tsig import TsigKey


def tsig_keys(blocks: Iterable[ServerBlock]) -> dict[bytes, TsigKey]:
    """Return every key by name.

    Raises:
        ConfigError: two blocks give a name different secrets or algorithms, or a ``transfer``
            names a key that no block has.
    """
    blocks = tuple(blocks)
    found: dict[bytes, tuple[TsigKey, Position]] = {}
    problems = []
    for directive in (one for block in blocks for one in block.all(Tsig)):
        for key in directive.keys:
            known, position = found.setdefault(key.name, (key, directive.position))
            if known != key:
                problems.append(
                    _problem(
                        directive.position,
                        "key-twice",
                        f'key "{to_text(key.name)}" is another one at {position}',
                        "a key's name means one key, whichever block has it",
                    )
                )
    for block in blocks:
        wanted = {to.key for one in block.all(Transfer) for to in one.to if to.key is not None}
        problems += [
            _problem(
                block.position,
                "key-unknown",
                f'plugin/transfer: no block has the key "{to_text(name)}"',
                "add it with 'secret' or 'secrets' of a 'tsig' directive",
            )
            for name in sorted(wanted - found.keys())
        ]
    if problems:
        raise ConfigError(problems)
    return {name: key for name, (key, _) in found.items()}


def cookie_secrets(blocks: Iterable[ServerBlock]) -> tuple[bytes, ...]:
    """Return the secrets DNS cookies are made with; empty where the Corefile has none.

    Raises:
        ConfigError: two blocks have different ones.
    """
    given = [one for block in blocks for one in block.all(Cookies) if one.secrets]
    for directive in given[1:]:
        if directive.secrets != given[0].secrets:
            raise ConfigError(
                [
                    _problem(
                        directive.position,
                        "cookie-secrets-twice",
                        f"plugin/cookies: other secrets than at {given[0].position}",
                        "they belong to the whole server: write them in one block",
                    )
                ]
            )
    return given[0].secrets if given else ()


def _problem(at: Position, rule: str, message: str, hint: str) -> Problem:
    return Problem(at.file, at.line, 0, Severity.ERROR, rule, message, hint)
