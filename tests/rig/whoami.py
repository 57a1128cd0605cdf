"""An origin or proxy for the test's security package (tests/rig/ssp): it believes whoever says who they are."""
import base64
import functools
import os
import shutil
import subprocess

from ground import BIN, WINE

from .ntlm import Connection as Serving
from .server import Threads

MARK = "FERRY-SSP"
MADE_UP = "S-1-5-21-99-"  # begins the SIDs that ground_identity() makes up


@functools.lru_cache(None)
def install():
    """Put the package where every program of this Wine prefix finds it, whatever folders it searches."""
    there = os.path.join(os.environ["WINEPREFIX"], "drive_c/windows/system32/00ssp.dll")
    shutil.copy(os.path.join(BIN, "tests/ssp/00ssp.dll"), f"{there}.{os.getpid()}")
    os.replace(f"{there}.{os.getpid()}", there)  # others may have it loaded
    key = "HKLM\\System\\CurrentControlSet\\Control\\Lsa\\00ssp"
    subprocess.run([WINE, "reg", "add", key, "/f"], check=True, capture_output=True)


def package(scheme, legs):
    """The environment of a program for which the package stands in for NTLM or Negotiate, with so many messages."""
    install()
    return {"FERRY_SSP_NAME": scheme, "FERRY_SSP_LEGS": str(legs)}


class Connection(Serving):
    def authenticated(self):
        """Whether the request is somebody's; if not it has been answered."""
        given = self.headers.get("Proxy-Authorization" if self.rig.proxy else "Authorization", "")
        scheme, _, token = given.partition(" ")
        offer = self.rig.scheme
        if scheme or not self.rig.bound:
            self.user = None
        if scheme == self.rig.scheme:
            mark, left, who = base64.b64decode(token).decode().split(" ")
            assert mark == MARK, "the program under test did not load the package"
            if int(left):
                offer = f"{scheme} {base64.b64encode(b'go on').decode()}"
            else:
                self.user = who
        if self.user is None and self.rig.scheme:
            name = "Proxy-Authenticate" if self.rig.proxy else "WWW-Authenticate"
            self.answer(407 if self.rig.proxy else 401, [(name, offer)], b"who are you?\n")
        return self.user is not None or not self.rig.scheme

    def serve_file(self):
        self.answer(200, [], f"{self.user}\n".encode())


class WhoamiServer(Threads):
    """Each answer of an origin is who asked; a proxy forwards and tunnels to ports of this machine.  The log has both's.

    `scheme`: NTLM, Negotiate, or None: it asks nobody.  `bound`: who proved an identity has it for the whole connection, as NTLM has it and Negotiate of several legs;
    without, for one request, as Negotiate of one leg may have it.
    """
    handler = Connection

    def __init__(self, folder, scheme="NTLM", bound=True, proxy=False):
        self.scheme, self.bound, self.proxy = scheme, bound, proxy
        super().__init__(folder)

    def url(self, name="", host="localhost"):
        return f"http://{host}:{self.port}/{name}"
