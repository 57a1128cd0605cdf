"""The servers of the rig, shown by Debian's own curl: who is let in, who is not, and whom each log names."""
import atexit
import collections
import os
import shutil
import subprocess
import tempfile

from rig import PASSWORDS, ApacheOrigin, Kdc, NginxTls, NtlmServer, PacServer, SquidProxy
from rig.kdc import NOBODY, STRANGER
from rig.pac import script
from rig.server import tool
from rig.tls import PFX_PASSWORD
from ground import run, wait_until

Answer = collections.namedtuple("Answer", "code status body")
SIZE = 50000
NEGOTIATE = ("--negotiate", "-u", ":")
UNKNOWN_CA, WRONG_PIN, NO_TLS = 60, 90, 35  # curl's exit codes

folder = tempfile.mkdtemp(prefix="ferry-rig-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)


def place(name):
    return os.path.join(folder, name)


def curl(url, *options, client=()):
    """Its exit code, the status (of a proxy that refused a tunnel, if so) and the body."""
    command = [tool("curl"), "-q", "-s", "-o", place("body"), "-w", "%{http_code} %{http_connect}\n", *options, url]
    environment = {"PATH": os.environ["PATH"], "KRB5_CONFIG": kdc.config, **dict(client)}
    open(place("body"), "wb").close()
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30)
    status, tunnel = map(int, done.stdout.splitlines()[-1].split())
    with open(place("body"), "rb") as file:
        return Answer(done.returncode, status or tunnel, file.read())


def served(server, name="a.bin"):
    with open(os.path.join(server.www, name), "rb") as file:
        return file.read()


def saw(server, *expected):
    """The last that its log tells are these "METHOD status user"; it may be a little behind the answers."""
    def last():
        return [f"{seen.method} {seen.status} {seen.user}" for seen in server.requests()[-len(expected):]]

    try:
        wait_until(lambda: last() == list(expected), 5, f"the log tells {expected}")
    except AssertionError as late:
        raise AssertionError(f"{late}: {last()}") from late


def check(answer, server):
    assert (answer.code, answer.status) == (0, 200) and answer.body == served(server), answer[:2]


def kerberos_origin__names_who_asked():
    with ApacheOrigin(place("apache"), kdc) as origin:
        url = origin.file("a.bin", SIZE)
        check(curl(url, *NEGOTIATE, client=alice), origin)
        check(curl(url, *NEGOTIATE, client=bob), origin)
        saw(origin, "GET 200 alice@FERRY.TEST", "GET 200 bob@FERRY.TEST")
        assert curl(url, *NEGOTIATE).status == 401, "without a ticket"
        # A server that has no principal, and one that has not the key of its own.
        for host in (NOBODY, STRANGER):
            assert curl(origin.url("a.bin", host=host), *NEGOTIATE, client=alice).status == 401, host
        check(curl(origin.url("a.bin", "open")), origin)
        assert "HTTP/nobody.localhost@FERRY.TEST, Server not found" in kdc.said("kdc.log")


def kerberos_ticket_expires__nobody_is_let_in():
    with ApacheOrigin(place("apache-late"), kdc) as origin:
        url = origin.file("a.bin", SIZE)
        short = kdc.kinit("alice", place("short.ccache"), "3s")
        check(curl(url, *NEGOTIATE, client=short), origin)
        wait_until(lambda: not kdc.takes(place("short.ccache")), 10, "the ticket expires")
        assert curl(url, *NEGOTIATE, client=short).status == 401


def kerberos_origin_whose_clock_is_wrong__lets_nobody_in():
    with ApacheOrigin(place("apache-skewed"), kdc, skewed=True) as origin:
        assert curl(origin.file("a.bin", SIZE), *NEGOTIATE, client=alice).status == 401
        assert "Clock skew too great" in origin.said("error.log"), origin.said("error.log")


def basic_and_digest__right_and_wrong_passwords():
    with ApacheOrigin(place("apache-passwords"), kdc) as origin:
        origin.file("a.bin", SIZE)
        for way in ("basic", "digest"):
            url = origin.url("a.bin", way)
            check(curl(url, f"--{way}", "-u", f"alice:{PASSWORDS['alice']}"), origin)
            saw(origin, "GET 200 alice")
            assert curl(url, f"--{way}", "-u", f"alice:{PASSWORDS['bob']}").status == 401
            assert curl(url).status == 401
            part = curl(url, f"--{way}", "-u", f"bob:{PASSWORDS['bob']}", "-r", "1000-1999")
            assert part.status == 206 and part.body == served(origin)[1000:2000], part[:2]
        head = curl(origin.url("a.bin", "open"), "-i").body
        assert b'\nETag: "' in head and b"\nAccept-Ranges: bytes" in head, head[:400]


def kerberos_proxy__lets_in_by_ticket_and_tunnels():
    with SquidProxy(place("squid"), kdc) as proxy, ApacheOrigin(place("apache-behind"), kdc) as origin:
        origin.file("a.bin", SIZE)
        tls.file("a.bin", SIZE)
        through = ("-x", proxy.url, "--proxy-negotiate", "-U", ":")
        check(curl(origin.url("a.bin", "open"), *through, client=alice), origin)
        saw(proxy, "GET 200 alice@FERRY.TEST")
        check(curl(origin.url("a.bin"), *through, *NEGOTIATE, client=bob), origin)
        saw(proxy, "GET 200 bob@FERRY.TEST")
        saw(origin, "GET 200 bob@FERRY.TEST")
        check(curl(tls.url("a.bin"), *through, "--cacert", tls.ca, client=bob), tls)
        saw(proxy, "CONNECT 200 bob@FERRY.TEST")
        assert curl(origin.url("a.bin", "open"), *through).status == 407
        assert curl(tls.url("a.bin"), *through, "--cacert", tls.ca).status == 407
        helpers = proxy.helpers()
        assert helpers
    wait_until(lambda: not any(map(os.path.exists, helpers)), 5, "Squid's helpers are gone with it")


def proxy__begins_to_ask_in_the_middle():
    with SquidProxy(place("squid-later"), kdc, None) as proxy, ApacheOrigin(place("apache-later"), kdc) as origin:
        origin.file("a.bin", SIZE)
        url, through = origin.url("a.bin", "open"), ("-x", proxy.url)
        check(curl(url, *through), origin)
        saw(proxy, "GET 200 None")
        proxy.ask("basic")
        assert curl(url, *through).status == 407
        assert curl(url, *through, "-U", f"bob:{PASSWORDS['alice']}").status == 407
        check(curl(url, *through, "-U", f"bob:{PASSWORDS['bob']}"), origin)
        saw(proxy, "GET 200 bob")
        proxy.ask("negotiate")
        check(curl(url, *through, "--proxy-negotiate", "-U", ":", client=alice), origin)


def ntlm_origin__verifies_and_binds_to_the_connection():
    with NtlmServer(place("ntlm")) as origin:
        url = origin.file("a.bin", SIZE)
        right = ("--ntlm", "-u", f"FERRY\\alice:{PASSWORDS['alice']}")
        check(curl(url, *right), origin)
        saw(origin, "GET 401 None", "GET 200 FERRY\\alice")
        assert [token[1:] for token in origin.tokens] == [("NTLM", 1), ("NTLM", 3)], origin.tokens
        curl(url, *right, "-o", os.devnull, url)  # the second rides on what the first proved
        assert [request.status for request in origin.requests()[-3:]] == [401, 200, 200], origin.requests()
        assert len({request.connection for request in origin.requests()[-3:]}) == 1, origin.requests()
        part = curl(url, *right, "-r", "49000-")
        assert part.status == 206 and part.body == served(origin)[49000:], part[:2]
        for user in (f"FERRY\\alice:{PASSWORDS['bob']}", "FERRY\\eve:x", ":"):
            assert curl(url, "--ntlm", "-u", user).status == 401, user
        origin.mode = "refuse"
        assert curl(url, *right).status == 401
        origin.mode = "drop"
        assert curl(url, *right).code != 0
        origin.mode, origin.schemes = "normal", ('Basic realm="x"',)
        assert curl(url, *right).status == 401
        check(curl(url, "--anyauth", "-u", f"bob:{PASSWORDS['bob']}"), origin)
        saw(origin, "GET 200 bob")
        assert origin.tokens[-1][1:] == ("Basic", None), origin.tokens


def ntlm_proxy__also_for_tunnels_and_before_an_origin_that_asks():
    with NtlmServer(place("ntlm-proxy"), proxy=True) as proxy, NtlmServer(place("ntlm-behind")) as origin:
        origin.file("a.bin", SIZE)
        tls.file("a.bin", SIZE)
        through = ("-x", proxy.url(), "--proxy-ntlm")
        right = (*through, "-U", f"FERRY\\alice:{PASSWORDS['alice']}")
        wrong = (*through, "-U", f"FERRY\\alice:{PASSWORDS['bob']}")
        check(curl(origin.url("a.bin"), *right, "--ntlm", "-u", f"FERRY\\bob:{PASSWORDS['bob']}"), origin)
        saw(proxy, "GET 200 FERRY\\alice")
        saw(origin, "GET 200 FERRY\\bob")
        check(curl(tls.url("a.bin"), *right, "--cacert", tls.ca), tls)
        saw(proxy, "CONNECT 200 FERRY\\alice")
        assert curl(origin.url("a.bin"), *wrong).status == 407
        assert curl(tls.url("a.bin"), *wrong, "--cacert", tls.ca).status == 407


def certificates__each_is_wrong_in_its_own_way():
    url = tls.file("a.bin", SIZE)
    trusting = ("--cacert", tls.ca)
    check(curl(url, *trusting, "--pinnedpubkey", tls.pin), tls)
    check(curl(url.replace("localhost", "127.0.0.1"), *trusting), tls)
    assert curl(url, "--cacert", tls.other_ca).code == UNKNOWN_CA
    assert curl(url, *trusting, "--pinnedpubkey", "sha256//" + "A" * 43 + "=").code == WRONG_PIN
    for kind in ("wrong_host", "expired"):
        assert curl(tls.url("a.bin", kind), *trusting).code == UNKNOWN_CA, kind
        check(curl(tls.url("a.bin", kind), "-k"), tls)
    assert curl(tls.url("a.bin", "old"), *trusting).code == NO_TLS
    check(curl(tls.url("a.bin", "old"), *trusting, "--tlsv1.1", "--ciphers", "DEFAULT@SECLEVEL=0"), tls)
    asked = tls.url("a.bin", "client")
    assert curl(asked, *trusting).status == 400
    check(curl(asked, *trusting, "--cert", tls.client_pem, "--key", tls.client_key), tls)
    check(curl(asked, *trusting, "--cert-type", "P12", "--cert", f"{tls.client_pfx}:{PFX_PASSWORD}"), tls)
    saw(tls, "GET 400 None", "GET 200 CN=alice", "GET 200 CN=alice")


def pac__is_what_the_test_wants():
    with PacServer(place("pac"), script("PROXY 127.0.0.1:1; DIRECT")) as server:
        answer = curl(server.url, "-i")
        assert b"application/x-ns-proxy-autoconfig" in answer.body and answer.body.endswith(server.text.encode())
        server.text = None
        assert curl(server.url).status == 404
        saw(server, "GET 200 None", "GET 404 None")


kdc, tls = Kdc(place("kdc")), NginxTls(place("tls"))
alice, bob = (kdc.kinit(user, place(user + ".ccache")) for user in ("alice", "bob"))
run(kerberos_origin__names_who_asked, kerberos_ticket_expires__nobody_is_let_in,
    kerberos_origin_whose_clock_is_wrong__lets_nobody_in, basic_and_digest__right_and_wrong_passwords,
    kerberos_proxy__lets_in_by_ticket_and_tunnels, proxy__begins_to_ask_in_the_middle,
    ntlm_origin__verifies_and_binds_to_the_connection, ntlm_proxy__also_for_tunnels_and_before_an_origin_that_asks,
    certificates__each_is_wrong_in_its_own_way, pac__is_what_the_test_wants)
