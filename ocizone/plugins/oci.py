"""``oci REPO [PATH] { ... }``: follow a tag of a registry and serve the zones it holds."""

from __future__ import annotations

import re

from ocizone.corefile.arguments import parse_duration, text
from ocizone.corefile.directive import (
    Argument,
    BadArgumentError,
    Directive,
    Given,
    Property,
    Scope,
    Use,
)
from ocizone.corefile.lexer import Token
from ocizone.limits import MAXIMUM_INTERVAL_S, MINIMUM_INTERVAL_S
from ocizone.plugins.artifact import Artifact, Credentials
from ocizone.plugins.zonepolicy import DNSSEC, SERIAL, zone_policy
from ocizone.registry.reference import BadReferenceError, Reference

_DEFAULT_INTERVAL = "3600"
_INTEGER = re.compile(r"[+-]?[0-9]+")


def _url(given: Given) -> Token:
    return given.words[0]


def _interval(given: Given) -> float:
    """Return seconds. What CoreDNS ignores (``abc``, ``0``, ``-5``) is ignored with a warning."""
    shown = given.words[0].shown
    seconds = _seconds(given.text)
    if seconds is None or seconds <= 0:
        given.warn(
            "bad-interval",
            f"interval '{shown}' is not a positive number of seconds or a duration:"
            f" the default of {_DEFAULT_INTERVAL}s is used",
        )
        return float(_DEFAULT_INTERVAL)
    if seconds < MINIMUM_INTERVAL_S:
        given.warn(
            "interval-raised",
            f"interval {shown} is raised to the minimum of {MINIMUM_INTERVAL_S:g}s",
        )
        return MINIMUM_INTERVAL_S
    if seconds > MAXIMUM_INTERVAL_S:
        given.warn("interval-lowered", f"interval {shown} is lowered to one year")
        return MAXIMUM_INTERVAL_S
    return seconds


def _seconds(written: str) -> float | None:
    if _INTEGER.fullmatch(written):
        # Any integer of more digits than this is over the maximum; int() has a limit of its own.
        digits = written.lstrip("+-").lstrip("0") or "0"
        value = float(int(digits[:12]))
        return -value if written.startswith("-") else value
    try:
        return parse_duration(written)
    except ValueError:
        return None


def _insecure(given: Given) -> bool:
    if given.text not in {"true", "false"}:
        given.warn(
            "insecure-ignored",
            f"insecure '{given.words[0].shown}' means false: only 'true' turns TLS off",
        )
    return given.text == "true"


def _secret(given: Given) -> str:
    """Return a credential; an unset variable would silently make the pull anonymous."""
    if given.words[0].unset:
        raise BadArgumentError(
            f"environment variable {given.words[0].unset[0]} is not set",
            f"{given.name.text} would be empty",
            rule="environment-unset",
        )
    return given.text


REPO = Argument(
    "REPO",
    text,
    "What to follow: `REGISTRY/REPOSITORY[:TAG|@DIGEST]`, without a scheme; the tag defaults to"
    " `latest`.",
)
PATH = Argument(
    "PATH", text, "Where its files are put, relative to *root*; without it *root* itself."
)
URL = Property("url", "REPO", _url, "The same as the REPO argument.")
REPO_PROPERTY = Property("repo", "REPO", _url, "The same as `url`; the last one counts.")
PATH_PROPERTY = Property("path", "PATH", text, "The same as the PATH argument.")
INTERVAL = Property(
    "interval",
    "SECONDS|DURATION",
    _interval,
    "Time between looks at the tag, at least 5 seconds, at most a year.",
    default=_DEFAULT_INTERVAL,
)
INSECURE = Property(
    "insecure",
    "true|false",
    _insecure,
    "`true` speaks plain HTTP to the registry.",
    default="false",
)
USERNAME = Property("username", "NAME", _secret, "Who to log in as; needs a password.", secret=True)
PASSWORD = Property(
    "password", "PASSWORD", _secret, "Better `{$NAME}` of the environment, or a file.", secret=True
)
PASSWORD_FILE = Property(
    "password_file", "FILE", _secret, "A file that holds the password, read at each log-in."
)
CA_FILE = Property("ca_file", "FILE", text, "PEM certificates to trust instead of the system's.")


def _build(use: Use, scope: Scope) -> list[Artifact]:
    insecure = use.value(INSECURE)
    reference = _reference(use)
    credentials = _credentials(use, scope)
    if credentials and insecure and not _is_loopback(reference.registry):
        use.given.warn(
            "password-in-clear", f"the password for {reference.registry} travels over plain HTTP"
        )
    ca_file = use.last(CA_FILE)
    return [
        Artifact(
            reference=reference,
            path=_path(use, scope),
            interval_s=use.value(INTERVAL),
            insecure=insecure,
            credentials=credentials,
            ca_file=scope.resolve(ca_file) if ca_file else None,
            position=use.position,
            policy=zone_policy(use),
        )
    ]


def _positional(use: Use) -> tuple[Token, ...]:
    """Return REPO and PATH as given on the line; more words than that void all of them."""
    return use.given.words if len(use.given.words) <= 2 else ()


def _reference(use: Use) -> Reference:
    words = _positional(use)
    named = [item.value for item in use.settings if item.declared in {URL, REPO_PROPERTY}]
    word: Token | None = named[-1] if named else words[0] if words else None
    surplus = use.given.words[2:]
    if surplus and word:
        use.given.warn("arguments-ignored", "more than REPO and PATH on the line: all are ignored")
    if word is None or not word.text:
        hint = "write 'oci REPO [PATH]': there are more words than these" if surplus else ""
        raise BadArgumentError("no URL set", hint or "write 'oci REGISTRY/REPOSITORY:TAG'", at=word)
    try:
        reference = Reference.parse(word.text)
    except BadReferenceError as error:
        raise BadArgumentError(error.message, error.hint, rule="bad-reference", at=word) from error
    host = reference.registry
    if "." not in host and ":" not in host and host != "localhost":
        use.given.warn(
            "odd-registry",
            f"the registry is the host '{host}': there is no default registry",
            f"for Docker Hub write docker.io/{host}/{reference.repository}",
        )
    return reference


def _path(use: Use, scope: Scope) -> str:
    words = _positional(use)
    path = use.last(PATH_PROPERTY)
    if path is None:
        path = words[1].text if len(words) == 2 else ""
    if not path and scope.root is None:
        raise BadArgumentError("no path set", "add a 'root' directive, or PATH", at=use.given.name)
    if scope.root is None and not path.startswith("/"):
        use.given.warn(
            "path-relative", f"PATH starts from the working directory: {scope.resolve(path)}"
        )
    return scope.resolve(path)


def _credentials(use: Use, scope: Scope) -> Credentials | None:
    username, password = use.last(USERNAME), use.last(PASSWORD)
    password_file = use.last(PASSWORD_FILE)
    if password and password_file:
        raise BadArgumentError(
            "password and password_file exclude one another", rule="bad-credentials"
        )
    if bool(username) != bool(password or password_file):
        raise BadArgumentError(
            "username and password are required",
            "give both, or neither for anonymous pulls",
            rule="bad-credentials",
        )
    if not username:
        return None
    if password_file:
        return Credentials(username, password_file=scope.resolve(password_file))
    return Credentials(username, password=password)


def _is_loopback(registry: str) -> bool:
    return registry.startswith(("127.", "[::1]")) or registry.partition(":")[0] == "localhost"


DIRECTIVE = Directive(
    "oci",
    "*oci* follows a tag of an OCI registry and serves the zones it holds.",
    (REPO, PATH),
    (
        URL,
        REPO_PROPERTY,
        PATH_PROPERTY,
        INTERVAL,
        INSECURE,
        USERNAME,
        PASSWORD,
        PASSWORD_FILE,
        CA_FILE,
        DNSSEC,
        SERIAL,
    ),
    surplus=True,
    build=_build,
)
