"""What the process says on exit: one table, documented in docs/cli.md and tested."""

from __future__ import annotations

from enum import IntEnum

from ocizone.errors import ConfigError, FetchReason, OcizoneError, RegistryError


class Exit(IntEnum):
    """Exit statuses; a script may rely on them."""

    OK = 0
    #: There are findings, or the operation failed in a way no other code names.
    FAILED = 1
    #: The command line, the Corefile or a file it names is wrong.
    USAGE = 2
    #: The registry does not know or does not let us.
    AUTHENTICATION = 3
    #: The registry could not be reached, or not in time.
    NETWORK = 4
    #: Bytes are not what their digest says.
    INTEGRITY = 5
    #: It waits for ``ocizone approve``, or for a signature.
    HELD = 6
    #: Some of several did it, others did not.
    PARTIAL = 7
    #: Ctrl-C.
    INTERRUPTED = 130


_BY_REASON: dict[str, Exit] = {
    FetchReason.CONFIG: Exit.USAGE,
    FetchReason.AUTH: Exit.AUTHENTICATION,
    FetchReason.NETWORK: Exit.NETWORK,
    FetchReason.TIMEOUT: Exit.NETWORK,
    FetchReason.RATE_LIMITED: Exit.NETWORK,
    FetchReason.SERVER: Exit.NETWORK,
    FetchReason.INTEGRITY: Exit.INTEGRITY,
}


def exit_code_of(error: OcizoneError) -> Exit:
    """Return the status an error ends the process with."""
    if isinstance(error, ConfigError):
        return Exit.USAGE
    if isinstance(error, RegistryError):
        return exit_code_of_reason(error.reason)
    return Exit.FAILED


def exit_code_of_reason(reason: str) -> Exit:
    """Return the status for a reason, a FetchReason's word or any other."""
    return _BY_REASON.get(reason, Exit.FAILED)
