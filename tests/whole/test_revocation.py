"""Whether a certificate was taken back is asked beside the transfers: tests/rig/fetch_checked.c against a real https server."""
import atexit
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import native, program, run
from rig import NginxTls

SIZE = 300000
folder = tempfile.mkdtemp(prefix="ferry-revocation-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
tls = NginxTls(os.path.join(folder, "tls"))
for name in ("one", "two", "three", "four", "five", "six"):
    tls.file(f"{name}.bin", SIZE)


def certificates__are_asked_after_beside_the_transfers():
    environment = dict(os.environ, FERRY_TLS_URL=tls.url("")[:-1], FERRY_TLS_CA=native(tls.ca), FERRY_TLS_LOG=native(tls.log))
    done = subprocess.run(program("tests/fetch_checked"), env=environment, capture_output=True, text=True, timeout=200)
    print(done.stdout, done.stderr)
    assert done.returncode == 0


run(certificates__are_asked_after_beside_the_transfers)
