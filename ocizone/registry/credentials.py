"""Who we are to a registry: one value, made anew at each use, that never shows a secret.

Sources: an ``oci`` block or a command line (here) and docker's config.json (dockerconfig.py). Not
here: what is done with it when a registry asks (auth.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.plugins.artifact import Credentials
from ocizone.registry.operatorfile import read_file


@dataclass(frozen=True, slots=True)
class Login:
    """One identity; secrets are left out of its repr.

    Attributes:
        username: "" when there is only a token.
        password: for Basic, and for token services; "" for none.
        identity_token: an OAuth2 refresh token for the token service, or "".
        registry_token: a bearer token for the registry itself, or "".
    """

    username: str = ""
    password: str = field(default="", repr=False)
    identity_token: str = field(default="", repr=False)
    registry_token: str = field(default="", repr=False)

    def __str__(self) -> str:
        """Return who this is, for messages."""
        if self.identity_token or self.registry_token:
            return f"the token of user {self.username}" if self.username else "the token"
        return f"user {self.username}"


#: Returns who we are now, None for nobody. Called at each use; raises RegistryError.
GetLogin: TypeAlias = Callable[[], Login | None]


def anonymous() -> Login | None:
    """Return that we are nobody."""
    return None


def user(username: str, password: Callable[[], str]) -> GetLogin:
    """Return what makes a user's login; ``password`` is called at each use and may rotate.

    The result raises Permanent when ``password`` raises OSError or UnicodeError.
    """

    def get() -> Login:
        try:
            return Login(username, password())
        except UnicodeError:
            # Not chained: the codec's error holds the password.
            raise Permanent(
                f"the password file of user {username} is not UTF-8", reason=FetchReason.CONFIG
            ) from None
        except OSError as error:
            raise Permanent(
                f"cannot read the password file {error.filename} of user {username}: "
                f"{error.strerror}; make it readable by the server's user",
                reason=FetchReason.CONFIG,
            ) from error

    return get


def of_block(credentials: Credentials) -> GetLogin:
    """Return what makes the login of an ``oci`` block; a password file is read at each use."""
    file, password = credentials.password_file, credentials.password or ""
    if file is None:
        return user(credentials.username, lambda: password)
    return user(credentials.username, lambda: password_in(Path(file)))


def password_in(file: Path) -> str:
    """Return the password a file holds; line ends at its end do not count.

    Raises:
        OSError: it cannot be read, is no regular file, or too long.
        UnicodeError: it is not UTF-8.
    """
    return read_file(file, limits.PASSWORD_OCTETS).decode("utf-8").rstrip("\r\n")
