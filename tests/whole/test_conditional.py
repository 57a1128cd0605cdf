"""Files that the client has already: only what changed is fetched, and what did not is left exactly as it is."""
import os
import re

from ground import MIB, Bridge, Ferry, Nginx, native, run, sha256, wait_until

LONG_AGO = 1000000123  # what no server said: a destination that keeps it was not touched


def scene(names, rate=0, **settings):
    """A daemon, a server, and these files fetched once; what the service then tells of each."""
    ferry = Ferry(settings)
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate)
    ferry.start()
    for name in names:
        nginx.file(name, 30000)
    ferry.submit(nginx, names, "--name", "First", "--quiet")
    ferry.check_landed(nginx, names)
    return ferry, nginx, {os.path.basename(file["url"]): file for file in files_of(ferry, "First")}


def files_of(ferry, name):
    return [line["file"] for line in ferry.json("show", name) if "file" in line]


def job_of(ferry, name):
    return ferry.json("show", name)[0]["job"]


class Untouched:
    """A landed file as it is now, with a time and bytes of its own."""

    def __init__(self, ferry, name):
        self.path = os.path.join(ferry.landed, name)
        with open(self.path, "r+b") as file:
            file.write(b"mine")
        os.utime(self.path, (LONG_AGO, LONG_AGO))
        self.before = self.look()

    def look(self):
        status = os.stat(self.path)
        return status.st_ino, status.st_size, status.st_mtime_ns, sha256(self.path)

    def check(self):
        assert self.look() == self.before, (self.look(), self.before)


def statuses(nginx, since):
    return sorted(answer[:2] for answer in nginx.requests()[since:])


def what_did_not_change__is_a_success_and_stays_as_it_is():
    ferry, nginx, first = scene(["a.bin"])
    file = first["a.bin"]
    assert file["etag"].startswith('"') and file["last_modified_ms"] == 1000000000 * 1000, file
    shown = ferry.run("show", "First").stdout
    tag, date = (re.search(f"{name}: (.*)", shown).group(1) for name in ("ETag", "Last-Modified"))
    assert (tag, date) == (file["etag"], "Sun, 09 Sep 2001 01:46:40 GMT"), shown
    untouched = Untouched(ferry, "a.bin")
    ways = (["--if-none-match", tag], ["--if-modified-since", date], ["--if-none-match", "W/" + tag],
            ["--if-modified-since", str(file["last_modified_ms"] + 999)],
            ["--if-none-match", tag, "--if-modified-since", date])
    for number, way in enumerate(ways):
        asked = len(nginx.requests())
        ferry.run("submit", "--name", f"Again {number}", *way, nginx.url("a.bin"), ferry.destination("a.bin"))
        job, (again,) = job_of(ferry, f"Again {number}"), files_of(ferry, f"Again {number}")
        assert job["state"] == "ACKNOWLEDGED" and job["error"] is None, job
        assert job["files"] == {"total": 1, "transferred": 1, "published": 1}, job
        assert job["bytes"] == {"total": 0, "transferred": 0, "total_is_known": True}, job
        assert (again["state"], again["size_bytes"], again["transferred_bytes"]) == ("not-modified", 0, 0), again
        assert (again["etag"], again["last_modified_ms"]) == (tag, file["last_modified_ms"]), again  # for the next time
        assert statuses(nginx, asked) == [("a.bin", 304)], (way, nginx.requests()[asked:])
        untouched.check()
        assert os.listdir(ferry.landed) == ["a.bin"], os.listdir(ferry.landed)
    assert sum(event["id"] == 1018 for event in ferry.events()) == len(ways), ferry.events()
    # Nor does complete touch it, where a client asks for that.
    ferry.run("submit", "--name", "Kept", "--no-complete", *ways[0], nginx.url("a.bin"), ferry.destination("a.bin"))
    assert job_of(ferry, "Kept")["state"] == "TRANSFERRED", job_of(ferry, "Kept")
    assert os.listdir(ferry.landed) == ["a.bin"], os.listdir(ferry.landed)
    ferry.run("complete", "Kept")
    assert files_of(ferry, "Kept")[0]["state"] == "not-modified", files_of(ferry, "Kept")
    untouched.check()
    nginx.close()
    ferry.close()


def what_changed_or_is_not_there__is_fetched():
    ferry, nginx, first = scene(["same.bin", "changed.bin", "gone.bin", "cut.bin", "bare.bin"])
    untouched = Untouched(ferry, "same.bin")
    nginx.file("changed.bin", 31000)
    os.utime(os.path.join(nginx.www, "changed.bin"), (1000000500, 1000000500))
    os.remove(os.path.join(ferry.landed, "gone.bin"))
    with open(os.path.join(ferry.landed, "cut.bin"), "r+b") as file:
        file.truncate(100)
    asked = len(nginx.requests())

    def line(name, size="", where=""):
        file = first[name]
        return (nginx.url(where + name), ferry.destination(name), size, "", f"if-none-match={file['etag']}",
                f"if-modified-since={file['last_modified_ms']}")

    ferry.run("submit", "--name", "Mixed", "--from", ferry.listing([
        line("same.bin"), line("changed.bin"), line("gone.bin"),
        line("cut.bin", "30000"),             # of another size than stated: that is not the file which is wanted
        line("bare.bin", where="bare/")]))    # whose server has no tag to compare, nor a date
    untouched.check()
    os.remove(untouched.path)
    ferry.check_landed(nginx, ["changed.bin", "gone.bin", "cut.bin"])
    assert sha256(os.path.join(ferry.landed, "bare.bin")) == sha256(os.path.join(nginx.www, "bare.bin"))
    answers = statuses(nginx, asked)
    assert [status for name, status in answers if name == "same.bin"] == [304], answers
    assert sorted(status for name, status in answers if name != "same.bin") == [200] * 4, answers
    job, files = job_of(ferry, "Mixed"), files_of(ferry, "Mixed")
    assert [file["state"] for file in files] == ["not-modified"] + ["published"] * 4, files
    assert job["files"] == {"total": 5, "transferred": 5, "published": 5}, job
    assert job["bytes"] == {"total": 121000, "transferred": 121000, "total_is_known": True}, job
    assert "etag" not in files[4] and "last_modified_ms" not in files[4], files[4]
    nginx.close()
    ferry.close()


def killed_in_between__what_was_found_unchanged_stays_so_and_the_rest_lands():
    ferry, nginx, first = scene(["same.bin", "later.bin"], rate=4 * MIB, transfer={"checkpoint_bytes": MIB,
                                                                                   "files_active_per_job_max": 2})
    untouched = [Untouched(ferry, name) for name in ("same.bin", "later.bin")]
    nginx.file("one.bin", 20 * MIB)
    nginx.file("two.bin", 20 * MIB)
    asked = len(nginx.requests())
    bridge = Bridge(ferry)
    bridge.hello()

    def file(name, **more):
        return {"url": nginx.url(name), "path": ferry.destination(name), **more}

    handle = bridge.ok("job.create", name="Killed", auto_complete=True, files=[
        file("same.bin", if_none_match=first["same.bin"]["etag"]), file("one.bin"), file("two.bin"),
        file("later.bin", if_modified_since_ms=first["later.bin"]["last_modified_ms"])])["handle"]
    bridge.ok("job.resume", handle=handle)

    def is_under_way():
        got = bridge.ok("job.get", handle=handle)
        return got["files"][0]["state"] == "not-modified" and got["job"]["bytes"]["transferred"] > 3 * MIB

    wait_until(is_under_way, 60, "one file is found unchanged, others come")
    bridge.close()
    ferry.kill()
    for one in untouched:
        one.check()
    ferry.start()
    ferry.run("wait", "Killed")
    for one in untouched:
        one.check()
        os.remove(one.path)
    ferry.check_landed(nginx, ["one.bin", "two.bin"])
    states = [file["state"] for file in files_of(ferry, "Killed")]
    assert states == ["not-modified", "published", "published", "not-modified"], states
    answers = statuses(nginx, asked)
    assert answers.count(("same.bin", 304)) == 1 and answers.count(("later.bin", 304)) == 1, answers
    assert not any(status == 200 for name, status in answers if name in ("same.bin", "later.bin")), answers
    nginx.close()
    ferry.close()


def what_makes_no_sense__is_refused_by_name():
    ferry, nginx, first = scene(["a.bin"])
    one = [nginx.url("a.bin"), native(os.path.join(ferry.landed, "b.bin"))]
    tag, digest = first["a.bin"]["etag"], nginx.digest("a.bin")
    for arguments, code, said in (
            (["--if-none-match", "abc", *one], 4, "params.files[0].if_none_match: must be an entity tag"),
            (["--if-none-match", "*", *one], 4, "params.files[0].if_none_match: must be an entity tag"),
            (["--if-none-match", tag, "--digest", digest, *one], 4, "params.files[0].if_none_match: not together with a digest"),
            (["--if-modified-since", "5", "--digest", digest, *one], 4, "params.files[0].if_modified_since_ms: not together"),
            (["--if-modified-since", "yesterday", *one], 1, "--if-modified-since takes a date like"),
            (["--if-none-match", tag, *one, *one], 1, "--if-none-match is for one URL"),
            (["--from", ferry.listing([(*one, "", "", "if-modified-since=soon")])], 1, "if-modified-since= is no date")):
        refused = ferry.run("submit", *arguments, check=False)
        assert refused.returncode == code and said in refused.stderr, (arguments, refused)
    assert os.listdir(ferry.landed) == ["a.bin"] and len(nginx.requests()) == 1, nginx.requests()
    nginx.close()
    ferry.close()


run(what_did_not_change__is_a_success_and_stays_as_it_is, what_changed_or_is_not_there__is_fetched,
    killed_in_between__what_was_found_unchanged_stays_so_and_the_rest_lands, what_makes_no_sense__is_refused_by_name)
