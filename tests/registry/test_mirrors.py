"""Mirrors: the registry says what a tag names, anybody may send what has the right digest."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, StoreError, Transient
from ocizone.lab import LabRegistry
from ocizone.registry.attempt import Attempt
from ocizone.registry.client import Client
from ocizone.registry.manifest import Descriptor
from ocizone.registry.mirrors import MirroredClient, Resting
from ocizone.registry.politeness import Politeness
from ocizone.registry.reference import Reference
from ocizone.registry.sharing import Sharing

REPOSITORY = "zones/example.org"


class Site:
    """A registry, two mirrors, and a clock for the rests of mirrors."""

    def __init__(self, home: LabRegistry, first: LabRegistry, second: LabRegistry) -> None:
        self.home, self.first, self.second = self.labs = home, first, second
        self.now = 0.0
        self.resting = Resting(lambda: self.now)
        self.client = self.make()

    def make(
        self, seconds: float = 20, semver: str = "", sharing: Sharing | None = None
    ) -> MirroredClient:
        attempt = Attempt("here")
        home, *mirrors = (
            Client(
                Reference(lab.host, REPOSITORY, "v1", None),
                insecure=True,
                attempt=attempt,
                semver=semver,
                sharing=sharing,
            )
            for lab in self.labs
        )
        client = MirroredClient(home, mirrors, attempt, self.resting)
        client.start_attempt(seconds)
        return client

    def push(self, content: bytes = b"zone", *labs: LabRegistry) -> str:
        for lab in labs or self.labs:
            digest = lab.push_files(REPOSITORY, "v1", {"db": content})
        return digest

    def origin(self, lab: LabRegistry) -> str:
        return f"{lab.host}/{REPOSITORY}"

    @property
    def asked(self) -> list[int]:
        return [len(lab.requests) for lab in self.labs]


@pytest.fixture
def site() -> Iterator[Site]:
    with LabRegistry() as home, LabRegistry() as first, LabRegistry() as second:
        yield Site(home, first, second)


# --- Tags ------------------------------------------------------------------------------------


def test_tags_are_the_registrys(site: Site) -> None:
    """A mirror that names something else, or something older, has no say."""
    site.push(b"old")
    digest = site.push(b"new", site.home)
    found = site.client.resolve()
    assert (found.digest, found.origin) == (digest, site.origin(site.home))
    assert site.asked == [1, 0, 0]


DOWN: dict[str, Callable[[LabRegistry], None]] = {
    "dead": lambda lab: lab.stop(),
    "drop": lambda lab: lab.faults.drop_next("any", times=99),
    "500": lambda lab: lab.faults.fail_next("any", 500, times=99),
    "503": lambda lab: lab.faults.fail_next("any", 503, times=99),
    "429": lambda lab: lab.faults.fail_next("any", 429, times=99),
}


@pytest.mark.parametrize("how", DOWN)
def test_mirrors_when_it_does_not_answer(site: Site, how: str) -> None:
    """In order, and the answer says who gave it."""
    digest = site.push()
    DOWN[how](site.home)
    found = site.client.resolve()
    assert (found.digest, found.origin) == (digest, site.origin(site.first))
    assert len(site.second.requests) == 0


def test_mirrors_when_it_hangs(site: Site) -> None:
    """It gets its share of the time, not all of it."""
    digest = site.push()
    site.home.faults.hang()
    client = site.make(seconds=1.5)
    start = time.monotonic()
    assert client.resolve().digest == digest
    assert 0.4 < time.monotonic() - start < 1.4


def test_the_second_mirror(site: Site) -> None:
    digest = site.push()
    site.home.stop()
    site.first.stop()
    assert site.client.resolve().origin == site.origin(site.second)
    assert site.client.manifest(digest).digest == digest


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_answer_is_an_answer(site: Site, status: int) -> None:
    """Who took a tag away, or our rights, is not outvoted by a mirror."""
    site.push()
    site.home.faults.fail_next("manifest", status)
    with pytest.raises(Permanent):
        site.client.resolve()
    assert site.asked == [1, 0, 0]


def test_our_own_crowd_is_no_reason(site: Site) -> None:
    """A registry that was not asked because many of us ask it has not failed to answer.

    Mirrors may be behind: the server would go back and forth between two versions.
    """
    site.push()
    polite = Politeness(rate=0.01, burst=1)
    client = site.make(sharing=Sharing(polite))
    assert client.resolve().origin == site.origin(site.home)
    with pytest.raises(Transient) as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.RATE_LIMITED
    assert site.asked == [1, 0, 0]


def test_a_pause_it_asked_for_is_one(site: Site) -> None:
    site.push()
    site.home.faults.fail_next("manifest", 429, retry_after=60)
    client = site.make(sharing=Sharing(Politeness()))
    for _ in range(2):
        assert client.resolve().origin == site.origin(site.first)
    assert site.asked == [1, 2, 0]


def test_nobody_answers(site: Site) -> None:
    """The registry's error counts."""
    site.home.faults.fail_next("any", 503, retry_after=77, times=9)
    site.first.stop()
    site.second.faults.fail_next("any", 404, times=9)
    with pytest.raises(Transient) as caught:
        site.client.resolve()
    assert caught.value.retry_after_s == 77
    assert site.home.host in str(caught.value)


def test_other_lists_are_the_registrys_too(site: Site) -> None:
    """Signatures come and go like tags."""
    digest = site.push()
    assert site.client.tags() == ("v1",)
    found = site.client.tagged("v1")
    assert found is not None
    assert found.digest == digest
    assert site.client.referrers(digest) == ()
    assert site.asked == [3, 0, 0]
    site.home.stop()
    assert site.client.tags() == ("v1",)
    assert site.client.tagged("absent") is None
    assert site.client.referrers(digest) == ()


def test_rules_at_a_mirror(site: Site) -> None:
    site.first.push_files(REPOSITORY, "1.2.3", {"db": b"zone"})
    site.home.stop()
    assert site.make(semver="1.x").resolve().tag == "1.2.3"


# --- Content ---------------------------------------------------------------------------------


def blob(lab: LabRegistry, content: bytes = b"zone") -> Descriptor:
    return Descriptor("x/y", lab.push_blob(REPOSITORY, content), len(content), {})


def test_content_is_asked_of_the_mirrors_first(site: Site, tmp_path: Path) -> None:
    digest = site.push()
    layer = site.client.manifest(digest).layers[0]
    assert site.client.small(layer, 10) == b"zone"
    site.client.fetch(layer, tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == b"zone"
    assert site.asked == [0, 3, 0]


def test_a_stale_mirror(site: Site) -> None:
    """HEAD 200, then 404: it has not heard of this yet, which is no failure."""
    site.push(b"old", site.first)
    digest = site.push(b"new", site.home, site.second)
    for _ in range(2):
        assert site.client.manifest(digest).digest == digest
    assert site.asked == [0, 2, 2]
    assert not site.resting.is_resting(site.origin(site.first))


def test_a_stale_tag_and_a_dead_registry(site: Site) -> None:
    """The mirror names what it has not got: an error, and nothing wrong is served."""
    digest = site.push(b"zone", site.first)
    site.first.storage.delete_manifest(REPOSITORY, digest)
    site.first.faults.digest_next("manifest", digest)
    site.first.faults.replace_next("manifest", b"")
    site.home.stop()
    site.second.stop()
    with pytest.raises(Transient) as caught:
        site.client.manifest(digest)
    assert site.home.host in str(caught.value)


@pytest.mark.parametrize("kind", ["manifest", "blob"])
def test_an_evil_mirror(site: Site, kind: str, tmp_path: Path) -> None:
    """Other bytes than the digest says: not taken, and the mirror rests."""
    digest = site.push()
    site.first.faults.corrupt_next(kind)
    layer = site.client.manifest(digest).layers[0]
    site.client.fetch(layer, tmp_path / "blob")
    assert (tmp_path / "blob").read_bytes() == b"zone"
    assert site.resting.is_resting(site.origin(site.first))
    assert not site.resting.is_resting(site.origin(site.second))


def test_a_cut_mirror_leaves_no_file(site: Site, tmp_path: Path) -> None:
    """Half a blob is removed before the next one is asked."""
    layer = blob(site.home)
    for lab in site.labs:
        blob(lab)
    site.first.faults.cut_next("blob", 2)
    site.client.fetch(layer, tmp_path / "blob")
    assert site.asked == [0, 1, 1]


def test_the_registry_at_last(site: Site, tmp_path: Path) -> None:
    layer = blob(site.home)
    site.client.fetch(layer, tmp_path / "blob")
    assert site.asked == [1, 1, 1]


def test_the_disk_is_nobodys_fault(site: Site, tmp_path: Path) -> None:
    """A full disk is not tried again with every mirror."""
    layer = blob(site.first)
    with pytest.raises(StoreError):
        site.client.fetch(layer, tmp_path / "absent" / "blob")
    assert site.asked == [0, 1, 0]


# --- Rests -----------------------------------------------------------------------------------


def test_a_mirror_that_failed_rests(site: Site) -> None:
    """For MIRROR_REST_S, for every client; then it is asked again."""
    digest = site.push()
    site.first.faults.fail_next("manifest", 500)
    for client in (site.client, site.make(), site.make()):
        assert client.manifest(digest).digest == digest
    assert site.asked == [0, 1, 3]
    site.now += limits.MIRROR_REST_S
    site.client.manifest(digest)
    assert site.asked == [0, 2, 3]


def test_all_mirrors_rest(site: Site) -> None:
    digest = site.push()
    site.resting.failed(site.origin(site.first))
    site.resting.failed(site.origin(site.second))
    site.client.manifest(digest)
    assert site.asked == [1, 0, 0]
    site.home.stop()
    with pytest.raises(Transient):
        site.client.resolve()
    assert site.asked == [1, 0, 0]


def test_a_mirror_that_works_again(site: Site) -> None:
    site.resting.failed("m")
    site.resting.worked("m")
    assert not site.resting.is_resting("m")


# --- Deadline and abort ----------------------------------------------------------------------


@pytest.mark.parametrize("what", ["resolve", "manifest"])
def test_abort_asks_nobody_else(site: Site, what: str) -> None:
    """An abort is no failure of a registry, nor of a mirror."""
    digest = site.push()
    for lab in site.labs:
        lab.faults.hang()
    timer = threading.Timer(0.2, site.client.abort)
    timer.start()
    start = time.monotonic()
    with pytest.raises(Transient, match="stopped"):
        site.client.resolve() if what == "resolve" else site.client.manifest(digest)
    assert time.monotonic() - start < 1.2
    assert sum(site.asked) == 1
    assert not site.resting.is_resting(site.origin(site.first))
    timer.join()


def test_one_deadline_for_all(site: Site) -> None:
    for lab in site.labs:
        lab.faults.hang()
    client = site.make(seconds=0.6)
    start = time.monotonic()
    with pytest.raises(Transient) as caught:
        client.resolve()
    assert caught.value.reason is FetchReason.TIMEOUT
    assert time.monotonic() - start < 1.5


def test_waiting_obeys_the_attempt(site: Site) -> None:
    event = threading.Event()
    event.set()
    site.client.wait(event)
    site.client.abort()
    with pytest.raises(Transient):
        site.client.wait(threading.Event())
    site.client.close()
