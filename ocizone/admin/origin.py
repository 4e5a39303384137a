"""Who a request over loopback comes from: a program of this host, or a page in a browser on it.

A browser lets any page send to 127.0.0.1, and to any name that its owner lets resolve to it (DNS
rebinding); ``Host`` then is that name, and ``Origin`` tells of the page. Pure.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Tell whether a host is this one by a name or address of loopback; no port, no brackets."""
    name = host.lower().removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761 6.3
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def names_loopback(host: str) -> bool:
    """Tell whether a ``Host`` header names loopback; "" (HTTP/1.0 without one) is no browser's."""
    return not host or _is_loopback_at(f"//{host}")


def from_loopback(origin: str) -> bool:
    """Tell whether an ``Origin`` header is of a page of this host; "" is of no page."""
    return not origin or _is_loopback_at(origin)


def _is_loopback_at(url: str) -> bool:
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
