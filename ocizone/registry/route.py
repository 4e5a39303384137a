"""How a registry is reached: plain or TLS, whose certificates count, our own, through what proxy.

Files are read when a connection needs them, and again when they were replaced: who makes a
client must not stop for a bad file.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path

import certifi

from ocizone.errors import FetchReason, Permanent
from ocizone.registry.operatorfile import check_file
from ocizone.registry.proxy import BadProxyError, Proxy, read_proxy


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a registry.

    Attributes:
        insecure: plain HTTP.
        ca_file: PEM file trusted instead of the system's CAs, or None.
        client_cert: PEM files of our certificate and its key, shown to the registry itself and
            to nobody it names; or None.
        proxy: ``http://[user:pw@]host:port`` to go through, or "".
    """

    insecure: bool = False
    ca_file: str | None = None
    client_cert: tuple[str, str] | None = None
    proxy: str = field(default="", repr=False)

    def stamp(self) -> tuple[tuple[int, int], ...]:
        """Return what changes when one of the files is replaced."""
        return tuple(_stamp(file) for file in (self.ca_file, *(self.client_cert or ())))

    def read_proxy(self, where: str) -> Proxy | None:
        """Return the proxy, None when there is none.

        Raises:
            Permanent: what stands there is none we can use.
        """
        if not self.proxy:
            return None
        try:
            return read_proxy(self.proxy)
        except BadProxyError as error:
            raise Permanent(f"{where}: proxy: {error}", reason=FetchReason.PROTOCOL) from error

    def context(self, where: str, *, at_home: bool) -> ssl.SSLContext:
        """Return a verifying client context.

        Raises:
            Permanent: a file cannot be read or holds something else.
        """
        context = tls_context(where, self.ca_file)
        if at_home and self.client_cert is not None:
            certificate, key = self.client_cert
            try:
                check_file(certificate)
                check_file(key)
                # With a password to try, OpenSSL does not ask for one on our terminal.
                context.load_cert_chain(certificate, key, password="")
            except OSError as error:
                raise Permanent(
                    f"{where}: client certificate {certificate} with key {key}: "
                    f"{error.strerror or error}; give PEM files that belong together, the key "
                    "without a password",
                    reason=FetchReason.CONFIG,
                ) from error
        return context


def tls_context(where: str, ca_file: str | None) -> ssl.SSLContext:
    """Return a verifying client context: this CA file alone, else the system's, else certifi's.

    Raises:
        Permanent: the CA file cannot be read or holds no certificate.
    """
    paths = ssl.get_default_verify_paths()
    if ca_file is None and not (paths.cafile or paths.capath):
        ca_file = certifi.where()
    try:
        if ca_file is not None:
            check_file(ca_file)
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise Permanent(
            f"{where}: ca_file {ca_file}: {error}; give a PEM file with the registry's CA",
            reason=FetchReason.CONFIG,
        ) from error


def _stamp(file: str | None) -> tuple[int, int]:
    """Return what changes when a file is replaced; a missing file is ``context``'s to report."""
    if file is None:
        return (0, 0)
    try:
        status = Path(file).stat()
    except OSError:
        return (-1, -1)
    return status.st_mtime_ns, status.st_ino
