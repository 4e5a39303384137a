"""Nobody can tell our answers from those of NSD, Knot and BIND, but by the table of reasons."""

from __future__ import annotations

from random import Random

import pytest

from tests.peers import randomzones, zonesets
from tests.peers.comparison import Tally, compare_zone_set
from tests.peers.explained import TABLE, explain
from tests.peers.zonesets import SIGNING_TOOLS, ZONE_SETS, Zone, ZoneSet

pytestmark = pytest.mark.peers("nsd", "knotd", "named", *SIGNING_TOOLS)

#: Of each zone set; each is asked of three peers.
QUESTIONS = 1_400
#: Seeds of zones, each made with every chain, and questions about each. What hypothesis draws depends
#: on its version and on what else is loaded: a change could not be judged by it.
RANDOM_ZONES = 3
RANDOM_QUESTIONS = 60
SIGNINGS = [None, zonesets.NSEC, zonesets.NSEC3, zonesets.OPT_OUT]


def assert_explained(tallies: dict[str, Tally]) -> None:
    found = [difference for tally in tallies.values() for difference in tally.unexplained]
    shown = "\n".join(
        f"{difference}\n  unexplained: {[str(item) for item in explain(difference)[1][:4]]}"
        for difference in found[:10]
    )
    assert not found, f"{len(found)} unexplained differences\n{shown}"


@pytest.mark.parametrize("zone_set", ZONE_SETS, ids=lambda zone_set: zone_set.name)
def test_answers_are_those_of_the_peers(zone_set, tmp_path):
    """Rcode, flags, sections with TTLs, EDNS: equal, or explained by an RFC."""
    tallies = compare_zone_set(zone_set, tmp_path / "peers", QUESTIONS, 1, through_program=True)
    assert {tally.compared for tally in tallies.values()} == {QUESTIONS}
    assert_explained(tallies)


@pytest.mark.parametrize("seed", range(RANDOM_ZONES))
@pytest.mark.parametrize("signing", SIGNINGS, ids=["plain", "nsec", "nsec3", "opt-out"])
def test_answers_from_random_zones_are_those_of_the_peers(tmp_path, seed, signing):
    """The same for zones nobody thought of; by seeds, the same on every machine."""
    text = randomzones.zone(seed, ("outside.invalid.",), names_tried=15)
    one = ZoneSet("random", (Zone("random.test.", text, signing),))
    assert_explained(compare_zone_set(one, tmp_path / "peers", RANDOM_QUESTIONS, len(text)))


def test_every_reason_is_named_once():
    """The table's ids are what bench/show_answers counts by."""
    ids = [entry.id for entry in TABLE]
    assert len(set(ids)) == len(ids)
    assert all(entry.decides.startswith("RFC ") for entry in TABLE)


def test_the_questions_are_the_same_again():
    """A failure is reproduced by its seed."""
    assert randomzones.zone(3) == randomzones.zone(3) == randomzones.zone(Random(3))
