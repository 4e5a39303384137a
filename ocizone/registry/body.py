"""Reading the body of an answer in pieces, as it arrives, never more than asked for."""

from __future__ import annotations

from collections.abc import Iterator

import requests

_CHUNK_OCTETS = 64 * 1024


def chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it was sent, one piece a receive; the connection is kept at its end.

    ``read1`` and not ``read``: a piece is hashed and written while the next is on its way. How
    long each receive may take is the socket's to bound (attempt.py).
    """
    while piece := response.raw.read1(_CHUNK_OCTETS, decode_content=False):
        yield piece


def read_capped(response: requests.Response, most: int) -> bytes:
    """Return at most ``most`` octets of the body; the connection is dropped if there are more."""
    body = bytearray()
    try:
        for piece in chunks(response):
            body += piece
            if len(body) > most:
                break
    finally:
        response.close()
    return bytes(body[:most])
