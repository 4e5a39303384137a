"""Images, sources and statuses for tests of what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ocizone.compiler.spec import CompiledZone
from ocizone.follow.source import Source
from ocizone.follow.status import SourceStatus
from ocizone.plan import Plan
from ocizone.store.deployments import Deployment
from ocizone.wire.name import from_text
from ocizone.zone.reader import DictZone, ZoneReader
from tests.zonebuilder import zone

ZONE = "@ 300 IN SOA ns hostmaster {serial} 7200 3600 1209600 300\n@ 300 IN NS ns.{origin}\n"


def zone_of(origin: str, serial: int = 1) -> DictZone:
    """Return a small zone with this serial and three records."""
    text = ZONE.format(serial=serial, origin=origin) + "www 300 IN A 192.0.2.1\n"
    return zone(text, origin)


def zone_with(origin: str, serial: int = 1, **facts: object) -> DictZone:
    """Return a small zone of which other things are known than its text says."""
    plain = zone_of(origin, serial)
    info = replace(plain.info, **facts)  # type: ignore[arg-type]  # fields by name, checked at run time
    return DictZone(info, dict(plain.nodes()))


class FakeImage:
    """An image over small zones: ``FakeImage((view, origin), ...)``; facts are of ZoneInfo."""

    def __init__(self, *held: tuple[str, str], serial: int = 1, **facts: object) -> None:
        self._zones = {
            (view, from_text(origin)): zone_with(origin, serial, **facts) for view, origin in held
        }

    def zones(self) -> Mapping[tuple[str, bytes], ZoneReader]:
        return self._zones


def source_named(plan: Plan, name: str) -> Source:
    """Return the plan's source with this name."""
    (found,) = [source for source in plan.sources if source.name == name]
    return found


def deployment_of(key: str, *held: tuple[str, str]) -> Deployment:
    """Return a deployment of a source that holds (view, origin)."""
    zones = tuple(CompiledZone(view, origin, 1, 3, "db") for view, origin in held)
    return Deployment(key, "r.test/a:v1", "sha256:aa", (), "f" * 64, zones, (), 1, 1)


def status_of(source: Source, *held: tuple[str, str], **more: object) -> SourceStatus:
    """Return the status of a source that holds (view, origin), idle and well unless said."""
    fields: dict[str, object] = {
        "key": source.key,
        "name": source.name,
        "reference": "r.test/a:v1",
        "digest": f"sha256:{'ab' * 32}",
        "generation": 1,
        "state": "idle",
        "last_check": 1_790_000_000.0,
        "last_success": 1_790_000_000.0,
        "activated": 1_789_990_000.0,
        "next_check": 1_790_003_600.0,
        "attempts": 1,
        "last_error": None,
        "problems": (),
        "materialised": True,
        "zones": tuple(CompiledZone(view, origin, 1, 3, "db") for view, origin in held),
        **more,
    }
    return SourceStatus(**fields)  # type: ignore[arg-type]  # fields by name, checked at run time
