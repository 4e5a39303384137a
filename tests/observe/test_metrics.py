"""Every promised metric is in a scrape, under exactly its name and with its labels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.registry import Collector
from twisted.internet.task import Clock

from ocizone import limits
from ocizone.admin.enabled import enabled
from ocizone.answer.blocks import Loaded
from ocizone.observe.conditions import ConditionType
from ocizone.observe.counters import Counters
from ocizone.observe.gauges import Gauges
from ocizone.observe.looplag import LoopLag
from ocizone.observe.metrics import AsOf, Sampled
from ocizone.observe.queries import QueryMetrics
from ocizone.observe.registrytimes import RegistryTimes
from ocizone.observe.server import ServerFacts, ServerGauges
from tests.fullscrape import PLAN, full_scrape
from tests.servedzones import status_of, zone_of
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot

ROOT = Path(__file__).resolve().parent.parent.parent

#: What operators are promised (docs/operation.md), without the prefix.
OURS = {
    "dns_requests_total": "zone proto family type",
    "dns_responses_total": "zone rcode",
    "dns_request_duration_seconds_bucket": "proto le",
    "dns_dropped_total": "reason",
    "panics_total": "",
    "tcp_connections": "state",
    "xfr_total": "zone result",
    "notify_total": "result",
    "zone_serial": "zone view",
    "zone_records": "zone view",
    "zone_loaded_timestamp_seconds": "zone view",
    "zone_info": "zone view digest tag",
    "zone_rrsig_expiry_seconds": "zone view",
    "pull_total": "source result",
    "pull_duration_seconds_bucket": "result le",
    "pull_last_success_timestamp_seconds": "source",
    "pull_last_check_timestamp_seconds": "source",
    "pull_next_timestamp_seconds": "source",
    "pull_bytes_total": "source",
    "source_condition": "source type",
    "generation": "",
    "store_bytes": "",
    "build_info": "version",
    "config_hash_info": "hash",
    "event_loop_lag_seconds": "",
    "worker_up": "worker",
    "worker_generation": "worker",
    "worker_restarts_total": "worker",
    "registry_fetch_duration_seconds_bucket": "success le",
    "registry_request_duration_seconds_bucket": "kind success le",
    "registry_cache_requests_total": "cache result",
    "artifact_info": "ref digest",
    "pull_failing": "source reason",
    "tls_certificate_not_after_timestamp_seconds": "server",
}
#: CoreDNS' (reference corefile.md 2.12), with its prefix coredns_.
COREDNS = {
    "build_info": "version",
    "panics_total": "",
    "plugin_enabled": "server zone view name",
    "dns_requests_total": "server zone view proto family type",
    "dns_request_duration_seconds_bucket": "server zone view le",
    "dns_request_size_bytes_bucket": "server zone view proto le",
    "dns_response_size_bytes_bucket": "server zone view proto le",
    "dns_do_requests_total": "server zone view",
    "dns_responses_total": "server zone view rcode plugin",
    "reload_failed_total": "",
    "reload_version_info": "hash value",
}
#: Names of the two lists that no scrape has, and why.
EXCEPTIONS = {
    "ocizone_rrl_total": "there is no response rate limiting",
    "coredns_dns_https_responses_total": "DNS over HTTPS is not served",
    "coredns_dns_https3_responses_total": "DNS over HTTPS is not served",
    "coredns_dns_quic_responses_total": "DNS over QUIC is not served",
    "coredns_acl_blocked_requests_total": "a reply does not say which rule made it REFUSED;"
    " ocizone_dns_responses_total{rcode} counts it",
    "coredns_acl_filtered_requests_total": "the same",
    "coredns_acl_dropped_requests_total": "ocizone_dns_dropped_total{reason} counts it",
    "coredns_acl_allowed_requests_total": "everything else",
}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        *((f"ocizone_{name}", labels) for name, labels in OURS.items()),
        *((f"coredns_{name}", labels) for name, labels in COREDNS.items()),
    ],
)
def test_a_promised_metric_is_in_a_scrape(name: str, labels: str):
    """Dashboards and alerts name them."""
    assert full_scrape()[name] == set(labels.split())


def test_nothing_is_in_a_scrape_that_is_not_promised():
    """Who adds a metric adds it to the list, and to docs/operation.md."""
    promised = {f"ocizone_{name}" for name in OURS} | {f"coredns_{name}" for name in COREDNS}
    found = {name for name in full_scrape() if not name.endswith(("_sum", "_count"))}
    assert found == promised
    assert not promised & set(EXCEPTIONS)


# --- Bounds ----------------------------------------------------------------------------------


def test_histograms_are_of_the_first_zones_asked_for():
    """A scrape of a thousand zones takes a moment; nothing that is counted is lost."""
    counters = Counters()
    for number in range(limits.METRIC_ZONES + 10):
        zone = f"zone{number}."
        counters.query("dns://:53", zone, "udp", "1", 1, 0, 40, 80, 0.0002, dnssec_ok=False)
    counters.query("dns://:53", "dropped", "udp", "1", 1, 5, 40, 80, 0.0002, dnssec_ok=False)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(QueryMetrics(counters))
    text = generate_latest(registry).decode().splitlines()
    counts = {
        line.split('zone="')[1].split('"')[0]: float(line.split()[-1])
        for line in text
        if line.startswith("coredns_dns_request_duration_seconds_count")
    }
    assert len(counts) == limits.METRIC_ZONES + 2
    assert (counts["zone0."], counts["others"], counts["dropped"]) == (1, 10, 1)
    asked = [line for line in text if line.startswith("ocizone_dns_requests_total")]
    assert len(asked) == limits.METRIC_ZONES + 11


def test_enabled_directives():
    """Per address and zone of the key line; ``oci`` is called what the Corefile calls it."""
    assert list(enabled(PLAN)) == [("dns://:53", "org.", "acl"), ("dns://:53", "org.", "oci")]
    many = "\n".join(f"z{number} {{\nwhoami\n}}" for number in range(limits.METRIC_ZONES + 5))
    assert len(list(enabled(plan_of(many)))) == limits.METRIC_ZONES


def test_registry_times():
    """By kind and success; a look apart from its requests; caches by hit and miss."""
    times = RegistryTimes()
    times.request("blob", True, 0.02)
    times.request("blob", True, 200.0)
    times.request("token", False, 0.004)
    times.fetch(False, 3.0)
    times.cache("memcached", False)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(times)
    value = registry.get_sample_value
    name = "ocizone_registry_request_duration_seconds"
    blob = {"kind": "blob", "success": "true"}
    assert value(f"{name}_count", blob) == 2
    assert value(f"{name}_sum", blob) == 200.02
    assert value(f"{name}_bucket", {**blob, "le": "0.025"}) == 1
    assert value(f"{name}_bucket", {**blob, "le": "120"}) == 1
    assert value(f"{name}_count", {"kind": "token", "success": "false"}) == 1
    assert value("ocizone_registry_fetch_duration_seconds_count", {"success": "false"}) == 1
    assert (
        value("ocizone_registry_cache_requests_total", {"cache": "memcached", "result": "miss"})
        == 1
    )


def test_a_store_that_is_not_measured_yet_has_no_size():
    """Zero octets would look like a lost disk."""
    facts = ServerFacts(lambda: "", lambda: (), dict, lambda: None, lambda: 0.0)
    names = {metric.name for metric in ServerGauges(facts).collect()}
    assert "ocizone_store_bytes" not in names
    assert "ocizone_event_loop_lag_seconds" in names


# --- The event loop ----------------------------------------------------------------------------


class Late(Clock):
    """A clock whose timers fire as late as something holds the loop up."""

    def hold_up(self, seconds: float) -> None:
        self.rightNow += seconds
        self.advance(0)


def test_lag_is_how_late_a_timer_is():
    """The worst of the last minute; then it is forgotten."""
    clock = Late()
    lag = LoopLag(clock)
    assert lag.worst_s == 0
    lag.start()
    lag.start()
    assert len(clock.calls) == 1
    clock.advance(limits.LAG_LOOK_S)
    assert lag.worst_s == 0
    clock.hold_up(limits.LAG_LOOK_S + 0.2)
    assert lag.worst_s == pytest.approx(0.2)
    clock.pump([limits.LAG_LOOK_S] * int(limits.LAG_WINDOW_S / limits.LAG_LOOK_S))
    assert lag.worst_s == pytest.approx(0)


def test_lag_that_lasts_is_told():
    """A scrape may come first when the loop goes on."""
    clock = Late()
    lag = LoopLag(clock)
    lag.start()
    clock.rightNow += limits.LAG_LOOK_S + 3
    assert lag.worst_s == pytest.approx(3)


def test_lag_stops():
    """No timer is left."""
    clock = Clock()
    lag = LoopLag(clock)
    lag.stop()
    lag.start()
    lag.stop()
    lag.stop()
    assert clock.calls == []


def test_every_metric_is_documented():
    """docs/operation.md names each, with its labels, and no other."""
    text = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    table = "\n".join(line for line in text.splitlines() if line.startswith("| `"))
    told = {
        name: set(filter(None, labels.split(",")))
        for name, labels in re.findall(r"`((?:ocizone|coredns)_\w+)(?:\{([^}]*)\})?`", table)
        if name != "ocizone_source_condition" or labels
    }
    found: dict[str, set[str]] = {}
    for name, labels in full_scrape().items():
        plain = re.sub(r"_(bucket|sum|count)$", "", name)
        found.setdefault(plain, set()).update(labels - {"le"})
    assert told == found


def test_every_condition_is_documented():
    """docs/operation.md says what each means and what to do about it."""
    text = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    told = re.search(r"\| condition \|.*?\n\n", text, re.DOTALL)
    assert told is not None
    named = re.findall(
        r"`([A-Z]\w+)`", "\n".join(re.findall(r"^\| (`.*?) \|", told[0], re.MULTILINE))
    )
    assert named == [str(kind) for kind in ConditionType]


def test_a_scrape_of_a_thousand_zones_is_small():
    """Under 2 MiB, each zone asked for three types and answered with two rcodes."""
    counters = Counters()
    zones = {f"zone{number}.example.org.": Loaded(zone_of("x.")) for number in range(1000)}
    for zone in zones:
        for qtype, rcode in ((1, 0), (28, 0), (16, 3)):
            counters.query(
                "dns://:53", zone, "udp", "1", qtype, rcode, 40, 90, 0.0001, dnssec_ok=True
            )
    view = "dns://example.org.:53"
    served = snapshot(block("example.org.", dict(zones)))
    status = status_of(PLAN.sources[0], *((view, zone) for zone in zones), tag="v1")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(QueryMetrics(counters))
    registry.register(Gauges(lambda: served, lambda: [status], {}))
    assert len(generate_latest(registry)) < 2 * limits.MIB


def test_a_moment_of_everything_is_the_same_scrape():
    """What another thread reads, octet for octet."""
    counters = Counters()
    counters.query("dns://:53", "org.", "udp", "1", 1, 0, 40, 80, 0.0002, dnssec_ok=True)
    here = snapshot(block("org.", {"org.": Loaded(zone_of("org."))}))
    parts: list[Collector] = [
        QueryMetrics(counters),
        Gauges(lambda: here, lambda: [status_of(PLAN.sources[0])], {}),
        RegistryTimes(),
    ]
    registry = CollectorRegistry(auto_describe=False)
    for part in parts:
        registry.register(part)
    assert isinstance(parts[0], Sampled)
    assert isinstance(parts[1], Sampled)
    assert generate_latest(AsOf(parts)) == generate_latest(registry)
