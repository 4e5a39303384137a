"""Talking to a server: addresses, silence, and answers that are too much."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from ocizone import control
from ocizone.control import ControlError, Node, NoServerError, as_object, ask


@pytest.mark.parametrize(
    ("text", "node", "shown"),
    [
        ("http://ns1.example.org:8053", Node("ns1.example.org", 8053), "ns1.example.org:8053"),
        ("ns1:8053", Node("ns1", 8053), "ns1:8053"),
        ("http://192.0.2.1", Node("192.0.2.1", 80), "192.0.2.1:80"),
        ("https://ns1/", Node("ns1", 443, True), "ns1:443"),
        ("[2001:db8::1]:8053", Node("2001:db8::1", 8053), "[2001:db8::1]:8053"),
    ],
)
def test_nodes(text, node, shown):
    """As an operator writes them."""
    assert Node.parse(text) == node
    assert str(node) == shown


def test_a_token_is_in_no_repr():
    """It would end in a traceback."""
    assert "fake-token" not in repr(Node.parse("h:1", "fake-token"))


@pytest.mark.parametrize(
    ("body", "found"),
    [(b'{"a": 1}', {"a": 1}), (b"[]", {"message": "[]"}), (b" oops\n", {"message": "oops"}),
     (b"\xff", {"message": "\ufffd"}), (b"", {"message": ""}), (b"[" * 100_000, {"message": "[" * 100_000})],
)  # fmt: skip
def test_what_is_no_object_is_a_message(body, found):
    """Whatever a proxy in between answers."""
    assert as_object(body) == found


@pytest.fixture
def answering() -> Iterator[tuple[Node, list[bytes]]]:
    """A server that sends the octets of a list to whoever connects, and nothing more."""
    answers: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                for piece in answers:
                    connection.sendall(piece)
                if not answers:
                    connection.recv(1 << 16)
                    connection.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield Node("127.0.0.1", listener.getsockname()[1]), answers
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def test_a_server_that_is_there_and_silent(answering):
    """Said so: it is another trouble than no server."""
    with pytest.raises(ControlError, match=r"is there and did not answer within 0\.05 s") as caught:
        ask(answering[0], "/", 0.05)
    assert not isinstance(caught.value, NoServerError)


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0-x\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"]
)
def test_what_is_no_http_server(answering, answer):
    """An error of ours, with the address."""
    node, answers = answering
    answers.append(answer)
    with pytest.raises(ControlError, match=str(node.port)):
        ask(node, "/", 5.0)


def test_too_much_of_an_answer(answering, monkeypatch):
    """Whoever answers at that address must not fill our memory."""
    node, answers = answering
    monkeypatch.setattr(control, "CONTROL_ANSWER_OCTETS", 100)
    answers.append(b"HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n" + b"x" * 101)
    with pytest.raises(ControlError, match="over 100 octets"):
        ask(node, "/", 5.0)


def test_nobody(tmp_path):
    """NoServerError, which `verify` and `gc` take for leave to open the store themselves."""
    with pytest.raises(NoServerError, match="no server answers in"):
        ask(tmp_path, "/")
    with pytest.raises(NoServerError, match=r"its Corefile needs `api 127\.0\.0\.1:1`"):
        ask(Node("127.0.0.1", 1), "/")
