"""The compiler child: a CompileSpec or a CompareSpec on stdin, a CompileReport on stdout, exit 0.

Its argument is the process that waits for it, without which it ends. Exits 1 with one line on
stderr when files cannot be read or written, or memory ran out; anything else that ends it (a
signal, a traceback) is for the parent to report as a CompilerError.
"""

from __future__ import annotations

import gc
import math
import os
import resource
import sys
import time
from contextlib import suppress
from pathlib import Path

from ocizone import limits
from ocizone.compiler.changes import compare_images
from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import CompareSpec, read_spec
from ocizone.errors import StoreError
from ocizone.process import follow_to_death


def bound() -> None:
    """Bound what this process may take, and offer it first when memory runs out."""
    # Zone data and blobs are no business of a core file.
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_CPU, math.ceil(limits.COMPILE_S))
    _lower(resource.RLIMIT_AS, limits.COMPILE_MEMORY_OCTETS + limits.IMAGE_MAP_OCTETS)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("500", "ascii")


def _lower(limit: int, wanted: int) -> None:
    """Set a soft limit, within the hard one that an operator may have set."""
    _, hard = resource.getrlimit(limit)
    soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(limit, (soft, hard))


def main() -> int:
    """Do what stdin says; return the exit status."""
    if len(sys.argv) > 1 and not follow_to_death(int(sys.argv[1])):
        sys.stderr.write("the process that wanted this is gone\n")
        return 1
    bound()
    # The server answers queries meanwhile; on a machine of one core it goes first.
    os.nice(5)
    # Millions of records, no cycles: the collector finds nothing and costs a third of the time.
    gc.disable()
    spec = read_spec(sys.stdin.read())
    try:
        if isinstance(spec, CompareSpec):
            report = compare_images(spec, time.monotonic)
        else:
            report = compile_revision(spec, time.monotonic)
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except MemoryError:
        sys.stderr.write(f"it takes more than {limits.COMPILE_MEMORY_OCTETS} octets of memory\n")
        return 1
    sys.stdout.write(report.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
