"""The control API: who may ask what, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from twisted.internet.defer import Deferred, succeed

from ocizone.admin.api import AskError, ControlApi
from ocizone.admin.pages import Ask, Page
from ocizone.admin.verbs import VERBS, VerbResult


class FakeOperations:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.result = VerbResult(ok=True, exit=0, message="done")
        self.shown: dict[str, Any] | Deferred[Page] = {"schema": "status"}

    def status(self) -> dict[str, Any] | Deferred[Page]:
        return self.shown

    def history(self, source: str, most: int) -> Deferred[dict[str, Any]]:
        return succeed({"source": source, "most": most})

    def report(self, digest: str, source: str) -> Deferred[dict[str, Any]]:
        found: Deferred[dict[str, Any]] = Deferred()
        if digest == "none":
            found.errback(AskError(HTTPStatus.NOT_FOUND, "nothing is known"))
        else:
            found.callback({"digest": digest, "source": source})
        return found

    def which(self, name: str, view: str) -> dict[str, Any]:
        return {"name": name, "view": view}

    def served(self, source: str) -> dict[str, Any]:
        return {"image": "/secret/path", "source": source}

    def verb(self, verb: str, arguments: dict[str, Any]) -> Deferred[VerbResult]:
        if "bad" in arguments:
            raise AskError(HTTPStatus.BAD_REQUEST, "bad")
        self.asked.append((verb, arguments))
        return succeed(self.result)


def ask(
    api: ControlApi,
    path: str,
    *,
    method: str = "GET",
    body: bytes = b"",
    authorization: str = "",
    **query: str,
) -> tuple[int, Any]:
    """Return the status and document of an answer."""
    answer = api(Ask(method, path, query, authorization, body))
    if isinstance(answer, Page):
        page = answer
    else:
        pages: list[Page] = []
        answer.addCallback(pages.append)
        page = pages[0]
    assert page.media_type == "application/json"
    return page.status, json.loads(page.body)


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


def test_what_is_read(operations: FakeOperations):
    """Over TCP without a token, too."""
    api = ControlApi(operations, lambda: "token")
    assert ask(api, "/v1/status") == (200, {"schema": "status"})
    assert ask(api, "/v1/history", source="a", most="3") == (200, {"source": "a", "most": 3})
    assert ask(api, "/v1/reports/sha256:12", source="a")[1]["digest"] == "sha256:12"
    assert ask(api, "/v1/which", name="a.test", view="v") == (200, {"name": "a.test", "view": "v"})


def test_paths_of_files_are_for_the_socket(operations: FakeOperations):
    """Whoever may open it may read them."""
    assert ask(ControlApi(operations, None), "/v1/served")[0] == 200
    assert ask(ControlApi(operations, lambda: "token"), "/v1/served")[0] == 404


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_over_the_socket(operations: FakeOperations, verb: str):
    """Its arguments are a JSON object, or nothing."""
    api = ControlApi(operations, None)
    assert ask(api, f"/v1/{verb}", method="POST", body=b'{"source": "a"}')[0] == 200
    assert ask(api, f"/v1/{verb}", method="POST")[1]["schema"] == "ocizone.result/v1"
    assert operations.asked == [(verb, {"source": "a"}), (verb, {})]


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        ("right", "Bearer right", 200),
        ("right", "right", 200),
        ("right", "Bearer wrong", 401),
        ("right", "", 401),
        ("right", "Bearer rightt", 401),
        (None, "Bearer right", 403),
        ("", "", 403),
        ("pä", "Bearer pä", 200),
        # Octets that are no UTF-8.
        ("right", "Bearer \udcff", 401),
        ("right", "\ud800", 401),
    ],
)
def test_a_verb_over_tcp_needs_the_token(
    operations: FakeOperations, token: str | None, given: str, status: int
):
    """Without a configured one nothing can be changed."""
    api = ControlApi(operations, lambda: token)
    assert ask(api, "/v1/pin", method="POST", authorization=given)[0] == status
    assert bool(operations.asked) is (status == 200)


def test_what_was_not_done_is_no_success(operations: FakeOperations):
    """Scripts look at the HTTP status."""
    operations.result = VerbResult(ok=False, exit=6, message="held")
    status, document = ask(ControlApi(operations, None), "/v1/refresh", method="POST")
    assert (status, document["exit"], document["ok"]) == (409, 6, False)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/pin", b"", 405),
        ("POST", "/v1/status", b"", 405),
        ("GET", "/v1/nothing", b"", 404),
        ("GET", "/v1/reports/", b"", 404),
        ("GET", "/v1/reports/none", b"", 404),
        ("POST", "/v1/pin", b"{", 400),
        ("POST", "/v1/pin", b"[]", 400),
        ("POST", "/v1/pin", b"[" * 50_000, 400),
        ("POST", "/v1/pin", b"\xff", 400),
        ("POST", "/v1/pin", b'{"bad": 1}', 400),
    ],
)
def test_what_makes_no_sense(
    operations: FakeOperations, method: str, path: str, body: bytes, status: int
):
    """It is said in the shape of a result, and nothing happens."""
    found, document = ask(ControlApi(operations, None), path, method=method, body=body)
    assert found == status
    assert document["ok"] is False
    assert document["message"]
    assert operations.asked == []


def test_a_page_of_another_site_reads_nothing(operations: FakeOperations):
    """Nor does anything else happen."""
    answer = ControlApi(operations, lambda: "t")(Ask("GET", "/v1/status", {}, "", b"", True))
    assert isinstance(answer, Page)
    assert answer.status == 403


def test_an_operation_may_make_its_page(operations: FakeOperations):
    """The status document of many zones is written elsewhere; what others answer, in a thread."""
    threads: list[str] = []

    def in_thread(work: Callable[[], Any]) -> Deferred[Any]:
        threads.append("one")
        return succeed(work())

    made = Page(200, "application/json", b"{}")
    operations.shown = succeed(made)
    api = ControlApi(operations, None, in_thread)
    assert ask(api, "/v1/status") == (200, {})
    assert threads == []
    assert ask(api, "/v1/history", source="a")[0] == 200
    assert threads == ["one"]


def test_how_many_is_a_number(operations: FakeOperations):
    """And a small one."""
    api = ControlApi(operations, None)
    for most in ("-1", "x", "9999999", "\u0663"):
        assert ask(api, "/v1/history", most=most)[0] == 400
