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


own = tls.path("own.der")
authority = Authority(tls, "nobody")
authority.openssl("x509", "-in", tls.certificates["right"], "-outform", "DER", "-out", own)
nobodies = [Authority(tls, f"nobody{i}").pem for i in range(40)]


def read(name):
    with open(name) as file:
        return file.read()


def serve(name, chains, answer):
    """An https server that shows each connection the next of the chains, and answers each request so."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run_server():
        for number, chain in enumerate(chains):
            connection, _ = listener.accept()
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(tls.write(f"{name}{number % 100}.pem", chain), tls.path("server.key"))
            try:
                with context.wrap_socket(connection, server_side=True) as secure:
                    while secure.recv(4000):
                        assert answer, "a request came"
                        secure.sendall(answer)
            except OSError:
                pass

    threading.Thread(target=run_server, daemon=True).start()
    return f"https://localhost:{listener.getsockname()[1]}/{name}.bin"


def serve_changing():
    """Each connection is shown one more certificate, of nobody, than the one before."""
    right = read(tls.certificates["right"])
    return serve("changing", [right + "".join(map(read, nobodies[:i + 1])) for i in range(40)], None)


def serve_away(location):
    answer = f"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {location}\r\n\r\n".encode()
    return serve("away", [read(tls.certificates["right"])] * 1000, answer)


def serve_junk():
    chain = read(tls.certificates["right"]) + "".join(map(read, nobodies))
    return serve("junk", [chain] * 1000, b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % SIZE + bytes(SIZE))


def certificates__are_asked_after_beside_the_transfers():
    changing = serve_changing()
    environment = dict(os.environ, FERRY_TLS_URL=tls.url("")[:-1], FERRY_TLS_CA=native(tls.ca), FERRY_TLS_LOG=native(tls.log),
                       FERRY_TLS_OWN=native(own), FERRY_TLS_CHANGING=changing, FERRY_TLS_AWAY=serve_away(changing),
                       FERRY_TLS_JUNK=serve_junk())
    done = subprocess.run(program("tests/fetch_checked"), env=environment, capture_output=True, text=True, timeout=200)
    print(done.stdout, done.stderr)
    assert done.returncode == 0


run(certificates__are_asked_after_beside_the_transfers)
