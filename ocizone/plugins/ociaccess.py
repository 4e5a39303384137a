"""Properties of ``oci`` about reaching the registry: credentials, TLS, mirrors, a proxy.

Values only: registry acts on them. No file is read here, and no secret is ever shown.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from ocizone.corefile.arguments import text
from ocizone.corefile.directive import BadArgumentError, Given, Property, Scope, Use
from ocizone.plugins.artifact import Credentials, Mirror
from ocizone.registry.reference import BadReferenceError, Reference


def secret(given: Given) -> str:
    """Return a credential; an unset variable would silently make the pull anonymous."""
    if given.words[0].unset:
        raise BadArgumentError(
            f"environment variable {given.words[0].unset[0]} is not set",
            f"{given.name.text} would be empty",
            rule="environment-unset",
        )
    return given.text


def _insecure(given: Given) -> bool:
    if given.text not in {"true", "false"}:
        given.warn(
            "insecure-ignored",
            f"insecure '{given.words[0].shown}' means false: only 'true' turns TLS off",
        )
    return given.text == "true"


def _pair(given: Given) -> tuple[str, str]:
    certificate, key = (word.text for word in given.words)
    if not (certificate and key):
        raise BadArgumentError("client_cert needs a certificate and its key")
    return certificate, key


def _mirrors(given: Given) -> tuple[Mirror, ...]:
    return tuple(_mirror(given.over((word,))) for word in given.words)


def _mirror(given: Given) -> Mirror:
    """Return the mirror of ``[SCHEME://]HOST[:PORT][/REPOSITORY]``."""
    word = given.words[0]
    scheme, found, rest = word.text.rpartition("://")
    if found and scheme not in {"http", "https"}:
        raise BadArgumentError("mirror: the scheme is neither http nor https", at=word)
    registry, slash, repository = rest.rstrip("/").partition("/")
    if "@" in registry:
        raise BadArgumentError(
            "mirror: credentials stand elsewhere", "in docker_config", rule="bad-mirror", at=word
        )
    if ":" in repository or "@" in repository:
        raise BadArgumentError(
            "mirror: a mirror has no tag and no digest", rule="bad-mirror", at=word
        )
    try:
        Reference.parse(f"{registry}/{repository if slash else 'any'}")
    except BadReferenceError as error:
        raise BadArgumentError(
            f"mirror: {error.message.removeprefix('invalid reference: ')}",
            error.hint or "write [http://]HOST[:PORT][/REPOSITORY]",
            rule="bad-mirror",
            at=word,
        ) from error
    return Mirror(registry, repository, insecure=scheme == "http")


def _proxy(given: Given) -> str:
    """Return the URL; it may hold a password, so no message shows it."""
    url = secret(given)
    try:
        parts = urlsplit(url)
        sound = parts.scheme == "http" and bool(parts.hostname)
        sound = sound and not (parts.path.strip("/") or parts.query or parts.fragment)
        sound = sound and parts.port != 0 and not any(mark <= " " for mark in url)
    except ValueError:
        sound = False
    if not sound:
        raise BadArgumentError(
            "proxy is not a URL of an HTTP proxy", "write http://[USER:PASSWORD@]HOST:PORT"
        )
    return url


INSECURE = Property(
    "insecure",
    "true|false",
    _insecure,
    "`true` speaks plain HTTP to the registry.",
    default="false",
)
USERNAME = Property("username", "NAME", secret, "Who to log in as; needs a password.", secret=True)
PASSWORD = Property(
    "password", "PASSWORD", secret, "Better `{$NAME}` of the environment, or a file.", secret=True
)
PASSWORD_FILE = Property(
    "password_file", "FILE", secret, "A file that holds the password, read at each log-in."
)
DOCKER_CONFIG = Property(
    "docker_config",
    "FILE",
    text,
    "A `config.json` of docker or `ocizone login` with credentials for several registries, read at"
    " each log-in; `username` and a password win.",
)
CA_FILE = Property("ca_file", "FILE", text, "PEM certificates to trust instead of the system's.")
CLIENT_CERT = Property(
    "client_cert",
    "CERT KEY",
    _pair,
    "PEM certificate and key to show to the registry.",
    least=2,
    most=2,
)
PROXY = Property(
    "proxy",
    "URL",
    _proxy,
    "An HTTP proxy to go through, `http://[USER:PASSWORD@]HOST:PORT`; the environment's is not used.",
    secret=True,
)
MIRROR = Property(
    "mirror",
    "URL...",
    _mirrors,
    "Registries asked in order when the first one does not answer: `[http://]HOST[:PORT][/REPO]`.",
    most=None,
)
ACCESS: Final = (
    INSECURE,
    USERNAME,
    PASSWORD,
    PASSWORD_FILE,
    DOCKER_CONFIG,
    CA_FILE,
    CLIENT_CERT,
    PROXY,
    MIRROR,
)


def credentials_of(use: Use, scope: Scope) -> Credentials | None:
    """Return who we are, None for what docker_config says, or nobody.

    Raises:
        BadArgumentError: half of it is missing, or there is too much.
    """
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


def file_of(use: Use, declared: Property[str], scope: Scope) -> str | None:
    """Return the absolute path a property names; None when it is not set, or empty."""
    path = use.last(declared)
    return scope.resolve(path) if path else None


def is_named_local(registry: str) -> bool:
    """Tell whether ``host[:port]`` says by its spelling that it is this machine; nothing is looked up."""
    return registry.startswith(("127.", "[::1]")) or registry.partition(":")[0] == "localhost"
