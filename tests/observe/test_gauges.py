"""What is served and followed, read at the scrape: no series outlives what it tells of."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ocizone.answer.blocks import Loaded, NotReady, Snapshot
from ocizone.follow.status import Failure, SourceStatus
from ocizone.observe import gauges
from ocizone.observe.conditions import SOURCE_TYPES
from ocizone.observe.gauges import ConditionGauges, Gauges
from ocizone.store.standing import Pin
from tests.servedzones import status_of, zone_of, zone_with
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot

PLAN = plan_of("org {\noci r.test/a:v1 /a\n}")
SOURCE = PLAN.sources[0]


class Site:
    def __init__(self) -> None:
        self.snapshot: Snapshot = Snapshot(0, {})
        self.statuses: list[SourceStatus] = []
        self.pulls: Counter[tuple[str, str]] = Counter()
        self.registry = CollectorRegistry(auto_describe=False)
        self.registry.register(Gauges(lambda: self.snapshot, lambda: self.statuses, self.pulls))
        self.registry.register(ConditionGauges(lambda: self.statuses, lambda: 1_790_000_000.0))

    def samples(self) -> dict[str, list[tuple[dict[str, str], float]]]:
        """Return labels and values by metric."""
        found: dict[str, list[tuple[dict[str, str], float]]] = {}
        for family in text_string_to_metric_families(generate_latest(self.registry).decode()):
            for sample in family.samples:
                found.setdefault(sample.name, []).append((sample.labels, sample.value))
        return found


def test_zones_are_told_while_they_are_served():
    """Serial and records; one that is not ready has neither."""
    site = Site()
    blocks = block("org.", {"org": Loaded(zone_of("org.", 7)), "x.org": NotReady("not yet")})
    site.snapshot = snapshot(blocks)
    labels = {"zone": "org.", "view": "dns://org.:53"}
    assert site.samples() == {
        "ocizone_generation": [({}, 1.0)],
        "ocizone_zone_serial": [(labels, 7.0)],
        "ocizone_zone_records": [(labels, 3.0)],
    }
    site.snapshot = Snapshot(2, {})
    assert site.samples() == {"ocizone_generation": [({}, 2.0)]}


def test_a_source_that_is_well():
    """What is served by digest, and when it was looked at."""
    site = Site()
    site.statuses = [status_of(SOURCE)]
    site.pulls["r.test/a:v1", "unchanged"] = 3
    found = site.samples()
    name = {"source": "r.test/a:v1"}
    assert found["ocizone_artifact_info"] == [
        ({"ref": "r.test/a:v1", "digest": f"sha256:{'ab' * 32}"}, 1.0)
    ]
    assert found["ocizone_pull_total"] == [({**name, "result": "unchanged"}, 3.0)]
    assert found["ocizone_pull_last_success_timestamp_seconds"] == [(name, 1_790_000_000.0)]
    assert found["ocizone_pull_last_check_timestamp_seconds"] == [(name, 1_790_000_000.0)]
    assert found["ocizone_pull_next_timestamp_seconds"] == [(name, 1_790_003_600.0)]
    assert "ocizone_pull_failing" not in found


def test_a_source_that_fails():
    """Its reason is a label of a fixed set; what is not known has no sample."""
    site = Site()
    failure = Failure("Network", "refused by 192.0.2.1")
    site.statuses = [status_of(SOURCE, digest="", last_success=None, last_error=failure)]
    found = site.samples()
    assert found["ocizone_pull_failing"] == [({"source": "r.test/a:v1", "reason": "Network"}, 1.0)]
    assert "ocizone_artifact_info" not in found
    assert "ocizone_pull_last_success_timestamp_seconds" not in found


def test_no_two_samples_have_the_same_labels():
    """A scrape with duplicates is refused; two blocks may follow one tag."""
    plan = plan_of("org {\noci r.test/a /a\n}\nnet {\noci r.test/a /b\n}")
    site = Site()
    site.statuses = [status_of(source) for source in plan.sources]
    times = site.samples()["ocizone_pull_next_timestamp_seconds"]
    assert len({labels["source"] for labels, _ in times}) == 2


def test_when_signatures_expire_is_told_of_signed_zones():
    """Unix time of the first one: an alert compares it with now."""
    site = Site()
    signed = zone_with("x.org.", signed_until=1_795_219_200)
    site.snapshot = snapshot(
        block("org.", {"org": Loaded(zone_of("org.")), "x.org": Loaded(signed)})
    )
    labels = {"zone": "x.org.", "view": "dns://org.:53"}
    assert site.samples()["ocizone_zone_rrsig_expiry_seconds"] == [(labels, 1_795_219_200.0)]


def test_a_new_digest_replaces_the_series_of_the_old_one():
    """At once: two digests of one zone would be added up."""
    site = Site()
    site.snapshot = snapshot(block("org.", {"org": Loaded(zone_of("org."))}))
    held = ("dns://org.:53", "org.")
    labels = {"zone": "org.", "view": "dns://org.:53"}
    for digest, tag in (("sha256:aa", "v1"), ("sha256:bb", "v2")):
        site.statuses = [status_of(SOURCE, held, digest=digest, tag=tag, activated=5.0)]
        found = site.samples()
        assert found["ocizone_zone_info"] == [({**labels, "digest": digest, "tag": tag}, 1.0)]
        assert found["ocizone_zone_loaded_timestamp_seconds"] == [(labels, 5.0)]


def test_conditions_of_sources_are_one_or_zero():
    """Every type is there: an alert on a missing series never fires."""
    site = Site()
    site.statuses = [status_of(SOURCE, pin=Pin("sha256:aa", "pin", 1))]
    found = {labels["type"]: value for labels, value in site.samples()["ocizone_source_condition"]}
    assert found == {
        str(kind): float(kind in ("Ready", "Pinned"))
        for kind in SOURCE_TYPES
        if kind != "SourceVerified"
    }
    site.statuses = [status_of(SOURCE, verify="require", verified_by="key a")]
    found = {labels["type"]: value for labels, value in site.samples()["ocizone_source_condition"]}
    assert found["SourceVerified"] == 1.0


def test_a_source_that_is_gone_has_no_series():
    """Its counts stay in memory, and out of the scrape."""
    site = Site()
    site.pulls["r.test/gone:v1", "unchanged"] = 3
    assert "ocizone_pull_total" not in site.samples()
    site.statuses = [status_of(SOURCE, octets=77)]
    assert site.samples()["ocizone_pull_bytes_total"] == [({"source": "r.test/a:v1"}, 77.0)]


def test_zones_beyond_so_many_are_told_together(monkeypatch: pytest.MonkeyPatch):
    """Records summed up, of signatures the first that expires; a scrape stays bounded."""
    monkeypatch.setattr(gauges, "METRIC_GAUGE_ZONES", 2)
    site = Site()
    zones: dict[str, Loaded | NotReady] = {
        f"z{number}.org": Loaded(zone_with(f"z{number}.org.", signed_until=1_795_000_000 - number))
        for number in range(5)
    }
    site.snapshot = snapshot(block("org.", zones))
    found = site.samples()
    assert [labels["zone"] for labels, _ in found["ocizone_zone_serial"]] == ["z0.org.", "z1.org."]
    others = {"zone": "others", "view": ""}
    assert found["ocizone_zone_records"][2:] == [(others, 9.0)]
    assert found["ocizone_zone_rrsig_expiry_seconds"][2:] == [(others, 1_794_999_996.0)]


def test_what_was_sampled_stays():
    """Another thread reads it while the server goes on."""
    site = Site()
    site.snapshot = snapshot(block("org.", {"org": Loaded(zone_of("org.", 7))}))
    site.statuses, site.pulls["r.test/a:v1", "unchanged"] = [status_of(SOURCE)], 3
    taken = Gauges(lambda: site.snapshot, lambda: site.statuses, site.pulls).sampled()
    before = generate_latest(taken)
    site.snapshot, site.statuses = Snapshot(0, {}), []
    site.pulls["r.test/a:v1", "unchanged"] = 4
    assert generate_latest(taken) == before
