"""The compiler child: a CompileSpec on stdin, a CompileReport on stdout, exit 0.

Exits 1 with one line on stderr when files cannot be read or written; anything else that ends
it (a signal, a traceback) is for the parent to report as a CompilerError.
"""

from __future__ import annotations

import gc
import os
import resource
import sys
import time

from ocizone.compiler.pipeline import compile_revision
from ocizone.compiler.spec import CompileSpec
from ocizone.errors import StoreError


def main() -> int:
    """Compile what stdin says; return the exit status."""
    # Zone data and blobs are no business of a core file.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # The server answers queries meanwhile; on a machine of one core it goes first.
    os.nice(5)
    # Millions of records, no cycles: the collector finds nothing and costs a third of the time.
    gc.disable()
    spec = CompileSpec.from_json(sys.stdin.read())
    try:
        report = compile_revision(spec, time.monotonic)
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(report.to_json())
    return 0


if __name__ == "__main__":
    sys.exit(main())
