"""``oci REPO [PATH] { ... }``: follow a tag of a registry and serve the zones it holds."""

from __future__ import annotations

from ocizone.corefile.arguments import text
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
from ocizone.plugins.artifact import Artifact
from ocizone.plugins.ociaccess import (
    ACCESS,
    CA_FILE,
    CLIENT_CERT,
    DOCKER_CONFIG,
    INSECURE,
    MIRROR,
    PROXY,
    credentials_of,
    file_of,
    is_named_local,
)
from ocizone.plugins.ocischedule import (
    JITTER,
    RETRIES,
    SCHEDULE,
    SEMVER,
    STARTUP,
    SUSPEND,
    TIMEOUT,
    timing,
)
from ocizone.plugins.ocitrust import (
    ALLOW_ROLLBACK,
    ALLOWED_TYPES,
    GUARD,
    KEEP,
    MAX_SIZE,
    TRUST,
    verify_of,
)
from ocizone.plugins.zonepolicy import DNSSEC, SERIAL, zone_policy
from ocizone.registry.reference import BadReferenceError, Reference


def _url(given: Given) -> Token:
    return given.words[0]


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


def _build(use: Use, scope: Scope) -> list[Artifact]:
    insecure = use.value(INSECURE)
    reference = _reference(use)
    credentials = credentials_of(use, scope)
    if credentials and insecure and not is_named_local(reference.registry):
        use.given.warn(
            "password-in-clear", f"the password for {reference.registry} travels over plain HTTP"
        )
    when = timing(use)
    attempts, backoff_s = use.value(RETRIES)
    pair = use.last(CLIENT_CERT)
    return [
        Artifact(
            reference=reference,
            path=_path(use, scope),
            interval_s=when.interval_s,
            insecure=insecure,
            credentials=credentials,
            ca_file=file_of(use, CA_FILE, scope),
            position=use.position,
            policy=zone_policy(use),
            cron=when.cron,
            startup=use.value(STARTUP),
            jitter=use.value(JITTER),
            semver=_semver(use, reference),
            mirrors=tuple(one for line in use.every(MIRROR) for one in line),
            suspend=use.value(SUSPEND),
            docker_config=file_of(use, DOCKER_CONFIG, scope),
            client_cert=(scope.resolve(pair[0]), scope.resolve(pair[1])) if pair else None,
            proxy=use.last(PROXY) or "",
            allowed_types=use.last(ALLOWED_TYPES) or (),
            verify=verify_of(use, scope),
            allow_rollback=use.value(ALLOW_ROLLBACK),
            guard=use.last(GUARD),
            keep=use.value(KEEP),
            attempts=attempts,
            backoff_s=backoff_s,
            timeout_s=use.value(TIMEOUT),
            max_octets=use.value(MAX_SIZE),
        )
    ]


def _positional(use: Use) -> tuple[Token, ...]:
    """Return REPO and PATH as given on the line; more words than that void all of them."""
    return use.given.words if len(use.given.words) <= 2 else ()


def _named(use: Use) -> Token | None:
    """Return the word that says what to follow."""
    words = _positional(use)
    named = [item.value for item in use.settings if item.declared in {URL, REPO_PROPERTY}]
    word: Token | None = named[-1] if named else words[0] if words else None
    return word


def _semver(use: Use, reference: Reference) -> str:
    """Return the range that picks the tag; "" without one."""
    found = use.last(SEMVER)
    if found is None:
        return ""
    at, text = found
    word = _named(use)
    # A digest has a colon, too; that of a port is before the slash.
    if word is not None and ":" in word.text.partition("/")[2]:
        what = "digest" if reference.digest else "tag"
        raise BadArgumentError(
            f"semver and a {what} in REPO exclude one another",
            f"leave the {what} out: the range picks the tag",
            rule="semver-and-tag",
            at=at,
        )
    return text


def _reference(use: Use) -> Reference:
    word = _named(use)
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


DIRECTIVE = Directive(
    "oci",
    "*oci* follows a tag of an OCI registry and serves the zones it holds.",
    (REPO, PATH),
    (
        URL,
        REPO_PROPERTY,
        PATH_PROPERTY,
        *SCHEDULE,
        *ACCESS,
        *TRUST,
        DNSSEC,
        SERIAL,
    ),
    surplus=True,
    build=_build,
)
