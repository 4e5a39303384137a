"""What may be asked of a server: which source is meant, and that the answer is the truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from ocizone.admin.api import AskError
from ocizone.admin.verbs import VerbResult
from ocizone.cli.exit_codes import Exit
from ocizone.compiler.spec import ZoneChange
from ocizone.errors import FetchReason, Permanent, Transient
from ocizone.follow.follower import Follower
from ocizone.follow.following import Following, Follows
from ocizone.follow.local import LocalFollower
from ocizone.follow.source import LocalSource, OciSource, Source
from ocizone.operations import ServerOperations
from ocizone.plugins.artifact import Guard
from tests.fakes.following import RULES, Site

ONE, TWO = {"db.a": "one"}, {"db.a": "two"}


class FakeDeployed:
    """Nothing is deployed."""

    deployments: dict[str, Any] = {}  # noqa: RUF012 - nobody writes to it


class FakeHousekeeping:
    """Says what it was asked."""

    def verify(self) -> Deferred[VerbResult]:
        return self._said("verified")

    def collect(
        self, *, forgotten: bool = False, digests: tuple[str, ...] = ()
    ) -> Deferred[VerbResult]:
        return self._said(f"collected {forgotten} {len(digests)}")

    def _said(self, message: str) -> Deferred[VerbResult]:
        done: Deferred[VerbResult] = Deferred()
        done.callback(VerbResult(ok=True, exit=0, message=message))
        return done


class Desk:
    """A server's operations over followers of one registry."""

    def __init__(self, site: Site, *sources: Source) -> None:
        self.site = site
        self.following = Following(self._make)
        self.following.move_to(sources)
        self.operations = ServerOperations(
            status=dict,
            following=self.following,
            deployed=FakeDeployed(),  # type: ignore[arg-type]  # as much of it as is asked
            store=site.store,
            files=site.files,
            housekeeping=FakeHousekeeping(),  # type: ignore[arg-type]  # as above
        )

    def _make(self, source: Source) -> Follows:
        site = self.site
        if isinstance(source, OciSource):
            return Follower(source, site.client, site.tools, site.signatures)
        return LocalFollower(source, site.tools)

    def do(self, verb: str, **arguments: Any) -> VerbResult:
        result = now(self.operations.verb(verb, arguments))
        assert isinstance(result, VerbResult)
        return result


def now(deferred: Deferred[Any]) -> Any:
    """Return what has come already."""
    found: list[Any] = []
    deferred.addBoth(found.append)
    return found[0]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.store.close()


def local(tmp_path: Path) -> LocalSource:
    (tmp_path / "local").mkdir(exist_ok=True)
    (tmp_path / "local" / "db.b").write_text("b")
    return LocalSource("two", "/etc/zones/db.b", str(tmp_path / "local"), ("db.b",), RULES, 0)


# --- Which source is meant -------------------------------------------------------------------


def test_the_only_source_needs_no_name(site: Site, tmp_path: Path):
    """Files on disk beside it do not count: there is nothing to decide about them."""
    site.registry.push(ONE)
    desk = Desk(site, site.source(), local(tmp_path))
    assert desk.do("suspend").ok


@pytest.mark.parametrize(
    "name",
    ["r.test/zones:prod", "r.test/zones", "zones", "zones:prod", "prod", "r.test/z", "one", "db.a"],
)
def test_names_of_a_source(site: Site, name: str):
    """The reference, its parts, the beginning, or a zone it serves."""
    site.compiler.facts = lambda zone, _text: replace(zone, apex="db.a.")
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    assert desk.do("suspend", source=name).ok


def test_names_that_do_not_tell(site: Site, tmp_path: Path):
    """The message names those there are."""
    desk = Desk(site, site.source(), local(tmp_path))
    with pytest.raises(AskError, match=r"no source 'x'.*r.test/zones:prod, /etc/zones"):
        desk.do("suspend", source="x")
    with pytest.raises(AskError, match="nothing to decide"):
        desk.do("suspend", source="/etc/zones/db.b")
    several = Desk(site, site.source(), OciSource("three", "r.test/more:prod", *_rest(site)))
    with pytest.raises(AskError, match=r"name one: r.test/zones:prod, r.test/more:prod"):
        several.do("suspend")
    with pytest.raises(AskError, match="may mean"):
        several.do("suspend", source="r.test")
    with pytest.raises(AskError) as nobody:
        Desk(site).do("suspend")
    assert nobody.value.status is HTTPStatus.NOT_FOUND


def _rest(site: Site) -> tuple[Any, Any]:
    return site.source().artifact, RULES


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("suspend", {"seconds": -1}),
        ("suspend", {"seconds": "x"}),
        ("suspend", {"seconds": True}),
        ("refresh", {"wait": "yes"}),
        ("pin", {}),
        ("approve", {"digest": ""}),
        ("rollback", {"to": ["x"]}),
        ("gc", {"digests": ["sha256:0"]}),
    ],
)
def test_arguments_that_make_no_sense(site: Site, verb: str, arguments: dict[str, Any]):
    """Nothing happens."""
    desk = Desk(site, site.source())
    with pytest.raises(AskError) as refused:
        desk.do(verb, **arguments)
    assert refused.value.status is HTTPStatus.BAD_REQUEST


# --- What a verb came to ---------------------------------------------------------------------


def test_refresh_tells_what_came_of_it(site: Site):
    """Exit 0 only when what the tag names is served."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    digest = site.registry.push(TWO)
    done = desk.do("refresh", wait=True)
    assert (done.ok, done.exit) == (True, Exit.OK)
    assert done.message == f"r.test/zones:prod: serves {digest}"
    assert done.sources[0]["outcome"] == "activated"
    assert desk.do("refresh", wait=True).message.endswith("already")


def test_refresh_without_waiting(site: Site):
    """It says what it does, not what came of it."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    assert desk.do("refresh").message == "looking at r.test/zones:prod"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Permanent("401", reason=FetchReason.AUTH), Exit.AUTHENTICATION),
        (Transient("no answer", reason=FetchReason.TIMEOUT), Exit.NETWORK),
        (Permanent("bytes", reason=FetchReason.INTEGRITY), Exit.INTEGRITY),
        (Permanent("404", reason=FetchReason.NOT_FOUND), Exit.FAILED),
    ],
)
def test_why_it_failed_is_in_the_exit_status(site: Site, error: Any, status: Exit):
    """As for every other command."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    site.registry.down = error
    done = desk.do("refresh", wait=True)
    assert (done.ok, done.exit) == (False, status)
    assert str(error) in done.message


def test_held_is_a_status_of_its_own(site: Site):
    """A pipeline stops, and tells the operator what to type."""
    site.registry.push(ONE)
    desk = Desk(site, site.source(guard=Guard(zones=True)))
    site.compiler.changes = (ZoneChange("v", "a.", "removed", before=5),)
    digest = site.registry.push(TWO)
    done = desk.do("refresh", wait=True)
    assert (done.ok, done.exit) == (False, Exit.HELD)
    assert done.sources[0]["reason"] == "ChangeGuard"
    assert "ocizone approve" in done.sources[0]["problems"][0]["hint"]
    assert desk.do("approve", digest=digest).message == f"r.test/zones:prod: serves {digest}"


def test_what_cannot_be_done_says_why(site: Site):
    """And nothing changed."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    done = desk.do("rollback")
    assert (done.ok, done.exit) == (False, Exit.FAILED)
    assert "no version before this one is kept" in done.message


def test_some_of_several(site: Site, tmp_path: Path):
    """Exit 7: one went well, another did not."""
    site.registry.push(ONE)
    desk = Desk(site, site.source(), local(tmp_path))
    site.registry.down = Transient("away", reason=FetchReason.NETWORK)
    done = desk.do("refresh", wait=True)
    assert (done.ok, done.exit) == (False, Exit.PARTIAL)
    assert done.message == "r.test/zones:prod: away"


def test_unpinned_while_the_registry_is_away(site: Site):
    """The decision stands; what it leads to is not there yet."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    desk.do("pin", digest=site.registry.tag)
    site.registry.down = Transient("away", reason=FetchReason.NETWORK)
    done = desk.do("unpin")
    assert done.message == "r.test/zones:prod: unpinned, but: away"
    assert done.exit == Exit.NETWORK


def test_suspended(site: Site):
    """Suspending succeeds; asking a suspended source for a look does not."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    assert desk.do("suspend", seconds=60).exit == Exit.OK
    done = desk.do("refresh", wait=True)
    assert done.exit == Exit.FAILED
    assert "ocizone resume" in done.message


def test_housekeeping_is_passed_on(site: Site):
    """Of all sources: no name is needed."""
    desk = Desk(site, site.source())
    assert desk.do("verify").message == "verified"
    assert desk.do("gc", forgotten=True).message == "collected True 0"
    assert desk.do("gc", digests=["sha256:" + "0" * 64]).message == "collected False 1"


# --- Reading ---------------------------------------------------------------------------------


def test_history(site: Site):
    """Deployments and reports, newest first."""
    site.registry.push(ONE)
    desk = Desk(site, site.source())
    site.registry.push(TWO)
    desk.do("refresh", wait=True)
    found = now(desk.operations.history("", 10))
    assert found["current"] == 2
    assert [one["generation"] for one in found["deployments"]] == [2, 1]
    assert sorted(one["state"] for one in found["reports"]) == ["served", "superseded"]
    assert len(now(desk.operations.history("", 1))["deployments"]) == 1


def test_one_report(site: Site):
    """By the beginning of its digest."""
    digest = site.registry.push(ONE)
    desk = Desk(site, site.source())
    found = now(desk.operations.report(digest[7:15], ""))
    assert (found["digest"], found["state"]) == (digest, "served")
    missing = now(desk.operations.report("ffff", ""))
    assert missing.check(AskError)


def test_a_webhook_names_a_repository(site: Site, tmp_path: Path):
    """Whatever host it calls itself; nobody else is looked at."""
    site.registry.push(ONE)
    desk = Desk(site, site.source(), local(tmp_path))
    site.registry.push(TWO)
    assert desk.operations.changed("other") == 0
    assert site.served == ONE
    assert desk.operations.changed("zones") == 1
    assert site.served == TWO
