"""Writing docker's config.json, for ``ocizone login`` and ``logout``.

What we do not know in the file is kept. Where a credential helper is configured for a registry,
the helper keeps the secret, as docker does. Not here: reading it (dockerconfig.py).
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Any

from ocizone.errors import FetchReason, Permanent
from ocizone.registry import keychain
from ocizone.registry.credentials import Login
from ocizone.registry.dockerconfig import (
    Place,
    helpers_of,
    key_of,
    place_of,
    read_config,
    store_of,
)


def login_entry(path: Path, registry: str, login: Login, run: keychain.Run) -> str:
    """Keep a login for a registry; return where: the file, or ``docker-credential-NAME``.

    Args:
        path: of the config file; made (0600) when it is not there.
        registry: ``host[:port]``.
        login: with a password or an identity token.
        run: runs credential helpers.

    Raises:
        Permanent: the file cannot be read or written, or the helper failed; nothing changed.
        Transient: the helper took too long.
    """
    document = read_config(path) or {}
    place, key = place_of(registry), key_of(registry)
    helper = _helper(document, place)
    auths = _others(document, place)
    if helper:
        keychain.store(run, helper, key, login)
        # Docker leaves an empty entry; it says that there is one elsewhere.
        auths[key] = {}
    else:
        pair = f"{login.username}:{login.password}".encode()
        auths[key] = {"auth": base64.b64encode(pair).decode("ascii")}
        if login.identity_token:
            auths[key]["identitytoken"] = login.identity_token
    document["auths"] = auths
    _write(path, document)
    return f"docker-credential-{helper}" if helper else str(path)


def logout_entry(path: Path, registry: str, run: keychain.Run) -> bool:
    """Forget the login for a registry; tell whether there was one in the file.

    Entries for a part of the registry (keys with a path) stay.

    Raises:
        Permanent, Transient: as for ``login_entry``.
    """
    document = read_config(path)
    if document is None:
        return False
    place = place_of(registry)
    if helper := _helper(document, place):
        keychain.erase(run, helper, key_of(registry))
    kept = _others(document, place)
    if kept == document.get("auths", {}):
        return False
    document["auths"] = kept
    _write(path, document)
    return True


def _helper(document: dict[str, Any], place: Place) -> str:
    for key, name in helpers_of(document).items():
        if place_of(key) == place and isinstance(name, str):
            return name
    return store_of(document)


def _others(document: dict[str, Any], place: Place) -> dict[str, Any]:
    """Return the entries for other places, whatever they are."""
    auths = document.get("auths")
    listed = auths if isinstance(auths, dict) else {}
    return {key: entry for key, entry in listed.items() if place_of(key) != place}


def _write(path: Path, document: dict[str, Any]) -> None:
    """Replace the file, atomically, readable by its owner alone; a link stays one."""
    target = path.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}")
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        with os.fdopen(os.open(temporary, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, indent="\t", ensure_ascii=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise Permanent(
            f"docker config {path}: cannot be written: {error.strerror}", reason=FetchReason.AUTH
        ) from error
