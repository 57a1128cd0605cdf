"""Apache as an origin that asks who one is, in one of several ways by the first folder of the URL."""
import collections
import hashlib
import os

from ground import Files

from .kdc import ORIGIN
from .server import PASSWORDS, Process, tool

MODULES = ("mpm_event", "alias", "authn_core", "authn_file", "authz_core", "authz_user", "auth_basic", "auth_digest",
           "auth_gssapi")


class ApacheOrigin(Process, Files):
    """`open`, `krb` (Negotiate by Kerberos), `basic`, `digest`: each has all of `www`.  `krb` says alice@FERRY.TEST.
    In all of them `moved` leads to `plain`, for whom they let in."""

    def __init__(self, folder, kdc, skewed=False):
        super().__init__(folder)
        self.www = self.path("www")
        os.mkdir(self.www)
        digests = "".join(f"{user}:digest:{hashlib.md5(f'{user}:digest:{word}'.encode()).hexdigest()}\n"
                          for user, word in PASSWORDS.items())
        self.users, self.digests = self.passwords(), self.write("digests", digests)
        config = self.write("httpd.conf", self.config(kdc.keytab(ORIGIN)))
        self.start([tool("apache2"), "-f", config, "-DFOREGROUND"], kdc.service(ORIGIN, skewed))

    def requests(self):
        """The log's PORT.K is how many a connection from that port had before: a port may come again."""
        times, seen = collections.Counter(), []
        for one in super().requests():
            port, before = one.connection.split(".")
            times[port] += before == "0"
            seen.append(one._replace(connection=f"{port}.{times[port]}"))
        return seen

    def url(self, name, way="krb", host=ORIGIN):
        return f"http://{host}:{self.port}/{way}/{name}"

    def config(self, keytab):
        modules = "\n".join(f"LoadModule {name}_module {tool(f'mod_{name}.so')}" for name in MODULES)
        return f"""
            ServerRoot {self.folder}
            DefaultRuntimeDir {self.folder}
            PidFile {self.folder}/pid
            ServerName localhost
            Listen 127.0.0.1:{self.port}
            {modules}
            User www-data
            Group www-data
            ErrorLog {self.folder}/error.log
            LogFormat "%m %U%q %>s %{{remote}}p.%k %u" seen
            CustomLog {self.log} seen
            DocumentRoot {self.www}
            AliasMatch ^/(open|krb|basic|digest)/(.*)$ {self.www}/$2
            <Directory {self.www}>
              Require all granted
            </Directory>
            <LocationMatch ^/[a-z]+/moved/>
              RedirectMatch ^/([a-z]+)/moved/(.*)$ /$1/plain/$2
            </LocationMatch>
            <Location /krb>
              AuthType GSSAPI
              AuthName krb
              GssapiCredStore keytab:{keytab}
              GssapiAllowedMech krb5
              Require valid-user
            </Location>
            <Location /basic>
              AuthType Basic
              AuthName basic
              AuthUserFile {self.users}
              Require valid-user
            </Location>
            <Location /digest>
              AuthType Digest
              AuthName digest
              AuthUserFile {self.digests}
              Require valid-user
            </Location>
            """
