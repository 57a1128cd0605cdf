#!/usr/bin/env python3
"""The executables' own headers: what the loader is told, and what it must load."""
import os
import re
import subprocess
import sys
from pathlib import Path

FLAGS = ["HIGH_ENTROPY_VA", "DYNAMIC_BASE", "NX_COMPAT"]
# Everything here is Windows' own; a MinGW runtime DLL would have to be shipped.
SYSTEM_DLLS = set("""
    advapi32 bcrypt crypt32 iphlpapi kernel32 msvcrt ntdll ole32 oleaut32 rpcrt4 secur32 shell32 user32 userenv winhttp
    ws2_32 wtsapi32
    """.split())

complaints = []
for program in ("ferryd.exe", "ferry.exe"):
    path = Path(os.environ["FERRY_BIN"]) / program
    headers = subprocess.run([os.environ["FERRY_OBJDUMP"], "-p", path], check=True, capture_output=True, text=True).stdout
    complaints += [f"{program}: {flag} is not set" for flag in FLAGS if not re.search(rf"^\s+{flag}$", headers, re.M)]
    dlls = {name.lower().removesuffix(".dll") for name in re.findall(r"DLL Name: (\S+)", headers)}
    complaints += [f"{program}: imports {name}.dll" for name in sorted(dlls - SYSTEM_DLLS)]
    if not dlls:
        complaints.append(f"{program}: no imports could be read")
    # Without relocations DYNAMIC_BASE is only a wish.
    if re.search(r"relocations stripped", headers) or ".reloc" not in subprocess.run(
            [os.environ["FERRY_OBJDUMP"], "-h", path], check=True, capture_output=True, text=True).stdout:
        complaints.append(f"{program}: cannot be relocated")
    print(f"{program}: {' '.join(sorted(dlls))}")

print(*complaints, sep="\n")
sys.exit(1 if complaints else 0)
