"""A job's own proxies, from the command line and over the wire: Squid's log tells what came through it."""
import atexit
import os
import shutil
import sys
import tempfile

sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from ground import Bridge, Ferry, Nginx, run, sha256, wait_until
from rig import Kdc, SquidProxy

folder = tempfile.mkdtemp(prefix="ferry-proxy-")
atexit.register(shutil.rmtree, folder, ignore_errors=True)
os.chmod(folder, 0o755)
squid = SquidProxy(os.path.join(folder, "squid"), Kdc(os.path.join(folder, "kdc")), None)
nginx = Nginx(os.path.join(folder, "nginx"))
slow = Nginx(os.path.join(folder, "slow"), rate=300000)
SIZE = 300000
PROXY = f"127.0.0.1:{squid.port}"
DEAD = "127.0.0.1:9"
for name in ("a.bin", "b.bin", "c.bin"):
    nginx.file(name, SIZE)
slow.file("s.bin", 2000000)


class Scene(Ferry):
    def __init__(self, table=()):
        super().__init__({"proxy": {"table": list(table)}})
        self.start()
        self.before = len(squid.requests())

    def fetch(self, name, *options, url=None):
        self.run("submit", "--name", name, *options, url or nginx.url(name), self.destination(name))
        assert sha256(os.path.join(self.landed, name)) == sha256(os.path.join(nginx.www, name))

    def through(self):
        """What came through Squid, since the scene began."""
        return [seen.url.rpartition("/")[2] for seen in squid.requests()[self.before:]]


def explicit__what_is_asked_goes_through_it_and_bypassed_hosts_do_not():
    scene = Scene(["* direct"])
    scene.fetch("a.bin", "--proxy", PROXY, "--proxy-bypass", "localhost; *.example")
    assert scene.through() == ["a.bin"], scene.through()
    scene.fetch("b.bin", "--proxy", PROXY, "--proxy-bypass", "localhost; *.example",
                url=nginx.url("b.bin").replace("127.0.0.1", "localhost"))
    scene.fetch("c.bin", "--proxy", f"https=http://{PROXY}")
    assert scene.through() == ["a.bin"], scene.through()
    job = scene.json("show", "a.bin")[0]["job"]
    assert job["proxy"] == {"mode": "explicit"}, job
    said = scene.run("show", "a.bin").stdout
    assert "  proxy        explicit\n" in said and PROXY not in said, said
    scene.close()


def none__goes_before_the_table():
    scene = Scene([f"* http://{PROXY}"])
    scene.fetch("a.bin")
    assert scene.through() == ["a.bin"], scene.through()
    scene.fetch("b.bin", "--proxy", "none")
    scene.fetch("c.bin", "--proxy", "autodetect")  # of which this ground has nothing beyond the table
    assert scene.through() == ["a.bin", "c.bin"], scene.through()
    assert "  proxy  " not in scene.run("show", "a.bin").stdout
    assert "  proxy        none\n" in scene.run("show", "b.bin").stdout
    scene.close()


def a_dead_first_proxy__is_passed_over_by_the_retry():
    scene = Scene()
    scene.fetch("a.bin", "--proxy", f"{DEAD}; {PROXY}", "--retry-delay", "5")
    job = scene.json("show", "a.bin")[0]["job"]
    assert job["error_count"] == 1, job
    scene.fetch("b.bin", "--proxy", f"{DEAD} {PROXY}")  # it is remembered
    assert scene.json("show", "b.bin")[0]["job"]["error_count"] == 0
    assert scene.through() == ["a.bin", "b.bin"], scene.through()
    scene.close()


def set_while_it_runs__goes_on_from_where_it_is():
    scene = Scene()
    bridge = Bridge(scene)
    bridge.hello()
    file = {"url": slow.url("s.bin"), "path": scene.destination("s.bin")}
    handle = bridge.ok("job.create", name="S", auto_complete=True, no_segments=True, proxy={"mode": "none"},
                       files=[file])["handle"]
    bridge.ok("job.resume", handle=handle)

    def job():
        return bridge.ok("job.get", handle=handle, limit=0)["job"]

    wait_until(lambda: job()["bytes"]["transferred"] > 500000, 30, "it is under way")
    told = bridge.ok("job.setProperties", handle=handle, proxy={"mode": "explicit", "list": PROXY})["job"]
    assert told["proxy"] == {"mode": "explicit"} and told["state"] == "QUEUED", told
    wait_until(lambda: job()["state"] == "ACKNOWLEDGED", 60, "it is whole")
    assert sha256(os.path.join(scene.landed, "s.bin")) == sha256(os.path.join(slow.www, "s.bin"))
    assert scene.through() == ["s.bin"], scene.through()
    assert [first > 0 for _, status, _, first in slow.requests() if status == 206] == [True], slow.requests()
    assert job()["error_count"] == 0, job()
    bridge.close()
    scene.close()


def show__tells_what_would_be_used_and_who_says_so():
    scene = Scene([f"*.example http://{PROXY}", "direct.example direct"])

    def shown(*words):
        return scene.run("proxy", "show", *words).stdout

    assert shown("http://a.example/a.bin") == f"http://{PROXY}  table\n"
    assert shown("https://direct.example/") == "direct  table\n"
    assert shown("http://other.test/") == "direct  none\n"
    scene.run("submit", "--suspended", "--name", "Own", "--proxy", f"p:3128; {PROXY} DIRECT", "--proxy-bypass", "*.test",
              nginx.url("a.bin"), scene.destination("a.bin"))
    scene.run("submit", "--suspended", "--name", "None", "--proxy", "none", nginx.url("b.bin"), scene.destination("b.bin"))
    assert shown("--job", "Own", "http://a.example/") == f"http://p:3128  job\nhttp://{PROXY}  job\ndirect  job\n"
    assert shown("--job", "Own", "http://other.test/") == "direct  job, which exempts the host\n"
    assert shown("--job", "None", "http://a.example/") == "direct  job\n"
    told = scene.json("proxy", "show", "http://a.example/a?hush")
    assert told == [{"proxies": [{"address": f"http://{PROXY}", "source": "table", "bypassed": False}], "missed": None}], told
    for url in ("ftp://a/", "http://hush@a/", "hush"):
        done = scene.run("proxy", "show", url, check=False)
        assert done.returncode == 4 and "params.url: " in done.stderr and "hush" not in done.stderr, done
    assert "hush" not in scene.said()
    scene.close()


def what_cannot_be_used__is_refused_by_its_rule_and_quoted_nowhere():
    scene = Scene()
    bridge = Bridge(scene)
    bridge.hello()
    handle = bridge.ok("job.create", name="A")["handle"]
    for lists, what in (({"list": "anna:hush@p"}, "params.proxy.list: a user name or password"),
                        ({"list": "p", "bypass": "hush/8"}, "params.proxy.bypass: a bypass list")):
        error = bridge.call("job.setProperties", handle=handle, proxy={"mode": "explicit", **lists})["error"]
        assert error["data"]["what"].startswith(what) and "hush" not in str(error), error
    assert bridge.ok("job.get", handle=handle, limit=0)["job"]["proxy"] == {"mode": "preconfigured"}
    bridge.close()
    done = scene.run("submit", "--proxy", "socks5://hush", nginx.url("a.bin"), scene.destination("a.bin"), check=False)
    assert done.returncode != 0 and "params.proxy.list: " in done.stderr and "hush" not in done.stderr, done
    assert len(scene.jobs()) == 1, scene.jobs()
    assert "hush" not in scene.said()
    scene.close()


run(explicit__what_is_asked_goes_through_it_and_bypassed_hosts_do_not,
    none__goes_before_the_table,
    a_dead_first_proxy__is_passed_over_by_the_retry,
    set_while_it_runs__goes_on_from_where_it_is,
    show__tells_what_would_be_used_and_who_says_so,
    what_cannot_be_used__is_refused_by_its_rule_and_quoted_nowhere)
