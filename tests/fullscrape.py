"""A scrape of a server to which everything happened once: every metric has a sample."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from ocizone.admin.enabled import enabled
from ocizone.answer.blocks import Loaded
from ocizone.follow.status import Failure, Looked, LookResult, Outcome
from ocizone.observe.counters import Counters
from ocizone.observe.events import FollowJournal
from ocizone.observe.metrics import collectors
from ocizone.observe.registrytimes import RegistryTimes
from ocizone.observe.server import ServerFacts
from ocizone.observe.workers import WorkerState
from ocizone.store.standing import Held
from tests.servedzones import status_of, zone_with
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot

PLAN = plan_of("org {\noci r.test/a:v1 /a {\nverify {\nkey /k.pub\n}\n}\nacl {\nblock\n}\n}")


def full_scrape() -> dict[str, set[str]]:
    """Return the labels of each sample's name, as Prometheus stores them."""
    counters, journal, registry = Counters(), FollowJournal(), RegistryTimes()
    counters.query("dns://:53", "org.", "udp", "1", 1, 0, 40, 80, 0.0002, dnssec_ok=True)
    counters.dropped("silent")
    counters.notified("acknowledged")
    counters.transfers["org.", "done"] += 1
    (source,) = PLAN.sources
    journal(Looked(source.name, LookResult(Outcome.ACTIVATED, "sha256:aa"), 0.4))
    registry.request("tags", True, 0.01)
    registry.fetch(True, 0.2)
    registry.cache("memory", True)
    status = status_of(
        source,
        ("dns://org.:53", "org."),
        last_error=Failure("Network", "gone"),
        held=Held("sha256:bb", "ChangeGuard", 1, "c", ()),
        verify="require",
        verified_by="key k.pub",
        tag="v1",
    )
    here = snapshot(block("org.", {"org.": Loaded(zone_with("org.", signed_until=1_795_219_200))}))
    gathered = CollectorRegistry(auto_describe=False)
    for collector in collectors(
        counters=counters,
        journal=journal,
        registry=registry,
        snapshot=lambda: here,
        statuses=lambda: [status],
        facts=ServerFacts(
            config_hash=lambda: PLAN.corefile.fingerprint,
            enabled=lambda: enabled(PLAN),
            tcp_connections=lambda: {"open": 2},
            store_octets=lambda: 5,
            loop_lag_s=lambda: 0.001,
        ),
        certificates=lambda: {"tls://:853": 1_795_219_200.0},
        wall=lambda: 1_790_000_000.0,
        workers=lambda: [WorkerState(1, 4711, 5, up=True)],
    ):
        gathered.register(collector)
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(generate_latest(gathered).decode()):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found
