"""The Corefile in the real program: mistakes, reloads, local zones, where zones come from."""

from __future__ import annotations

import subprocess
import sys

import dns.flags
import dns.rcode
import pytest

from tests.e2e.program import Server, wait_until, zone
from tests.ports import free_port

pytestmark = pytest.mark.e2e


def test_every_mistake_is_told_and_nothing_starts(tmp_path):
    """Exit 2, all errors at once, each with FILE:LINE."""
    corefile = tmp_path / "Corefile"
    corefile.write_text(". {\n    nosuch\n    bufsize 1\n    forward . 192.0.2.1\n}\n")
    done = subprocess.run(
        [sys.executable, "-m", "ocizone", "serve", "-c", str(corefile)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    for line, word in ((2, "nosuch"), (3, "bufsize"), (4, "forward")):
        assert any(
            f"{corefile}:{line}" in text and word in text for text in done.stderr.splitlines()
        ), done.stderr


def test_a_missing_corefile_is_told(tmp_path):
    """No built-in configuration: an authoritative server that serves nothing is a mistake."""
    done = subprocess.run(
        [sys.executable, "-m", "ocizone", "serve", "-c", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "no such file" in done.stderr


def test_a_reload_keeps_listeners_and_last_good_versions(serve, repository, tmp_path):
    """SIGUSR1: another directive, the same listener, the same zone, one puller a block."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"1"')
    assert server.query("example.org", "ANY").answer[0].rdtype != 13
    for _ in range(3):
        server.reload(repository.corefile(tmp_path, "any"))
        server.reload(repository.corefile(tmp_path, "any", "minimal"))
    server.wait_log("reloaded", times=2)
    wait_until(
        lambda: server.query("example.org", "ANY").answer[0].rdtype == 13, "HINFO (RFC 8482)"
    )
    assert server.answers("version.example.org", "TXT") == ['"1"']
    assert len(server.status()["sources"]) == 1


def test_a_bad_corefile_leaves_everything_as_it_was(serve, repository, tmp_path):
    """Every listener goes on, DNS and admin (CoreDNS issue 2339); the mistake is told."""
    repository.push(db_example_org=zone(1))
    admin = free_port()
    good = repository.corefile(tmp_path, f"health 127.0.0.1:{admin}")
    server = serve(good)
    server.wait_answer("version.example.org", "TXT", '"1"')
    server.reload(good.replace("errors", "errrors"))
    server.wait_log("reload failed")
    assert "errrors" in server.log
    assert server.answers("version.example.org", "TXT") == ['"1"']
    assert http(admin, "/health") == (200, "OK")


def test_a_taken_port_leaves_everything_as_it_was(serve, repository, tmp_path):
    """All or nothing: the new address cannot be had, the old one stays."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"1"')
    holder = serve(repository.corefile(tmp_path).replace("/served", "/other"), name="holder")
    holder.wait_answering()
    extra = f"example.com:{holder.port} {{\n    bind 127.0.0.1\n    whoami\n}}\n"
    server.reload(repository.corefile(tmp_path) + extra)
    server.wait_log("Address already in use")
    assert server.answers("version.example.org", "TXT") == ['"1"']


def test_a_moved_listener_opens_and_the_old_one_closes(serve, repository, tmp_path):
    """A reload that changes the port moves the zone with its data."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path))
    server.wait_answer("version.example.org", "TXT", '"1"')
    old, server.port = server.port, free_port()
    server.reload(repository.corefile(tmp_path, key=f".:{server.port}"))
    server.wait_answer("version.example.org", "TXT", '"1"')
    server.port = old
    wait_until(lambda: not server.answers("version.example.org", "TXT"), "the old port to close")


def test_the_reload_directive_watches(serve, repository, tmp_path):
    """`reload 2s 0`: a changed file is taken up without a signal."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path, "reload 2s 0"))
    server.wait_answer("version.example.org", "TXT", '"1"')
    server.corefile.write_text(repository.corefile(tmp_path, "reload 2s 0", "any"))
    server.wait_log("reloaded")


def test_local_files_and_directories(serve, tmp_path):
    """`file` and `auto` without an artifact: CoreDNS' own way, compiled and served alike."""
    zones = tmp_path / "local"
    zones.mkdir()
    (zones / "one").write_bytes(zone(1))
    (zones / "db.example.net").write_bytes(zone(2).replace(b"example.org", b"example.net"))
    server = serve(
        f"example.org {{\n bind 127.0.0.1\n file {zones}/one {{\n reload 1s\n }}\n}}\n"
        f"example.net {{\n bind 127.0.0.1\n auto {{\n directory {zones}\n reload 1s\n }}\n}}\n"
    )
    server.wait_answer("version.example.org", "TXT", '"1"')
    server.wait_answer("version.example.net", "TXT", '"2"')
    (zones / "one").write_bytes(zone(10))
    server.wait_answer("version.example.org", "TXT", '"10"')
    (zones / "one").write_bytes(b"rubbish\n")
    server.wait_log("artifact refused")
    assert server.answers("version.example.org", "TXT") == ['"10"']


def test_file_and_auto_choose_from_the_artifact(serve, repository, tmp_path):
    """A path inside PATH names a file of the artifact, whatever it is called."""
    net = zone(2).replace(b"example.org", b"example.net")
    repository.push_files({"weird-name.txt": zone(1), "more/db.example.net": net})
    server = serve(
        repository.corefile(
            tmp_path,
            "file weird-name.txt example.org",
            "auto example.net {",
            "    directory more",
            "}",
        )
    )
    server.wait_answer("version.example.org", "TXT", '"1"')
    server.wait_answer("version.example.net", "TXT", '"2"')


def test_one_state_directory_one_server(serve, repository, tmp_path):
    """The second one is told who has it, and ends."""
    server = serve(repository.corefile(tmp_path))
    server.wait_answering()
    second = Server(server.directory, server.corefile.read_text(), free_port())
    assert second.process.wait(30) == 1
    assert str(server.process.pid) in second.log


def test_blocks_by_name_port_and_policy(serve, tmp_path):
    """Longest key wins; acl blocks with EDE 15; whoami, chaos and nsid answer."""
    (tmp_path / "db.example.org").write_bytes(zone(1))
    server = serve(
        "example.org {\n bind 127.0.0.1\n"
        f" file {tmp_path}/db.example.org\n nsid ns1-lab\n"
        " acl {\n  block type AAAA\n }\n}\n"
        ". {\n bind 127.0.0.1\n whoami\n chaos lab-1 someone\n}\n"
    )
    server.wait_answer("version.example.org", "TXT", '"1"')
    blocked = server.query("www.example.org", "AAAA")
    assert blocked.rcode() == dns.rcode.REFUSED
    assert [option.code for option in blocked.extended_errors()] == [15]
    who = server.query("anything.example.com")
    assert who.flags & dns.flags.AA
    assert "127.0.0.1" in str(who.additional)


def http(port: int, path: str) -> tuple[int, str]:
    import http.client  # noqa: PLC0415 - shadowed by the function's name

    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def test_a_changed_key_line_needs_no_registry(serve, repository, lab_registry, tmp_path):
    """Another key, root or port with the registry gone: what was served goes on being served."""
    repository.push(db_example_org=zone(1))
    server = serve(repository.corefile(tmp_path, key="example.org"))
    server.wait_answer("version.example.org", "TXT", '"1"')
    lab_registry.stop()
    server.reload(repository.corefile(tmp_path, key="example.org example.com"))
    server.wait_log("reloaded")
    assert server.answers("version.example.org", "TXT") == ['"1"']
    assert server.query("www.example.com").rcode() == dns.rcode.REFUSED
    server.reload(repository.corefile(tmp_path / "elsewhere", key="example.org"))
    server.wait_log("reloaded", times=2)
    assert server.answers("version.example.org", "TXT") == ['"1"']
    server.stop()
    moved = serve(repository.corefile(tmp_path, key="."))
    # Whatever answers first: not ready would be the fault.
    first = wait_until(lambda: moved.answers("version.example.org", "TXT"), "an answer")
    assert first == ['"1"']
    assert "SERVFAIL" not in moved.status()["dns"]["rcodes"]


def test_bind_can_be_added_and_dropped_on_one_port(serve, repository, tmp_path):
    """From every address to one and back, by reload."""
    repository.push(db_example_org=zone(1))
    bound = repository.corefile(tmp_path)
    server = serve(bound.replace("    bind 127.0.0.1\n", ""))
    server.wait_answer("version.example.org", "TXT", '"1"')
    for number, corefile in enumerate((bound, bound.replace("    bind 127.0.0.1\n", "")), 1):
        server.reload(corefile)
        server.wait_log("reloaded", times=number)
        assert server.answers("version.example.org", "TXT") == ['"1"']
