"""Properties of ``oci`` about what is let through: types, signatures, changes; and what is kept.

Values only: registry and follow act on them. Keys are named here and read at each use.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final, Literal

from ocizone import limits
from ocizone.corefile.arguments import duration, number, switch
from ocizone.corefile.directive import BadArgumentError, Given, Property, Scope, Use
from ocizone.plugins.artifact import Guard, Identity, Keep, Verify
from ocizone.plugins.ocischedule import flag, percent

#: RFC 6838 4.2: restricted-name "/" restricted-name.
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}"
)
_DAYS: Final = re.compile(r"[0-9]{1,5}d")
_SIZE: Final = re.compile(r"([0-9]{1,12})([A-Za-z]*)")
_UNITS: Final = {
    "": 1,
    "B": 1,
    "kB": 1000,
    "KB": 1000,
    "MB": 1000**2,
    "GB": 1000**3,
    "KiB": limits.KIB,
    "MiB": limits.MIB,
    "GiB": 1024 * limits.MIB,
}
_BARE_GUARD: Final = Guard(deletes=0.3, ns=True, zones=True)


def _types(given: Given) -> tuple[str, ...]:
    for word in given.words:
        if not _MEDIA_TYPE.fullmatch(word.text):
            raise BadArgumentError(
                f"'{word.shown}' is not a media type",
                "write it as application/vnd.ocizone.zone.v1",
                at=word,
            )
    return tuple(word.text for word in given.words)


def _files(given: Given) -> tuple[str, ...]:
    for word in given.words:
        if not word.text:
            raise BadArgumentError("the name of a key file is empty", at=word)
    return tuple(word.text for word in given.words)


def _identity(given: Given) -> Identity:
    issuer, subject = given.words
    if not issuer.text.startswith("https://"):
        raise BadArgumentError(
            f"the issuer '{issuer.shown}' is not an https:// URL",
            "such as https://token.actions.githubusercontent.com",
        )
    if not subject.text:
        raise BadArgumentError("the subject is empty: anybody could sign", at=subject)
    return Identity(issuer.text, subject.text)


def _policy(given: Given) -> Literal["require", "warn"]:
    match given.text:
        case "require" | "warn" as policy:
            return policy
        case _:
            raise BadArgumentError(f"policy '{given.words[0].shown}' is neither require nor warn")


KEY = Property(
    "key",
    "FILE...",
    _files,
    "PEM public keys (`cosign.pub`), relative to *root*, read at each use.",
    most=None,
)
IDENTITY = Property(
    "identity",
    "ISSUER SUBJECT",
    _identity,
    "Who may sign without a key (sigstore); needs `ocizone[sigstore]`.",
    least=2,
    most=2,
)
POLICY = Property(
    "policy",
    "require|warn",
    _policy,
    "What becomes of an artifact without a good signature: it is not served, or served with a"
    " warning.",
    default="require",
)


def _verify(given: Given) -> Verify:
    keys = tuple(dict.fromkeys(path for line in given.every(KEY) for path in line))
    identities = tuple(dict.fromkeys(given.every(IDENTITY)))
    if not keys and not identities:
        raise BadArgumentError(
            "verify names no key and no identity: nothing could be verified",
            "write 'verify {', a line 'key FILE', and '}'",
        )
    policy = given.value(POLICY)
    if policy == "warn":
        given.warn("verify-warns", "with policy warn unsigned artifacts are served")
    return Verify(keys, identities, policy)


def _deletes(given: Given) -> float:
    found = percent(given)
    if found == 0:
        given.warn(
            "guard-odd", "deletes 0% holds every change that removes more than a few records"
        )
    elif found == 1:
        given.warn("guard-odd", "deletes 100% never holds: no change removes more")
    return found


DELETES = Property(
    "deletes", "N%", _deletes, "Hold a change that removes more than N% of a zone's records."
)
NS = Property(
    "ns",
    "",
    switch,
    "Hold a change of a zone's NS, of their addresses in the zone, or of its SOA MNAME.",
    least=0,
    most=0,
)
ZONES = Property("zones", "", switch, "Hold a change that removes a zone.", least=0, most=0)


def _guard(given: Given) -> Guard:
    if not given.settings:
        return _BARE_GUARD
    return Guard(given.last(DELETES), ns=bool(given.every(NS)), zones=bool(given.every(ZONES)))


def _keep(given: Given) -> Keep:
    kept = number(1, limits.MOST_KEPT_DEPLOYMENTS)(given)
    if kept < limits.KEEP_DEPLOYMENTS:
        given.warn(
            "keep-few",
            f"with fewer than {limits.KEEP_DEPLOYMENTS} kept, secondaries get whole zones instead of"
            " differences more often",
        )
    return Keep(kept, _age(given.over(given.words[1:])) if len(given.words) > 1 else None)


def _age(given: Given) -> float:
    if _DAYS.fullmatch(given.text):
        return int(given.text[:-1]) * 86_400.0
    found = duration(given)
    if found <= 0:
        raise BadArgumentError("keep: an age of nothing keeps nothing", at=given.words[0])
    return found


def _size(given: Given) -> int:
    match = _SIZE.fullmatch(given.text)
    if match is None or match[2] not in _UNITS:
        raise BadArgumentError(
            f"'{given.words[0].shown}' is not a size", "write it as 256MiB", rule="out-of-range"
        )
    found = int(match[1]) * _UNITS[match[2]]
    if not 1 <= found <= limits.EXPANDED_OCTETS:
        raise BadArgumentError(
            f"max_size {given.words[0].shown} is not between 1 and"
            f" {limits.EXPANDED_OCTETS // limits.MIB}MiB, which is all that is ever unpacked",
            rule="out-of-range",
        )
    return found


ALLOWED_TYPES = Property(
    "allowed_types",
    "MEDIATYPE...",
    _types,
    "Types an artifact may have (artifact type, else that of its config), or each of its layers.",
    most=None,
)
VERIFY = Property(
    "verify",
    "{ ... }",
    _verify,
    "Serve only what one of these has signed; any one is enough.",
    least=0,
    most=0,
    properties=(KEY, IDENTITY, POLICY),
)
ALLOW_ROLLBACK = Property(
    "allow_rollback",
    "[true|false]",
    flag,
    "An artifact older than one served before is served like any other, not held.",
    default="false",
    least=0,
)
GUARD = Property(
    "guard",
    "[{ ... }]",
    _guard,
    "Hold changes for `ocizone approve`; without a block those of `deletes 30%`, `ns`, `zones`.",
    least=0,
    most=0,
    properties=(DELETES, NS, ZONES),
)
KEEP = Property(
    "keep",
    "N [AGE]",
    _keep,
    "How many versions (digests) are kept, the current one among them, and for how long at most (`24h`,"
    " `90d`); the current one stays.",
    default=str(limits.KEEP_DEPLOYMENTS),
    most=2,
)
MAX_SIZE = Property(
    "max_size",
    "SIZE",
    _size,
    "Of all layers together, as they are pulled.",
    default=f"{limits.ARTIFACT_OCTETS // limits.MIB}MiB",
)
TRUST: Final = (ALLOWED_TYPES, VERIFY, ALLOW_ROLLBACK, GUARD, KEEP, MAX_SIZE)


def verify_of(use: Use, scope: Scope) -> Verify | None:
    """Return whose signature is needed, with absolute paths of keys; None for nobody's."""
    found = use.last(VERIFY)
    if found is None:
        return None
    return replace(found, keys=tuple(scope.resolve(path) for path in found.keys))
