#!/usr/bin/env python3
"""docs/errors.md is what daemon/core/result.def says."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

source = Path(os.environ["FERRY_SOURCE"])
committed = source / "docs/errors.md"
with tempfile.TemporaryDirectory() as folder:
    page = Path(folder) / "errors.md"
    subprocess.run(["cmake", "-D", f"IN={source / 'daemon/core/result.def'}", "-D", f"TOP={source / 'cmake/errors.md.in'}",
                    "-D", f"PAGE={page}", "-P", source / "cmake/errors.cmake"], check=True)
    if not committed.exists() or committed.read_bytes() != page.read_bytes():
        sys.exit("docs/errors.md has drifted from daemon/core/result.def: cmake --build --preset linux --target docs")
