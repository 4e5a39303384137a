"""The arena: one fetch a blob however many want it, and nobody's abort is another's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ocizone.errors import FetchReason, Permanent, RegistryError, StoreError, Transient
from ocizone.lab import LabRegistry
from ocizone.registry.api import PullClient
from ocizone.registry.client import Client
from ocizone.registry.manifest import Descriptor
from ocizone.registry.reference import Reference
from ocizone.store.arena import FetchArena
from ocizone.store.store import Store

REPOSITORY = "zones/example.org"
CONTENT = b"zone text " * 1000


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait for another thread to come so far."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


class Site:
    """A store, a registry, and callers in threads."""

    def __init__(self, lab: LabRegistry, directory: Path, places: int = 8) -> None:
        self.lab = lab
        self.store = Store(directory)
        self.arena = FetchArena(self.store.blobs, self.store.disk, places)
        self.opened = 0
        self.timeout_s = 20.0

    def client(self) -> Client:
        return Client(Reference(self.lab.host, REPOSITORY, "v1", None), insecure=True)

    def open_client(self) -> PullClient:
        self.opened += 1
        return self.client()

    def blob(self, content: bytes = CONTENT) -> Descriptor:
        digest = self.lab.push_blob(REPOSITORY, content)
        return Descriptor("x/y", digest, len(content), {})

    def caller(self, blob: Descriptor) -> Caller:
        return Caller(self, blob)

    def waiting(self, blob: Descriptor) -> int:
        fetch = self.arena._fetches.get(blob.digest)
        return fetch.waiting if fetch else 0

    @property
    def litter(self) -> list[Path]:
        return list(self.store.disk.temporaries.iterdir())


class Caller:
    """One who wants a blob, in a thread."""

    def __init__(self, site: Site, blob: Descriptor) -> None:
        self.client = site.client()
        self.client.start_attempt(20)
        self._outcome: list[object] = []
        self._work: Callable[[], int] = lambda: site.arena.realize(
            blob, self.client, site.open_client, site.timeout_s
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._outcome.append(self._work())
        except (RegistryError, StoreError) as error:
            self._outcome.append(error)

    def result(self) -> object:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self._outcome[0]


@pytest.fixture
def site(lab_registry: LabRegistry, tmp_path: Path) -> Site:
    return Site(lab_registry, tmp_path / "state")


def test_one_caller(site: Site) -> None:
    """The octets that were fetched; the blob is in the store, and no temporary is left."""
    blob = site.blob()
    assert site.caller(blob).result() == len(CONTENT)
    assert site.store.blobs.verified(blob.digest)
    assert site.litter == []
    assert site.arena._fetches == {}


def test_many_callers_one_fetch(site: Site) -> None:
    """Claircore's TestFetchConcurrent: the registry is asked once."""
    blob = site.blob()
    site.lab.faults.trickle_next("blob", 20_000)
    callers = [site.caller(blob) for _ in range(10)]
    results = [caller.result() for caller in callers]
    assert sorted(results) == [0] * 9 + [len(CONTENT)]  # type: ignore[type-var]  # ints, or it fails
    assert site.lab.count(kind="blob") == 1
    assert site.opened == 1


def test_other_blobs_do_not_wait(site: Site) -> None:
    slow, quick = site.blob(), site.blob(b"quick")
    site.lab.faults.hang_next("blob")
    waiting = site.caller(slow)
    wait_until(lambda: site.lab.count(kind="blob") == 1)
    assert site.caller(quick).result() == 5
    waiting.client.abort()
    assert isinstance(waiting.result(), Transient)


def test_fetches_are_bounded(lab_registry: LabRegistry, tmp_path: Path) -> None:
    """With one place the second blob is asked for when the first is done."""
    site = Site(lab_registry, tmp_path / "state", places=1)
    first, second = site.blob(), site.blob(b"second")
    lab_registry.faults.hang_next("blob")
    one = site.caller(first)
    wait_until(lambda: lab_registry.count(kind="blob") == 1)
    other = site.caller(second)
    wait_until(lambda: site.waiting(second) == 1)
    assert lab_registry.count(kind="blob") == 1
    one.client.abort()
    assert isinstance(one.result(), Transient)
    assert other.result() == 6


def test_a_client_is_kept_for_the_next_blob(site: Site) -> None:
    """Its connection is open and its token good; another caller gets another one."""
    client = site.client()
    client.start_attempt(20)
    for number in range(5):
        site.arena.realize(site.blob(b"blob %d" % number), client, site.open_client, 20)
    assert site.opened == 1
    site.caller(site.blob(b"other")).result()
    assert site.opened == 2


def test_what_is_kept_is_released(site: Site) -> None:
    """A source that is gone leaves no connection, and no credentials, behind."""
    client = site.client()
    client.start_attempt(20)
    site.arena.realize(site.blob(), client, site.open_client, 20)
    (kept,) = site.arena._idle.values()
    assert isinstance(kept, Client)
    session = kept.calls.session
    site.arena.release(client)
    assert site.arena._idle == {}
    adapter: Any = session.get_adapter("http://")
    assert len(adapter.poolmanager.pools) == 0
    site.arena.release(client)


def test_kept_clients_are_bounded(lab_registry: LabRegistry, tmp_path: Path) -> None:
    site = Site(lab_registry, tmp_path / "state", places=2)
    for number in range(5):
        site.caller(site.blob(b"blob %d" % number)).result()
    assert len(site.arena._idle) == 2


def test_a_client_that_failed_is_not_kept(site: Site) -> None:
    client = site.client()
    client.start_attempt(20)
    site.lab.faults.corrupt_next("blob")
    with pytest.raises(Permanent):
        site.arena.realize(site.blob(), client, site.open_client, 20)
    site.arena.realize(site.blob(), client, site.open_client, 20)
    assert site.opened == 2


# --- Aborts ----------------------------------------------------------------------------------


def trickled(site: Site) -> tuple[Descriptor, list[Caller]]:
    """Begin a slow fetch that two wait for; the first of them began it."""
    blob = site.blob()
    site.lab.faults.trickle_next("blob", 20_000)
    first = site.caller(blob)
    wait_until(lambda: site.lab.count(kind="blob") == 1)
    second = site.caller(blob)
    wait_until(lambda: site.waiting(blob) == 2)
    return blob, [first, second]


@pytest.mark.parametrize("who", [0, 1])
def test_an_abort_is_ones_own(site: Site, who: int) -> None:
    """In claircore the first caller's cancel fails everybody."""
    blob, callers = trickled(site)
    callers[who].client.abort()
    assert isinstance(callers[who].result(), Transient)
    other = callers[1 - who].result()
    assert other == (0 if who == 0 else len(CONTENT))
    assert site.store.blobs.verified(blob.digest)
    assert site.lab.count(kind="blob") == 1


def test_the_last_abort_ends_the_fetch(site: Site) -> None:
    blob = site.blob()
    site.lab.faults.hang_next("blob")
    callers = [site.caller(blob) for _ in range(2)]
    wait_until(lambda: site.lab.count(kind="blob") == 1 and site.waiting(blob) == 2)
    for caller in callers:
        caller.client.abort()
        assert isinstance(caller.result(), Transient)
    wait_until(lambda: not _fetching())
    assert site.litter == []
    assert not site.store.blobs.verified(blob.digest)


def _fetching() -> bool:
    return any(thread.name.startswith("fetch-") for thread in threading.enumerate())


def test_nobody_joins_what_is_being_aborted(site: Site) -> None:
    blob = site.blob()
    site.lab.faults.hang_next("blob")
    first = site.caller(blob)
    wait_until(lambda: site.lab.count(kind="blob") == 1)
    first.client.abort()
    first.result()
    assert site.caller(blob).result() == len(CONTENT)


def test_abort_before_a_place_is_free(lab_registry: LabRegistry, tmp_path: Path) -> None:
    """What nobody wants any more is not even asked for."""
    site = Site(lab_registry, tmp_path / "state", places=1)
    first, second = site.blob(), site.blob(b"second")
    lab_registry.faults.hang_next("blob")
    one = site.caller(first)
    wait_until(lambda: lab_registry.count(kind="blob") == 1)
    other = site.caller(second)
    wait_until(lambda: site.waiting(second) == 1)
    for caller in (other, one):
        caller.client.abort()
        caller.result()
    wait_until(lambda: not _fetching())
    assert lab_registry.count(kind="blob") == 1
    assert site.opened == 1


def test_a_deadline_is_ones_own(site: Site) -> None:
    blob = site.blob()
    site.lab.faults.trickle_next("blob", 20_000)
    first = site.caller(blob)
    wait_until(lambda: site.lab.count(kind="blob") == 1)
    client = site.client()
    client.start_attempt(0.05)
    with pytest.raises(Transient) as caught:
        site.arena.realize(blob, client, site.open_client, 20)
    assert caught.value.reason is FetchReason.TIMEOUT
    assert first.result() == len(CONTENT)


# --- Failures --------------------------------------------------------------------------------


def test_a_failure_is_raised(site: Site) -> None:
    """To who began it, as it was; the next one tries anew."""
    blob = site.blob()
    site.lab.faults.corrupt_next("blob")
    error = site.caller(blob).result()
    assert isinstance(error, Permanent)
    assert error.reason is FetchReason.INTEGRITY
    assert site.litter == []
    assert site.caller(blob).result() == len(CONTENT)


def test_who_joined_a_failure_tries_alone(site: Site) -> None:
    """Another's credentials may do what those of the first did not."""
    blob = site.blob()
    site.lab.faults.hang_next("blob")
    site.timeout_s = 0.5
    first = site.caller(blob)
    wait_until(lambda: site.lab.count(kind="blob") == 1)
    others = [site.caller(blob) for _ in range(2)]
    wait_until(lambda: site.waiting(blob) == 3)
    error = first.result()
    assert isinstance(error, Transient)
    assert error.reason is FetchReason.TIMEOUT
    assert len(CONTENT) in [other.result() for other in others]
    assert site.store.blobs.verified(blob.digest)


def test_a_client_that_cannot_be_made(site: Site) -> None:
    """Nobody waits for ever for a thread that failed."""
    blob, client = site.blob(), site.client()

    def open_client() -> PullClient:
        raise Permanent("no", reason=FetchReason.AUTH)

    with pytest.raises(Permanent, match="no"):
        site.arena.realize(blob, client, open_client, 20)
    assert site.caller(blob).result() == len(CONTENT)


def test_a_disk_that_fails(site: Site) -> None:
    site.store.disk.temporaries.rename(site.store.disk.temporaries.with_name("gone"))
    assert isinstance(site.caller(site.blob()).result(), StoreError)


def test_what_came_in_between(site: Site) -> None:
    """Another fetch ended between the caller's look and its call: nothing is asked again."""
    blob = site.blob()
    site.caller(blob).result()
    start = time.monotonic()
    assert site.caller(blob).result() == 0
    assert site.lab.count(kind="blob") == 1
    assert time.monotonic() - start < 5
