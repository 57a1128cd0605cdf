#!/usr/bin/env python3
"""docs/events.md is what daemon/events.def says."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

source = Path(os.environ["FERRY_SOURCE"])
committed = source / "docs/events.md"
with tempfile.TemporaryDirectory() as folder:
    page = Path(folder) / "events.md"
    subprocess.run(["cmake", "-D", f"IN={source / 'daemon/events.def'}", "-D", f"PAGE={page}",
                    "-P", source / "cmake/events.cmake"], check=True)
    if not committed.exists() or committed.read_bytes() != page.read_bytes():
        sys.exit("docs/events.md has drifted from daemon/events.def: cmake --build --preset linux --target docs")
