"""docker's config.json as a source of credentials: for which registry it has which.

Shapes: ``auths``, ``credHelpers`` and ``credsStore`` of docker and podman, and the bare map of a
Kubernetes ``dockercfg`` secret. Which one counts: the longest matching path; of equals a
credHelper before an entry; ``credsStore`` when there is neither. Read anew at each use. Not here:
writing it (dockerlogin.py), running helpers (keychain.py).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.registry import keychain
from ocizone.registry.credentials import Login
from ocizone.registry.operatorfile import read_file
from ocizone.registry.strictjson import BadJSONError, read_json

HUB = "docker.io"
#: What docker calls Docker Hub in its config, and helpers know it by.
HUB_KEY = "https://index.docker.io/v1/"
_HUB_NAMES = (HUB, "index.docker.io", "registry-1.docker.io")
_FIELDS = frozenset(("auth", "username", "password", "identitytoken", "registrytoken"))


@dataclass(frozen=True, slots=True)
class Place:
    """What a key of the config stands for: a registry, or a part of one."""

    host: str
    path: str = ""

    def holds(self, host: str, repository: str) -> bool:
        """Tell whether a repository is in it."""
        inside = f"{repository}/".startswith(f"{self.path}/") if self.path else True
        return self.host == host and inside


def place_of(key: str) -> Place:
    """Return what a key stands for: scheme and API version dropped, Docker Hub's names made one."""
    text = key.strip()
    scheme, found, rest = text.partition("://")
    if found and scheme.lower() in ("http", "https"):
        text = rest
    host, _, path = text.partition("/")
    path = path.strip("/")
    if path in ("v1", "v2"):
        path = ""
    host = host.lower()
    return Place(HUB if host in _HUB_NAMES else host, path)


def key_of(registry: str) -> str:
    """Return the key docker itself would write for a registry."""
    return HUB_KEY if place_of(registry).host == HUB else registry


class DockerConfig:
    """One config file.

    Args:
        path: of the file.
        run: runs credential helpers.
        warn: told once of each entry that is skipped; never of a secret.
        required: a missing file is an error and not an empty one.
    """

    def __init__(
        self,
        path: Path,
        run: keychain.Run,
        warn: Callable[[str], None],
        *,
        required: bool = True,
    ) -> None:
        self.path = path
        self._run = run
        self._warn = warn
        self._required = required
        self._warned: set[str] = set()

    def login(self, registry: str, repository: str) -> Login | None:
        """Return the login for a repository, None when the file has none.

        Raises:
            Permanent: the file cannot be read, or the helper it names failed.
            Transient: the helper took too long.
        """
        reason = FetchReason.CONFIG if self._required else FetchReason.AUTH
        document = read_config(self.path, reason)
        if document is None:
            if self._required:
                raise Permanent(f"docker config {self.path}: no such file", reason=reason)
            return None
        host = place_of(registry).host
        if host == HUB and "/" not in repository:
            repository = f"library/{repository}"
        logins = self._logins(document)
        key = _longest(logins, host, repository)
        helpers = self._helpers(document)
        helped = _longest(helpers, host, repository)
        if helped is not None and (
            key is None or len(place_of(helped).path) >= len(place_of(key).path)
        ):
            found = keychain.ask(self._run, helpers[helped], helped)
            if found is not None:
                return found
        if key is not None:
            return logins[key]
        if helped is None and (store := store_of(document)):
            return keychain.ask(self._run, store, key_of(registry))
        return None

    def _logins(self, document: Mapping[str, Any]) -> dict[str, Login]:
        auths = document.get("auths", document if _is_bare(document) else {})
        if not isinstance(auths, dict):
            self._skip("auths", "not an object")
            return {}
        logins = {}
        for key, entry in auths.items():
            try:
                login = read_entry(entry)
            except ValueError as error:
                self._skip(_shown(key), str(error))
                continue
            if login is not None:
                logins[key] = login
        return logins

    def _helpers(self, document: Mapping[str, Any]) -> dict[str, str]:
        helpers = {}
        for key, name in helpers_of(document).items():
            if isinstance(name, str):
                helpers[key] = name
            else:
                self._skip(f"credHelpers {_shown(key)}", "not a name")
        return helpers

    def _skip(self, key: str, why: str) -> None:
        message = f"docker config {self.path}: {key[:200]!a}: {why}; skipped"
        # Read at each tick: told once. A file that grows new mistakes for ever stays bounded.
        if message not in self._warned and len(self._warned) < limits.PROBLEMS:
            self._warned.add(message)
            self._warn(message)


def read_config(path: Path, reason: FetchReason = FetchReason.AUTH) -> dict[str, Any] | None:
    """Return the file's object, None when there is no file.

    Args:
        path: of it.
        reason: of the error.

    Raises:
        Permanent: it cannot be read, is too long, or is no JSON object. Its content is not quoted.
    """
    try:
        document = read_json(read_file(path, limits.DOCKER_CONFIG_OCTETS))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise Permanent(f"docker config {path}: {error.strerror}", reason=reason) from error
    except BadJSONError as error:
        raise Permanent(f"docker config {path}: {error}", reason=reason) from error
    if isinstance(document, dict):
        return document
    raise Permanent(f"docker config {path}: not an object", reason=reason)


def read_entry(entry: object) -> Login | None:
    """Return what one entry of ``auths`` says, None for the empty one docker leaves behind.

    Raises:
        ValueError: it cannot be used; the message holds nothing of it.
    """
    if not isinstance(entry, dict):
        raise ValueError("not an object")  # noqa: TRY004 - what its callers catch
    fields = {name: entry.get(name) or "" for name in _FIELDS}
    if not all(isinstance(value, str) for value in fields.values()):
        raise ValueError("a field is no string")
    username, password = fields["username"], fields["password"]
    if fields["auth"]:
        try:
            pair = base64.b64decode(fields["auth"], validate=True).decode("utf-8")
        except (binascii.Error, ValueError):
            # Not chained: the codec's error quotes what it could not read.
            raise ValueError("auth is no base64 of UTF-8") from None
        username, colon, password = pair.rstrip("\0").partition(":")
        if not colon:
            raise ValueError("auth is not USER:PASSWORD")
    if ":" in username:
        raise ValueError("a user name cannot hold ':' (RFC 7617 2)")
    token = fields["registrytoken"]
    if not (token.isascii() and token.isprintable()):
        raise ValueError("registrytoken is not visible ASCII (RFC 6750 2.1)")
    login = Login(username, password, fields["identitytoken"], token)
    if login.identity_token or login.registry_token or username:
        return login
    if password:
        raise ValueError("a password without a user name")
    return None


def helpers_of(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ``credHelpers`` of a config; whatever else stands there is none."""
    helpers = document.get("credHelpers")
    return helpers if isinstance(helpers, dict) else {}


def store_of(document: Mapping[str, Any]) -> str:
    """Return the ``credsStore`` of a config, "" for none."""
    store = document.get("credsStore")
    return store if isinstance(store, str) else ""


def _shown(key: str) -> str:
    """Return the host of a key: some write ``https://USER:PASSWORD@HOST``."""
    return place_of(key).host.rpartition("@")[2]


def _is_bare(document: Mapping[str, Any]) -> bool:
    """Tell whether a config without ``auths`` is itself the map of registries."""
    return any(isinstance(entry, dict) and _FIELDS & entry.keys() for entry in document.values())


def _longest(keys: Mapping[str, object], host: str, repository: str) -> str | None:
    """Return the key with the longest path that holds a repository; of equals the first."""
    fitting = [key for key in keys if place_of(key).holds(host, repository)]
    return max(fitting, key=lambda key: len(place_of(key).path), default=None)
