"""docker's config.json: which entry counts for which repository, and what a bad one costs."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ocizone import limits
from ocizone.errors import FetchReason, Permanent
from ocizone.registry.credentials import Login
from ocizone.registry.dockerconfig import DockerConfig, Place, key_of, place_of


def auth(user: str, password: str = "pw") -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


class Helpers:
    """Helpers that know logins; each question is kept."""

    def __init__(self, **known: tuple[int, bytes]) -> None:
        self.known = known
        self.asked: list[tuple[str, str, str]] = []

    def __call__(self, name: str, action: str, given: bytes) -> tuple[int, bytes]:
        self.asked.append((name, action, given.decode()))
        return self.known[name]


def knows(user: str) -> tuple[int, bytes]:
    return 0, json.dumps({"ServerURL": "x", "Username": user, "Secret": "from-helper"}).encode()


UNKNOWN = (1, b"credentials not found in native keychain\n")


class Case:
    def __init__(self, tmp_path: Path) -> None:
        self.path = tmp_path / "config.json"
        self.warnings: list[str] = []
        self.helpers = Helpers()

    def write(self, document: Any) -> None:
        self.path.write_text(document if isinstance(document, str) else json.dumps(document))

    def config(self, *, required: bool = True) -> DockerConfig:
        return DockerConfig(self.path, self.helpers, self.warnings.append, required=required)

    def user(self, reference: str) -> str | None:
        registry, _, repository = reference.partition("/")
        login = self.config().login(registry, repository)
        return None if login is None else login.username


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


# --- Keys ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "wanted"),
    [
        ("ghcr.io", Place("ghcr.io")),
        ("GHCR.io", Place("ghcr.io")),
        ("https://ghcr.io", Place("ghcr.io")),
        ("http://ghcr.io/", Place("ghcr.io")),
        ("https://ghcr.io/v1/", Place("ghcr.io")),
        ("https://ghcr.io/v2/", Place("ghcr.io")),
        ("ghcr.io/v1", Place("ghcr.io")),
        ("localhost:5000", Place("localhost:5000")),
        ("https://localhost:5000/v1/", Place("localhost:5000")),
        ("[::1]:5000", Place("[::1]:5000")),
        ("ghcr.io/org", Place("ghcr.io", "org")),
        ("ghcr.io/org/repo/", Place("ghcr.io", "org/repo")),
        ("https://index.docker.io/v1/", Place("docker.io")),
        ("docker.io", Place("docker.io")),
        ("index.docker.io", Place("docker.io")),
        ("registry-1.docker.io", Place("docker.io")),
        ("docker.io/library", Place("docker.io", "library")),
        ("ftp://ghcr.io", Place("ftp:", "/ghcr.io".strip("/"))),
        ("", Place("")),
    ],
)
def test_places(key: str, wanted: Place) -> None:
    """Scheme, /v1/ and case do not count; the port does; Docker Hub has one name."""
    assert place_of(key) == wanted


def test_key_of() -> None:
    assert key_of("index.docker.io") == "https://index.docker.io/v1/"
    assert key_of("localhost:5000") == "localhost:5000"


@pytest.mark.parametrize(
    ("reference", "user"),
    [
        ("ghcr.io/other/repo", "host"),
        ("ghcr.io/org/repo", "org"),
        ("ghcr.io/org", "org"),
        ("ghcr.io/organisation/repo", "host"),
        ("ghcr.io/org/repo/deep", "deep"),
        ("ghcr.io/org/repo/deeper", "org"),
        ("GHCR.IO/org/repo", "org"),
        ("ghcr.io:443/org/repo", None),
        ("localhost:5000/x", "local"),
        ("localhost/x", None),
        ("localhost:5001/x", None),
        ("docker.io/alpine", "library"),
        ("docker.io/me/x", "hub"),
        ("registry-1.docker.io/me/x", "hub"),
        ("quay.io/x", None),
    ],
)
def test_longest_path_wins(case: Case, reference: str, user: str | None) -> None:
    """Components count, not characters: ghcr.io/org holds nothing of ghcr.io/organisation."""
    keys = {
        "https://ghcr.io/v1/": "host",
        "ghcr.io/org": "org",
        "ghcr.io/org/repo/deep": "deep",
        "http://localhost:5000": "local",
        "https://index.docker.io/v1/": "hub",
        "docker.io/library": "library",
    }
    case.write({"auths": {key: auth(name) for key, name in keys.items()}})
    assert case.user(reference) == user


def test_of_two_keys_for_one_place_the_first(case: Case) -> None:
    case.write({"auths": {"https://ghcr.io": auth("first"), "ghcr.io": auth("second")}})
    assert case.user("ghcr.io/x") == "first"


# --- Entries ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        (auth("u", "p:q"), Login("u", "p:q")),
        (auth("u", "p\0"), Login("u", "p")),
        ({"username": "u", "password": "p"}, Login("u", "p")),
        ({**auth("a", "b"), "username": "u", "password": "p"}, Login("a", "b")),
        ({"identitytoken": "idt"}, Login(identity_token="idt")),
        ({**auth("u", ""), "identitytoken": "idt"}, Login("u", "", "idt")),
        ({"registrytoken": "rt"}, Login(registry_token="rt")),
        ({"auth": "", "username": None, "email": "x@y"}, None),
        ({}, None),
    ],
)
def test_entries(case: Case, entry: dict[str, Any], wanted: Login | None) -> None:
    """``auth``, the pair, tokens; the empty entry docker leaves behind says nothing."""
    case.write({"auths": {"ghcr.io": entry}})
    assert case.config().login("ghcr.io", "x") == wanted
    assert case.warnings == []


@pytest.mark.parametrize(
    "entry",
    [
        {"auth": "canary!!"},
        {"auth": base64.b64encode(b"canary-no-colon").decode()},
        {"auth": base64.b64encode(b"\xff\xfe:canary").decode()},
        {"auth": 7},
        {"auth": "Zg"},
        {"username": "a:b", "password": "canary"},
        {"password": "canary"},
        {"registrytoken": "canary\r\nX: y"},
        {"registrytoken": "canärÿ"},
        "canary",
        None,
        [],
    ],
)
def test_a_bad_entry_costs_itself(case: Case, entry: Any) -> None:
    """Flux refused the whole file; here it is skipped with a warning that quotes nothing."""
    case.write({"auths": {"bad.example": entry, "ghcr.io": auth("u")}})
    config = case.config()
    for _ in range(3):
        assert config.login("ghcr.io", "x") == Login("u", "pw")
        assert config.login("bad.example", "x") is None
    assert len(case.warnings) == 1
    assert "bad.example" in case.warnings[0]
    assert "canary" not in case.warnings[0]


def test_warnings_are_bounded(case: Case) -> None:
    """A file that grows other mistakes for ever does not fill the memory."""
    config = case.config()
    case.write({"auths": {f"h{number}": 1 for number in range(limits.PROBLEMS + 10)}})
    config.login("x", "y")
    assert len(case.warnings) == limits.PROBLEMS


def test_bare_map_of_kubernetes(case: Case) -> None:
    """A kubernetes.io/dockercfg secret has no ``auths`` around it."""
    case.write({"ghcr.io": auth("u"), "bad": 7})
    assert case.user("ghcr.io/x") == "u"


@pytest.mark.parametrize(
    "document",
    [{}, {"auths": None}, {"auths": []}, {"HttpHeaders": {"X": "y"}}, {"credHelpers": [],
     "credsStore": 7}],
)  # fmt: skip
def test_documents_without_entries(case: Case, document: Any) -> None:
    case.write(document)
    assert case.user("ghcr.io/x") is None


# --- The file --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["", "canary", "[]", '"canary"', '{"auths": canary}', '{"a": 1, "a": 2}']
)
def test_a_file_that_is_none(case: Case, text: str) -> None:
    case.write(text)
    with pytest.raises(Permanent, match=r"config\.json") as caught:
        case.user("ghcr.io/x")
    assert caught.value.reason is FetchReason.CONFIG
    assert "canary" not in str(caught.value)


def test_a_file_that_is_too_long(case: Case) -> None:
    case.write(" " * (limits.DOCKER_CONFIG_OCTETS + 1))
    with pytest.raises(Permanent, match="more than"):
        case.user("ghcr.io/x")


def test_no_file(case: Case) -> None:
    """One that a block names must be there; the one at home need not."""
    with pytest.raises(Permanent, match="no such file"):
        case.user("ghcr.io/x")
    assert case.config(required=False).login("ghcr.io", "x") is None


def test_a_directory_in_its_place(case: Case) -> None:
    case.path.mkdir()
    with pytest.raises(Permanent, match="not a regular file"):
        case.user("ghcr.io/x")


def test_read_at_each_use(case: Case) -> None:
    """Kubernetes replaces the file under our feet."""
    config = case.config()
    case.write({"auths": {"ghcr.io": auth("old")}})
    assert config.login("ghcr.io", "x") == Login("old", "pw")
    fresh = case.path.with_name("new")
    fresh.write_text(json.dumps({"auths": {"ghcr.io": auth("new")}}))
    fresh.replace(case.path)
    assert config.login("ghcr.io", "x") == Login("new", "pw")


def test_a_login_shows_no_secret() -> None:
    """Flux' TestStringShouldNotLeakPasswords."""
    login = Login("u", "canary-1", "canary-2", "canary-3")
    assert "canary" not in repr(login) + str(login) + f"{login}"
    assert str(Login(identity_token="canary")) == "the token"
    assert str(Login("u", identity_token="canary")) == "the token of user u"


# --- Helpers ---------------------------------------------------------------------------------


def test_helper_of_a_registry(case: Case) -> None:
    """It goes before an entry for the same place, and is asked by the key as it stands there."""
    case.helpers = Helpers(ecr=knows("aws"))
    case.write({"auths": {"ecr.example": auth("file")}, "credHelpers": {"ecr.example": "ecr"}})
    assert case.config().login("ecr.example", "x") == Login("aws", "from-helper")
    assert case.helpers.asked == [("ecr", "get", "ecr.example")]


def test_a_longer_entry_goes_before_a_helper(case: Case) -> None:
    case.helpers = Helpers(ecr=knows("aws"))
    case.write({"auths": {"ecr.example/org": auth("file")}, "credHelpers": {"ecr.example": "ecr"}})
    assert case.user("ecr.example/org/x") == "file"
    assert case.user("ecr.example/other") == "aws"


def test_a_helper_that_knows_nothing(case: Case) -> None:
    """Then the file's own entry counts, if there is one; the store is not asked."""
    case.helpers = Helpers(ecr=UNKNOWN)
    document: dict[str, Any] = {"credHelpers": {"ecr.example": "ecr"}, "credsStore": "store"}
    case.write(document)
    assert case.user("ecr.example/x") is None
    case.write({**document, "auths": {"ecr.example": auth("file")}})
    assert case.user("ecr.example/x") == "file"


def test_store(case: Case) -> None:
    """Asked where there is no entry with a secret; Docker Hub by the name docker gave it."""
    case.helpers = Helpers(pass_=knows("stored"))
    auths = {"ghcr.io": {}, "quay.io": auth("file"), "https://index.docker.io/v1/": {}}
    case.write({"auths": auths, "credsStore": "pass_"})
    assert case.user("ghcr.io/x") == "stored"
    assert case.user("docker.io/me/x") == "stored"
    assert case.user("quay.io/x") == "file"
    assert [asked[2] for asked in case.helpers.asked] == ["ghcr.io", "https://index.docker.io/v1/"]


def test_helpers_that_are_none(case: Case) -> None:
    case.write({"credHelpers": {"ecr.example": 7}})
    assert case.user("ecr.example/x") is None
    assert "ecr.example" in case.warnings[0]
