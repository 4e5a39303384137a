"""Which pages a Corefile asks for, and where."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ocizone.admin.desk import AdminDesk
from ocizone.admin.pages import Page, Render
from ocizone.admin.readiness import Reasons
from ocizone.answer.blocks import Loaded, NotReady, Snapshot
from ocizone.assemble import assemble
from ocizone.observe.counters import Counters
from ocizone.observe.queries import QueryMetrics
from tests.servedzones import status_of, zone_of
from tests.test_plan import plan_of
from tests.zonebuilder import block, snapshot


class FakeServer:
    """What the pages ask."""

    def __init__(self) -> None:
        self.snapshot: Snapshot = snapshot(
            block("org.", {"org": Loaded(zone_of("org."))}),
            block("net.", {"net": NotReady("not yet")}),
        )
        self.stopping = False

    def status(self) -> dict[str, Any]:
        return {"schema": "x"}


def desk(server: FakeServer | None = None) -> AdminDesk:
    return AdminDesk(server or FakeServer(), (QueryMetrics(Counters()),))


def shown(render: Render) -> Page:
    """Return the page; one that takes its time, too."""
    found = render()
    if isinstance(found, Page):
        return found
    pages: list[Page] = []
    found.addCallback(pages.append)
    return pages[0]


def test_the_control_socket_has_every_page():
    """Whatever the Corefile says; readiness is of all blocks and has no latch."""
    server = FakeServer()
    pages = desk(server).control(plan_of("org {\nwhoami\n}\nnet {\nwhoami\n}"))
    assert set(pages) == {"/health", "/ready", "/metrics"}
    assert shown(pages["/health"]).body == b"OK"
    assert shown(pages["/ready"]).status == 503
    ready = snapshot(block("org.", {"org": Loaded(zone_of("org."))}))
    waiting, server.snapshot = server.snapshot, ready
    assert shown(pages["/ready"]).status == 200
    server.snapshot = waiting
    assert shown(pages["/ready"]).status == 503


def test_metrics_are_in_prometheus_text_format():
    """A parser of another make reads them."""
    page = shown(desk().metrics)
    assert page.status == 200
    assert page.media_type.startswith("text/plain; version=")
    names = {family.name for family in text_string_to_metric_families(page.body.decode())}
    assert "coredns_panics" in names


def test_defaults_are_those_of_coredns():
    """8080, 8181 and 9153; only metrics stay on loopback."""
    found = desk().addresses(plan_of("org {\nhealth\nready\nprometheus\n}"))
    assert {address: set(pages) for address, pages in found.items()} == {
        ("", 8080): {"/health"},
        ("", 8181): {"/ready"},
        ("127.0.0.1", 9153): {"/metrics"},
    }


def test_pages_may_share_an_address():
    """One endpoint with all of them; it has no status, which is not for the network."""
    found = desk().addresses(
        plan_of("org {\nhealth :80\nready :80\nprometheus :80\n}\nnet {\nready :80\nhealth :80\n}")
    )
    assert {address: set(pages) for address, pages in found.items()} == {
        ("", 80): {"/health", "/ready", "/metrics"}
    }


def test_ready_is_the_union_of_the_blocks_at_its_address():
    """Same address, one endpoint; another address, another answer."""
    text = "org {{\nready :1\n}}\nnet {{\nready :{}\n}}"
    both = desk().addresses(plan_of(text.format(1)))
    assert shown(both["", 1]["/ready"]).status == 503
    apart = desk().addresses(plan_of(text.format(2)))
    assert shown(apart["", 1]["/ready"]).status == 200
    assert shown(apart["", 2]["/ready"]).status == 503


def test_a_latch_needs_the_consent_of_all():
    """One block that is monitored continuously is asked each time."""
    for monitor, after in (("until-ready", 200), ("continuously", 503)):
        server = FakeServer()
        text = f"org {{\nready :1\n}}\nnet {{\nready :1 {{\nmonitor {monitor}\n}}\n}}"
        page = desk(server).addresses(plan_of(text))["", 1]["/ready"]
        waiting = server.snapshot
        server.snapshot = snapshot(block("org.", {"org": Loaded(zone_of("org."))}))
        assert shown(page).status == 200
        server.snapshot = waiting
        assert shown(page).status == after


def test_no_directive_no_page():
    """Nothing listens that was not asked for."""
    assert desk().addresses(plan_of("org {\nwhoami\n}")) == {}


def test_readiness_tells_why():
    """What became of the source is known to the server."""
    plan = plan_of("org {\noci r.test/a:v1 /a\n}")
    server = FakeServer()
    server.snapshot = assemble(plan, {}, hostname="h", generation=1).snapshot
    never = status_of(plan.sources[0], digest="", last_check=None)
    made = AdminDesk(server, (), lambda: Reasons(plan, [never]))
    page = shown(made.control(plan)["/ready"])
    assert page.body == b"org.: no version of r.test/a:v1 yet (not looked at yet)"
