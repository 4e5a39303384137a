"""What is judged: ocizone, in this process over a compiled image, or as the real program.

Both come from the same zone files. The image is made by the production compiler and answers
come from ``respond``: no question costs a socket, so that there can be many.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ocizone.answer.blocks import Block, Loaded, Snapshot, Transport
from ocizone.answer.respond import Reply, respond
from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import CompileSpec, Layer, ZoneRule
from ocizone.errors import Severity
from ocizone.zone.image import Image
from tests.e2e.program import Server, wait_until
from tests.peers.servers import ZoneFile, is_served
from tests.ports import free_port

_VIEW = "dns://.:53"
_UDP = Transport("udp", "main", "127.0.0.1", 40000)
_TCP = Transport("tcp", "main", "127.0.0.1", 40000)


def compiled(zones: Sequence[ZoneFile], directory: Path) -> Snapshot:
    """Compile zone files into one image and serve them all in one block."""
    tree = directory / "tree"
    tree.mkdir(parents=True)
    layers, rules = [], []
    for number, zone in enumerate(zones):
        digest = hashlib.sha256(zone.path.read_bytes()).hexdigest()
        layers.append(Layer(str(zone.path), f"sha256:{digest}", f"db.{number}", False, ""))
        rules.append(ZoneRule(_VIEW, "file", f"db.{number}", (zone.origin,)))
    image = directory / "image"
    spec = CompileSpec(
        "peers", tuple(layers), tuple(rules), str(tree), str(image), now=int(time.time())
    )
    report = compile_revision(spec, time.monotonic)
    assert not report.refused, [
        str(problem) for problem in report.problems if problem.severity is Severity.ERROR
    ][:10]
    read = Image.open(image).zones()
    block = Block(_VIEW, (b"\x00",), zones={apex: Loaded(zone) for (_, apex), zone in read.items()})
    return Snapshot(1, {"main": {b"\x00": block}})


def answer(snapshot: Snapshot, packet: bytes, *, tcp: bool) -> bytes | None:
    """Return the response to a message, None for silence."""
    reply = respond(packet, snapshot, _TCP if tcp else _UDP)
    assert reply is None or isinstance(reply, Reply)
    return None if reply is None else reply.wire


@contextmanager
def program(zones: Sequence[ZoneFile], directory: Path) -> Iterator[Server]:
    """Start the real program with the same zones in one block, and end it."""
    directory.mkdir(parents=True)
    lines = [". {", "    bind 127.0.0.1"]
    lines += [f"    file {zone.path} {zone.origin} {{\n        reload 0\n    }}" for zone in zones]
    server = Server(directory, "\n".join([*lines, "    errors", "}\n"]), free_port())
    try:
        wait_until(
            lambda: server.alive() and all(is_served(server.port, zone.origin) for zone in zones),
            "every zone to be served",
        )
        yield server
    finally:
        if server.process.poll() is None:
            server.kill()
