#!/usr/bin/env python3
"""summary.py PRESET...: what ctest found, what was skipped and why, and the verdict.

Reads build/PRESET/results.xml.  A skip is never silent: whole tests (exit code 77) and
single cases (cmocka's skip()) are named here with their reasons.  So is what a test NOTEd.
"""
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

FIXTURES = {"wine.up", "wine.down"}
total = {"passed": 0, "failed": 0, "skipped": 0}
skips = {}
for preset in sys.argv[1:]:
    results = Path("build") / preset / "results.xml"
    if not results.exists():
        print(f"{preset}: not tested")
        continue
    count = dict.fromkeys(total, 0)
    for test in xml.parse(results).getroot().iter("testcase"):
        name, output = test.get("name"), test.findtext("system-out") or ""
        verdict = {"run": "passed", "fail": "failed"}.get(test.get("status"), "skipped")
        if name in FIXTURES and verdict == "passed":
            continue
        count[verdict] += 1
        if verdict == "failed":
            print(f"{preset}: FAILED {name}")
        if verdict == "skipped":
            lines = output.strip().splitlines() or ["did not run"]
            skips.setdefault((name, lines[-1]), []).append(preset)
        cases = {}  # cmocka names each twice; a reason may stand before the first
        for reason, case in re.findall(r"^(?:SKIPPED(.*)\n)?\[  SKIPPED \] (?!\d+ test)(.+)$",
                                       output.replace("\r", ""), re.M):
            cases.setdefault(case, case + reason)
        told = "\n".join(cases.values())
        for part in re.findall(r"^SKIPPED on this ground: (.+?)\r?$", output, re.M):
            if part not in told:  # a test that passed, but for this
                cases[part] = "in part: " + part
        for note in re.findall(r"^NOTE: .+?\r?$", output, re.M):
            print(f"{preset}: {name}: {note.strip()}")
        for line in cases.values():
            skips.setdefault((name, line), []).append(preset)
    for verdict in total:
        total[verdict] += count[verdict]
    print(f"{preset}: {count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")

if skips:
    print("\nSkipped, so not proved here:")
    for (name, reason), presets in sorted(skips.items()):
        print(f"  {name} ({' '.join(presets)}): {reason}")
print(f"\ncheck: {total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
sys.exit(1 if total["failed"] or not total["passed"] else 0)
