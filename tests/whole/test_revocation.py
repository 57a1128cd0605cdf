"""Whether a certificate was taken back is asked beside the transfers: tests/rig/fetch_checked.c against a real https server."""
import atexit
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import native, program, run
from rig import NginxTls
from rig.tls import Authority

SIZE = 300000
folder = tempfile.mkdtemp(prefix="ferry-revocation-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
tls = NginxTls(os.path.join(folder, "tls"))
for name in ("one", "two", "three", "four", "five", "six"):
    tls.file(f"{name}.bin", SIZE)


def serve_changing():
    """Each connection is shown one more certificate, of nobody, than the one before."""
    listener = socket.create_server(("127.0.0.1", 0))
    nobodies = [Authority(tls, f"nobody{i}").pem for i in range(12)]

    def serve():
        with open(tls.certificates["right"]) as own:
            chain = own.read()
        for nobody in nobodies:
            connection, _ = listener.accept()
            with open(nobody) as more:
                chain += more.read()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.write("changing.pem", chain), tls.path("server.key"))
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    assert not secure.recv(1000), "a request came"
            except OSError:
                pass

    threading.Thread(target=serve, daemon=True).start()
    return f"https://localhost:{listener.getsockname()[1]}/changing.bin"


def certificates__are_asked_after_beside_the_transfers():
    environment = dict(os.environ, FERRY_TLS_URL=tls.url("")[:-1], FERRY_TLS_CA=native(tls.ca), FERRY_TLS_LOG=native(tls.log),
                       FERRY_TLS_CHANGING=serve_changing())
    done = subprocess.run(program("tests/fetch_checked"), env=environment, capture_output=True, text=True, timeout=200)
    print(done.stdout, done.stderr)
    assert done.returncode == 0


run(certificates__are_asked_after_beside_the_transfers)
