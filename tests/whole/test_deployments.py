"""The example deployments of packaging/examples, as they stand there but for their hosts and folders: each converges, is changed,
broken, repaired and dropped, and what is there and right is asked for by nobody.
"""
import hashlib
import json
import os
import re

from ground import GROUND, SOURCE, Ferry, Nginx, native, run, wait_until

EXAMPLES = os.path.join(SOURCE, "packaging", "examples")
HOSTS = ("downloads.example.com", "mirror.example.com")


class Deployment:
    def __init__(self, name):
        self.folder = os.path.join(EXAMPLES, name)
        self.ferry = Ferry()
        os.remove(os.path.join(self.ferry.data, "ferry.jsonc"))
        os.mkdir(os.path.join(self.ferry.folder, "web"))
        self.nginx = Nginx(os.path.join(self.ferry.folder, "web"))
        self.texts = {}
        for path, _, names in os.walk(self.folder):
            for one in names:
                with open(os.path.join(path, one)) as file:
                    self.texts[os.path.relpath(os.path.join(path, one), self.folder)] = self.here(file.read())
        for one in self.texts:
            self.put(one)
        self.urls = sorted({url for text in self.texts.values() for url in re.findall(r'"url": "[^"]*?://[^/]*/([^"]*)"', text)})
        for url in self.urls:
            self.serve(url, f"{url} of the example\n")

    def here(self, text):
        """The same deployment on this machine: its server, its folder."""
        for host in HOSTS:
            text = text.replace(f"https://{host}/", self.nginx.url("")).replace(f'"{host}"', '"127.0.0.1"')
        text = text.replace('"127.0.0.1", "127.0.0.1"', '"127.0.0.1"').replace('"schemes": ["https"]', '"schemes": ["http"]')
        return re.sub(r'"C:\\\\(\w+)"', lambda _: json.dumps(native(self.ferry.landed)), text)

    def put(self, name):
        path = os.path.join(self.ferry.data, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w") as file:
            file.write(self.texts[name])
        os.replace(path + ".new", path)

    def serve(self, url, content):
        path = os.path.join(self.nginx.www, url)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write(content)

    def landed(self, url):
        return os.path.join(self.ferry.landed, os.path.basename(url))

    def is_right(self):
        for url in self.urls:
            try:
                with open(self.landed(url), "rb") as one, open(os.path.join(self.nginx.www, url), "rb") as other:
                    if one.read() != other.read():
                        return False
            except FileNotFoundError:
                return False
        return not self.ferry.json("list", "--everyone")

    def apply(self):
        lines = self.ferry.json("apply")
        assert all(line["declared"]["error"] is None for line in lines), lines
        return {line["declared"]["name"]: line["declared"]["action"] for line in lines}

    def converge(self):
        done = self.apply()
        wait_until(self.is_right, 30, "it is as declared")
        before = len(self.nginx.requests())
        again = self.apply()
        assert set(again.values()) <= {"nothing"}, again
        assert self.ferry.run("plan", check=False).returncode == 0
        assert len(self.nginx.requests()) == before, "what is there and right was asked for"
        return done

    def close(self):
        self.nginx.close()
        self.ferry.close()


def deploy(name, kept=()):
    scene = Deployment(name)
    scene.ferry.start()
    scene.converge()
    before = len(scene.nginx.requests())
    assert before == len(scene.urls), (before, scene.urls)
    # Broken: one file is gone, and one altered.
    urls = [url for url in scene.urls if os.path.basename(url) not in kept]
    os.remove(scene.landed(urls[0]))
    with open(scene.landed(urls[-1]), "a") as file:
        file.write("broken")
    done = scene.converge()
    assert set(done.values()) <= {"repair", "nothing"} and "repair" in done.values(), done
    assert len(scene.nginx.requests()) == before + 2
    # Over a restart nothing is asked for, either.
    scene.ferry.kill()
    scene.ferry.start()
    scene.converge()
    assert len(scene.nginx.requests()) == before + 2
    return scene


def change(scene, name, url, content):
    """A new version: another file on the server, and its digest in the declaration."""
    with open(os.path.join(scene.nginx.www, url), "rb") as file:
        old = hashlib.sha256(file.read()).hexdigest()
    scene.serve(url, content)
    assert old in scene.texts[name]
    scene.texts[name] = re.sub(r',\s*"size_bytes": \d+', "", scene.texts[name].replace(old, hashlib.sha256(content.encode()).hexdigest()))
    scene.put(name)


def drop(scene, name):
    before = len(scene.nginx.requests())
    os.remove(os.path.join(scene.ferry.data, name))
    scene.apply()
    assert scene.apply().keys().isdisjoint({re.search(r'"name": "([^"]*)"', scene.texts[name]).group(1)})
    assert scene.is_right() and len(scene.nginx.requests()) == before, "what has landed stays"
    scene.close()


def kiosk_fleet__converges_and_keeps_what_it_replaces():
    scene = deploy("kiosk-fleet")
    app = os.path.join("jobs.d", "application.jsonc")
    with open(scene.landed("application.zip"), "rb") as file:
        former = file.read()
    change(scene, app, "kiosk/application.zip", "the second version")
    scene.converge()
    with open(scene.landed("application.zip.1"), "rb") as file:
        assert file.read() == former
    drop(scene, app)


def build_agents__converge_and_leave_their_cache_alone():
    scene = deploy("build-agents", kept=("cache.db",))
    with open(scene.landed("cache.db"), "w") as file:
        file.write("what builds made of it")
    assert set(scene.apply().values()) == {"nothing"}
    scene.serve("tools/cache.db", "what builds made of it")  # for the comparison below
    change(scene, os.path.join("jobs.d", "toolchain.jsonc"), "tools/sdk.zip", "another one")
    scene.converge()
    drop(scene, os.path.join("jobs.d", "toolchain.jsonc"))


def offline_mirror__converges_by_its_layers():
    scene = deploy("offline-mirror")
    limits, = [line["setting"] for line in scene.ferry.json("config", "show") if line["setting"]["key"] == "rate.limits"]
    assert limits["layer"] == "conf.d", limits
    change(scene, os.path.join("jobs.d", "packages.jsonc"), "mirror/packages/two-2.1.msi", "two, again")
    scene.converge()
    drop(scene, os.path.join("jobs.d", "packages.jsonc"))


def examples__are_valid_as_they_stand_there():
    """On Windows, whose paths they have: each file alone, as its author would check it."""
    import subprocess
    from ground import not_shown, program
    if GROUND == "linux":
        return not_shown("that the examples are valid as they stand there", "Wine: their paths are Windows'")
    for path, _, names in os.walk(EXAMPLES):
        for name in names:
            done = subprocess.run(program("ferryd") + ["check-config", native(os.path.join(path, name))], capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, (name, done.stderr)


run(kiosk_fleet__converges_and_keeps_what_it_replaces, build_agents__converge_and_leave_their_cache_alone,
    offline_mirror__converges_by_its_layers, examples__are_valid_as_they_stand_there)
