#!/usr/bin/env python3
"""The same sources in another folder give the same executables, byte for byte."""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

source, here = Path(os.environ["FERRY_SOURCE"]), Path(os.environ["FERRY_BIN"])
cache = (here / "CMakeCache.txt").read_text()
prefix = re.search(r"^CMAKE_PREFIX_PATH:\w+=(.*)$", cache, re.M)[1]
preset = here.name

with tempfile.TemporaryDirectory(prefix="ferry-elsewhere-") as folder:
    copy = Path(folder) / "some" / "other folder"
    shutil.copytree(source, copy, ignore=lambda at, names: {"build", ".git"} if Path(at) == source else set())
    for command in (["cmake", "--preset", preset, f"-DCMAKE_PREFIX_PATH={prefix}", "-DBUILD_TESTING=OFF"],
                    ["cmake", "--build", "--preset", preset]):
        done = subprocess.run(command, cwd=copy, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout)
    differ = 0
    for program in ("ferryd.exe", "ferry.exe"):
        digests = [hashlib.sha256((at / program).read_bytes()).hexdigest() for at in (here, copy / "build" / preset)]
        print(program, *digests)
        differ += digests[0] != digests[1]
sys.exit(1 if differ else 0)
