"""Metrics of queries: CoreDNS' names and labels, bounded whatever clients send."""

from __future__ import annotations

import random
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ocizone.observe import queries as module
from ocizone.observe.counters import NO_ZONE, QTYPES, Counters
from ocizone.observe.queries import QueryMetrics


def exposed(counters: Counters) -> bytes:
    registry = CollectorRegistry(auto_describe=False)
    registry.register(QueryMetrics(counters))
    return generate_latest(registry)


def samples(counters: Counters, name: str) -> dict[tuple[tuple[str, str], ...], float]:
    """Return each sample of a name by its labels, sorted."""
    return {
        tuple(sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(exposed(counters).decode())
        for sample in family.samples
        if sample.name == name
    }


def count(counters: Counters, **changed: Any) -> None:
    given: dict[str, Any] = {
        "server": "dns://:53",
        "zone": "org.",
        "protocol": "udp",
        "family": "1",
        "qtype": 1,
        "rcode": 0,
        "request_octets": 30,
        "response_octets": 60,
        "seconds": 0.0003,
        "dnssec_ok": False,
        **changed,
    }
    counters.query(*(given[name] for name in list(given)[:-1]), dnssec_ok=given["dnssec_ok"])


PLACE = (("server", "dns://:53"),)


def test_names_and_labels_are_those_of_coredns():
    """A dashboard made for CoreDNS works."""
    counters = Counters()
    count(counters)
    labels: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(exposed(counters).decode()):
        for sample in family.samples:
            if not sample.name.startswith("ocizone_"):
                labels.setdefault(sample.name, set()).update(set(sample.labels) - {"le"})
    view = {"server", "zone", "view"}
    assert labels == {
        "coredns_build_info": {"version"},
        "coredns_panics_total": set(),
        "coredns_reload_failed_total": set(),
        "coredns_dns_requests_total": view | {"proto", "family", "type"},
        "coredns_dns_responses_total": view | {"rcode", "plugin"},
        "coredns_dns_do_requests_total": view,
        **{
            f"coredns_dns_{what}_{part}": view | more
            for what, more in (
                ("request_duration_seconds", set()),
                ("request_size_bytes", {"proto"}),
                ("response_size_bytes", {"proto"}),
            )
            for part in ("bucket", "count", "sum")
        },
    }


def test_buckets_are_those_of_coredns():
    """0.00025 doubled fifteen times; 0 to 64e3 octets."""
    counters = Counters()
    count(counters)
    bounds = [
        dict(labels)["le"] for labels in samples(counters, "coredns_dns_request_size_bytes_bucket")
    ]
    assert [float(bound) for bound in bounds] == [
        0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16e3, 32e3, 48e3, 64e3, float("inf"),
    ]  # fmt: skip
    name = "coredns_dns_request_duration_seconds_bucket"
    seconds = [float(dict(labels)["le"]) for labels in samples(counters, name)]
    assert seconds[:-1] == [0.00025 * 2**step for step in range(16)]


def test_queries_are_summed_by_their_labels():
    """Types the metrics know by name, the rest as other."""
    counters = Counters()
    count(counters)
    count(counters, seconds=0.1)
    count(counters, qtype=28, protocol="tcp", family="2", dnssec_ok=True)
    count(counters, qtype=65_280, zone=NO_ZONE, rcode=5)
    by_type = {
        (dict(labels)["type"], dict(labels)["proto"], dict(labels)["family"]): value
        for labels, value in samples(counters, "coredns_dns_requests_total").items()
    }
    assert by_type == {
        ("A", "udp", "1"): 2,
        ("AAAA", "tcp", "2"): 1,
        ("other", "udp", "1"): 1,
    }
    by_rcode = {
        (dict(labels)["rcode"], dict(labels)["zone"], dict(labels)["plugin"]): value
        for labels, value in samples(counters, "coredns_dns_responses_total").items()
    }
    assert by_rcode == {("NOERROR", "org.", "file"): 3, ("REFUSED", "dropped", ""): 1}
    do = samples(counters, "coredns_dns_do_requests_total")
    assert {dict(labels)["zone"]: value for labels, value in do.items()} == {
        "org.": 1,
        "dropped": 0,
    }
    assert counters.by_rcode() == {"NOERROR": 3, "REFUSED": 1}


def test_histograms_are_cumulative():
    """Each bucket holds those below it; +Inf holds all."""
    counters = Counters()
    for octets in (50, 100, 101, 70_000):
        count(counters, request_octets=octets)
    buckets = {
        dict(labels)["le"]: value
        for labels, value in samples(counters, "coredns_dns_request_size_bytes_bucket").items()
    }
    assert (buckets["0"], buckets["100"], buckets["200"]) == (0, 2, 3)
    assert (buckets["64000"], buckets["+Inf"]) == (3, 4)
    assert list(samples(counters, "coredns_dns_request_size_bytes_sum").values()) == [70_251]
    assert list(samples(counters, "coredns_dns_request_size_bytes_count").values()) == [4]


def test_an_unknown_rcode_is_its_number():
    """Nothing is lost, and the extended rcodes are few."""
    counters = Counters()
    count(counters, rcode=4000)
    count(counters, rcode=16)
    count(counters, rcode=-1)
    assert counters.by_rcode() == {"4000": 1, "BADVERS": 1}


def test_what_is_counted_apart():
    """Bugs, refused Corefiles, and what was not answered."""
    counters = Counters()
    counters.panics, counters.failed_reloads = 2, 3
    counters.drops["silent"] = 4
    counters.notified("acknowledged")
    counters.notified("acknowledged")
    assert samples(counters, "coredns_panics_total") == {(): 2}
    assert samples(counters, "coredns_reload_failed_total") == {(): 3}
    assert samples(counters, "ocizone_dns_dropped_total") == {(("reason", "silent"),): 4}
    assert samples(counters, "ocizone_notify_total") == {(("result", "acknowledged"),): 2}


def test_clients_make_no_series():
    """CoreDNS issue 4507: every type there is makes as many series as the fixed set has."""
    counters = Counters()
    drawn = random.Random(1)
    for qtype in range(0, 65_536, 7):
        count(counters, qtype=qtype, request_octets=drawn.randrange(65_536), seconds=drawn.random())
    for qtype in QTYPES:
        count(counters, qtype=qtype)
    assert len(samples(counters, "coredns_dns_requests_total")) == len(QTYPES) + 1
    # Nor do they take memory.
    assert len(counters._tallies) == len(QTYPES) + 1
    size = len(exposed(counters))
    for qtype in range(65_536):
        count(counters, qtype=qtype, response_octets=drawn.randrange(65_536))
    assert len(exposed(counters)) < size * 1.2


def test_zones_beyond_so_many_are_counted_together(monkeypatch: pytest.MonkeyPatch):
    """What takes few lines a zone, too: the sum over all stays right."""
    monkeypatch.setattr(module, "METRIC_GAUGE_ZONES", 3)
    counters = Counters()
    for number in range(10):
        count(counters, zone=f"z{number}.")
    count(counters, zone=NO_ZONE)
    for name in ("ocizone_dns_requests_total", "coredns_dns_responses_total"):
        found = samples(counters, name)
        by_zone = {dict(labels)["zone"]: value for labels, value in found.items()}
        assert by_zone == {"z0.": 1, "z1.": 1, "z2.": 1, NO_ZONE: 1, "others": 7}


def test_what_was_sampled_has_no_more_combinations():
    """Another thread reads it while queries come in."""
    counters = Counters()
    count(counters)
    counters.dropped("silent")
    taken = counters.copy()
    count(counters, zone="net.")
    counters.dropped("silent")
    counters.panics += 1
    assert samples(taken, "ocizone_panics_total") == {(): 0}
    assert samples(taken, "ocizone_dns_dropped_total") == {(("reason", "silent"),): 1}
    assert len(samples(taken, "ocizone_dns_responses_total")) == 1
    assert len(samples(counters, "ocizone_dns_responses_total")) == 2


def test_what_is_taken_is_added_elsewhere_and_nothing_is_lost():
    """Counts move from a process that answers to the one that is scraped."""
    here, there, both = Counters(), Counters(), Counters()
    for round_ in range(3):
        for one in (there, both):
            count(one, seconds=0.001 * round_, zone=f"zone{round_ % 2}.")
            one.dropped("silent")
            one.notified("acknowledged")
            one.transfers["org.", "done"] += 1
            one.panics += 1
            one.failed_reloads += 1
        here.add(there.take())
    assert exposed(here) == exposed(both)
    assert exposed(there) == exposed(Counters())
