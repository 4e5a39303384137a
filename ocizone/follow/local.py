"""Keep zone files on disk fresh: poll, take new content into the store, deploy.

The same way as an artifact's, without the fetch: what is served always comes from blobs in the
store, so a restart serves the last good version even if the files are broken by then.
"""

from __future__ import annotations

from typing import assert_never

from ocizone.follow.attempt import Fetched, Known, Rejected, Same
from ocizone.follow.deploy import Deployer
from ocizone.follow.facts import SourceFacts
from ocizone.follow.gatekeeper import Gate
from ocizone.follow.scan import Scan, scan
from ocizone.follow.schedule import plain_schedule
from ocizone.follow.service import LookingService
from ocizone.follow.source import LocalSource
from ocizone.follow.status import LookResult, Outcome
from ocizone.follow.tools import Tools
from ocizone.plugins.artifact import Startup


class LocalFollower(LookingService):
    """Follows the files of ``file`` and ``auto`` directives outside every artifact."""

    def __init__(self, source: LocalSource, tools: Tools) -> None:
        """Make it; nothing happens before ``startService``.

        Raises:
            StoreError: the source's key cannot name a directory.
        """
        facts = SourceFacts(
            key=source.key,
            name=source.name,
            reference=source.name,
            rules=source.rules,
            prefix=f"{source.root}/",
            interval_s=source.interval_s,
            # Whoever may write the files may write anything: there is no registry to mistrust.
            gate=Gate(allow_rollback=True),
        )
        deployer = Deployer(facts, tools)
        super().__init__(
            key=source.key,
            reference=source.name,
            schedule=plain_schedule(source.interval_s),
            startup=Startup(),
            deployer=deployer,
            tools=tools,
        )
        self._source = source
        #: Who may write the files decides; there is nothing to pin.
        self.verbs = None
        self._last_scan: Scan | None = None
        self._hold = tools.store.hold()

    async def look(self) -> LookResult:
        """Look at the files once, and deploy what is new.

        Raises:
            ZoneError: a file is missing or unreadable.
            StoreError, CompilerError: it failed.
        """
        self._attempts = 1
        former, self._hold = self._hold, self._tools.store.hold()
        source, store, hold, last = self._source, self._tools.store, self._hold, self._last_scan
        known = Known(self._deployer.intact, self._deployer.refusals.digest)
        try:
            found, self._last_scan = await self._tools.files.call(
                lambda: scan(source, store, hold, known, last)
            )
        finally:
            former.release()
        async with self.deploying:
            match found:
                case Same(digest):
                    return LookResult(Outcome.UNCHANGED, digest)
                case Rejected(digest):
                    return self.refused(digest)
                case Fetched(revision):
                    return await self.deploy(revision, hold)
                case _:
                    assert_never(found)
