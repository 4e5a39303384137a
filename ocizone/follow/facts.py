"""What a deployer is told of its source. Values only."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

from ocizone.compiler.spec import ZoneRule
from ocizone.follow.gatekeeper import Gate
from ocizone.plugins.artifact import Verify


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a deployer is told of its source.

    Attributes:
        key: names its records.
        name: for events and findings.
        reference: what is followed, as text.
        rules: make, with the layers, the image.
        path: where files are materialised, None for nowhere.
        prefix: what findings put before a file's path.
        interval_s: seconds between looks.
        gate: what is held back.
        verify: whose signature a version needs, or None.
        terms: what else decides whether a digest is refused, as text: a refusal counts only as
            long as it is the same.
    """

    key: str
    name: str
    reference: str
    rules: tuple[ZoneRule, ...]
    path: Path | None = None
    prefix: str = ""
    interval_s: float = 0
    gate: Gate = field(default_factory=Gate)
    verify: Verify | None = None
    terms: str = ""

    def configuration(self, rules: str) -> str:
        """Return the hex SHA-256 of what decides, beside the content, whether it is served.

        Args:
            rules: fingerprint of ``rules``.
        """
        material = json.dumps([rules, self.terms, asdict(self.gate)])
        return hashlib.sha256(material.encode()).hexdigest()
