"""The control API: its paths, what they take and what they answer. Values only.

The same over the unix socket in the state directory (whoever may open it may use it) and over
the ``api`` directive's address (anything that changes state needs its token). Every answer is
JSON. Times of the status document are RFC 3339; those of deployments and reports are unix seconds,
as they are kept (``activated_at``, and each step of a report's ``history``). Not here: what a verb
does (ocizone.operations) and how HTTP carries it (admin.pages).

    GET  /v1/status                                  the status document (admin.status)
    GET  /v1/history?source=NAME&most=N              {"schema", "source", "current", "deployments":
                                                      [...] by generation, the newest first,
                                                      "reports": [...] by their last change, the
                                                      latest first}
    GET  /v1/reports/<digest>?source=NAME            one report (store.reports) as JSON
    GET  /v1/which?name=NAME[&view=VIEW]             {"schema", "answers": [...]}
    GET  /v1/served?source=NAME                      {"schema", "source", "digest", "image": path,
                                                      "zones": [...], "layers": [...]}
    POST /v1/<verb>   with a JSON object: "source" names one where there are several (a reference,
                      the start of one that fits no other, or a zone it serves), and the verb's own:
         refresh      "wait": bool, "hard": bool (look even at what was refused or held before);
                      without "source": all
         rollback     "to": digest, its beginning, or a generation; nothing: the one before
                      "reason": text; "unsigned": bool (even what nobody signed who may now)
         pin          "digest", "reason", "unsigned"
         unpin
         suspend      "seconds": for so long; nothing: until resume; "reason"
         resume
         approve      "digest": or its beginning
         verify       hashes every blob and image again, of all sources
         gc           "forgotten": bool (also the state of sources no block names any more),
                      "digests": [whole digests of versions to forget, unless served, pinned, held]
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

RESULT_SCHEMA: Final = "ocizone.result/v1"
#: Verbs that change state: all that are posted.
VERBS: Final = (
    "refresh",
    "rollback",
    "pin",
    "unpin",
    "suspend",
    "resume",
    "approve",
    "verify",
    "gc",
)


@dataclass(frozen=True, slots=True)
class VerbResult:
    """What a verb came to; ``ok`` is true only when what was asked for is so now.

    Attributes:
        ok: done.
        exit: what the command line exits with (cli.exit_codes).
        message: one line for people.
        sources: per source: {"name", "digest", "outcome", "reason", "message", "problems": [...]};
            problems as in the status document.
        details: of the verb (gc: {"blobs", "images", "sources", "octets"}; verify: {"damaged":
            [...], "whole": N}).
    """

    ok: bool
    exit: int
    message: str
    sources: tuple[dict[str, Any], ...] = ()
    details: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values, with its schema."""
        return {
            "schema": RESULT_SCHEMA,
            "ok": self.ok,
            "exit": self.exit,
            "message": self.message,
            "sources": list(self.sources),
            **self.details,
        }
