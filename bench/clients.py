"""Clients that keep their source ports: until when has each of them been answered.

With several workers the kernel gives each client to one of them by its port; while that one is gone its
clients wait and others notice nothing. Not here: load (steady), what happens to workers (disturbed).
"""

from __future__ import annotations

import selectors
import socket
import time
from typing import Self

from bench.sameanswers import packet

#: After so long without an answer a client asks again, as resolvers do.
AGAIN_S = 1.0


class Clients:
    """Connected sockets that ask the same question."""

    def __init__(self, port: int, count: int, line: str) -> None:
        """Open the sockets.

        Args:
            port: the server's.
            count: of sockets.
            line: as in a query file.
        """
        self._line = line
        self._asked = 0
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
        for sock in self._sockets:
            sock.setblocking(False)
            sock.connect(("127.0.0.1", port))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets:
            sock.close()

    def answered_after(self, longest_s: float) -> float:
        """Let every client ask now; return the seconds until the last one has its answer.

        Raises:
            TimeoutError: some have none.
        """
        begun = time.monotonic()
        waiting = set(self._sockets)
        with selectors.DefaultSelector() as selector:
            for sock in self._sockets:
                selector.register(sock, selectors.EVENT_READ)
            while (now := time.monotonic() - begun) < longest_s:
                query = self._ask(waiting)
                until = now + AGAIN_S
                while waiting and (left := until - (time.monotonic() - begun)) > 0:
                    for key, _ in selector.select(left):
                        assert isinstance(key.fileobj, socket.socket)
                        if _received(key.fileobj)[:2] == query[:2]:
                            waiting.discard(key.fileobj)
                if not waiting:
                    return time.monotonic() - begun
        raise TimeoutError(f"{len(waiting)} of {len(self._sockets)} clients have no answer")

    def _ask(self, waiting: set[socket.socket]) -> bytes:
        # Another id each time: late answers to the former question say nothing about this one.
        self._asked += 1
        query = packet(self._line, self._asked, dnssec=False)
        for sock in waiting:
            _send(sock, query)
        return query


def _send(sock: socket.socket, query: bytes) -> None:
    try:
        sock.send(query)
    except ConnectionRefusedError:
        # What came back for the datagram before (ICMP): this one is not sent yet.
        sock.send(query)


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(4096)
    except (BlockingIOError, ConnectionRefusedError):
        return b""
