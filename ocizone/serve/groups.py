"""Sockets of each address, one for each worker: a SO_REUSEPORT group (socket(7)).

The kernel gives a client to one member of the group by its address and port, so that a worker has
clients of its own and no lock. Whoever owns the groups keeps every member open: what the kernel
queued for a worker that died waits for the next one. Not here: workers, and what is answered.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from ocizone.endpoint import Endpoint
from ocizone.serve.sockets import Bound, bind_endpoint, sharing

#: The members of each address, in order: the first is the first worker's.
Groups = dict[Endpoint, tuple[Bound, ...]]


class SocketGroups:
    """Owns the groups of every open address."""

    def __init__(self) -> None:
        self._open: Groups = {}

    @property
    def open(self) -> Mapping[Endpoint, tuple[Bound, ...]]:
        """The members of each open address."""
        return self._open

    def prepare(
        self,
        wanted: Iterable[Endpoint],
        count: int,
        single: Mapping[Endpoint, Bound] = MappingProxyType({}),
    ) -> Groups:
        """Return the groups that are wanted, with what was bound for them; nothing is closed.

        Args:
            wanted: addresses.
            count: members of each.
            single: sockets of ours that are open without a group: each becomes a first member.

        Raises:
            BindError: an address cannot be bound; nothing changed.
        """
        kept = dict.fromkeys(wanted)
        found: Groups = {}
        before = [*self._open.items(), *((at, (bound,)) for at, bound in single.items())]
        leaving = [bound for at, members in before if at not in kept for bound in members]
        try:
            for endpoint in kept:
                have = self._open.get(endpoint, ())[:count]
                if not have and endpoint in single:
                    have = (single[endpoint].duplicate(),)
                found[endpoint] = have
                passing = [
                    sock for bound in leaving if bound.port == endpoint.port for sock in bound.all
                ]
                while len(found[endpoint]) < count:
                    found[endpoint] += (_next(endpoint, found[endpoint], passing),)
        except BaseException:
            self.discard(found)
            raise
        return found

    def discard(self, prepared: Groups) -> None:
        """Close what ``prepare`` bound: it is not wanted after all."""
        known = {id(bound) for members in self._open.values() for bound in members}
        for members in prepared.values():
            for bound in members:
                if id(bound) not in known:
                    # It may be a socket of ours that was open without a group.
                    alone(bound)
                    bound.close()

    def move_to(self, prepared: Groups) -> None:
        """Own what ``prepare`` returned; our descriptors of everything else are closed."""
        kept = {id(bound) for members in prepared.values() for bound in members}
        for members in self._open.values():
            for bound in members:
                if id(bound) not in kept:
                    bound.close()
        self._open = dict(prepared)


def _next(endpoint: Endpoint, members: tuple[Bound, ...], leaving: list[socket.socket]) -> Bound:
    """Return one more member of a group.

    The first is bound as a socket that shares with nobody, so that a second server started by
    mistake is refused the port, and shares from then on.
    """
    if not members:
        with sharing(leaving):
            return bind_endpoint(endpoint, share=bool(leaving))
    _share(members[0])
    with sharing(leaving):
        bound = bind_endpoint(replace(endpoint, port=members[0].port), share=True)
    _share(bound)
    return bound


def alone(bound: Bound) -> None:
    """Let nobody share an address with these sockets any more."""
    _share(bound, 0)


def _share(bound: Bound, value: int = 1) -> None:
    for sock in bound.all:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, value)
