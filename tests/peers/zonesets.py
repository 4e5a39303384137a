"""Sets of zones to serve together, signed by the peers' own tools.

``ZONE_SETS`` names what is compared; ``ZoneSet.write`` makes the files: zone texts, keys,
signatures by dnssec-signzone or ldns-signzone, each signed zone then checked by
dnssec-verify, ldns-verify-zone and named-checkzone. Not here: the texts (zonetexts,
randomzones), the servers (servers).
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tests.peers import randomzones, zonetexts
from tests.peers.servers import ZoneFile

_TOOL_S = 120
#: Programs that make and check the signed zones.
SIGNING_TOOLS = (
    "dnssec-keygen", "dnssec-signzone", "dnssec-dsfromkey", "dnssec-verify", "named-checkzone",
    "ldns-keygen", "ldns-signzone", "ldns-verify-zone",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Signing:
    """How a zone is signed.

    Attributes:
        tool: which signs.
        options: of the signer, beside keys and files.
        algorithm: of the keys.
    """

    tool: Literal["bind", "ldns"]
    options: tuple[str, ...] = ()
    algorithm: str = "ECDSAP256SHA256"


NSEC = Signing("bind")
NSEC_RSA = Signing("bind", algorithm="RSASHA256")
NSEC_LDNS = Signing("ldns")
NSEC3 = Signing("bind", ("-3", "-", "-H", "0"))
NSEC3_SALTED = Signing("bind", ("-3", "ABCD", "-H", "3"))
NSEC3_LDNS = Signing("ldns", ("-n", "-t", "1", "-s", "0123456789"))
OPT_OUT = Signing("bind", ("-3", "-", "-H", "0", "-A"))
OPT_OUT_SALTED = Signing("bind", ("-3", "FF", "-H", "5", "-A"))
OPT_OUT_LDNS = Signing("ldns", ("-n", "-p", "-t", "1", "-s", "0123456789"))


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone of a set; ``text`` is relative to ``origin``."""

    origin: str
    text: str
    signing: Signing | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A zone set on disk.

    Attributes:
        zones: what to load.
        anchors: DS of every signed zone whose parent is not in the set.
        signed: origins of the signed zones.
    """

    zones: tuple[ZoneFile, ...]
    anchors: tuple[str, ...]
    signed: frozenset[str]


@dataclass(frozen=True, slots=True)
class ZoneSet:
    """Zones served together, children before parents."""

    name: str
    zones: tuple[Zone, ...]

    def write(self, directory: Path) -> Written:
        """Write, sign and check all zones below a new directory."""
        directory.mkdir(parents=True)
        delegated: dict[str, list[str]] = {}
        files = []
        for number, zone in enumerate(self.zones):
            folder = directory / str(number)
            folder.mkdir()
            path = folder / "zone"
            path.write_text(f"$ORIGIN {zone.origin}\n{_with_ds(zone.text, delegated)}")
            if zone.signing is not None:
                path, delegated[zone.origin] = _sign(folder, zone.origin, zone.signing)
                verify(zone.origin, path)
            files.append(ZoneFile(zone.origin, path))
        linked = {ds for zone in self.zones for ds in _wanted_ds(zone.text)}
        anchors = [
            ds for origin, records in delegated.items() if origin not in linked for ds in records
        ]
        return Written(tuple(files), tuple(anchors), frozenset(delegated))


def _wanted_ds(text: str) -> list[str]:
    return [line.removeprefix(";DS ") for line in text.splitlines() if line.startswith(";DS ")]


def _with_ds(text: str, delegated: dict[str, list[str]]) -> str:
    for origin in _wanted_ds(text):
        text = text.replace(f";DS {origin}", "\n".join(delegated.get(origin, ())))
    return text


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=_TOOL_S, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def _sign(folder: Path, origin: str, signing: Signing) -> tuple[Path, list[str]]:
    """Sign ``folder/zone`` into ``folder/signed``; return its path and the DS records."""
    if signing.tool == "bind":
        make = ("dnssec-keygen", "-q", "-a", signing.algorithm)
        ksk = _run(folder, *make, "-f", "KSK", origin).strip()
        zsk = _run(folder, *make, origin).strip()
        with (folder / "zone").open("a") as file:
            file.writelines((folder / f"{key}.key").read_text() for key in (ksk, zsk))
        files = ("-f", "signed", "-o", origin, "-O", "full", "-P", "-k", ksk)
        _run(folder, "dnssec-signzone", "-Q", *files, *signing.options, "zone", zsk)
    else:
        make = ("ldns-keygen", "-r/dev/urandom", "-a", signing.algorithm)
        ksk = _run(folder, *make, "-k", origin).strip()
        zsk = _run(folder, *make, origin).strip()
        _run(folder, "ldns-signzone", *signing.options, "-f", "signed", "zone", ksk, zsk)
    ds = _run(folder, "dnssec-dsfromkey", "-2", f"{ksk}.key").splitlines()
    return folder / "signed", ds


def verify(origin: str, path: Path) -> None:
    """Fail unless the peers' tools find a signed zone correct."""
    folder = path.parent
    _run(folder, "dnssec-verify", "-q", "-o", origin, path.name)
    _run(folder, "ldns-verify-zone", path.name)
    _run(folder, "named-checkzone", "-q", "-i", "none", "-k", "ignore", origin, path.name)


# --- the sets --------------------------------------------------------------------------------


def _content(one: Signing | None, two: Signing | None, three: Signing | None) -> tuple[Zone, ...]:
    """Zones of all kinds, signed by up to three ways in turn; one child is never signed."""
    seeds = tuple(
        Zone(f"g{seed}.test.", randomzones.zone(seed), (one, two, three)[seed % 3])
        for seed in range(9)
    )
    return (
        Zone("child.example.test.", zonetexts.child(), one),
        Zone("unsigned.example.test.", zonetexts.child()),
        Zone("example.test.", zonetexts.types() + zonetexts.occluded(), one),
        Zone("other.test.", zonetexts.other(), three),
        Zone("big.test.", zonetexts.big(), one),
        Zone("2.0.192.in-addr.arpa.", zonetexts.reverse(), two),
        Zone("8.b.d.0.1.0.0.2.ip6.arpa.", zonetexts.reverse6(), two),
        *seeds,
    )


def _each_way(make: Callable[[str, str], tuple[tuple[str, str], ...]]) -> tuple[Zone, ...]:
    """The same zones under four names: plain, NSEC, NSEC3 and opt-out."""
    ways = {"plain": None, "nsec": NSEC, "nsec3": NSEC3_SALTED, "optout": OPT_OUT}
    return tuple(
        Zone(origin, text, signing)
        for way, signing in ways.items()
        for origin, text in make(f"{way}.test.", way)
    )


def _dname_zones(origin: str, way: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"dn.{origin}", zonetexts.dnames()),
        (f"apex.{origin}", zonetexts.dname_apex(f"four.dn.{origin}")),
        (f"loop.{origin}", zonetexts.dname_apex(f"x.loop.{origin}")),
        (
            f"g.{origin}",
            randomzones.zone(len(way), (f"a.one.dn.{origin}", f"b.apex.{origin}", "y.other.test.")),
        ),
    )


def _wildcard_zones(origin: str, way: str) -> tuple[tuple[str, str], ...]:
    return (
        (
            f"w.{origin}",
            zonetexts.wildcards(f"w.{origin}", 255 if way in ("plain", "nsec") else 253),
        ),
        (f"star.{origin}", zonetexts.wildcard_apex()),
        (f"g.{origin}", randomzones.zone(100 + len(way), ("q.star.test.", f"q.star.{origin}"))),
    )


ZONE_SETS: tuple[ZoneSet, ...] = (
    ZoneSet("plain", _content(None, None, None)),
    ZoneSet("nsec", _content(NSEC, NSEC_RSA, NSEC_LDNS)),
    ZoneSet("nsec3", _content(NSEC3, NSEC3_SALTED, NSEC3_LDNS)),
    ZoneSet("opt-out", _content(OPT_OUT, OPT_OUT_SALTED, OPT_OUT_LDNS)),
    ZoneSet("dname", (Zone("other.test.", zonetexts.other(), NSEC), *_each_way(_dname_zones))),
    ZoneSet(
        "wildcards", (Zone("other.test.", zonetexts.other(), NSEC), *_each_way(_wildcard_zones))
    ),
    ZoneSet("root", (Zone("test.", zonetexts.tld(), NSEC3), Zone(".", zonetexts.root(), NSEC))),
)
