"""Docker's credential helpers: programs ``docker-credential-NAME`` that know secrets.

Protocol: github.com/docker/docker-credential-helpers. No shell, a bounded time, a bounded answer,
and of our environment only what helpers need. What a helper prints never enters a message.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, RegistryError, Transient
from ocizone.registry.credentials import Login
from ocizone.registry.strictjson import BadJSONError, read_json

_NAME = re.compile(r"[a-z0-9._-]+")
# What the helpers of desktops and of the large clouds read.
_PASSED = ("PATH", "HOME", "USER", "DOCKER_CONFIG", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS")
_PASSED_PREFIXES = ("AWS_", "AZURE_", "CLOUDSDK_", "GOOGLE_", "GNUPG", "PASSWORD_STORE_")
_NOT_FOUND = b"credentials not found in native keychain"
# The user name that says that the secret is an identity token.
_TOKEN_USER = "<token>"  # noqa: S105 - the protocol's word, no secret

Action: TypeAlias = Literal["get", "store", "erase"]
#: Runs a helper: its name, what it is to do, its input. Returns exit status and output.
Run: TypeAlias = Callable[[str, Action, bytes], tuple[int, bytes]]


def runner(environ: Mapping[str, str], monotonic: Callable[[], float] = time.monotonic) -> Run:
    """Return what runs helpers.

    Args:
        environ: of this process; helpers get a part of it.
        monotonic: seconds that never go back.
    """
    passed = {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }

    def run(name: str, action: Action, given: bytes) -> tuple[int, bytes]:
        program = f"docker-credential-{name}"
        if not _NAME.fullmatch(name):
            raise Permanent(
                f"credential helper {name[:80]!a}: not a name of a-z, 0-9, '.', '_', '-'",
                reason=FetchReason.AUTH,
            )
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and the name is checked
                [program, action],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=passed,
                start_new_session=True,
            )
        except OSError as error:
            raise Permanent(
                f"cannot run {program}: {error.strerror}; install it, or take it out of the "
                "docker config",
                reason=FetchReason.AUTH,
            ) from error
        try:
            return _converse(process, program, given, monotonic)
        finally:
            _end(process)

    return run


def _converse(
    process: subprocess.Popen[bytes], program: str, given: bytes, monotonic: Callable[[], float]
) -> tuple[int, bytes]:
    assert process.stdin is not None
    assert process.stdout is not None
    # A helper that reads nothing is judged by its answer. Input is smaller than a pipe's buffer.
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(given)
        process.stdin.close()
    end = monotonic() + limits.CREDENTIAL_HELPER_S
    # Not select(): a server has more than 1,024 descriptors.
    readable, output = select.poll(), b""
    readable.register(process.stdout, select.POLLIN)
    while True:
        if not readable.poll(max(0.0, end - monotonic()) * 1000):
            raise _slow(program)
        piece = os.read(process.stdout.fileno(), 4096)
        if not piece:
            break
        output += piece
        if len(output) > limits.CREDENTIAL_HELPER_OCTETS:
            raise Permanent(f"{program}: its answer is too long", reason=FetchReason.AUTH)
    try:
        return process.wait(max(0.0, end - monotonic())), output
    except subprocess.TimeoutExpired:
        # Not chained: it would show nothing new.
        raise _slow(program) from None


def _slow(program: str) -> RegistryError:
    return Transient(
        f"{program}: no answer in {limits.CREDENTIAL_HELPER_S:g} s", reason=FetchReason.AUTH
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill what is left of a helper, with what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()


# --- The protocol ----------------------------------------------------------------------------


def ask(run: Run, name: str, server: str) -> Login | None:
    """Return the login a helper knows for a server, None when it knows none.

    Raises:
        Permanent: the helper cannot be run, fails, or its answer makes no sense.
        Transient: it took too long.
    """
    status, output = run(name, "get", server.encode())
    if status != 0:
        if output.strip() == _NOT_FOUND:
            return None
        raise _failed(name, f"exit status {status}")
    try:
        document = read_json(output)
    except BadJSONError:
        # Not chained: the error could quote a piece of a secret.
        raise _failed(name, "its answer is no JSON") from None
    fields = document if isinstance(document, dict) else {}
    username, secret = fields.get("Username"), fields.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str) or not secret:
        raise _failed(name, "its answer has no Username and Secret")
    if username == _TOKEN_USER:
        return Login(identity_token=secret)
    return Login(username, secret)


def store(run: Run, name: str, server: str, login: Login) -> None:
    """Have a helper keep a login.

    Raises:
        Permanent, Transient: as for ``ask``.
    """
    username, secret = login.username, login.password
    if login.identity_token:
        username, secret = _TOKEN_USER, login.identity_token
    given = json.dumps({"ServerURL": server, "Username": username, "Secret": secret})
    status, _ = run(name, "store", given.encode())
    if status != 0:
        raise _failed(name, f"exit status {status}")


def erase(run: Run, name: str, server: str) -> None:
    """Have a helper forget a login; one it does not know is forgotten already.

    Raises:
        Permanent, Transient: as for ``ask``.
    """
    status, output = run(name, "erase", server.encode())
    if status != 0 and output.strip() != _NOT_FOUND:
        raise _failed(name, f"exit status {status}")


def _failed(name: str, why: str) -> Permanent:
    return Permanent(f"docker-credential-{name}: {why}", reason=FetchReason.AUTH)
