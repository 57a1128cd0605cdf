"""Squid as a proxy that asks who one is, or does not."""
import glob
import os
import signal

from ground import wait_until

from .kdc import NOBODY, ORIGIN, PROXY, STRANGER
from .server import Process, own, tool


class SquidProxy(Process):
    """`way` is "negotiate" (by Kerberos: its log says alice@FERRY.TEST), "basic", or None: it asks nobody."""

    def __init__(self, folder, kdc, way="negotiate"):
        super().__init__(folder)
        own(folder, "proxy")
        self.keytab, self.users = kdc.keytab(PROXY), self.passwords()
        self.hosts = self.write("hosts", f"127.0.0.1 {ORIGIN} {PROXY} {STRANGER} {NOBODY}\n")
        config = self.write("squid.conf", self.config(way))
        self.name = f"rig{self.port}"  # of its shared memory: two of one name would take it from each other
        self.start([tool("squid"), "-N", "-n", self.name, "-f", config], kdc.service(PROXY))
        self.url = f"http://{PROXY}:{self.port}"

    def ask(self, way):
        """From now on it asks in this way.  Connections stay, and tunnels."""
        ready = self.times_ready()
        self.write("squid.conf", self.config(way))
        self.process.send_signal(signal.SIGHUP)
        wait_until(lambda: self.times_ready() > ready, 10, "Squid has read its configuration again")

    def close(self):
        if self.process is not None:
            self.process.kill()  # asked to end it takes two seconds, and it has nothing to lose
            super().close()
            for path in glob.glob(f"/dev/shm/{self.name}-*"):
                os.remove(path)

    def helpers(self):
        """Of those that ask for it, what exists below /proc as long as they run."""
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children") as children:
            return [f"/proc/{pid}/exe" for pid in children.read().split()]

    def times_ready(self):
        return self.said("cache.log").count("Accepting HTTP Socket connections")

    def config(self, way):
        return f"""
            http_port 127.0.0.1:{self.port}
            visible_hostname {PROXY}
            hosts_file {self.hosts}
            pid_filename {self.folder}/pid
            coredump_dir {self.folder}
            cache_log {self.folder}/cache.log
            logformat seen %rm %ru %>Hs %>p %un
            access_log stdio:{self.log} seen
            strip_query_terms off
            cache deny all
            memory_cache_shared off
            pinger_enable off
            netdb_filename none
            max_filedescriptors 1024
            shutdown_lifetime 0 seconds
            {self.asking(way)}
            http_access allow who
            http_access deny all
            """

    def asking(self, way):
        if way is None:
            return "acl who src all"
        helper = {"negotiate": f"{tool('negotiate_kerberos_auth')} -k {self.keytab} -s GSS_C_NO_NAME",
                  "basic": f"{tool('basic_ncsa_auth')} {self.users}"}[way]
        return (f"auth_param {way} program {helper}\nauth_param {way} children 2 startup=1 idle=1\n"
                "acl who proxy_auth REQUIRED")
