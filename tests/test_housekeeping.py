"""Keeping the state directory whole and small: what verify and gc come to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from ocizone.admin.verbs import VerbResult
from ocizone.cli.exit_codes import Exit
from ocizone.housekeeping import Housekeeping
from ocizone.limits import STORE_MEASURED_S
from ocizone.plugins.artifact import Keep
from tests.fakes.following import Site, SyncPool


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    for number in range(3):
        made.registry.push({"db.a": f"version {number}"})
        if number == 0:
            follower = made.follower()
        else:
            follower.refresh()
    yield made
    made.store.close()


def kept(site: Site, keys: tuple[str, ...] = ("one",), **keeps: Keep) -> Housekeeping:
    """Return the housekeeping of a site whose disk work is done at once."""
    made = Housekeeping(
        site.store,
        site.clock,
        keys_in_use=lambda: keys,
        keeps=lambda: keeps,
        wall=site.tools.wall,
    )
    made._files = SyncPool()  # type: ignore[assignment]  # its own pool has threads
    return made


def now(deferred: Deferred[VerbResult]) -> VerbResult:
    found: list[Any] = []
    deferred.addBoth(found.append)
    (result,) = found
    assert isinstance(result, VerbResult)
    return result


def test_verify_a_whole_store(site: Site):
    """Everything is read again."""
    done = now(kept(site).verify())
    assert (done.ok, done.exit) == (True, Exit.OK)
    assert done.details["damaged"] == []
    assert done.details["whole"] > 6


def test_verify_finds_a_flipped_bit(site: Site):
    """Exit 5, and the path; a damaged blob is taken away, to be fetched again."""
    path = next((site.root / "state" / "blobs" / "sha256").iterdir())
    path.chmod(0o600)
    path.write_bytes(b"X" + path.read_bytes()[1:])
    housekeeping = kept(site)
    done = now(housekeeping.verify())
    assert (done.ok, done.exit) == (False, Exit.INTEGRITY)
    (damaged,) = done.details["damaged"]
    assert (damaged["kind"], damaged["path"]) == ("blob", str(path))
    assert now(housekeeping.verify()).ok


def test_gc_keeps_what_the_corefile_says(site: Site):
    """Two of three versions; images that differences are made of stay while they are served."""
    done = now(kept(site, one=Keep(2)).collect())
    assert done.details == {"blobs": 1, "images": 0, "sources": 0, "versions": []}
    assert len(site.store.source("one").history()) == 2
    assert now(kept(site, one=Keep(2)).collect()).details["blobs"] == 0


def test_gc_forgets_a_version(site: Site):
    """What is served is left, and one that nobody knows is no error."""
    history = site.store.source("one").history()
    wanted = (history[0].digest, history[2].digest, "sha256:" + "0" * 64)
    done = now(kept(site).collect(digests=wanted))
    assert done.details["versions"] == [history[2].digest]
    assert "1 of 3 versions" in done.message
    assert [one.generation for one in site.store.source("one").history()] == [3, 2]


def test_gc_forgets_sources_no_block_names(site: Site):
    """Only when it is asked to."""
    assert now(kept(site, keys=()).collect()).details["sources"] == 0
    done = now(kept(site, keys=()).collect(forgotten=True))
    assert done.details["sources"] == 1
    assert "1 sources no block names" in done.message
    assert site.store.keys() == ()


def test_how_big_it_is(site: Site):
    """Measured at the start and every minute; nothing after the stop."""
    housekeeping = kept(site)
    seen = [housekeeping.usage]
    housekeeping.start()
    seen.append(housekeeping.usage)
    site.store.source("one").prune(Keep(1), site.tools.wall())
    site.clock.advance(STORE_MEASURED_S)
    seen.append(housekeeping.usage)
    assert [found and found["generations"] for found in seen] == [None, 3, 1]
    assert seen[1] is not None
    assert seen[1]["octets"] > 0
    housekeeping.stop()
    waiting = len(site.clock.getDelayedCalls())
    site.clock.advance(STORE_MEASURED_S)
    assert len(site.clock.getDelayedCalls()) == waiting - 1
