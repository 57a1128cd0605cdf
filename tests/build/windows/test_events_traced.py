#!/usr/bin/env python3
"""Every event reaches ReportEventW, with its type, its number and as many inserts as its text has: Wine keeps no Event Log, but
tells of each call."""
import json
import os
import re
import subprocess
import sys
from pathlib import Path

if os.environ["FERRY_GROUND"] != "wine":
    print("SKIPPED: what ReportEventW is called with is seen in Wine's trace only (shown by Wine)")
    sys.exit(77)
schema = json.loads((Path(os.environ["FERRY_SOURCE"]) / "schema/events.schema.json").read_text())["$defs"]
wanted = {}
for event in schema.values():
    if "required" not in event:
        continue
    level = ["info", "warn", "error"].index(event["properties"]["level"]["const"])
    number = (level + 1) << 30 | event["properties"]["id"]["const"]
    wanted[number] = ([4, 2, 1][level], len(event["required"]) - 5)  # all but time, id, event, level and message are inserts

done = subprocess.run([os.environ["FERRY_WINE"], os.path.join(os.environ["FERRY_BIN"], "tests", "test_windows_events_resource.exe")],
                      env=dict(os.environ, WINEDEBUG="-all,+eventlog,fixme+advapi"), stdin=subprocess.DEVNULL, capture_output=True,
                      text=True, errors="replace", timeout=120)
assert done.returncode == 0, done.stdout
calls = re.findall(r"ReportEventW \([^,]+,0x([0-9a-f]+),0x[0-9a-f]+,0x([0-9a-f]+),[^,]+,0x([0-9a-f]+),", done.stderr)
seen = {int(number, 16): (int(kind, 16), int(count, 16)) for kind, number, count in calls}
assert seen == wanted, {number: (seen.get(number), wanted.get(number)) for number in seen.keys() ^ wanted.keys()} or done.stderr[:2000]
assert len(calls) == len(wanted)
# Their inserts, too: those about a job begin with its id, and none else has that.
jobs = re.findall(r"ReportEventW \([^\n]*\n[^\n]*:ReportEventW L\"0f8fad5b-d9cb-469f-a165-70867728950e\"", done.stderr)
assert len(jobs) == sum("network_sid" in event.get("required", ()) for event in schema.values()), len(jobs)
# What a reader would expand in them has a space of no width in it, and nothing else has.
images = re.findall(r'ReportEventW (L"50%[^\n]*")', done.stderr)
asked = sum("caller" in event.get("required", ()) for event in schema.values())
assert images == [r'L"50%, a%\200b2Fb %\200b%\200b5 %\200b{S-1-5-18}"'] * asked, (asked, images)
print(f"{len(calls)} events are reported, {len(jobs)} of them about a job")
