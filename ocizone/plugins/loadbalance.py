"""``loadbalance``: rotate address and MX records so that clients spread."""

from __future__ import annotations

from dataclasses import dataclass

from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)


@dataclass(frozen=True, slots=True)
class LoadBalance:
    """Round robin; the only policy there is."""


def _policy(given: Given) -> None:
    word = given.text
    if word == "weighted":
        raise BadArgumentError(
            "policy 'weighted' is not supported by ocizone",
            "write round_robin",
            rule="property-not-supported",
        )
    if word != "round_robin":
        raise BadArgumentError(f"unknown policy: {given.words[0].shown}", "write round_robin")


def _file(given: Given) -> None:
    if given.words:
        raise BadArgumentError(
            f"Wrong argument count or unexpected line ending after '{given.words[0].shown}'",
            "round_robin takes no file",
            rule="argument-count",
        )


def _prefer(_given: Given) -> None:
    raise BadArgumentError(
        "'prefer' is not supported by ocizone",
        "answers do not depend on where the client is",
        rule="property-not-supported",
    )


POLICY = Argument("POLICY", _policy, "`round_robin`, the only one.", default="round_robin")
FILE = Argument("FILE", _file, "Refused: it belongs to `weighted`.")
PREFER = Property("prefer", "CIDR...", _prefer, "Refused.", most=None)


def _build(use: Use, _scope: Scope) -> list[LoadBalance]:
    use.argument(POLICY)
    use.argument(FILE)
    return [LoadBalance()]


DIRECTIVE = Directive(
    "loadbalance",
    "*loadbalance* changes the order of A, AAAA and MX records from answer to answer.",
    (POLICY, FILE),
    (PREFER,),
    build=_build,
)
