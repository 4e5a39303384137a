"""A worker starts fast because it imports little: what only the supervisor needs stays out."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "requests", "oras", "click", "rich", "prometheus_client", "tenacity", "yaml", "cronsim",
    "semantic_version", "twisted.web", "ocizone.registry", "ocizone.store", "ocizone.follow",
    "ocizone.admin", "ocizone.cli", "ocizone.plan", "ocizone.workers.crew",
)  # fmt: skip


def test_nothing_heavy_is_imported():
    """Registries, stores, HTTP, metrics, command lines."""
    code = (
        f"import sys, ocizone.workers.__main__\nprint([m for m in {HEAVY!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
