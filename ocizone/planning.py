"""Reading the Corefile into a plan, and remembering whose state is whose from plan to plan.

A part of the composition root (ocizone.app), apart because it is one idea. Not here: what a plan is
(ocizone.plan).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twisted.logger import Logger
from twisted.python.failure import Failure

from ocizone.corefile.load import load
from ocizone.errors import StoreError
from ocizone.follow.pool import Pool
from ocizone.plan import Plan, make_plan
from ocizone.serve.interfaces import addresses_of
from ocizone.store.sourcekeys import keep_keys, read_keys
from ocizone.store.store import Store

log = Logger(namespace="ocizone")


class Planning:
    """Reads plans, any thread; knows which keys sources have had."""

    def __init__(
        self, corefile: str, environ: Mapping[str, str], default_port: int, state_dir: Path
    ) -> None:
        self._corefile = corefile
        self._environ = environ
        self._default_port = default_port
        self._state_dir = state_dir
        self._keys: Mapping[str, str] | None = None

    def read(self) -> Plan:
        """Return what the Corefile asks for now.

        Raises:
            ConfigError: it is wrong.
        """
        if self._keys is None:
            self._keys = read_keys(self._state_dir)
        corefile = load(
            self._corefile,
            environ=self._environ,
            default_port=self._default_port,
            cwd=str(Path.cwd()),
        )
        return make_plan(corefile, addresses_of, self._keys)

    def taken_up(self, plan: Plan, files: Pool, store: Store) -> None:
        """Remember the keys of what runs now, for the next plan and the next start."""
        keys = self._keys = plan.keys_by_identity
        kept = files.call(lambda: keep_keys(self._state_dir, store.disk, keys))
        kept.addErrback(_not_kept)


def _not_kept(failure: Failure) -> None:
    failure.trap(StoreError)
    log.warn("the keys of sources are not on record", error=failure.getErrorMessage())
