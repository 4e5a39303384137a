"""``pull``, ``tags``, ``login`` and ``logout`` against the lab registry."""

from __future__ import annotations

import io
import json
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from ocizone.lab import LabRegistry
from ocizone.lab.certificates import CertificateAuthority
from ocizone.lab.gate import Access
from tests.cli.test_check import GOOD
from tests.cli.test_main import run


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    """Nobody's credentials, and no server."""
    monkeypatch.setenv("OCIZONE_STATE_DIR", str(tmp_path / "nowhere"))
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    return Path(tmp_path)


@pytest.fixture
def repository(lab_registry, home, capsys) -> str:
    (home / "zones").mkdir()
    (home / "zones" / "db.example.org").write_text(GOOD)
    found = f"localhost:{lab_registry.port}/dns/zones"
    for tag in ("prod", "v1.9.0", "v1.10.0"):
        assert run("push", "--no-plan", f"{found}:{tag}", str(home / "zones")) == 0
    capsys.readouterr()
    return found


def test_pull(repository, home, capsys):
    """The files where -O says; REF@DIGEST on stdout, which is what pull takes, too."""
    assert run("pull", f"{repository}:prod", "-O", str(home / "out")) == 0
    out, err = capsys.readouterr()
    assert (home / "out" / "db.example.org").read_text() == GOOD
    assert err == "pulled   db.example.org 118 B\n"
    named, _, digest = out.strip().partition("@")
    assert named == f"{repository}:prod"
    assert run("pull", f"{repository}@{digest}", "-O", str(home / "again")) == 0
    assert capsys.readouterr().out == f"{repository}@{digest}\n"
    assert run("pull", f"{repository}:prod", "-O", str(home / "out")) == 1
    assert "is not empty" in capsys.readouterr().err
    assert run("pull", f"{repository}:prod", "-O", str(home / "out"), "--force") == 0


def test_pull_without_the_signature_it_needs(repository, home, capsys):
    """5, and nothing is fetched."""
    key = home / "key.pub"
    key.write_text(PUBLIC)
    assert run("pull", f"{repository}:prod", "-O", str(home / "out"), "--verify-key", str(key)) == 5
    assert "not signed" in capsys.readouterr().err
    assert not (home / "out").exists()


PUBLIC = """\
-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEaxfR8uEsQkf4vOblY6RA8ncDfYEt
6zOg9KE5RdiYwpZP40Li/hp/m47n60p8D54WK84zV2sxXs7LtkBoN79R9Q==
-----END PUBLIC KEY-----
"""


def test_tags(repository, capsys):
    """One a line; a range's newest first; 1 when it matches none; JSON."""
    assert run("tags", repository) == 0
    assert capsys.readouterr().out.split() == ["prod", "v1.10.0", "v1.9.0"]
    assert run("tags", repository, "--semver", ">=1 <2") == 0
    assert capsys.readouterr().out.split() == ["v1.10.0", "v1.9.0"]
    assert run("tags", repository, "--semver", ">=3") == 1
    assert capsys.readouterr() == ("", "no tag matches >=3\n")
    assert run("tags", repository, "--semver", "nonsense") == 2
    capsys.readouterr()
    assert run("tags", f"{repository}:prod", "-o", "json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["repository"], len(told["tags"])) == (repository, 3)
    assert run("tags", f"{repository}x") == 1


@pytest.fixture
def locked():
    """A registry that wants alice."""
    with LabRegistry(access=Access.BASIC, users={"alice": "fake-password"}) as registry:
        yield registry


def login(monkeypatch: pytest.MonkeyPatch, registry: str, password: str, *more: str) -> int:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
    return run("login", registry, "-u", "alice", "--password-stdin", *more)


def test_login_is_kept_for_the_commands_that_follow(locked, home, monkeypatch, capsys):
    """In docker's file, 0600, with a warning that it is readable there; logout removes it."""
    host = f"localhost:{locked.port}"
    (home / "db.example.org").write_text(GOOD)
    arguments = ("push", f"{host}/z:prod", str(home / "db.example.org"))
    assert run(*arguments) == 3
    assert login(monkeypatch, host, "fake-password") == 0
    out, err = capsys.readouterr()
    config = home / "docker" / "config.json"
    assert out == f"logged in to {host} as alice, kept in {config}\n"
    assert "as good as in clear" in err
    assert config.stat().st_mode & 0o777 == 0o600
    assert run(*arguments) == 0
    assert run("logout", host) == 0
    assert f"logged out of {host}" in capsys.readouterr().out
    assert run(*arguments) == 3
    assert run("logout", host) == 0
    assert "has no credentials" in capsys.readouterr().err


def test_a_wrong_password_is_not_kept(locked, home, monkeypatch, capsys):
    """3; the registry was asked first."""
    assert login(monkeypatch, f"localhost:{locked.port}", "wrong") == 3
    assert not (home / "docker").exists()
    assert "wrong" not in "".join(capsys.readouterr())


def test_another_file(locked, home, monkeypatch):
    """--docker-config: for login and for every command that speaks to a registry."""
    host = f"localhost:{locked.port}"
    file = str(home / "robot.json")
    assert login(monkeypatch, host, "fake-password", "--docker-config", file) == 0
    assert not (home / "docker").exists()
    assert run("tags", f"{host}/none", "--docker-config", file) == 1
    assert run("tags", f"{host}/none") == 3
    assert run("tags", f"{host}/none", "--docker-config", str(home / "gone.json")) == 2
    assert run("logout", host, "--docker-config", file) == 0
    assert run("tags", f"{host}/none", "--docker-config", file) == 3


@pytest.mark.parametrize(
    "arguments",
    [["login", "r.test"], ["login", "https://r.test", "-u", "a"], ["login", "r.test", "-u", "a"],
     ["logout", "https://r.test"], ["logout", "a/b c"], ["pull", "UPPER"], ["tags", "r.test"],
     ["tags", "localhost/x", "--plain-http", "--ca-file", "/dev/null"]],
)  # fmt: skip
def test_a_wrong_command_line_is_2(arguments):
    """Before anything is sent."""
    assert run(*arguments) == 2


@pytest.mark.parametrize("command", ["login", "logout"])
def test_what_is_no_registry_is_told_as_it_was_written(command, capsys):
    """The slip everybody makes: a URL."""
    assert run(command, "https://r.test") == 2
    assert "https://r.test is no registry: write HOST or HOST:PORT" in capsys.readouterr().err


# --- TLS -------------------------------------------------------------------------------------


def test_a_ca_means_tls_also_for_localhost(repository, home, capsys):
    """A registry of TLS is reached; one of plain HTTP is sent nothing in clear."""
    (home / "ca").mkdir()
    authority = CertificateAuthority(home / "ca")
    ca_file = ("--ca-file", str(authority.ca_file))
    with LabRegistry(ssl_context=authority.server_context("localhost", "127.0.0.1")) as registry:
        secret = f"localhost:{registry.port}/z:prod"
        assert run("push", secret, str(home / "zones"), *ca_file) == 0
        assert run("tags", secret, *ca_file) == 0
    capsys.readouterr()
    assert run("tags", repository, *ca_file) == 4
    assert "TLS" in capsys.readouterr().err


class TlsPort(BaseHTTPRequestHandler):
    """Answers plain HTTP as Go and nginx do on a port of TLS."""

    def do_GET(self) -> None:
        self.send_error(400, "Client sent an HTTP request to an HTTPS server.")

    do_HEAD = do_GET

    def log_message(self, *_: object) -> None: ...


def test_plain_http_to_a_port_of_tls(home, capsys):
    """The hint that is missing in "400 Bad Request"."""
    with HTTPServer(("127.0.0.1", 0), TlsPort) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        for host, arguments in (("localhost", []), ("127.0.0.1", ["--plain-http"])):
            assert run("pull", f"{host}:{server.server_port}/z:prod", *arguments) == 1
            assert "perhaps it speaks TLS (--ca-file FILE)" in capsys.readouterr().err
        assert run("diff", f"localhost:{server.server_port}/z:prod", str(home)) == 2
        assert "perhaps it speaks TLS" in capsys.readouterr().err
        server.shutdown()
