"""What clients share: manifests by digest, and one request for one tag."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.lab import LabRegistry
from ocizone.registry.api import Resolved
from ocizone.registry.attempt import Attempt
from ocizone.registry.client import Client
from ocizone.registry.manifest import digest_of
from ocizone.registry.reference import Reference
from ocizone.registry.sharing import (
    LayeredManifests,
    NoManifests,
    RecentManifests,
    Resolutions,
    Sharing,
)

REPOSITORY = "zones/example.org"


def client_of(
    lab: LabRegistry, sharing: Sharing, *, identity: str = "", tag: str = "v1", semver: str = ""
) -> Client:
    client = Client(
        Reference(lab.host, REPOSITORY, tag, None),
        insecure=True,
        sharing=sharing,
        identity=identity,
        semver=semver,
    )
    client.start_attempt(20)
    return client


# --- Manifests -------------------------------------------------------------------------------


def test_the_least_recently_used_goes() -> None:
    """Bounded in octets; reading counts as use."""
    looked: list[bool] = []
    kept = RecentManifests(looked.append, most_octets=10)
    kept.put("a", b"1234")
    kept.put("b", b"1234")
    assert kept.get("a") == b"1234"
    kept.put("c", b"1234")
    assert kept.get("b") is None
    assert kept.get("a") == kept.get("c") == b"1234"
    assert looked == [True, False, True, True]


def test_putting_again_counts_once() -> None:
    kept = RecentManifests(most_octets=10)
    for _ in range(5):
        kept.put("a", b"12345")
    kept.put("b", b"12345")
    assert kept.get("a") == kept.get("b") == b"12345"


def test_one_that_does_not_fit() -> None:
    kept = RecentManifests(most_octets=3)
    kept.put("a", b"12345")
    assert kept.get("a") is None
    kept.put("b", b"123")
    assert kept.get("b") == b"123"


def test_layers() -> None:
    """Found far away it is kept near; put, it is kept in both."""
    near, far = RecentManifests(), RecentManifests()
    layered = LayeredManifests(near, far)
    assert layered.get("a") is None
    layered.put("a", b"1")
    assert near.get("a") == far.get("a") == b"1"
    far.put("b", b"2")
    assert layered.get("b") == b"2"
    assert near.get("b") == b"2"
    near.put("b", b"3")
    assert layered.get("b") == b"3"


def test_a_hit_is_not_put_again(lab_registry: LabRegistry) -> None:
    """A cache across the network would be written at each read."""
    digest = lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    puts: list[str] = []

    class Counting(RecentManifests):
        def put(self, digest: str, raw: bytes) -> None:
            puts.append(digest)
            super().put(digest, raw)

    client = client_of(lab_registry, Sharing(manifests=Counting()))
    client.manifest(digest)
    client.manifest(digest)
    assert puts == [digest]


def test_a_manifest_is_asked_for_once(lab_registry: LabRegistry) -> None:
    """Flux' second read, without a network."""
    digest = lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    sharing = Sharing(manifests=RecentManifests())
    first = client_of(lab_registry, sharing).manifest(digest)
    assert client_of(lab_registry, sharing).manifest(digest) == first
    assert lab_registry.count(kind="manifest") == 1


def test_nothing_is_kept_without_a_cache(lab_registry: LabRegistry) -> None:
    digest = lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    client = client_of(lab_registry, Sharing())
    client.manifest(digest)
    client.manifest(digest)
    assert lab_registry.count(kind="manifest") == 2
    assert NoManifests().get(digest) is None


@pytest.mark.parametrize("kept", [b"", b"{}", b"evil"])
def test_a_cache_is_not_trusted(lab_registry: LabRegistry, kept: bytes) -> None:
    """What it gives has the digest asked for, or is a miss."""
    digest = lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    manifests = RecentManifests()
    manifests.put(digest, kept)
    assert client_of(lab_registry, Sharing(manifests=manifests)).manifest(digest).layers
    assert digest_of(manifests.get(digest) or b"") == digest


def test_what_is_refused_is_not_kept(lab_registry: LabRegistry) -> None:
    digest = lab_registry.push_manifest(REPOSITORY, "v1", b"not a manifest")
    manifests = RecentManifests()
    with pytest.raises(Permanent):
        client_of(lab_registry, Sharing(manifests=manifests)).manifest(digest)
    assert manifests.get(digest) is None


# --- Tags ------------------------------------------------------------------------------------


class Flights:
    """Resolutions on a clock of the test, with askers that wait until told."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.resolutions = Resolutions(lambda: self.now)
        self.asked = 0
        self.begun = threading.Event()
        self.answer = threading.Event()
        self.failure: Exception | None = None

    def ask(self) -> Resolved:
        self.asked += 1
        self.begun.set()
        assert self.answer.wait(10)
        if self.failure is not None:
            raise self.failure
        return Resolved(f"sha256:{self.asked}", "v1", "here")

    def resolve(
        self, fresh_s: float = 0.0, attempt: Attempt | None = None,
        ask: Callable[[], Resolved] | None = None, key: str = "key",
    ) -> Resolved:  # fmt: skip
        return self.resolutions.resolve(key, fresh_s, attempt or Attempt("here"), ask or self.ask)


class Asker(threading.Thread):
    """Resolves in a thread; keeps what came of it."""

    def __init__(self, flights: Flights, fresh_s: float, attempt: Attempt | None = None) -> None:
        super().__init__(daemon=True)
        self.outcome: object = None
        self._work = lambda: flights.resolve(fresh_s, attempt)
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self._work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.outcome = error

    def result(self) -> object:
        self.join(10)
        assert not self.is_alive()
        return self.outcome


def test_fresh_enough() -> None:
    """A request that began at most fresh_s ago will do; 0.0 is a request of one's own."""
    flights = Flights()
    flights.answer.set()
    assert flights.resolve().digest == "sha256:1"
    assert flights.resolve().digest == "sha256:2"
    flights.now += 5
    assert flights.resolve(5).digest == "sha256:2"
    flights.now += 1
    assert flights.resolve(5).digest == "sha256:3"
    assert flights.resolutions.shared == 1


def test_keys_are_apart() -> None:
    flights = Flights()
    flights.answer.set()
    flights.resolve(5, key="one")
    flights.resolve(5, key="other")
    assert flights.asked == 2


def test_under_way_is_joined() -> None:
    """N blocks, one HEAD."""
    flights = Flights()
    leader = Asker(flights, 1)
    assert flights.begun.wait(10)
    others = [Asker(flights, 1) for _ in range(5)]
    flights.answer.set()
    outcomes = {asker.result() for asker in (leader, *others)}
    assert outcomes == {Resolved("sha256:1", "v1", "here")}
    assert flights.asked == 1


def test_under_way_since_before_the_push() -> None:
    """A webhook says "now": an answer that may be older than the push does not do."""
    flights = Flights()
    leader = Asker(flights, 1)
    assert flights.begun.wait(10)
    flights.now += 3
    assert flights.resolve(2, ask=lambda: Resolved("sha256:new")).digest == "sha256:new"
    flights.answer.set()
    assert leader.result() == Resolved("sha256:1", "v1", "here")
    assert flights.resolve(5, ask=lambda: pytest.fail("asked")).digest == "sha256:new"


def test_a_failure_is_ones_own() -> None:
    """Who joined tries again; the next who comes joins nobody's failure."""
    flights = Flights()
    flights.failure = Transient("no", reason=FetchReason.NETWORK)
    leader = Asker(flights, 1)
    assert flights.begun.wait(10)
    follower = threading.Thread(
        target=lambda: results.append(flights.resolve(1, ask=lambda: Resolved("sha256:own"))),
        daemon=True,
    )
    results: list[Resolved] = []
    follower.start()
    follower.join(0.1)
    assert follower.is_alive()
    flights.answer.set()
    follower.join(10)
    assert isinstance(leader.result(), Transient)
    assert results == [Resolved("sha256:own")]
    assert flights.resolve(1, ask=lambda: Resolved("sha256:next")).digest == "sha256:next"


def test_abort_of_one_who_waits() -> None:
    """It leaves at once; the request goes on for the others."""
    flights = Flights()
    leader = Asker(flights, 1)
    assert flights.begun.wait(10)
    attempt = Attempt("here")
    aborted = Asker(flights, 1, attempt)
    attempt.abort()
    assert isinstance(aborted.result(), Transient)
    flights.answer.set()
    assert leader.result() == Resolved("sha256:1", "v1", "here")


def test_resolutions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "RESOLUTIONS_KEPT", 3)
    flights = Flights()
    flights.answer.set()
    for number in range(5):
        flights.resolve(key=str(number))
    assert list(flights.resolutions._flights) == ["2", "3", "4"]


def test_clients_share_a_head(lab_registry: LabRegistry) -> None:
    """Same host, repository, tag and identity: one request; any other difference: another."""
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"zone"})
    lab_registry.push_files(REPOSITORY, "v2", {"db": b"zone"})
    sharing = Sharing(resolutions=Resolutions())
    for _ in range(3):
        client_of(lab_registry, sharing).resolve(60)
    assert len(lab_registry.requests) == 1
    client_of(lab_registry, sharing, identity="bob").resolve(60)
    client_of(lab_registry, sharing, tag="v2").resolve(60)
    client_of(lab_registry, sharing).resolve()
    assert len(lab_registry.requests) == 4


# --- By rule ---------------------------------------------------------------------------------


def test_the_newest_version(lab_registry: LabRegistry) -> None:
    """The tag is part of the answer; signatures' tags are no versions."""
    for tag in ("1.2.0", "v1.10.0", "2.0.0", "latest", f"sha256-{'0' * 64}.sig"):
        wanted = lab_registry.push_files(REPOSITORY, tag, {"db": tag.encode()})
        if tag == "v1.10.0":
            newest = wanted
    found = client_of(lab_registry, Sharing(), semver=">=1.2 <2").resolve()
    assert (found.digest, found.tag) == (newest, "v1.10.0")
    assert [request.kind for request in lab_registry.requests] == ["tags", "manifest"]


def test_no_version(lab_registry: LabRegistry) -> None:
    lab_registry.push_files(REPOSITORY, "latest", {"db": b"zone"})
    with pytest.raises(Permanent, match="none of 1 tags") as caught:
        client_of(lab_registry, Sharing(), semver=">=1").resolve()
    assert caught.value.reason is FetchReason.NOT_FOUND


def test_rules_are_shared_apart_from_tags(lab_registry: LabRegistry) -> None:
    lab_registry.push_files(REPOSITORY, "v1", {"db": b"a"})
    lab_registry.push_files(REPOSITORY, "1.0.0", {"db": b"b"})
    sharing = Sharing(resolutions=Resolutions())
    by_tag = client_of(lab_registry, sharing).resolve(60)
    by_rule = client_of(lab_registry, sharing, semver="1.x").resolve(60)
    assert by_tag.digest != by_rule.digest
    assert client_of(lab_registry, sharing, semver="1.x").resolve(60) == by_rule
    assert lab_registry.count(kind="tags") == 1
