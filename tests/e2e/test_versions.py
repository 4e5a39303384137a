"""Signed zones, serials that rise and differences between versions, with the real program."""

from __future__ import annotations

import time
from pathlib import Path

import dns.message
import dns.name
import dns.query
import dns.rdatatype
import dns.rrset
import dns.zone
import pytest

from tests.e2e.program import Repository, Server, wait_until, zone
from tests.signedzones import DAY, Signer

pytestmark = pytest.mark.e2e

ORIGIN = dns.name.from_text("example.org.")


def with_serial_rule(repository: Repository, directory: Path, rule: str, *lines: str) -> str:
    text = repository.corefile(directory, *lines)
    return text.replace("insecure true", f"insecure true\n        serial {rule}")


def serial(server: Server) -> int:
    found = server.answers("example.org", "SOA")
    return int(found[0].split()[2]) if found else 0


def test_serials_rise_over_kills_and_lost_images(serve, repository, tmp_path):
    """``serial auto``: each content has one serial, whatever happens to the state directory."""
    content = [zone(7, f"192.0.2.{number}") for number in (10, 20)]
    repository.push(db_example_org=content[0])
    corefile = with_serial_rule(repository, tmp_path, "auto")
    server = serve(corefile)
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    assert serial(server) == 7
    repository.push(db_example_org=content[1])
    server.refresh()
    server.wait_answer("www.example.org", "A", "192.0.2.20")
    assert serial(server) == 8
    repository.push(db_example_org=content[0])
    server.refresh()
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    assert serial(server) == 9, "a rollback is a change"
    server.kill()
    for image in (server.state / "images").glob("*"):
        image.unlink()
    again = serve(corefile, port=server.port)
    again.wait_answer("www.example.org", "A", "192.0.2.10")
    assert serial(again) == 9, "compiled anew from its own record"
    repository.push(db_example_org=content[1])
    again.refresh()
    again.wait_answer("www.example.org", "A", "192.0.2.20")
    assert serial(again) == 10


def test_a_change_under_an_old_serial_is_told(serve, repository, tmp_path):
    """``serial keep``: served, and a warning says that secondaries miss it."""
    repository.push(db_example_org=zone(7))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    repository.push(db_example_org=zone(7, "192.0.2.20"))
    server.refresh()
    server.wait_answer("www.example.org", "A", "192.0.2.20")
    server.wait_log("secondaries will not notice: serial 7 did not rise")
    assert [one["rule"] for one in server.source()["problems"]] == ["serial-not-risen"]


def test_a_zone_whose_signatures_are_wrong_is_refused(serve, repository, tmp_path):
    """The last good version stays; ``dnssec warn`` serves it with a warning."""
    now = int(time.time())
    signer = Signer(inception=now - DAY, expiration=now + 7 * DAY)
    signed = "\n".join(["$ORIGIN example.org.", *signer.nsec().lines(), ""])
    repository.push(db_example_org=signed.encode())
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("ns.example.org", "A", "192.0.2.1")
    (shown,) = server.status()["zones"]
    assert shown["state"] == "Ready"
    assert shown["signed_until"] == time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime(signer.expiration)
    )
    repository.push(db_example_org=signed.replace("192.0.2.1", "192.0.2.99").encode())
    server.refresh()
    server.wait_log("rrsig-bogus")
    assert server.answers("ns.example.org", "A") == ["192.0.2.1"]
    text = repository.corefile(tmp_path)
    server.reload(text.replace("insecure true", "insecure true\n        dnssec warn"))
    server.wait_answer("ns.example.org", "A", "192.0.2.99")
    wait_until(lambda: server.source()["error"] is None, "the error to leave the status")
    told = {one["rule"] for one in server.source()["problems"]}
    # The address is that of a server of the zone.
    assert told == {"rrsig-bogus", "serial-not-risen", "guard-ns"}


def test_differences_are_there_after_a_restart(serve, repository, tmp_path):
    """IXFR from a version that was served before the server was killed (RFC 1995)."""
    corefile = repository.corefile(tmp_path, "transfer {", "    to *", "}")
    repository.push(db_example_org=zone(1))
    server = serve(corefile)
    for number in (1, 2, 3):
        repository.push(db_example_org=zone(number, f"192.0.2.{number}"))
        server.refresh()
        server.wait_answer("www.example.org", "A", f"192.0.2.{number}")
    server.kill()
    again = serve(corefile, port=server.port)
    again.wait_answer("www.example.org", "A", "192.0.2.3")
    held = dns.zone.from_text(zone(1, "192.0.2.1").decode(), ORIGIN, relativize=False)
    query = dns.message.make_query("example.org", "IXFR")
    soa = held.get_rdataset(ORIGIN, "SOA")
    assert soa is not None
    query.authority.append(dns.rrset.from_rdata(ORIGIN, 300, soa[0]))

    def difference() -> list[dns.rrset.RRset]:
        """Return one step from 1 to 3; [] while the history is still being read."""
        reply = dns.query.tcp(query, "127.0.0.1", 5, again.port, one_rr_per_rrset=True)
        soas = [rrset[0].serial for rrset in reply.answer if rrset.rdtype == dns.rdatatype.SOA]
        return reply.answer if soas == [3, 1, 3, 3] else []

    answer = wait_until(difference, "one step from 1 to 3")
    assert [rrset.rdtype for rrset in answer].count(dns.rdatatype.A) == 2
