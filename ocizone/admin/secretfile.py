"""A secret in a file: read at each use, so that it may be replaced; without one nobody gets in."""

from __future__ import annotations

from twisted.logger import Logger

from ocizone.limits import SECRET_FILE_OCTETS
from ocizone.registry.operatorfile import read_file

log = Logger(namespace="ocizone")


class SecretFile:
    """Reads a secret; what is wrong with its file is logged once, until it is right again."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._wrong = ""

    def read(self) -> bytes | None:
        """Return it without surrounding white space; None when the file is missing or empty."""
        try:
            secret, wrong = read_file(self._path, SECRET_FILE_OCTETS).strip(), "it is empty"
        except OSError as error:
            secret, wrong = b"", error.strerror or str(error)
        if secret:
            self._wrong = ""
            return secret
        if wrong != self._wrong:
            log.error(
                "no secret in {file}, so that nobody gets in: {wrong}", file=self._path, wrong=wrong
            )
        self._wrong = wrong
        return None
