"""``twistd ocizone``: the server under Twisted's daemon runner."""

from twisted.application.service import ServiceMaker

ocizone = ServiceMaker(
    "ocizone",
    "ocizone.tap",
    "Serve DNS zones that are OCI artifacts.",
    "ocizone",
)
