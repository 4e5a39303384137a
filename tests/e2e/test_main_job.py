"""The main job with the real program: a pushed zone is served, and stays served."""

from __future__ import annotations

import dns.rcode
import pytest

from tests.e2e.program import Repository, wait_until, zone

pytestmark = pytest.mark.e2e


def test_a_pushed_zone_is_served_and_so_is_its_change(serve, repository, tmp_path):
    """Push, serve, push again: the new version at the next look, over UDP and TCP."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    repository.push(db_example_org=zone(2, "192.0.2.20"))
    server.wait_answer("www.example.org", "A", "192.0.2.20")
    over_tcp = server.query("version.example.org", "TXT", tcp=True)
    assert over_tcp.answer[0][0].to_text() == '"2"'
    # Files follow the swap, so that nothing waits for them.
    path = tmp_path / "served" / "db.example.org"
    wait_until(lambda: path.read_bytes() == zone(2, "192.0.2.20"), "the file of the new version")


def test_before_the_first_version_it_says_not_ready(serve, repository, tmp_path):
    """SERVFAIL with EDE 14 (RFC 8914 4.15), and /ready names what is missing."""
    server = serve(repository.corefile(tmp_path, key="example.org"))
    server.wait_answering()
    reply = server.query("www.example.org")
    assert reply.rcode() == dns.rcode.SERVFAIL
    assert [option.code for option in reply.extended_errors()] == [14]
    assert server.query("www.example.net").rcode() == dns.rcode.REFUSED
    status, body = server.page("/ready")
    assert status == 503
    assert "example.org." in body
    assert repository.reference in body


def test_a_broken_push_changes_nothing_and_says_where(serve, repository, tmp_path):
    """Last good always: the old version answers, status has file and line, a mend is taken up."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    repository.push(db_example_org=zone(2) + b"broken IN A 192.0.2.300\n")
    server.refresh()
    source = wait_until(
        lambda: (found := server.source())["error"] and found, "an error in the status"
    )
    (problem,) = source["problems"]
    assert problem["where"].startswith("db.example.org:8:")
    assert server.answers("version.example.org", "TXT") == ['"1"']
    repository.push(db_example_org=zone(3, "192.0.2.30"))
    server.refresh()
    server.wait_answer("www.example.org", "A", "192.0.2.30")
    wait_until(lambda: server.source()["error"] is None, "the error to leave the status")


def test_a_refused_digest_is_not_fetched_again(serve, repository, lab_registry, tmp_path):
    """A digest known to be bad costs one HEAD a look (predecessors' bug 14)."""
    repository.push(db_example_org=b"no zone at all\n")
    server = serve(repository.corefile(tmp_path))
    server.wait_log("artifact refused")
    fetched = lab_registry.count("GET")
    heads = lab_registry.count("HEAD", "manifest")
    server.refresh()
    wait_until(lambda: lab_registry.count("HEAD", "manifest") > heads, "another look")
    assert lab_registry.count("GET") == fetched


def test_it_survives_kill_and_restarts_without_the_registry(
    serve, repository, lab_registry, tmp_path
):
    """Kill -9, registry gone: the same zones from the first answer on."""
    repository.push(db_example_org=zone(7))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"7"')
    server.kill()
    lab_registry.stop()
    again = serve(repository.corefile(tmp_path), port=server.port)
    first = wait_until(lambda: again.answers("version.example.org", "TXT"), "an answer")
    assert first == ['"7"']
    assert again.page("/ready")[0] == 200
    assert again.status()["zones"][0]["serial"] == 7


def test_a_registry_that_never_answers_stops_nothing(serve, repository, lab_registry, tmp_path):
    """Accepted and then silence: answers go on, SIGTERM ends the process, cleanly."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    lab_registry.faults.hang("manifest")
    server.refresh()
    wait_until(lambda: server.source()["state"] == "looking", "a look that hangs")
    assert server.answers("www.example.org") == ["192.0.2.10"]
    server.process.terminate()
    # limits.STOP_S and what an interpreter needs to end on a busy machine.
    assert server.process.wait(10) == 0


def test_the_same_content_pushed_again_is_not_a_reload(serve, repository, lab_registry, tmp_path):
    """Another manifest with the same layers: no blob is fetched, no generation made."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("www.example.org", "A", "192.0.2.10")
    before = server.status()["generation"]
    blobs = lab_registry.count("GET", "blob")
    digest = lab_registry.push_files(
        "dns/zones", "prod", {"db.example.org": zone(1)}, annotations={"again": "yes"}
    )
    server.refresh()
    wait_until(lambda: server.source()["digest"] == digest, "the new digest in the status")
    assert server.status()["generation"] == before
    assert lab_registry.count("GET", "blob") == blobs


def test_zones_leave_with_their_artifact(serve, repository, tmp_path):
    """A file dropped from the artifact is a zone withdrawn, and a file removed from PATH."""
    other = zone(1).replace(b"example.org", b"example.net")
    repository.push(db_example_org=zone(1), db_example_net=other)
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("www.example.net", "A", "192.0.2.10")
    foreign = tmp_path / "served" / "db.foreign"
    # Files are written once their zones are served.
    wait_until((tmp_path / "served" / "db.example.net").exists, "its file")
    foreign.write_text("not ours")
    repository.push(db_example_org=zone(2))
    server.refresh()
    wait_until(
        lambda: server.query("www.example.net").rcode() == dns.rcode.REFUSED, "the zone to leave"
    )
    wait_until(lambda: not (tmp_path / "served" / "db.example.net").exists(), "its file to leave")
    assert foreign.read_text() == "not ours"


def test_two_artifacts_cannot_claim_one_zone(serve, repository, lab_registry, tmp_path):
    """The first keeps it; the finding names both."""
    second = Repository(lab_registry, "dns/others")
    repository.push(db_example_org=zone(1))
    server = serve(
        repository.corefile(tmp_path).replace(
            "    errors",
            f"    oci {second.reference} {tmp_path}/second {{\n interval 5\n insecure true\n }}",
        )
    )
    server.wait_answer("version.example.org", "TXT", '"1"')
    second.push(db_example_org=zone(2))
    server.refresh()
    server.wait_log("origin-claimed-twice")
    assert server.answers("version.example.org", "TXT") == ['"1"']
    (line,) = [line for line in server.log.splitlines() if "origin-claimed-twice" in line][:1]
    assert repository.reference in line
    assert second.reference in line
