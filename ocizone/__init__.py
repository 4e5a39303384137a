"""ocizone: an authoritative DNS server whose zones are OCI artifacts."""

__version__ = "0.1.0"
