"""An embedded OCI registry for the demo and for tests: loopback only, in memory, no product."""

from ocizone.lab.events import PushEvent, Request
from ocizone.lab.gate import Access
from ocizone.lab.registry import LabRegistry

__all__ = ["Access", "LabRegistry", "PushEvent", "Request"]
