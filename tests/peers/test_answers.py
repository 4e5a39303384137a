"""Nobody can tell our answers from those of NSD, Knot and BIND, but by the table of reasons."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.peers import randomzones, zonesets
from tests.peers.comparison import Tally, compare_zone_set
from tests.peers.explained import TABLE, explain
from tests.peers.zonesets import SIGNING_TOOLS, ZONE_SETS, Zone, ZoneSet

pytestmark = pytest.mark.peers("nsd", "knotd", "named", *SIGNING_TOOLS)

#: Of each zone set; each is asked of three peers.
QUESTIONS = 1_400
#: Zones that hypothesis makes, and questions about each.
RANDOM_ZONES = 12
RANDOM_QUESTIONS = 60


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


@settings(
    max_examples=RANDOM_ZONES,
    derandomize=True,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(
    st.randoms(use_true_random=False),
    st.sampled_from([None, zonesets.NSEC, zonesets.NSEC3, zonesets.OPT_OUT]),
)
def test_answers_from_random_zones_are_those_of_the_peers(tmp_path_factory, chance, signing):
    """The same for zones that hypothesis draws; a failing one is printed by its text."""
    text = randomzones.zone(chance, ("outside.invalid.",), names_tried=15)
    one = ZoneSet("random", (Zone("random.test.", text, signing),))
    directory = tmp_path_factory.mktemp("random") / "peers"
    assert_explained(compare_zone_set(one, directory, RANDOM_QUESTIONS, len(text)))


def test_every_reason_is_named_once():
    """The table's ids are what bench/show_answers counts by."""
    ids = [entry.id for entry in TABLE]
    assert len(set(ids)) == len(ids)
    assert all(entry.decides.startswith("RFC ") for entry in TABLE)


def test_the_questions_are_the_same_again():
    """A failure is reproduced by its seed."""
    assert randomzones.zone(3) == randomzones.zone(3) == randomzones.zone(Random(3))
