"""Real servers that ask who one is: Kerberos, NTLM, proxies, certificates.  `from rig import Kdc, ApacheOrigin`.

Each is a process or a thread of the test's own, in a folder that the test names, on a free loopback port, and is gone
when it is closed or the test ends.  They run on Linux; the programs under test may run under Wine beside them.
Names below localhost are this machine wherever libcurl looks them up: no file of the system is touched for them.
"""
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "whole"))  # ground.py

from .apache import ApacheOrigin
from .kdc import Kdc
from .ntlm import NtlmServer
from .pac import PacServer
from .redirector import Redirector
from .server import PASSWORDS
from .squid import SquidProxy
from .tls import NginxTls
from .whoami import WhoamiServer
