#!/usr/bin/env python3
"""docs/events.md, schema/events.schema.json and the Event Viewer's views are what daemon/events.def says."""
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

source = Path(os.environ["FERRY_SOURCE"])
ids = [int(number) for number in re.findall(r"^EVENT\((\d+),", (source / "daemon/events.def").read_text(), re.M)]
with tempfile.TemporaryDirectory() as folder:
    page, schema, views = Path(folder) / "events.md", Path(folder) / "events.schema.json", Path(folder) / "views"
    subprocess.run(["cmake", "-D", f"IN={source / 'daemon/events.def'}", "-D", f"TOP={source / 'cmake/events.md.in'}",
                    "-D", f"PAGE={page}", "-D", f"SCHEMA={schema}", "-D", f"VIEWS={views}",
                    "-P", source / "cmake/events.cmake"], check=True)
    committed = {source / "docs/events.md": page, source / "schema/events.schema.json": schema}
    committed.update({source / "packaging/windows/events" / view.name: view for view in views.iterdir()})
    for old, new in committed.items():
        if not old.exists() or old.read_bytes() != new.read_bytes():
            sys.exit(f"{old} has drifted from daemon/events.def: cmake --build --preset linux --target docs")
    shown = set()
    for view in views.iterdir():
        for select in ElementTree.parse(view).iter("Select"):
            found = [int(number) for number in re.findall(r"EventID=(\d+)", select.text)]
            assert 0 < len(found) <= 20 and set(found) <= set(ids), (view.name, select.text)
            shown.update(found)
    assert shown == set(ids), set(ids) - shown  # each is in some view
text = (source / "docs/events.md").read_text()
assert not re.search("@[^{ ]", text), "a position in docs/events.md was not filled in"
