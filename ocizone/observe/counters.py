"""What is counted of queries, cheaply.

One dict entry for each combination that occurred; the labels come from configured zones and
fixed sets, so that no client can make series (CoreDNS issue 4507). Not here: how it reads at
scrape time (observe.queries).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator

from ocizone.answer.sent import Outcome
from ocizone.wire.codes import COMMON_TYPES

DURATION_BUCKETS = tuple(0.00025 * 2**step for step in range(16))
SIZE_BUCKETS = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3)
QTYPES = COMMON_TYPES
RCODES = {
    0: "NOERROR", 1: "FORMERR", 2: "SERVFAIL", 3: "NXDOMAIN", 4: "NOTIMP", 5: "REFUSED",
    6: "YXDOMAIN", 9: "NOTAUTH", 16: "BADVERS", 23: "BADCOOKIE",
}  # fmt: skip
#: The zone label of a query no block takes, as in CoreDNS.
NO_ZONE = "dropped"

Key = tuple[str, str, str, str, int, int]
"""(server, zone, protocol, family, qtype or -1, rcode or -1 for silence)."""


class Tally:
    """Counts of one combination of labels."""

    __slots__ = ("count", "dnssec_ok", "durations", "requests", "responses", "seconds", "sizes")

    def __init__(self) -> None:
        self.count = 0
        self.dnssec_ok = 0
        self.seconds = 0.0
        self.durations = [0] * (len(DURATION_BUCKETS) + 1)
        self.requests = [0] * (len(SIZE_BUCKETS) + 1)
        self.responses = [0] * (len(SIZE_BUCKETS) + 1)
        self.sizes = [0, 0]

    def add(self, other: Tally) -> None:
        """Count what another one counted of the same labels."""
        self.count += other.count
        self.dnssec_ok += other.dnssec_ok
        self.seconds += other.seconds
        self.durations = _sums(self.durations, other.durations)
        self.requests = _sums(self.requests, other.requests)
        self.responses = _sums(self.responses, other.responses)
        self.sizes = _sums(self.sizes, other.sizes)


def _sums(one: list[int], other: list[int]) -> list[int]:
    return [first + second for first, second in zip(one, other, strict=True)]


class Counters:
    """Everything counted since the start."""

    def __init__(self) -> None:
        self._tallies: dict[Key, Tally] = {}
        self.panics = 0
        self.failed_reloads = 0
        self.drops: Counter[str] = Counter()
        self.notifies: Counter[str] = Counter()
        self.transfers: Counter[tuple[str, Outcome]] = Counter()
        """By zone and how they ended."""
        self.catch_up: Callable[[], None] = lambda: None
        """Called before counts are read: counts what was counted elsewhere for speed."""

    def dropped(self, reason: str) -> None:
        """Count what was not answered, or a connection that was not kept."""
        self.drops[reason] += 1

    def notified(self, result: str) -> None:
        """Count what became of a NOTIFY."""
        self.notifies[result] += 1

    def query(
        self,
        server: str,
        zone: str,
        protocol: str,
        family: str,
        qtype: int,
        rcode: int,
        request_octets: int,
        response_octets: int,
        seconds: float,
        *,
        dnssec_ok: bool,
        times: int = 1,
    ) -> None:
        """Count a query, or several alike that took so many seconds together.

        ``rcode`` is -1 and ``response_octets`` 0 when nothing was answered.
        """
        key = (server, zone, protocol, family, qtype if qtype in QTYPES else -1, rcode)
        tally = self._tallies.get(key)
        if tally is None:
            tally = self._tallies[key] = Tally()
        tally.count += times
        tally.dnssec_ok += times * dnssec_ok
        tally.seconds += seconds
        tally.durations[bisect_left(DURATION_BUCKETS, seconds / times)] += times
        tally.requests[bisect_left(SIZE_BUCKETS, request_octets)] += times
        tally.responses[bisect_left(SIZE_BUCKETS, response_octets)] += times
        tally.sizes[0] += times * request_octets
        tally.sizes[1] += times * response_octets

    def by_rcode(self) -> Counter[str]:
        """Return how many replies there were of each rcode."""
        self.catch_up()
        found: Counter[str] = Counter()
        for key, tally in self._tallies.items():
            if key[5] >= 0:
                found[RCODES.get(key[5], str(key[5]))] += tally.count
        return found

    def tallies(self) -> Iterator[tuple[Key, Tally]]:
        """Yield what was counted of each combination of labels."""
        self.catch_up()
        yield from self._tallies.items()

    def put(self, key: Key, tally: Tally) -> None:
        """Have these counts of one combination of labels, whatever was counted of it."""
        self._tallies[key] = tally

    def copy(self) -> Counters:
        """Return the counts of now, for another thread; each combination goes on being counted."""
        self.catch_up()
        taken = Counters()
        taken._tallies = self._tallies.copy()
        taken.panics, taken.failed_reloads = self.panics, self.failed_reloads
        taken.drops, taken.notifies = self.drops.copy(), self.notifies.copy()
        taken.transfers = self.transfers.copy()
        return taken

    def take(self) -> Counters:
        """Return what was counted until now, and begin anew from nothing."""
        self.catch_up()
        taken = Counters()
        taken._tallies, self._tallies = self._tallies, {}
        taken.panics, self.panics = self.panics, 0
        taken.failed_reloads, self.failed_reloads = self.failed_reloads, 0
        taken.drops, self.drops = self.drops, Counter()
        taken.notifies, self.notifies = self.notifies, Counter()
        taken.transfers, self.transfers = self.transfers, Counter()
        return taken

    def add(self, other: Counters) -> None:
        """Count what was counted elsewhere."""
        for key, tally in other._tallies.items():
            own = self._tallies.get(key)
            if own is None:
                own = self._tallies[key] = Tally()
            own.add(tally)
        self.panics += other.panics
        self.failed_reloads += other.failed_reloads
        self.drops.update(other.drops)
        self.notifies.update(other.notifies)
        self.transfers.update(other.transfers)
