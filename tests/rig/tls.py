"""nginx as an https origin with certificates that are right, and others that are wrong in one way each."""
import base64
import hashlib
import os
import subprocess

from ground import Files

from .server import Process, free_port, tool

HERE = "subjectAltName=DNS:localhost,DNS:*.localhost,IP:127.0.0.1"
PFX_PASSWORD = "sesame-of-the-pfx"


class Authority:
    """A private CA: `pem` is its certificate."""

    def __init__(self, server, name):
        self.server, self.pem, self.key = server, server.path(name + ".pem"), server.path(name + ".key")
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", self.key, "-out", self.pem,
                     "-subj", f"/CN=Ferry test {name}", "-addext", "basicConstraints=critical,CA:TRUE",
                     "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def openssl(self, *arguments):
        environment = dict(os.environ, OPENSSL_CONF=self.server.path("openssl.conf"))
        return subprocess.run([tool("openssl"), *arguments], env=environment, check=True, capture_output=True,
                              stdin=subprocess.DEVNULL).stdout

    def issue(self, name, subject, key, *extensions, days=30):
        """A certificate for this key, as a file."""
        pem = self.server.path(name + ".pem")
        more = [word for extension in extensions for word in ("-addext", extension)]
        self.openssl("req", "-new", "-key", key, "-subj", subject, "-out", pem + ".csr", *more)
        self.openssl("x509", "-req", "-in", pem + ".csr", "-CA", self.pem, "-CAkey", self.key, "-days", str(days),
                     "-copy_extensions", "copyall", "-out", pem)
        return pem


class NginxTls(Process, Files):
    """Kinds: "right"; "wrong_host"; "expired"; "client" asks for a certificate of the CA; "old" speaks TLS 1.1 at most.

    `ca` and `other_ca` are certificates of authorities, of which only the first is theirs.  `client_pem` with
    `client_key`, or `client_pfx` with PFX_PASSWORD, is alice's; `client_sha1` is its thumbprint.  `pin` is that of the
    servers' key.  `not_client_pfx` has one of alice's name that is for servers, and valid longer.
    """
    kinds = ("right", "wrong_host", "expired", "client", "old")

    def __init__(self, folder):
        super().__init__(folder)
        self.www = self.path("www")
        os.mkdir(self.www)
        self.write("openssl.conf", "[req]\ndistinguished_name = dn\n[dn]\n")  # whatever the machine's would add
        authority, other = Authority(self, "ca"), Authority(self, "other")
        self.ca, self.other_ca = authority.pem, other.pem
        self.make_client(authority)
        self.make_servers(authority)
        self.ports = {kind: free_port() for kind in self.kinds}
        self.port = self.ports["right"]
        config = self.write("nginx.conf", self.config())
        self.start([tool("nginx"), "-p", folder, "-c", config, "-e", self.path("error.log")], ports=self.ports.values())

    def url(self, name, kind="right", host="localhost"):
        return f"https://{host}:{self.ports[kind]}/{name}"

    def make_client(self, authority):
        self.client_key, self.client_pfx, self.not_client_pfx = map(self.path, ("client.key", "client.pfx", "not_client.pfx"))
        authority.openssl("genrsa", "-out", self.client_key, "2048")
        self.client_pem = authority.issue("client", "/CN=alice", self.client_key, "extendedKeyUsage=clientAuth")
        other = authority.issue("not_client", "/CN=alice", self.client_key, "extendedKeyUsage=serverAuth", days=60)
        # As old a cipher as every Windows and Wine can read.
        for pem, pfx in ((self.client_pem, self.client_pfx), (other, self.not_client_pfx)):
            authority.openssl("pkcs12", "-export", "-in", pem, "-inkey", self.client_key,
                              "-out", pfx, "-passout", f"pass:{PFX_PASSWORD}",
                              "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1")
        der = authority.openssl("x509", "-in", self.client_pem, "-outform", "DER")
        self.client_sha1 = hashlib.sha1(der).hexdigest()

    def make_servers(self, authority):
        key = self.path("server.key")
        authority.openssl("genrsa", "-out", key, "2048")
        usage = "extendedKeyUsage=serverAuth"
        elsewhere = "subjectAltName=DNS:elsewhere.test"
        self.certificates = dict.fromkeys(self.kinds, authority.issue("server", "/CN=localhost", key, HERE, usage))
        self.certificates["wrong_host"] = authority.issue("wrong", "/CN=elsewhere.test", key, elsewhere, usage)
        self.certificates["expired"] = authority.issue("expired", "/CN=localhost", key, HERE, usage, days=-1)
        public = authority.openssl("pkey", "-in", key, "-pubout", "-outform", "DER")
        self.pin = "sha256//" + base64.b64encode(hashlib.sha256(public).digest()).decode()

    def config(self):
        more = {"client": f"ssl_verify_client on; ssl_client_certificate {self.ca};",
                "old": "ssl_protocols TLSv1.1; ssl_ciphers DEFAULT@SECLEVEL=0;"}
        servers = "".join(f"""
              server {{ listen 127.0.0.1:{self.ports[kind]} ssl; root {self.www}; {more.get(kind, '')}
                ssl_certificate {self.certificates[kind]}; ssl_certificate_key {self.path("server.key")}; }}"""
                          for kind in self.kinds)
        temp = "".join(f"{kind}_temp_path {self.folder}/{kind};"
                       for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.getuid() == 0 else ""
        return f"""{user} daemon off; pid {self.folder}/pid; error_log {self.folder}/error.log;
            events {{ }}
            http {{
              log_format seen '$request_method https://$host:$server_port$request_uri $status $connection $name';
              map $ssl_client_s_dn $name {{ default $ssl_client_s_dn; '' -; }}
              access_log {self.log} seen; {temp}{servers}
            }}"""
