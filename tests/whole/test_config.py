"""The configuration in layers: who counts, where each value is from, what is wrong, and who may have written it.  Under Wine
also the policy, and that changes are noticed.
"""
import json
import os
import subprocess
import time

from ground import GROUND, MIB, WINE, Bridge, Ferry, Identity, Nginx, native, not_shown, program, run, wait_until
from rig import Redirector

KEY = "HKLM\\SOFTWARE\\Policies\\Ferry"
LONG_KEY = "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Ferry"
SEPARATOR = "/" if GROUND == "linux" else "\\"


class Layered(Ferry):
    def write(self, name, content):
        """As editors do: a new file takes the place of the old one."""
        path = os.path.join(self.data, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path + ".new", "w") as file:
            file.write(content if isinstance(content, str) else json.dumps(content))
        os.replace(path + ".new", path)
        return path

    def settings(self):
        return {line["setting"]["key"]: line["setting"] for line in self.json("config", "show")}

    def reload(self, code=0):
        done = self.run("config", "reload", "--json", check=False)
        assert done.returncode == code, done
        return json.loads(done.stdout)["reload"]

    def check(self, *arguments):
        """ferryd check-config of all layers: this daemon's data folder is the known one on the Linux ground only."""
        return subprocess.run([*program("ferryd"), "check-config", *arguments], env=self.environment, capture_output=True,
                              text=True, encoding="utf-8", timeout=60)

    def told(self, number):
        return [event["message"] for event in self.events() if event["id"] == number]


def conf_d(name):
    return "conf.d" + SEPARATOR + name


def layers__the_last_one_counts_and_each_value_says_where_it_is_from():
    ferry = Layered({"queue": {"slice_s": 60, "ageing_s": 61}, "rate": {"limits": ["low 1MB/s", "high 2MB/s"]}})
    ferry.write("conf.d/20-b.jsonc", '{ // the second\n  "queue": {\n    "slice_s": 80 } }')
    ferry.write("conf.d/10-a.jsonc", {"queue": {"slice_s": 70, "background_jobs_max": 3}, "rate": {"limits": ["low off"]}})
    ferry.write("conf.d/30-c.jsonc.bak", "no configuration")
    ferry.write("conf.d/15-CAPS.JSONC", {"queue": {"finished_keep_s": 61}})
    ferry.start()
    settings = ferry.settings()

    def origin(key):
        return [settings[key][name] for name in ("value", "layer", "source", "line")]
    assert origin("queue.slice_s") == [80, "conf.d", conf_d("20-b.jsonc"), 3], settings["queue.slice_s"]
    assert origin("queue.background_jobs_max") == [3, "conf.d", conf_d("10-a.jsonc"), 1]
    assert origin("queue.ageing_s") == [61, "file", "ferry.jsonc", 1]
    assert origin("queue.finished_keep_s") == [61, "conf.d", conf_d("15-CAPS.JSONC"), 1]
    assert origin("rate.limits") == [["low off"], "conf.d", conf_d("10-a.jsonc"), 1]
    assert origin("log.files_max") == [5, "built-in", None, 0]
    shown = ferry.run("config", "show", "--origin").stdout
    assert f"queue.slice_s                            80  [conf.d: {conf_d('20-b.jsonc')}, line 3]\n" in shown, shown
    assert "log.files_max                            5  [built-in]\n" in shown and "[" not in ferry.run("config", "show").stdout.split("\n")[0]
    # One is taken away, another comes: the rest stays.
    os.remove(os.path.join(ferry.data, "conf.d", "20-b.jsonc"))
    ferry.write("conf.d/05.jsonc", {"queue": {"ageing_s": 99, "slice_s": 10}})
    done = ferry.reload()
    assert done == {"taken": True, "now": "queue.slice_s 80 -> 70, queue.ageing_s 61 -> 99", "later": "nothing", "errors": []}, done
    assert ferry.settings()["queue.slice_s"]["source"] == conf_d("10-a.jsonc")
    # What only a start reads is as it was, and so is where it was from.
    ferry.write("conf.d/40.jsonc", {"log": {"files_max": 9}})
    assert ferry.reload()["later"] == "log.files_max 5 -> 9"
    assert ferry.settings()["log.files_max"]["layer"] == "built-in"
    ferry.close()


def long_lists__are_shown_whole():
    folders = [native("/" + str(number) * 2 + "\u00e4" * 1000) for number in range(16)]
    ferry = Layered({"allow": {"destinations": folders}}).start()
    assert ferry.settings()["allow.destinations"]["value"] == folders
    line, = [line for line in ferry.run("config", "show", "--origin").stdout.split("\n") if line.startswith("allow.destinations ")]
    value, origin = line[len("allow.destinations"):].rsplit("  [", 1)
    assert json.loads(value) == folders and origin == "file: ferry.jsonc, line 1]", (len(value), origin)
    ferry.close()


def several_slips__are_all_told_and_change_nothing():
    ferry = Layered({"queue": {"slice_s": 60}}).start()
    before = ferry.settings()
    ferry.write("ferry.jsonc", '{ "queue": { "slice_s": 61, "slice": 5 },\n  "queue": {} }')
    ferry.write("conf.d/10.jsonc", '{ "que": {},\n "log": { "files_max": "many" } }')
    ferry.write("conf.d/20.jsonc", '{ "rate": ')
    done = ferry.reload(4)
    wanted = [("ferry.jsonc: line 2, column 3: queue: stands there twice",),
              ("10.jsonc: line 1, column 10: que: there is no such group of keys; the nearest is queue",),
              ("10.jsonc: line 2, column 24: log.files_max: \"many\" is not a whole number from 2 to 100",),
              ("20.jsonc: line 1, column",)]
    assert not done["taken"] and len(done["errors"]) == len(wanted), done
    assert all(part in line for parts, line in zip(wanted, done["errors"]) for part in parts), done
    assert all(native(ferry.data) in line for line in done["errors"]), done
    assert ferry.settings() == before
    told = ferry.told(1031)
    assert len(told) == 1 and "stands there twice" in told[0] and "nearest is queue" in told[0], told
    words = ferry.run("config", "reload", check=False)
    assert words.returncode == 4 and words.stdout == "" and len(words.stderr.split("\n")) == len(wanted) + 2, words
    if GROUND == "linux":
        check = ferry.check()
        assert check.returncode == 2 and all(parts[0] in check.stderr for parts in wanted), check
    ferry.close()


def conf_d_with_too_many_files__is_refused_by_its_limit():
    ferry = Layered({}).start()
    for number in range(64):
        ferry.write(f"conf.d/{number}.jsonc", {"queue": {"slice_s": 60 + number}})
    assert ferry.reload()["taken"]
    assert ferry.settings()["queue.slice_s"]["value"] == 69  # "9.jsonc" is the last one by its bytes
    ferry.write("conf.d/64.jsonc", {})
    done = ferry.reload(4)
    assert "at most 64 files" in done["errors"][0], done
    ferry.close()


def configuration__is_for_administrators():
    if GROUND != "linux" or os.getuid() != 0:
        return not_shown("that others are not shown the configuration", "Linux as root")
    ferry = Layered({}).start()
    other = Identity()
    for verb in ("show", "reload"):
        done = ferry.run("config", verb, check=False, **other.options)
        assert done.returncode == 4 and "elevated administrators only" in done.stderr, done
    assert ferry.told(1030) == []
    bridge = Bridge(ferry)  # each message against the schema
    bridge.hello()
    assert len(bridge.ok("config.show")["settings"]) >= 45 and bridge.ok("config.reload")["taken"]
    bridge.close()
    ferry.close()


def files_that_others_could_have_written__are_refused():
    if GROUND != "linux":
        return not_shown("files of others, and open to others", "Linux as root; windows/test_folder.c, unrun")
    ferry = Layered({"queue": {"slice_s": 60}})
    path, folder = os.path.join(ferry.data, "ferry.jsonc"), os.path.join(ferry.data, "conf.d")
    extra = ferry.write("conf.d/10.jsonc", {"queue": {"slice_s": 70}})
    ferry.start()
    other = Identity() if os.getuid() == 0 else None

    def refused(what, changed, back):
        changed()
        done = ferry.reload(4)
        assert len(done["errors"]) == 1 and what in done["errors"][0] and "open to others" in done["errors"][0], done
        back()
        assert ferry.reload()["taken"]
    for what in (path, folder, extra):
        mode = os.stat(what).st_mode & 0o777
        for bit in (0o020, 0o002):
            refused(what, lambda: os.chmod(what, mode | bit), lambda: os.chmod(what, mode))
        if other:
            refused(what, lambda: os.chown(what, other.uid, other.gid), lambda: os.chown(what, 0, 0))
    os.rename(extra, extra + ".real")
    os.symlink(extra + ".real", extra)
    assert "10.jsonc" in ferry.reload(4)["errors"][0]
    os.rename(extra + ".real", extra)
    # At a start, too: the last good one serves.
    os.chmod(path, 0o666)
    ferry.kill()
    ferry.start()
    assert "open to others" in ferry.told(1006)[0] and ferry.settings()["queue.slice_s"]["value"] == 70
    os.chmod(path, 0o600)
    os.chmod(os.path.join(ferry.data, "ferry.good.jsonc"), 0o622)
    ferry.kill()
    ferry.start()
    os.chmod(path, 0o666)
    os.chmod(os.path.join(ferry.data, "ferry.good.jsonc"), 0o622)
    ferry.kill()
    done = subprocess.run(ferry.serve, env=ferry.environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "open to others" in done.stderr, done
    both = [line.partition("nor is the last good one: ")[2] for line in done.stderr.split("\n") if "nor is the last good one: " in line]
    assert len(both) == 2 and all("ferry.good.jsonc" in line for line in both) and "open to others" in both[0], done
    ferry.close()


def one_that_somebody_has_open_to_write__is_not_read():
    if GROUND != "linux":
        return not_shown("that a file is refused that somebody has open to write", "contract/test_file.c; Wine does not see who is no program of its own")
    ferry = Layered({"queue": {"slice_s": 60}}).start()
    path = ferry.write("ferry.jsonc", {"queue": {"slice_s": 61}})
    with open(path, "r+"):
        errors = ferry.reload(4)["errors"]
        assert len(errors) == 1 and native(path) + ": somebody has it open for writing" in errors[0], errors
        assert ferry.settings()["queue.slice_s"]["value"] == 60
    assert "queue.slice_s 60 -> 61" in ferry.reload()["now"]
    ferry.close()


PEM = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"


def an_authority_that_somebody_holds__keeps_nothing_else_out():
    if GROUND != "linux":
        return not_shown("that a private authority is kept whose file somebody holds", "contract/test_file.c; Wine does not see who is no program of its own")
    ferry = Layered({})
    first, second = ferry.write("first.pem", PEM), ferry.write("second.pem", PEM)
    ferry.write("ferry.jsonc", {"tls": {"ca_files": [f"a.test {first}"]}})
    ferry.start()
    with open(first, "r+"):
        ferry.write("ferry.jsonc", {"tls": {"ca_files": [f"b.test {second}", f"a.test {first}"]}, "allow": {"hosts": ["a.test"]}})
        assert ferry.reload()["taken"] and ferry.settings()["allow.hosts"]["value"] == ["a.test"]
        told, = ferry.told(1032)
        assert first + ": somebody has it open for writing, or shared with nobody" in told, told
        # What was not there before cannot be kept.
        ferry.write("ferry.jsonc", {"tls": {"ca_files": [f"c.test {first}"]}})
        errors = ferry.reload(4)["errors"]
        assert len(errors) == 1 and f"tls.ca_files: {first}: somebody" in errors[0], errors
    ferry.close()


def authorities_that_a_reload_would_refuse__are_no_valid_configuration():
    ferry = Layered({})
    none, plain, lax = (os.path.join(ferry.data, name) for name in ("none.pem", "plain.pem", "lax.pem"))
    ferry.write("plain.pem", "no certificate")
    ferry.write("lax.pem", PEM)
    ferry.start()
    ferry.write("ferry.jsonc", {"tls": {"ca_files": [f"a.test {native(none)}", f"b.test {native(plain)}", f"c.test {native(lax)}"]}})
    wanted = [(none, "does not exist"), (plain, "has no certificate in PEM")]
    if GROUND == "linux":
        os.chmod(lax, 0o666)
        wanted.append((lax, "open to others"))
    errors = ferry.reload(4)["errors"]
    assert len(errors) == len(wanted), errors
    for line, (path, why) in zip(errors, wanted):
        assert line.startswith("tls.ca_files: ") and native(path) in line and why in line, line
    if GROUND == "linux":
        check = ferry.check()
        assert check.returncode == 2 and all(line in check.stderr for line in errors), check
    ferry.close()


def a_good_one_that_cannot_be_kept__is_used_and_told():
    ferry = Layered({"queue": {"slice_s": 60}})
    in_the_way = os.path.join(ferry.data, "ferry.good.new")
    os.mkdir(in_the_way)
    ferry.start()
    assert len(ferry.told(1040)) == 1 and ferry.settings()["queue.slice_s"]["value"] == 60, ferry.events()
    ferry.reload()
    assert len(ferry.told(1040)) == 2 and not os.path.exists(os.path.join(ferry.data, "ferry.good.jsonc"))
    os.rmdir(in_the_way)
    ferry.reload()
    assert len(ferry.told(1040)) == 2
    good = os.path.join(ferry.data, "ferry.good.jsonc")
    with open(good) as file:
        assert '"slice_s":60, // ferry.jsonc, line 1' in file.read()
    # What is kept already is not written again: nothing is synced for a reload that changes nothing.
    before = os.stat(good)
    for _ in range(3):
        ferry.reload()
    assert (os.stat(good).st_ino, os.stat(good).st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    ferry.write("ferry.jsonc", {"queue": {"slice_s": 61}})
    ferry.reload()
    assert os.stat(good).st_mtime_ns != before.st_mtime_ns
    ferry.close()


def one_that_was_lost__is_no_first_start():
    ferry = Layered({"allow": {"hosts": ["*.example.com"]}}).start()
    ferry.kill()
    os.remove(os.path.join(ferry.data, "ferry.jsonc"))
    for turn in range(2):  # it is not forgotten by starting without it
        ferry.start()
        hosts = ferry.settings()["allow.hosts"]
        assert (hosts["value"], hosts["layer"]) == (["*.example.com"], "last-good"), hosts
        told = ferry.told(1006)
        assert len(told) == turn + 1 and "ferry.jsonc is not there any more. Put it back, or write what ferry.good.jsonc has" in told[-1], told
        assert "holds {}" in ferry.reload(4)["errors"][0]
        ferry.kill()
    if GROUND == "linux":
        check = ferry.check()
        assert check.returncode == 2 and native(ferry.data) + ": ferry.jsonc is not there any more" in check.stderr, check
    # With both gone it is: nothing is kept then, and what comes later counts.
    os.remove(os.path.join(ferry.data, "ferry.good.jsonc"))
    for _ in range(2):
        ferry.start()
        assert ferry.settings()["allow.hosts"]["value"] == [] and len(ferry.told(1006)) == 2
        assert not os.path.exists(os.path.join(ferry.data, "ferry.good.jsonc"))
        ferry.kill()
    ferry.close()


def registry(*arguments):
    """Under Wine: what `reg` of Windows does."""
    done = subprocess.run([*filter(None, [WINE]), "reg", *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done


def policy(name, kind, data):
    registry("add", KEY, "/v", name, "/t", kind, "/d", data, "/f")


def without_policy():
    subprocess.run([*filter(None, [WINE]), "reg", "delete", KEY, "/f"], capture_output=True, timeout=60)


def policies__count_before_all_files_and_are_checked_like_them():
    if GROUND == "linux":
        return not_shown("policies", "Wine, and Windows")
    without_policy()
    try:
        policy("queue.slice_s", "REG_DWORD", "90")
        policy("network.metered", "REG_SZ", "none")
        policy("rate.limits", "REG_MULTI_SZ", "low off\\0high 1MB/s")
        ferry = Layered({"queue": {"slice_s": 60, "ageing_s": 61}, "rate": {"limits": ["low 5MB/s"]}, "log": {"files_max": 6}}).start()
        settings = ferry.settings()
        assert settings["queue.slice_s"] == {"key": "queue.slice_s", "value": 90, "layer": "policy", "source": "queue.slice_s", "line": 0}
        assert settings["network.metered"]["value"] == "none" and settings["queue.ageing_s"]["value"] == 61
        assert settings["rate.limits"]["value"] == ["low off", "high 1MB/s"], settings["rate.limits"]
        # Rewritten over and over, as by gpupdate /force: what is there before and after was never away.
        rewritten = os.path.join(ferry.folder, "again.reg")
        with open(rewritten, "w") as file:
            file.write(f"REGEDIT4\n\n[-{LONG_KEY}]\n\n[{LONG_KEY}]\n\"queue.slice_s\"=dword:0000005a\n\"network.metered\"=\"none\"\n"
                       "\"rate.limits\"=hex(7):6c,6f,77,20,6f,66,66,00,68,69,67,68,20,31,4d,42,2f,73,00,00\n")
        for _ in range(6):
            registry("import", native(rewritten))
        # It is noticed by itself, and what is wrong names the value.
        policy("queue.ageing_s", "REG_DWORD", "77")
        wait_until(lambda: "queue.ageing_s 61 -> 77" in "".join(ferry.told(1030)), 20, "it is noticed")
        assert ferry.told(1030) == ["The configuration was read again. In effect now: queue.ageing_s 61 -> 77. From the next start on: nothing."], ferry.told(1030)
        policy("queue.slices", "REG_DWORD", "1")
        policy("queue.lease_s", "REG_SZ", "90")
        policy("log.files_max", "REG_DWORD", "1000")
        policy("tls.pins", "REG_BINARY", "00")
        wait_until(lambda: len(ferry.told(1031)) > 0, 20, "it is told")
        errors = ferry.reload(4)["errors"]
        for part in ("queue.slices: there is no such key; the nearest is queue.slice_s", 'queue.lease_s: "90" is not a whole number',
                     "log.files_max: 1000 is not", "tls.pins: null is not a list"):
            assert sum("HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Ferry: " + part in line for line in errors) == 1, (part, errors)
        assert len(errors) == 4, errors
        # A start that cannot read the policy has the one that it was begun with last.
        ferry.kill()
        ferry.start()
        assert ferry.settings()["queue.slice_s"]["value"] == 90 and ferry.settings()["network.metered"]["value"] == "none"
        # One whose files alone are bad has the policy of today.
        for name in ("queue.slices", "queue.lease_s", "log.files_max", "tls.pins"):
            registry("delete", KEY, "/v", name, "/f")
        policy("queue.slice_s", "REG_DWORD", "95")
        ferry.kill()
        ferry.write("ferry.jsonc", "{")
        ferry.start()
        settings = ferry.settings()
        assert settings["queue.slice_s"]["value"] == 95 and settings["queue.slice_s"]["layer"] == "policy"
        assert settings["log.files_max"]["value"] == 6 and settings["log.files_max"]["layer"] == "last-good"
        ferry.write("ferry.jsonc", {"queue": {"slice_s": 60}})
        wait_until(lambda: ferry.settings()["queue.ageing_s"]["layer"] == "policy", 20, "it is noticed")
        without_policy()
        wait_until(lambda: ferry.settings()["queue.slice_s"]["value"] == 60, 20, "that it is gone is noticed")
        policy("queue.slice_s", "REG_QWORD", "91")
        wait_until(lambda: ferry.settings()["queue.slice_s"]["value"] == 91, 20, "that it comes is noticed")
        ferry.close()
    finally:
        without_policy()


def files_that_change__are_read_by_themselves():
    if GROUND == "linux":
        return not_shown("that files are read by themselves when they change", "Wine, and Windows")
    ferry = Layered({"queue": {"slice_s": 60}}).start()

    def comes(key, value):
        wait_until(lambda: ferry.settings()[key]["value"] == value, 20, f"{key} {value} is noticed")
    ferry.write("ferry.jsonc", {"queue": {"slice_s": 61}})
    comes("queue.slice_s", 61)
    ferry.write("conf.d/10.jsonc", {"queue": {"slice_s": 70}})
    comes("queue.slice_s", 70)
    ferry.write("conf.d/20.jsonc", {"queue": {"ageing_s": 70}})
    comes("queue.ageing_s", 70)
    with open(os.path.join(ferry.data, "conf.d", "20.jsonc"), "w") as file:  # in place, and slowly
        file.write('{ "queue": { "ageing_s":')
        file.flush()
        time.sleep(0.1)
        file.write(" 71 } }")
    comes("queue.ageing_s", 71)
    os.remove(os.path.join(ferry.data, "conf.d", "10.jsonc"))
    comes("queue.slice_s", 61)
    assert ferry.told(1031) == [], ferry.told(1031)
    # What else is written in the folder is no sign, and what changes nothing is told to nobody.
    told = len(ferry.told(1030))
    for number in range(5):
        ferry.run("submit", "--suspended", "--no-wait", "--name", f"job {number}", "http://127.0.0.1:9/x", ferry.destination(f"{number}"))
    ferry.write("ferry.jsonc", {"queue": {"slice_s": 61}})
    ferry.write("ferry.jsonc", "{")
    wait_until(lambda: len(ferry.told(1031)) == 1, 20, "what is wrong is told")
    assert len(ferry.told(1030)) == told, ferry.told(1030)
    ferry.close()


class Allowed:
    """What a job may fetch from, and where it may put it."""

    def __init__(self, size=10000, **allow):
        self.ferry = Layered({"allow": allow}).start()
        self.nginx = Nginx(os.path.join(self.ferry.folder, "nginx"), rate=MIB)
        self.url = self.nginx.file("a.bin", size)
        self.other = self.url.replace("127.0.0.1", "localhost")

    def refused(self, why, *arguments):
        done = self.ferry.run(*arguments, check=False)
        assert done.returncode == 4 and "BLOCKED_BY_POLICY" in done.stderr and why in done.stderr, done

    def job(self, name):
        return next(job for job in self.ferry.jobs() if job["name"] == name)

    def blocked(self, name, why):
        job = wait_until(lambda: self.job(name)["state"] == "ERROR" and self.job(name), 30, f"{name} is blocked")
        assert job["error"]["result"] == "BLOCKED_BY_POLICY" and why in job["error"]["message"], job["error"]

    def close(self):
        self.nginx.close()
        self.ferry.close()


def hosts_and_schemes_that_are_not_allowed__are_asked_by_nobody():
    scene = Allowed(hosts=["127.0.0.1"], schemes=["http"])
    ferry, lands = scene.ferry, scene.ferry.destination("landed.bin")
    ferry.run("submit", "--name", "fine", scene.url, lands)
    host, scheme = "allow.hosts does not have localhost", 'allow.schemes does not have "https"'
    scene.refused(host, "submit", "--no-wait", scene.other, lands)
    scene.refused(scheme, "submit", "--no-wait", scene.url.replace("http:", "https:"), lands)
    scene.refused(host, "submit", "--no-wait", "--mirror", scene.other, scene.url, lands)
    scene.refused(host, "auth", "test", scene.other) if GROUND == "linux" else None
    ferry.run("submit", "--name", "moves", "--suspended", "--no-wait", scene.url, ferry.destination("moves.bin"))
    scene.refused(host, "replace-prefix", "moves", scene.url[:-5], scene.other[:-5])
    away = Redirector(scene.url)
    ferry.run("submit", "--name", "sent on", away.url(), ferry.destination("sent-on.bin"))
    for number, location in enumerate((scene.other, scene.other.replace("localhost", "LOCALHOST."), scene.other.replace("//", "//a:b@"))):
        away.location = location
        ferry.run("submit", "--name", f"sent {number}", "--no-wait", away.url(), ferry.destination(f"sent-{number}.bin"))
        scene.blocked(f"sent {number}", "allow.hosts does not have")
    away.location = scene.url.replace("http:", "https:")
    ferry.run("submit", "--name", "sent by https", "--no-wait", away.url(), ferry.destination("https.bin"))
    scene.blocked("sent by https", scheme)
    asked = {name for name, _, _, _ in scene.nginx.requests()}
    assert asked == {"a.bin"} and len(scene.nginx.requests()) == 2, scene.nginx.requests()
    away.close()
    scene.close()


def urls_that_are_not_allowed__are_asked_by_nobody():
    scene = Allowed(urls=[])
    ferry, folder = scene.ferry, scene.url[:-len("a.bin")]
    away = Redirector(folder + "secret/../a.bin")
    ferry.write("ferry.jsonc", {"allow": {"urls": [scene.url, away.url(), folder + "acme/"]}})
    ferry.run("config", "reload")
    ferry.run("submit", scene.url, ferry.destination("landed.bin"))
    why = "it lies below none of allow.urls"
    for name in ("b.bin", "a.binary", "acme/../a.bin", "acme/%2e%2e/a.bin", "acme/..%2fa.bin"):
        scene.refused(why, "submit", "--no-wait", folder + name, ferry.destination("refused.bin"))
    for number, location in enumerate((away.location, folder + "b.bin", scene.url.replace("127.0.0.1", "localhost"), "elsewhere")):
        away.location = location
        ferry.run("submit", "--name", f"sent {number}", "--no-wait", away.url(), ferry.destination("sent.bin"))
        scene.blocked(f"sent {number}", why)
    assert len(scene.nginx.requests()) == 1, scene.nginx.requests()
    away.location, away.hops = scene.url, {"/go": "go/on"}  # a path of its own, and then a whole URL
    ferry.run("submit", away.url(), ferry.destination("sent-where-allowed.bin"))
    assert len(scene.nginx.requests()) == 2, scene.nginx.requests()
    away.close()
    scene.close()


ONE_STREAM = {"transfer": {"segments_per_file_max": 1}}  # of a server that is slow for each connection


def what_is_forbidden_while_it_runs__ends_and_goes_on_when_it_is_allowed():
    scene = Allowed()
    ferry, large = scene.ferry, scene.nginx.file("large.bin", 6 * MIB)
    ferry.run("submit", "--name", "a", "--no-wait", large, ferry.destination("large.bin"))
    wait_until(lambda: scene.job("a")["bytes"]["transferred"] > MIB, 30, "it runs")
    for allow, why in (({"hosts": ["*.example.com"]}, "allow.hosts does not have 127.0.0.1"), ({"schemes": ["https", "share"]}, 'not have "http"'),
                       ({"destinations": [native(os.path.join(ferry.folder, "elsewhere"))]}, "lies below none of allow.destinations")):
        ferry.write("ferry.jsonc", {"allow": allow, **ONE_STREAM})
        assert ferry.reload()["taken"]
        scene.blocked("a", why)
        ferry.write("ferry.jsonc", ONE_STREAM)
        assert ferry.reload()["taken"]
        ferry.run("resume", "a")
        wait_until(lambda: scene.job("a")["state"] == "TRANSFERRING", 30, "it goes on")
    # What says the same again is nobody's business.
    requests = len(scene.nginx.requests())
    ferry.write("ferry.jsonc", {"queue": {"slice_s": 60}, **ONE_STREAM})
    assert ferry.reload()["taken"]
    ferry.run("wait", "a")
    assert len(scene.nginx.requests()) == requests + 1, scene.nginx.requests()
    ferry.check_landed(scene.nginx, ["large.bin"])
    scene.close()


def destinations_that_are_not_allowed__are_refused():
    scene = Allowed(destinations=[])
    ferry, fine = scene.ferry, os.path.join(scene.ferry.landed, "fine")
    os.mkdir(fine)
    ferry.write("ferry.jsonc", {"allow": {"destinations": [native(fine)]}})
    assert ferry.reload()["taken"]
    why = "params.files[0].path: lies below none of allow.destinations"
    for path in (os.path.join(ferry.landed, "a.bin"), fine + "-not" + "/a.bin"):
        scene.refused(why, "submit", "--no-wait", scene.url, native(path))
    ferry.run("submit", scene.url, native(os.path.join(fine, "a.bin")))
    scene.close()


run(layers__the_last_one_counts_and_each_value_says_where_it_is_from, long_lists__are_shown_whole, several_slips__are_all_told_and_change_nothing,
    conf_d_with_too_many_files__is_refused_by_its_limit, configuration__is_for_administrators,
    files_that_others_could_have_written__are_refused, one_that_somebody_has_open_to_write__is_not_read,
    an_authority_that_somebody_holds__keeps_nothing_else_out, authorities_that_a_reload_would_refuse__are_no_valid_configuration, a_good_one_that_cannot_be_kept__is_used_and_told, one_that_was_lost__is_no_first_start, policies__count_before_all_files_and_are_checked_like_them,
    files_that_change__are_read_by_themselves, hosts_and_schemes_that_are_not_allowed__are_asked_by_nobody,
    urls_that_are_not_allowed__are_asked_by_nobody,
    what_is_forbidden_while_it_runs__ends_and_goes_on_when_it_is_allowed, destinations_that_are_not_allowed__are_refused)
