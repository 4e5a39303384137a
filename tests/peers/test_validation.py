"""unbound, with the trust anchors, validates everything we answer from signed zones."""

from __future__ import annotations

import pytest

from tests.peers.validation import validate_zone_set
from tests.peers.zonesets import SIGNING_TOOLS, ZONE_SETS

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.peers("nsd", "knotd", "named", "unbound", *SIGNING_TOOLS),
]

#: Of each zone set.
QUESTIONS = 200
SIGNED = [zone_set for zone_set in ZONE_SETS if any(zone.signing for zone in zone_set.zones)]


@pytest.mark.parametrize("zone_set", SIGNED, ids=lambda zone_set: zone_set.name)
def test_nothing_is_bogus(zone_set, tmp_path):
    """RFC 4035 5: positive answers, denials, wildcards, aliases, referrals, random names."""
    verdicts = validate_zone_set(zone_set, tmp_path / "judged", QUESTIONS, 2)
    assert not verdicts.bogus
    assert verdicts.secure > QUESTIONS // 4
    # A judge that is always at its limits judges nothing.
    assert len(verdicts.disputed) <= QUESTIONS // 20, verdicts.disputed
