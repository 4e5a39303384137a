"""What becomes of CoreDNS' directives that do not work here: refused, or ignored with a notice.

The rule: a directive that changes answers or access is never ignored silently. One that only
tunes how CoreDNS runs is accepted, so that a Corefile can be brought as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, assert_never


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is done about a directive, and why.

    Attributes:
        kind: ``never`` and ``later`` refuse; ``ignored`` accepts without effect.
        reason: a clause.
        hint: what to use instead, or "".
    """

    kind: Literal["never", "later", "ignored"]
    reason: str
    hint: str = ""

    @property
    def refused(self) -> bool:
        """Tell whether a Corefile with it does not load."""
        return self.kind != "ignored"

    def message(self, name: str) -> str:
        """Return what is said about it."""
        match self.kind:
            case "never":
                return f"plugin '{name}' is not supported by ocizone ({self.reason})"
            case "later":
                return f"plugin '{name}' is not supported by ocizone yet ({self.reason})"
            case "ignored":
                return f"plugin '{name}' has no effect in ocizone ({self.reason})"
            case _:
                assert_never(self.kind)


def _never(reason: str, hint: str = "") -> Verdict:
    return Verdict("never", reason, hint)


def _later(reason: str) -> Verdict:
    return Verdict("later", reason)


def _ignored(reason: str) -> Verdict:
    return Verdict("ignored", reason)


_RESOLVER: Final = "it belongs to a resolver; ocizone is authoritative only"
_OTHER_DATA: Final = "zones come from OCI artifacts and files only"

#: In CoreDNS' plugin order.
OTHERS: Final[dict[str, Verdict]] = {
    "metadata": _ignored("nothing here reads metadata"),
    "geoip": _never("answers do not depend on where the client is"),
    "cancel": _ignored("no answer waits for anything"),
    "proxyproto": _never("the address in front would decide access"),
    "quic": _ignored("there is no DNS over QUIC here"),
    "grpc_server": _ignored("there is no DNS over gRPC here"),
    "https": _ignored("there is no DNS over HTTPS here"),
    "https3": _ignored("there is no DNS over HTTPS here"),
    "timeouts": _ignored("the limits of TCP connections are fixed"),
    "trace": _ignored("there is no tracing here"),
    "pprof": _ignored("it profiles Go programs"),
    "shed": _ignored("there is no queue to shed from"),
    "dnstap": _ignored("there is no dnstap output here"),
    "local": _later("answers for localhost"),
    "dns64": _never(_RESOLVER),
    "rewrite": _never("answers are what the zone says"),
    "autopath": _never(_RESOLVER),
    "cache": _ignored("answers come from memory already"),
    "header": _later("flags of answers"),
    "dnssec": _later("signing while answering"),
    "template": _never("answers are what the zone says"),
    "hosts": _later("answers from a hosts file"),
    "route53": _never(_OTHER_DATA),
    "azure": _never(_OTHER_DATA),
    "clouddns": _never(_OTHER_DATA),
    "k8s_external": _never(_OTHER_DATA),
    "kubernetes": _never(_OTHER_DATA),
    "secondary": _later("zones transferred from a primary"),
    "etcd": _never(_OTHER_DATA),
    "loop": _ignored("nothing is forwarded, so nothing loops"),
    "forward": _never(_RESOLVER),
    "grpc": _never(_RESOLVER),
    "erratic": _never("it breaks answers on purpose"),
    "on": _never("it runs shell commands"),
    "sign": _never("it rewrites zone files", "sign before the push"),
    "view": _later("split horizon"),
    "nomad": _never(_OTHER_DATA),
    "git": _never(
        "zones are pulled from a registry, not from git",
        "push the zone files with 'ocizone push' or 'oras push' and follow them with 'oci'",
    ),
}
