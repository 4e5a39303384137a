"""What the compiler child is told, and what it reports: JSON in, JSON out.

The parent (follow.compile) writes a CompileSpec to the child's stdin, the child
(``python -m ocizone.compiler``) writes a CompileReport to its stdout and exits 0, whatever it
found; any other exit is a CompilerError. Values only; no I/O here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, astuple, dataclass, field
from typing import Any, Literal

from ocizone.errors import Problem, Severity
from ocizone.limits import EXPIRING_S
from ocizone.plain import plain

#: Part of every image's fingerprint: raise it when the compiler or the node layout changes.
COMPILER_VERSION = 5


DnssecRule = Literal["refuse", "warn"]
SerialRule = Literal["keep", "auto", "unixtime"]


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer to take files from.

    Attributes:
        blob: absolute path of the verified blob (or of a local file).
        digest: ``sha256:<hex>`` of it.
        title: ``org.opencontainers.image.title``, or "" when absent; for a local file its path
            relative to the source's root.
        unpack: the ``io.deis.oras.content.unpack`` annotation was "true".
        media_type: a hint only: the gzip magic and the annotation decide.
    """

    blob: str
    digest: str
    title: str
    unpack: bool
    media_type: str


@dataclass(frozen=True, slots=True)
class ZoneRule:
    """How one server block (view) takes zones from the files of a revision.

    kind ``file``: ``path`` is one file, relative to the revision's root; it is read once for
    each of ``origins``. kind ``auto``: every file below the directory ``path`` ("" is the root)
    whose base name matches ``regexp`` gives the origin that ``template`` makes of it; kept are
    those at or below one of ``origins``. kind ``artifact``: zones come from the artifact itself:
    ``db.ORIGIN``, ``ORIGIN.zone``, ``ORIGIN.yaml``, or the SOA owner; kept are those at or
    below one of ``origins``. Origins are absolute presentation form, lower case.

    ``dnssec`` says whether a signed zone with faults is refused; ``serial`` what becomes of the
    SOA's serial when the content changed and it did not rise (zone.digest).
    """

    view: str
    kind: Literal["file", "auto", "artifact"]
    path: str
    origins: tuple[str, ...]
    regexp: str = ""
    template: str = ""
    dnssec: DnssecRule = "refuse"
    serial: SerialRule = "keep"


@dataclass(frozen=True, slots=True)
class BaseZone:
    """A zone as it is deployed now: what a new version of it is compared with.

    Attributes:
        view: name of the server block.
        apex: absolute presentation form.
        serial: that is served.
        content: see CompiledZone.
    """

    view: str
    apex: str
    serial: int
    content: str


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """What a version of a zone changes, counted in records.

    Neither the SOA counts nor what a signer makes anew at each signing (RRSIG, NSEC, NSEC3,
    NSEC3PARAM, ZONEMD), on neither side: a zone that is signed again changes nothing.

    Attributes:
        view: name of the server block.
        apex: absolute presentation form.
        kind: the zone itself is new, gone, or changed; one that is as it was is not told of.
        added: records that are new.
        removed: records that are gone.
        changed: RRsets that lost and gained records, or have another TTL: ``~`` of a summary.
            Records that went and came count in ``added`` and ``removed`` too; those whose TTL
            alone is another do not.
        before: records of the former version that count, 0 of a new zone.
        serial_before: of the former version, None of a new zone.
        serial: of the new version, None of a zone that is gone.
        ns: the servers in the apex NS RRset, their addresses in this zone or the SOA's MNAME
            differ.
    """

    view: str
    apex: str
    kind: Literal["added", "removed", "changed"]
    added: int = 0
    removed: int = 0
    changed: int = 0
    before: int = 0
    serial_before: int | None = None
    serial: int | None = None
    ns: bool = False


@dataclass(frozen=True, slots=True)
class CompareSpec:
    """Two images to compare, for one that is not compiled anew (compiler.changes).

    Attributes:
        former: absolute path of the image that is served; "" for none.
        image: absolute path of the one that is to be.
    """

    former: str
    image: str

    def to_json(self) -> str:
        """Return the text the child reads (``read_spec``)."""
        return json.dumps({"compare": asdict(self)})


@dataclass(frozen=True, slots=True)
class CompileSpec:
    """One compilation.

    Attributes:
        source: what findings call it, such as ``localhost:5000/zones:prod``.
        layers: where files come from, in manifest order.
        rules: which of them become zones of which view.
        prefix: what findings put before a file's path: a local source's directory, or "".
        tree: an empty private directory the child unpacks into; the parent keeps or removes it.
        image: absolute path the finished image is renamed to (same file system as ``tree``).
        now: unix seconds: signatures are judged by it; no part of the fingerprint.
        base: what is deployed now; counts for zones whose rule says ``auto`` or ``unixtime``.
        excuse_expired: the revision was served before: signatures that ran out since only warn,
            and so do zone tests, of which there may be more by now.
        expiring_s: signatures that run out within so many seconds are told.
        former: absolute path of the image that is served, verified; "" for none. The report
            tells what the new one changes; no part of the fingerprint.
        former_sha256: hex digest of that image: what did not change is taken from it; "" to
            compile everything.
        former_layers: where the files of the revision that is served came from: a large file is
            compared with what it was, line by line.
    """

    source: str
    layers: tuple[Layer, ...]
    rules: tuple[ZoneRule, ...]
    tree: str
    image: str
    prefix: str = ""
    now: int = 0
    base: tuple[BaseZone, ...] = ()
    excuse_expired: bool = False
    expiring_s: int = EXPIRING_S
    former: str = ""
    former_sha256: str = ""
    former_layers: tuple[Layer, ...] = ()

    def fingerprint(self) -> str:
        """Return the hex SHA-256 of what goes in: layers, rules, compiler version; no paths."""
        return fingerprint(self.layers, self.rules, basis(self.rules, self.base))

    def to_json(self) -> str:
        """Return the text the child reads (``read_spec``)."""
        return json.dumps(plain(self))

    @classmethod
    def from_json(cls, text: str) -> CompileSpec:
        """Return the spec the parent wrote; the parent is trusted."""
        return cls._of(json.loads(text))

    @classmethod
    def _of(cls, raw: dict[str, Any]) -> CompileSpec:
        return cls(
            source=raw["source"],
            layers=tuple(Layer(**layer) for layer in raw["layers"]),
            rules=tuple(
                ZoneRule(**{**rule, "origins": tuple(rule["origins"])}) for rule in raw["rules"]
            ),
            tree=raw["tree"],
            image=raw["image"],
            prefix=raw["prefix"],
            now=raw["now"],
            base=tuple(BaseZone(**zone) for zone in raw["base"]),
            excuse_expired=raw["excuse_expired"],
            expiring_s=raw["expiring_s"],
            former=raw["former"],
            former_sha256=raw["former_sha256"],
            former_layers=tuple(Layer(**layer) for layer in raw["former_layers"]),
        )


def read_spec(text: str) -> CompileSpec | CompareSpec:
    """Return what the parent asks for; the parent is trusted."""
    raw = json.loads(text)
    if "compare" in raw:
        return CompareSpec(**raw["compare"])
    return CompileSpec._of(raw)  # noqa: SLF001 - the same text, read once


def basis(rules: tuple[ZoneRule, ...], base: tuple[BaseZone, ...]) -> str:
    """Return the hex SHA-256 of what decides serials beside the content; "" when nothing does.

    The time is not in it, though ``unixtime`` takes a serial from it: an image of former days
    has a serial of former days, and still one over that of its base.
    """
    views = {rule.view for rule in rules if rule.serial != "keep"}
    if not views:
        return ""
    material = json.dumps(sorted(astuple(zone) for zone in base if zone.view in views))
    return hashlib.sha256(material.encode()).hexdigest()


def fingerprint(layers: tuple[Layer, ...], rules: tuple[ZoneRule, ...], basis: str = "") -> str:
    """Return the name of the image these layers and rules compile to (64 hex digits).

    Args:
        layers: in order.
        rules: which zones they make.
        basis: of the same name.
    """
    material = json.dumps(
        [
            COMPILER_VERSION,
            basis,
            [(layer.digest, layer.title, layer.unpack) for layer in layers],
            [asdict(rule) for rule in rules],
        ],
        sort_keys=True,
    )
    return hashlib.sha256(material.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class CompiledZone:
    """One zone of the image, as the report and the deployment record keep it.

    Attributes:
        view: name of the server block.
        apex: absolute presentation form.
        serial: that is served.
        records: how many.
        file: as findings call it.
        content: 64 hex digits for the zone without its serial (zone.digest); "" in old records.
        signed_until: unix seconds when the first signature expires; 0 in an unsigned zone.
        written: the serial as it stands in the file; -1 in old records.
    """

    view: str
    apex: str
    serial: int
    records: int
    file: str
    content: str = ""
    signed_until: int = 0
    written: int = -1


@dataclass(frozen=True, slots=True)
class RevisionFile:
    """One file of the revision, for materialising under PATH: path relative to the tree."""

    path: str
    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class CompileReport:
    """What the child found and made.

    Attributes:
        problems: all findings, sorted; any of severity error means there is no image.
        zones: what the image holds; empty without an image.
        files: every file unpacked, titles applied.
        image_sha256: hex digest of the image file, "" without one.
        image_octets: its size.
        seconds: wall time the child measured.
        changes: against the former image, in order of view and apex.
        tests: how many zone tests of the artifact held (compiler.zonetests).
        compared: False when the former image cannot be read, so that nobody knows what changes;
            ``extra["former"]`` says why.
    """

    problems: tuple[Problem, ...] = ()
    zones: tuple[CompiledZone, ...] = ()
    files: tuple[RevisionFile, ...] = ()
    image_sha256: str = ""
    image_octets: int = 0
    seconds: float = 0.0
    extra: dict[str, Any] = field(default_factory=dict)
    changes: tuple[ZoneChange, ...] = ()
    tests: int = 0
    compared: bool = True

    @property
    def refused(self) -> bool:
        """Tell whether a finding refuses the revision."""
        return any(problem.severity is Severity.ERROR for problem in self.problems)

    def to_json(self) -> str:
        """Return the text the parent reads."""
        return json.dumps(plain(self))

    @classmethod
    def from_json(cls, text: str) -> CompileReport:
        """Return the report the child wrote.

        Raises:
            ValueError, KeyError, TypeError: it is not one (the caller names the child).
        """
        raw = json.loads(text)
        return cls(
            problems=tuple(
                Problem(**{**problem, "severity": Severity(problem["severity"])})
                for problem in raw["problems"]
            ),
            zones=tuple(CompiledZone(**zone) for zone in raw["zones"]),
            files=tuple(RevisionFile(**file) for file in raw["files"]),
            image_sha256=raw["image_sha256"],
            image_octets=raw["image_octets"],
            seconds=raw["seconds"],
            extra=raw["extra"],
            changes=tuple(ZoneChange(**change) for change in raw["changes"]),
            tests=raw["tests"],
            compared=raw["compared"],
        )
