"""An origin or proxy that verifies NTLMv2: authentication belongs to the connection, as the protocol has it."""
import base64
import hashlib
import hmac
import http.client
import os
import re
import shutil
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

from ground import Files

from .server import PASSWORDS, Handler, Threads, tool

SIGNATURE = b"NTLMSSP\0"
DOMAIN = "FERRY"
ASK, ANSWER = 1, 3  # the client's messages; the challenge between them is the second
UNICODE, OEM, NTLM, DOMAIN_TARGET, SESSION_SECURITY, TARGET_INFO, VERSION = (
    1, 2, 0x200, 0x10000, 0x80000, 0x800000, 0x2000000)


def nt_hash(password):
    command = [tool("openssl"), "dgst", "-md4", "-binary", "-provider", "legacy", "-provider", "default"]
    return subprocess.run(command, input=password.encode("utf-16le"), check=True, capture_output=True).stdout


def hmac_md5(key, *data):
    return hmac.new(key, b"".join(data), hashlib.md5).digest()


def challenge_message(asked, challenge):
    """The server's message; `asked` are the client's flags."""
    name = DOMAIN.encode("utf-16le")
    now = struct.pack("<Q", int((time.time() + 11644473600) * 1e7))
    pairs = [(2, name), (1, "SERVER".encode("utf-16le")), (4, "ferry.test".encode("utf-16le")), (7, now), (0, b"")]
    info = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in pairs)
    flags = (asked | UNICODE | NTLM | DOMAIN_TARGET | SESSION_SECURITY | TARGET_INFO) & ~(OEM | VERSION)
    begin = 56  # of what the header points at
    return (SIGNATURE + struct.pack("<IHHII", 2, len(name), len(name), begin, flags) + challenge + bytes(8) +
            struct.pack("<HHI", len(info), len(info), begin + len(name)) + bytes(8) + name + info)


def who(message, challenge, hashes):
    """The user whose password made this answer to the challenge, as DOMAIN\\user; None if nobody's did."""
    def field(at):
        length, _, begin = struct.unpack_from("<HHI", message, at)
        return message[begin:begin + length]

    response, domain, user = field(20), field(28).decode("utf-16le"), field(36).decode("utf-16le")
    if user.lower() not in hashes or len(response) <= 24:  # 24 bytes: NTLMv1
        return None
    key = hmac_md5(hashes[user.lower()], (user.upper() + domain).encode("utf-16le"))
    proof = hmac_md5(key, challenge, response[16:])
    return f"{domain}\\{user}" if hmac.compare_digest(proof, response[:16]) else None


class Connection(Handler):
    challenge = upstream = None
    bound = False  # whether `user` holds for the whole connection: what Basic proves does not

    def do_GET(self):
        if not self.authenticated():
            return
        if self.command == "CONNECT":
            self.tunnel()
        elif self.rig.proxy:
            self.forward()
        else:
            self.serve_file()

    do_HEAD = do_CONNECT = do_GET

    # --- who it is ---
    def authenticated(self):
        """Whether the request is somebody's.  If not it has been answered, or is not to be."""
        given = self.headers.get("Proxy-Authorization" if self.rig.proxy else "Authorization", "")
        scheme, _, token = given.partition(" ")
        offers = self.rig.schemes
        if not self.bound:
            self.user = None
        if scheme:
            token = base64.b64decode(token)
            kind = token[8] if token.startswith(SIGNATURE) else None
            self.rig.tokens.append((self.number, scheme, kind))
            self.user, self.bound = None, kind is not None
            if kind == ANSWER and self.rig.mode == "drop":
                self.close_connection = True
                return False
            if scheme in [offer.split()[0] for offer in offers]:
                if kind == ASK:
                    offers = [f"{scheme} {self.new_challenge(token)}"]
                elif self.rig.mode == "normal":
                    self.user = self.prove(scheme, kind, token)
        if self.user is None:
            name = "Proxy-Authenticate" if self.rig.proxy else "WWW-Authenticate"
            self.answer(407 if self.rig.proxy else 401, [(name, offer) for offer in offers], b"who are you?\n")
        return self.user is not None

    def new_challenge(self, token):
        self.challenge = os.urandom(8)
        asked, = struct.unpack_from("<I", token, 12)
        return base64.b64encode(challenge_message(asked, self.challenge)).decode()

    def prove(self, scheme, kind, token):
        """The user that this credential proves, or None."""
        if kind == ANSWER and self.challenge:
            challenge, self.challenge = self.challenge, None
            return who(token, challenge, self.rig.hashes)
        user, _, password = token.decode(errors="replace").partition(":")
        return user if scheme == "Basic" and PASSWORDS.get(user) == password else None

    # --- what it gets ---
    def serve_file(self):
        try:
            with open(os.path.join(self.rig.www, self.path.strip("/")), "rb") as file:
                body, changed = file.read(), os.fstat(file.fileno()).st_mtime
        except OSError:
            self.answer(404, [])
            return
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = [("ETag", tag), ("Last-Modified", self.date_time_string(changed)), ("Accept-Ranges", "bytes")]
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted and self.headers.get("If-Range", tag) == tag and int(wanted[1]) < len(body):
            first, last = int(wanted[1]), min(int(wanted[2] or len(body)), len(body) - 1)
            headers.append(("Content-Range", f"bytes {first}-{last}/{len(body)}"))
            self.answer(206, headers, body[first:last + 1])
        else:
            self.answer(200, headers, body)

    def forward(self):
        """Over a connection that is this client's alone: an origin may ask for NTLM too."""
        url = urllib.parse.urlsplit(self.path)
        if self.upstream is None or self.upstream.port != (url.port or 80):
            self.upstream = http.client.HTTPConnection("127.0.0.1", url.port or 80, timeout=30)
        headers = {name: value for name, value in self.headers.items() if not name.lower().startswith("proxy-")}
        self.upstream.request(self.command, url._replace(scheme="", netloc="").geturl() or "/", headers=headers)
        answer = self.upstream.getresponse()
        self.log_request(answer.status)
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            self.send_header(name, value)
        self.end_headers()
        shutil.copyfileobj(answer, self.wfile)
        # What breaks off behind the proxy breaks off before it.
        self.close_connection = self.close_connection or answer.will_close or bool(answer.length)

    def tunnel(self):
        self.close_connection = True
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as upstream:
            self.send_response(200)
            self.end_headers()
            back = threading.Thread(target=relay, args=(upstream, self.connection), daemon=True)
            back.start()
            relay(self.connection, upstream)
            back.join()


def relay(source, sink):
    try:
        while block := source.recv(65536):
            sink.sendall(block)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        sink.close()  # one of them is gone: so is the tunnel


class NtlmServer(Threads, Files):
    """Serves `www` as an origin, or goes between as a proxy to ports of this machine, whatever their host is called.

    `mode`: "normal"; "drop" ends the connection instead of answering the client's second message; "refuse" takes no
    password for right.  `schemes` are offered as they stand: NTLM, Negotiate (NTLM's messages without a wrapping are
    taken there too, as Windows does) and `Basic realm="x"` are understood.  Both may be changed at any time.  `tokens`
    has (connection, scheme, kind of NTLM message or None) for each credential that came.
    """
    handler = Connection

    def __init__(self, folder, proxy=False, schemes=("NTLM",), mode="normal"):
        self.proxy, self.schemes, self.mode = proxy, schemes, mode
        self.tokens = []
        self.hashes = {user: nt_hash(password) for user, password in PASSWORDS.items()}
        super().__init__(folder)
        self.www = self.path("www")
        os.mkdir(self.www)

    def url(self, name="", host="localhost"):
        return f"http://{host}:{self.port}/{name}"
