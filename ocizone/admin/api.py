"""The control API: from a request to an operation, and from its outcome to JSON.

Paths and shapes are in admin.verbs. Over the unix socket whoever may open it may use it; over TCP
what changes state needs the token, which no page in a browser has. Not here: what an operation
does (ocizone.operations).
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Protocol

from twisted.internet.defer import Deferred

from ocizone.admin.pages import API, JSON, Ask, Page
from ocizone.admin.shared import InThread, at_once, text_of
from ocizone.admin.verbs import VERBS, VerbResult

#: Returns the token that changes need; None when none can be had: then nothing is allowed.
Token = Callable[[], "str | None"]

#: What the command line exits with when it asked for what makes no sense.
_USAGE = 2


class AskError(Exception):
    """What is asked for makes no sense, or is not there; ``status`` is HTTP's."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Operations(Protocol):
    """What may be asked of a server. Each raises AskError for what is not there."""

    def status(self) -> dict[str, Any] | Deferred[Page]:
        """Return the status document, or its page."""

    def history(self, source: str, most: int) -> Deferred[dict[str, Any]]:
        """Return deployments and reports of a source."""

    def report(self, digest: str, source: str) -> Deferred[dict[str, Any]]:
        """Return one report."""

    def which(self, name: str, view: str) -> dict[str, Any]:
        """Return what answers a name."""

    def served(self, source: str) -> dict[str, Any]:
        """Return what a source serves, and from which files."""

    def verb(self, verb: str, arguments: dict[str, Any]) -> Deferred[VerbResult]:
        """Do something."""


class ControlApi:
    """Answers requests; an instance is an ``Api`` of admin.pages."""

    def __init__(
        self, operations: Operations, token: Token | None, in_thread: InThread = at_once
    ) -> None:
        """Make it.

        Args:
            operations: see Operations.
            token: None where whoever can ask may do everything (the unix socket).
            in_thread: writes what may be megabytes; see admin.shared.
        """
        self._operations = operations
        self._token = token
        self._in_thread = in_thread

    def __call__(self, ask: Ask) -> Page | Deferred[Page]:
        """Answer a request."""
        try:
            found = self._answer(ask)
        except AskError as error:
            return _failed(error)
        if not isinstance(found, Deferred):
            return _page(HTTPStatus.OK, found)
        return found.addCallbacks(self._result, lambda fault: _failed(_of(fault)))

    def _result(self, found: Page | VerbResult | dict[str, Any]) -> Page | Deferred[Page]:
        match found:
            case Page():
                return found
            case VerbResult():
                return _page(HTTPStatus.OK if found.ok else HTTPStatus.CONFLICT, found.to_json())
            case _:
                return self._in_thread(lambda: _page(HTTPStatus.OK, found))

    def _answer(self, ask: Ask) -> dict[str, Any] | Deferred[Any]:
        operations, query = self._operations, ask.query
        if ask.foreign:
            # A page in a browser on this host (DNS rebinding): reading is not its business.
            raise AskError(HTTPStatus.FORBIDDEN, "Host is none of this host's loopback names")
        name = ask.path.removeprefix(API)
        if name in VERBS:
            if ask.method != "POST":
                raise AskError(HTTPStatus.METHOD_NOT_ALLOWED, f"{name} is posted")
            self._authorise(ask)
            return operations.verb(name, _arguments(ask.body))
        if ask.method not in {"GET", "HEAD"}:
            raise AskError(HTTPStatus.METHOD_NOT_ALLOWED, "this is only read")
        source = query.get("source", "")
        match name.partition("/"):
            case ("status", "", ""):
                return operations.status()
            case ("history", "", ""):
                return operations.history(source, _number(query.get("most", "20")))
            case ("reports", "/", digest) if digest:
                return operations.report(digest, source)
            case ("which", "", ""):
                return operations.which(query.get("name", ""), query.get("view", ""))
            case ("served", "", "") if self._token is None:
                # Paths of files are for who may open them.
                return operations.served(source)
            case _:
                raise AskError(HTTPStatus.NOT_FOUND, "not found")

    def _authorise(self, ask: Ask) -> None:
        if self._token is None:
            return
        token = self._token()
        if not token:
            raise AskError(HTTPStatus.FORBIDDEN, "changes need a token, and none is configured")
        # What is no UTF-8 stands in the text as surrogates.
        given = ask.authorization.removeprefix("Bearer ").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(given, token.encode()):
            raise AskError(HTTPStatus.UNAUTHORIZED, "changes need the token")


def _arguments(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise AskError(HTTPStatus.BAD_REQUEST, "the body is no JSON") from error
    if not isinstance(found, dict):
        raise AskError(HTTPStatus.BAD_REQUEST, "the body is no JSON object")
    return found


def _number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 6:
        raise AskError(HTTPStatus.BAD_REQUEST, "not a number")
    return int(text)


def _of(fault: Any) -> AskError:
    fault.trap(AskError)
    error = fault.value
    assert isinstance(error, AskError)
    return error


def _failed(error: AskError) -> Page:
    result = VerbResult(ok=False, exit=_USAGE, message=str(error))
    return _page(error.status, result.to_json())


def _page(status: HTTPStatus, document: dict[str, Any]) -> Page:
    return Page(status, JSON, text_of(document))
