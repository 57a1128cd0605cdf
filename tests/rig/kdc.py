"""MIT's KDC with a realm of its own."""
import os
import subprocess

from .server import PASSWORDS, Process, tool

ORIGIN, PROXY = "localhost", "proxy.localhost"
STRANGER = "stranger.localhost"  # has a principal, whose key no server has
NOBODY = "nobody.localhost"      # has none: the KDC gives no ticket for it


class Kdc(Process):
    """Users are those of PASSWORDS.  `log` is the KDC's own: it names each ticket that was asked for."""
    realm = "FERRY.TEST"

    def __init__(self, folder):
        super().__init__(folder)
        self.log = self.path("kdc.log")
        self.config = self.write("krb5.conf", self.client_config())
        # For a server to which every clock is wrong: no time is within less than nothing of another.
        self.skewed = self.write("skewed.conf", self.client_config(-1))
        profile = self.write("kdc.conf", f"""
            [kdcdefaults]
              kdc_listen = 127.0.0.1:{self.port}
              kdc_tcp_listen = 127.0.0.1:{self.port}
            [realms]
              {self.realm} = {{
                database_name = {folder}/principal
                key_stash_file = {folder}/stash
                acl_file = {folder}/acl
                supported_enctypes = aes256-cts-hmac-sha1-96:normal
              }}
            [logging]
              kdc = FILE:{self.log}
              admin_server = FILE:{folder}/admin.log
            """)
        self.environment = {"KRB5_CONFIG": self.config, "KRB5_KDC_PROFILE": profile}
        self.run("kdb5_util", "create", "-s", "-r", self.realm, "-P", "the master's word")
        self.make_principals()
        self.start([tool("krb5kdc"), "-n", "-P", self.path("pid")], self.environment)

    def client_config(self, clockskew=300):
        return f"""
            [libdefaults]
              default_realm = {self.realm}
              dns_lookup_realm = false
              dns_lookup_kdc = false
              dns_canonicalize_hostname = false
              rdns = false
              udp_preference_limit = 1
              clockskew = {clockskew}
              default_ccache_name = FILE:{self.ticket('%{uid}')}
            [realms]
              {self.realm} = {{
                kdc = 127.0.0.1:{self.port}
              }}
            [domain_realm]
              localhost = {self.realm}
              .localhost = {self.realm}
            """

    def make_principals(self):
        commands = [f'addprinc -pw "{password}" {user}' for user, password in PASSWORDS.items()]
        commands += [f"ktadd -norandkey -k {self.keytab(user)} {user}" for user in PASSWORDS]
        commands += [f"addprinc -randkey HTTP/{host}" for host in (ORIGIN, PROXY, STRANGER)]
        commands += [f"ktadd -k {self.keytab(host)} HTTP/{host}" for host in (ORIGIN, PROXY)]
        said = self.run("kadmin.local", "-p", "admin", "-r", self.realm, input="\n".join(commands) + "\n")
        for name in (*PASSWORDS, ORIGIN, PROXY):
            assert os.path.exists(self.keytab(name)), said
            os.chmod(self.keytab(name), 0o644)  # servers read theirs as users of their own

    def run(self, program, *arguments, **options):
        done = subprocess.run([tool(program), *arguments], env=dict(os.environ, **self.environment),
                              capture_output=True, text=True, timeout=30, **options)
        assert done.returncode == 0, (program, arguments, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def keytab(self, name):
        """Of a user or a host."""
        return self.path(name + ".keytab")

    def kinit(self, user, ccache, lifetime=None):
        """A ticket of the user's in a file.  The environment of a client that has it; `lifetime` as in "2s"."""
        self.run("kinit", "-k", "-t", self.keytab(user), "-c", ccache, *(["-l", lifetime] if lifetime else []), user)
        return self.client(ccache)

    def ticket(self, uid):
        """Where a thread of this uid has its tickets, if KRB5_CONFIG is `config` and there is no KRB5CCNAME."""
        return self.path(f"krb5cc_{uid}")

    def give(self, user, identity):
        """The user's ticket to the threads of an identity of the Linux ground."""
        self.kinit(user, self.ticket(identity.uid))
        os.chown(self.ticket(identity.uid), identity.uid, identity.gid)

    def client(self, ccache):
        return {"KRB5_CONFIG": self.config, "KRB5CCNAME": "FILE:" + ccache}

    def takes(self, ccache):
        """Whether it still gives tickets for a server to whoever has this file."""
        command = [tool("kvno"), "--no-store", "-q", "-c", ccache, f"HTTP/{ORIGIN}"]
        return subprocess.run(command, env=dict(os.environ, **self.environment), capture_output=True).returncode == 0

    def service(self, host, skewed=False):
        """The environment of a server: nothing of it outlives the test, as a cache of what was replayed would."""
        return {"KRB5_CONFIG": self.skewed if skewed else self.config, "KRB5_KTNAME": self.keytab(host),
                "KRB5RCACHENAME": "none:"}
