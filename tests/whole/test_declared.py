"""Declared jobs: what jobs.d says is fetched, kept as it was declared, changed and dropped; a bad file changes nothing, and
nothing is fetched that is there and right.
"""
import json
import os
import re
import subprocess
import time

from ground import GROUND, Bridge, Ferry, Identity, Nginx, native, not_shown, program, run, wait_until


class Scene:
    def __init__(self, settings=()):
        self.ferry = Ferry(settings)
        path = os.path.join(self.ferry.data, "ferry.jsonc")
        with open(path) as file:
            settings = json.load(file)
        settings["identity"] = {"service_file_roots": [native(self.ferry.landed)]}
        with open(path, "w") as file:
            json.dump(settings, file)
        os.mkdir(os.path.join(self.ferry.folder, "web"))
        self.nginx = Nginx(os.path.join(self.ferry.folder, "web"))
        os.mkdir(os.path.join(self.ferry.data, "jobs.d"))

    def declare(self, name, files, **more):
        job = {"name": name, "destination": native(self.ferry.landed), "files": files, **more}
        return self.write(name, "// declared by a test\n" + json.dumps(job, indent=1))

    def write(self, name, text):
        path = os.path.join(self.ferry.data, "jobs.d", name + ".jsonc")
        with open(path + ".new", "w") as file:
            file.write(text)
        os.replace(path + ".new", path)
        return path

    def remove(self, name):
        os.remove(os.path.join(self.ferry.data, "jobs.d", name + ".jsonc"))

    def ask(self, verb, code):
        done = self.ferry.run(verb, "--json", check=False)
        assert done.returncode == code, done
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return {line["declared"]["name"]: line["declared"]["action"] for line in lines if "declared" in line}

    def changed(self, name, action):
        """What is declared has changed: Ferry acts, of itself where changes are noticed, else when it is told to."""
        self.ferry.run("apply")
        told = self.told(1072)[-1]
        assert told.startswith(f"Declared job {name}: {action}."), told
        assert self.ask("apply", 0).get(name, "nothing") == "nothing"

    def errors(self, verb):
        done = self.ferry.run(verb, "--json", check=False)
        assert done.returncode == 4, done
        return json.loads(done.stdout)["refused"]

    def landed(self, name):
        return os.path.join(self.ferry.landed, name)

    def content(self, name):
        try:
            with open(self.landed(name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def served(self, name):
        with open(os.path.join(self.nginx.www, name), "rb") as file:
            return file.read()

    def is_right(self, *names):
        return all(self.content(name) == self.served(name) for name in names)

    def settled(self):
        """No declared job is at work, and what landed is recorded."""
        return not self.ferry.json("list", "--everyone")

    def told(self, number):
        return [event["message"] for event in self.ferry.events() if event["id"] == number]

    def requests(self):
        return len(self.nginx.requests())

    def wait_for(self, *names):
        wait_until(lambda: self.is_right(*names), 30, f"{names} are in their place: {self.ferry.events()}")
        self.rest()

    def rest(self):
        wait_until(self.settled, 30, "the jobs are over")

    def close(self):
        self.nginx.close()
        self.ferry.close()


def jobs__are_created_changed_repaired_and_dropped__and_nothing_is_fetched_twice():
    scene = Scene()
    files = [{"url": scene.nginx.file("app.bin", 300000), "digest": None}, {"url": scene.nginx.file("notes.txt", 10)}]
    files[0]["digest"] = scene.nginx.digest("app.bin")
    scene.declare("app", files)
    scene.ferry.start()
    scene.wait_for("app.bin", "notes.txt")
    wait_until(lambda: scene.ask("plan", 0) == {"app": "nothing"}, 10, "all is as declared")
    before = scene.requests()
    assert scene.ask("apply", 0) == {"app": "nothing"} == scene.ask("apply", 0)
    # Broken: one altered, one removed.
    with open(scene.landed("app.bin"), "r+b") as file:
        file.write(b"broken")
    os.remove(scene.landed("notes.txt"))
    assert scene.ask("plan", 9) == {"app": "repair"} and scene.requests() == before
    assert scene.ask("apply", 0) == {"app": "repair"}
    scene.wait_for("app.bin", "notes.txt")
    assert scene.requests() == before + 2
    assert len(scene.told(1073)) == 1 and "1 files missing, 1 altered" in scene.told(1073)[0], scene.told(1073)
    # Altered where no digest is declared: the one that it landed with tells.
    with open(scene.landed("notes.txt"), "r+b") as file:
        file.write(b"!")
    assert scene.ask("apply", 0) == {"app": "repair"}
    scene.wait_for("notes.txt")
    # Replaced: another file; the one that is right is not fetched again.
    files[1] = {"url": scene.nginx.file("other.txt", 20), "path": "notes.txt"}
    scene.declare("app", files, priority="high")
    before = scene.requests()
    scene.changed("app", "replace")
    wait_until(lambda: scene.content("notes.txt") == scene.served("other.txt"), 30, "the other one is there")
    scene.rest()
    assert scene.requests() == before + 1
    # In place.
    scene.declare("app", files, priority="low")
    scene.changed("app", "update")
    assert scene.requests() == before + 1
    # Dropped: what landed stays.
    scene.remove("app")
    scene.changed("app", "drop")
    assert scene.ask("plan", 0) == {} == scene.ask("apply", 0)
    assert scene.content("app.bin") == scene.served("app.bin")
    scene.close()


def restart__goes_on_with_what_was_applied__and_sees_to_what_was_altered():
    scene = Scene()
    scene.declare("a", [{"url": scene.nginx.file("a", 1000)}])
    scene.ferry.start()
    scene.wait_for("a")
    wait_until(lambda: scene.ask("plan", 0) == {"a": "nothing"}, 10, "recorded")
    before = scene.requests()
    scene.ferry.kill()
    scene.ferry.start()
    assert scene.ask("plan", 0) == {"a": "nothing"} and scene.requests() == before
    scene.ferry.kill()
    os.remove(scene.landed("a"))
    # A bad file: nothing changes, and what was applied goes on.
    scene.write("bad", '{ "name": "b",\n "destinaton": 5 }')
    scene.ferry.start()
    scene.wait_for("a")
    assert scene.requests() == before + 1
    errors = scene.errors("apply")
    assert any("bad.jsonc: line 2, column 16: destinaton: there is no such key; the nearest is destination" in line for line in errors), errors
    assert scene.errors("plan") == errors
    assert len(scene.told(1071)) >= 2, scene.told(1071)
    scene.remove("a")
    assert scene.errors("apply") == errors, "nothing is dropped while another file is bad"
    scene.remove("bad")
    scene.changed("a", "drop")
    scene.close()


def two_files_of_one_name_or_destination__are_refused_by_both():
    scene = Scene()
    url = scene.nginx.file("a", 10)
    one = scene.declare("one", [{"url": url}])
    two = scene.declare("two", [{"url": url}])
    scene.ferry.start()
    errors = scene.errors("apply")
    assert len(errors) == 1 and native(one) in errors[0] and native(two) in errors[0] and "destination" in errors[0], errors
    scene.write("two", open(one).read().replace('"a"', '"b"').replace("/a", "/b"))
    errors = scene.errors("apply")
    assert any("\"one\" is declared by" in line and native(one) in line and native(two) in line for line in errors), errors
    if GROUND == "linux":
        done = subprocess.run([*program("ferryd"), "check-config"], env=scene.ferry.environment, capture_output=True, text=True, timeout=60)
        assert done.returncode == 2 and errors[0] in done.stderr, done
    assert scene.requests() == 0
    scene.close()


def policy__forbids_a_folder_or_a_host__and_it_is_said():
    scene = Scene({"allow": {"hosts": ["127.0.0.1"]}})
    url = scene.nginx.file("a", 10)
    scene.declare("outside", [{"url": url}], destination=native(scene.ferry.folder))
    scene.declare("host", [{"url": "http://elsewhere.example/b"}])
    scene.declare("good", [{"url": url}])
    scene.ferry.start()
    scene.wait_for("a")
    done = scene.ferry.run("apply", check=False)
    assert done.returncode == 2 and "service_file_roots" in done.stdout and "allow.hosts" in done.stdout, done
    assert len(scene.told(1074)) >= 2, scene.told(1074)
    scene.close()


def former_contents__are_kept_beside_it():
    scene = Scene()
    contents = []
    for number in range(4):
        url = scene.nginx.file(f"v{number}", 100 + number)
        scene.declare("app", [{"url": url, "path": "app"}], keep_versions=2)
        if number == 0:
            scene.ferry.start()
        else:
            scene.changed("app", "replace")
        contents.insert(0, scene.served(f"v{number}"))
        wait_until(lambda: scene.content("app") == contents[0], 30, f"version {number} is there")
        scene.rest()
    assert [scene.content(name) for name in ("app", "app.1", "app.2", "app.3")] == [*contents[:3], None]
    scene.close()


def kept__what_is_there_is_never_replaced():
    scene = Scene()
    with open(scene.landed("a"), "w") as file:
        file.write("mine")
    files = [{"url": scene.nginx.file(name, 10), "digest": scene.nginx.digest(name)} for name in "ab"]
    scene.declare("seed", files, on_change="keep")
    scene.ferry.start()
    scene.wait_for("b")
    assert scene.content("a") == b"mine" and scene.ask("apply", 0) == {"seed": "nothing"}
    scene.close()


def declared_jobs__are_nobodys_else():
    scene = Scene()
    url = scene.nginx.file("a", 10)
    scene.declare("slow", [{"url": "http://127.0.0.1:9/a"}])
    scene.ferry.start()
    job, = wait_until(lambda: [line["job"] for line in scene.ferry.json("list", "--everyone")], 30, "the job is made")
    assert job["name"] == "slow" and job["owner"] == "ferry", job
    assert url
    # Root is the ground's administrator: it looks, and no more.
    assert scene.ferry.json("show", "--everyone", job["id"])
    for verb in ("cancel", "suspend", "resume", "take-ownership"):
        done = scene.ferry.run(verb, "--everyone", job["id"], check=False)
        assert done.returncode == 4, (verb, done)
    time.sleep(1.1)
    done = scene.ferry.run("purge", "--everyone", "--older-than", "1s")
    assert "0 jobs were cancelled" in done.stdout, done
    if GROUND == "linux" and os.getuid() == 0:
        other = Identity()
        assert scene.ferry.run("show", job["id"], check=False, **other.options).returncode == 5
        for verb in ("plan", "apply"):
            done = scene.ferry.run(verb, check=False, **other.options)
            assert done.returncode == 4 and "elevated administrators only" in done.stderr, done
    else:
        not_shown("that users see nothing of declared jobs", "Linux as root")
    bridge = Bridge(scene.ferry)
    bridge.hello()
    assert bridge.ok("declared.plan")["taken"] and bridge.ok("declared.apply")["taken"]
    bridge.close()
    scene.close()


def broken_lines(text):
    """The text with one line broken in some way, and the line, from 1, that is to be told."""
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        key = re.match(r'( *)"(\w+)": (.*?)(,?)$', line)
        if not key:
            continue
        space, name, value, comma = key.groups()
        one = value[0] not in "[{"  # on this line alone
        for broken in (f'{space}"{name}x": {value}{comma}', f'{space}"{name} {value}{comma}', f'{space}{name}: {value}{comma}',
                       f'{space}"{name}" {value}{comma}', f'{space}"{name}": ;{value}{comma}', f'{space}"{name}": {value};{comma}',
                       f'{space}"{name}": 1, "{name}": {value}{comma}',
                       *(f'{space}"{name}": {wrong}{comma}' for wrong in ("true", "{}", "[[1]]", "-1", '""', "1e9", "0x1", "nul") if one)):
            yield "\n".join(lines[:number - 1] + [broken] + lines[number:]), number


def broken_files__are_told_by_their_lines__and_leave_the_service_as_it_was():
    scene = Scene()
    files = [{"url": scene.nginx.file("a", 10), "mirrors": [scene.nginx.url("b")], "path": "x", "digest": scene.nginx.digest("a"), "size_bytes": 10},
             {"url": scene.nginx.url("a"), "path": "y"}]
    text = json.dumps({"name": "all", "destination": native(scene.ferry.landed), "priority": "low", "identity": "service",
                       "when": {"window": "02:00-05:00", "days": ["mon"]}, "spread": "1h", "on_change": "replace", "keep_versions": 1,
                       "files": files}, indent=1)
    scene.write("all", text)
    scene.ferry.start()
    bridge = Bridge(scene.ferry)
    bridge.hello()
    bridge.ok("declared.apply")
    wait_until(lambda: scene.content("x") and scene.content("y"), 30, "it has landed")
    scene.rest()
    tried = 0
    for broken, line in broken_lines(text):
        scene.write("all", broken)
        done = bridge.ok("declared.apply")
        if done["taken"] and done["jobs"][0]["action"] == "nothing":
            continue  # as good as before
        assert not done["taken"] and f"all.jsonc: line {line}, column " in done["errors"][0], (line, broken.split("\n")[line - 1], done)
        tried += 1
    assert tried >= 200, tried
    scene.write("all", text)
    assert [job["action"] for job in bridge.ok("declared.plan")["jobs"]] == ["nothing"] and scene.requests() == 2
    bridge.close()
    scene.close()


def reload__of_the_configuration__has_what_is_declared_read_too__up_to_its_limit():
    scene = Scene()
    scene.ferry.start()
    scene.declare("a", [{"url": scene.nginx.file("a", 10)}])
    scene.ferry.run("config", "reload")
    scene.wait_for("a")
    for number in range(256):
        scene.declare(f"more-{number}", [{"url": scene.nginx.url("a"), "path": str(number)}])
    assert "of at most 256 files" in scene.errors("plan")[0]
    with open(os.path.join(scene.ferry.data, "jobs.d", "README.txt"), "w") as file:
        file.write("is not read")
    for number in range(256):
        scene.remove(f"more-{number}")
    assert scene.ask("plan", 0) == {"a": "nothing"}
    # A folder that is gone says nothing of what is declared; one that is empty does.
    folder = os.path.join(scene.ferry.data, "jobs.d")
    os.rename(folder, folder + ".away")
    assert scene.errors("apply") == ["jobs.d: the folder is gone; put it back, or make an empty one to have no declared jobs any more"]
    os.mkdir(folder)
    assert scene.ask("apply", 0) == {"a": "drop"}
    os.rmdir(folder)
    assert scene.ask("apply", 0) == {}
    scene.close()


def helper__its_holder_finds_the_job_by_its_name_and_lends_to_it():
    if GROUND != "linux" or os.getuid() != 0:
        return not_shown("a helper who attaches to a declared job", "Linux as root, and sim/test_declared.c")
    scene = Scene()
    holder, other = Identity(), Identity()
    folder = holder.folder(os.path.join(scene.ferry.folder, "his"))
    scene.declare("his", [{"url": scene.nginx.file("a", 1000)}], destination=folder, identity={"helper": f"uid:{holder.uid}"})
    scene.ferry.start()
    job, = wait_until(lambda: [line["job"] for line in scene.ferry.json("list", "--everyone")], 30, "the job is made")
    assert job["wait"]["reason"] == "token-required" and job["pinned_helper"] == f"uid:{holder.uid}", job
    for who in (other, holder):
        done = scene.ferry.run("helper", "set", "declared:his", "--max-age", "1h", check=False, **who.options)
        assert done.returncode == (0 if who is holder else 5), done
    assert scene.ferry.run("show", "declared:his", check=False, **holder.options).returncode != 0  # he lends, and sees nothing
    wait_until(lambda: os.path.exists(os.path.join(folder, "a")), 30, "it has landed")
    assert os.stat(os.path.join(folder, "a")).st_uid == holder.uid
    scene.rest()
    assert scene.ask("apply", 0) == {"his": "nothing"} and scene.requests() == 1
    assert scene.ferry.run("helper", "set", "declared:his", check=False, **holder.options).returncode == 5
    scene.close()


run(jobs__are_created_changed_repaired_and_dropped__and_nothing_is_fetched_twice,
    restart__goes_on_with_what_was_applied__and_sees_to_what_was_altered,
    two_files_of_one_name_or_destination__are_refused_by_both,
    policy__forbids_a_folder_or_a_host__and_it_is_said,
    former_contents__are_kept_beside_it,
    kept__what_is_there_is_never_replaced,
    declared_jobs__are_nobodys_else,
    reload__of_the_configuration__has_what_is_declared_read_too__up_to_its_limit,
    broken_files__are_told_by_their_lines__and_leave_the_service_as_it_was,
    helper__its_holder_finds_the_job_by_its_name_and_lends_to_it)
