"""What was refused, so that it is not fetched again until the tag or the configuration changes."""

from __future__ import annotations

from ocizone import limits
from ocizone.errors import CompilerError, Problem, Severity
from ocizone.follow.pool import Pool
from ocizone.store.deployments import Rejection
from ocizone.store.records import SourceRecords

#: Rules that a revision breaks today and may not tomorrow: it is looked at again.
_PASSING = frozenset({"rrsig-not-yet-valid"})


class Refusals:
    """The last refusal of one source."""

    def __init__(self, records: SourceRecords, files: Pool, configuration: str) -> None:
        """Make it; nothing is known before ``load``.

        Args:
            records: of the source.
            files: threads for the disk.
            configuration: of now: a refusal under another one does not count.
        """
        self._records = records
        self._files = files
        self._configuration = configuration
        self._last: Rejection | None = None
        self._crashes: tuple[str, int] = ("", 0)

    @property
    def last(self) -> Rejection | None:
        """The last refusal with the configuration of now."""
        found = self._last
        return found if found and found.configuration == self._configuration else None

    @property
    def digest(self) -> str:
        """The digest that need not be fetched, "" for none."""
        found = self.last
        return found.digest if found else ""

    async def load(self) -> None:
        """Read what was refused before the start.

        Raises:
            StoreError: it cannot be read.
        """
        self._last = await self._files.call(self._records.rejected)

    def forgive(self) -> None:
        """Look anew at what was refused, until the next start."""
        self._last = None
        self._crashes = ("", 0)

    async def remember(self, digest: str, problems: tuple[Problem, ...]) -> None:
        """Remember a refusal, unless what it breaks may pass by itself.

        Raises:
            StoreError: it cannot be written; until the next start it counts nevertheless.
        """
        if all(one.severity is not Severity.ERROR or one.rule in _PASSING for one in problems):
            return
        rejection = self._last = Rejection(digest, self._configuration, problems)
        await self._files.call(lambda: self._records.reject(rejection))

    def compiler_failed(self, digest: str, name: str, error: CompilerError) -> None:
        """Give a digest that kills the compiler up after some tries, until the next start.

        Args:
            digest: that was compiled.
            name: of the source, for the finding.
            error: of the compiler.
        """
        failed = self._crashes[1] + 1 if self._crashes[0] == digest else 1
        self._crashes = (digest, failed)
        if failed >= limits.ATTEMPTS:
            problem = Problem(name, 0, 0, Severity.ERROR, "compiler-failed", str(error))
            self._last = Rejection(digest, self._configuration, (problem,))
