#!/usr/bin/env python3
"""What believes a client about who it is (tests/peer) is in the test build only, and nothing installs that."""
import os
import re
import subprocess
import sys
from pathlib import Path

BIN = Path(os.environ["FERRY_BIN"])
MARK = "FerryTestPeer"
# Functions that take a thread's number, and the section where a client leaves it.  The service asks for the number of its
# client's process as well, and opens that (platform/win32/ipc_pipe.c), but only to tell number and program in events; without
# these it learns no more of it.
BY_NUMBER = {"OpenThread", "OpenFileMappingA", "OpenFileMappingW"}
PIPE = "ImpersonateNamedPipeClient"

complaints = []


def signs(path):
    """What is found in the program of all that is looked for."""
    headers = subprocess.run([os.environ["FERRY_OBJDUMP"], "-p", path], check=True, capture_output=True, text=True).stdout
    # A name behind its numbers, of which binutils and LLVM show different ones.
    imports = set(re.findall(r"^[ \t]+(?:(?:[0-9a-f]+|<none>)[ \t]+)+(\w+)$", headers, re.M))
    if "GetLastError" not in imports:
        complaints.append(f"{path.name}: its imports could not be read")
    content = path.read_bytes()
    marks = {MARK for text in (MARK.encode(), MARK.encode("utf-16-le")) if text in content}
    return marks | imports & (BY_NUMBER | {PIPE})


peer = signs(BIN / "tests/ferryd_peer.exe")
if peer != {MARK, PIPE, "OpenThread", "OpenFileMappingA"}:
    complaints.append(f"ferryd_peer.exe has {sorted(peer)}: this test does not know what to look for")
for program, expected in ("ferryd.exe", {PIPE}), ("ferry.exe", set()):
    found = signs(BIN / program)
    if found != expected:
        complaints.append(f"{program} has {sorted(found)}, and should have {sorted(expected)}")
if (BIN / "libferry.a").exists() and MARK.encode() in (BIN / "libferry.a").read_bytes():
    complaints.append(f"libferry.a has {MARK}")

installs = "".join(path.read_text() for path in BIN.rglob("cmake_install.cmake"))
if "ferryd.exe" not in installs:
    complaints.append("ferryd.exe is not installed: this test does not know where to look")
if "peer" in installs:
    complaints.append("something of tests/peer is installed")

print(*complaints, sep="\n")
sys.exit(1 if complaints else 0)
