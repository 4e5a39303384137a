"""What ``webhook``, ``api`` and ``artifacts`` have in common: an address, and who can reach it.

Not a directive.
"""

from __future__ import annotations

from ipaddress import ip_address

from ocizone.corefile.directive import BadArgumentError, Given, Property, Scope, Use


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach a listening address; "" is every address."""
    return bool(host) and ip_address(host).is_loopback


def secret_file(given: Given) -> str:
    """Return the name of a file that holds a secret."""
    word = given.words[0]
    if word.unset:
        raise BadArgumentError(
            f"environment variable {word.unset[0]} is not set", rule="environment-unset"
        )
    if not word.text:
        raise BadArgumentError(f"{given.name.text}: the name of a file is empty")
    return word.text


def resolved(use: Use, declared: Property[str], scope: Scope) -> str | None:
    """Return the absolute path a property names, or None."""
    path = use.last(declared)
    return None if path is None else scope.resolve(path)
