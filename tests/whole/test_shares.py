"""Files from Windows shares: Wine opens folders of this machine as such, where its prefix says so."""
import os
import secrets
import shutil
import socket

from ground import GROUND, MIB, OLD, Bridge, Ferry, Nginx, not_shown, run, sha256, wait_until


def nobody():
    """A port at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Share:
    """\\\\SERVER\\share, which is a folder; nobody else has a server of that name."""

    def __init__(self, ferry):
        self.server = "ferry-" + secrets.token_hex(4)
        self.folder = os.path.join(ferry.folder, self.server)
        self.place = os.path.join(os.environ["WINEPREFIX"], "dosdevices", "unc", self.server)
        os.makedirs(os.path.join(self.folder, "sub folder"))
        os.makedirs(self.place)
        self.connect()

    def connect(self):
        os.symlink(self.folder, os.path.join(self.place, "share"))

    def disconnect(self):
        os.unlink(os.path.join(self.place, "share"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def file(self, name, size):
        with open(self.path(name), "wb") as file:
            file.write(os.urandom(size))
        os.utime(self.path(name), (OLD, OLD))
        return self.url(name)

    def url(self, name):
        return f"\\\\{self.server}\\share\\" + name.replace("/", "\\")

    def close(self):
        shutil.rmtree(self.place)


def check_landed(ferry, share, *names):
    assert ferry.partials() == [], ferry.partials()
    for source, name in ((name, os.path.basename(name)) for name in names):
        landed = os.path.join(ferry.landed, name)
        assert sha256(landed) == sha256(share.path(source)), name
        assert int(os.stat(landed).st_mtime) == int(os.stat(share.path(source)).st_mtime), name


def begun_at(ferry, name):
    """At which bytes the file was started, one after the other."""
    return [event["offset"] for event in ferry.events() if event["id"] == 59 and name in event["url"]]


def file_of(ferry, job):
    return [line["file"] for line in ferry.json("show", "--files", job) if "file" in line][0]


def this_ground_has_none__and_says_so():
    ferry = Ferry().start()
    url = "\\\\server\\share\\a.bin"
    refused = ferry.run("submit", url, ferry.destination("a.bin"), check=False)
    assert refused.returncode != 0 and "NOT_SUPPORTED" in refused.stderr and "files[0].url" in refused.stderr, refused
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="One", files=[{"url": "http://127.0.0.1:9/a/b", "path": ferry.destination("b")}])["handle"]
    for error, field in (
            (bridge.call("job.addFiles", handle=handle, files=[
                {"url": "http://h/", "path": ferry.destination("x"), "mirrors": ["http://h/", url]}]), "files[0].mirrors[1]"),
            (bridge.call("job.replaceRemotePrefix", handle=handle, old_prefix="http://127.0.0.1:9/a/", new_prefix="\\\\server\\share\\"),
             "files[0].url")):
        data = error["error"]["data"]
        assert data["result"] == "NOT_SUPPORTED" and field in data["what"], data
    bridge.close()
    ferry.close()


def whole_files__land_with_their_bytes_and_times():
    ferry = Ferry()
    share, nginx = Share(ferry), Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    names = ["a.bin", "sub folder/100% ä.bin", "empty.bin"]
    for name, size in zip(names, (3 * MIB + 1, 5000, 0)):
        share.file(name, size)
    nginx.file("web.bin", MIB)
    folder = ferry.destination("")
    ferry.run("submit", "--name", "One", "--from", ferry.listing(
        [(share.url(name), folder) for name in names] + [(nginx.url("web.bin"), folder)]))
    check_landed(ferry, share, *names)
    assert sha256(os.path.join(ferry.landed, "web.bin")) == sha256(os.path.join(nginx.www, "web.bin"))
    status = ferry.json("status")[0]
    # On Windows one more asks the system for proxies.
    assert status["service"]["workers"] == (3 if GROUND == "linux" else 4), status
    # Size and digest are held against it; what the client has is not fetched again.
    file = file_of(ferry, "One")
    assert file["url"] == share.url("a.bin") and file["etag"].startswith('"'), file
    good = "sha256:" + sha256(share.path("a.bin"))
    ferry.run("submit", "--digest", good, share.url("a.bin"), ferry.destination("b.bin"))
    assert sha256(os.path.join(ferry.landed, "b.bin")) == sha256(share.path("a.bin"))
    failed = ferry.run("submit", "--digest", "sha256:" + "5" * 64, share.url("a.bin"), ferry.destination("c.bin"), check=False)
    assert failed.returncode != 0 and "DIGEST_MISMATCH" in failed.stderr, failed
    for name, condition in (("Tag", ["--if-none-match", file["etag"]]), ("Date", ["--if-modified-since", str(file["last_modified_ms"])])):
        ferry.run("submit", "--name", name, *condition, share.url("a.bin"), ferry.destination("a.bin"))
        assert file_of(ferry, name)["state"] == "not-modified", file_of(ferry, name)
    assert ferry.partials() == [] and not os.path.exists(os.path.join(ferry.landed, "c.bin"))
    nginx.close()
    share.close()
    ferry.close()


def killed_in_the_middle__only_the_very_file_is_gone_on_with():
    size = 12 * MIB
    for changes in (False, True):
        ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}, "rate": {"limits": ["all 3MB/s"]}})
        share = Share(ferry)
        ferry.start()
        share.file("large.bin", size)
        ferry.run("submit", "--name", "One", "--no-wait", share.url("large.bin"), ferry.destination("large.bin"))
        wait_until(lambda: ferry.bytes_written() > 3 * MIB, 60, "it is under way")
        ferry.kill()
        assert ferry.partials() != []
        if changes:
            share.file("large.bin", size)  # as large and as old, but not the same
        ferry.start()
        ferry.run("wait", "One")
        check_landed(ferry, share, "large.bin")
        first, second = begun_at(ferry, "large.bin")
        assert first == 0 and second > 2 * MIB, (first, second)  # what a server has is asked for only then
        share.close()
        ferry.close()


def stopped_in_the_middle__it_ends_at_once_and_goes_on():
    ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}, "rate": {"limits": ["all 3MB/s"]}})
    share = Share(ferry)
    ferry.start()
    share.file("large.bin", 10 * MIB)
    share.file("other.bin", 10 * MIB)
    ferry.run("submit", "--name", "One", "--no-wait", share.url("large.bin"), ferry.destination("large.bin"))
    ferry.run("submit", "--name", "Two", "--no-wait", share.url("other.bin"), ferry.destination("other.bin"))
    wait_until(lambda: all(job["bytes"]["transferred"] > MIB for job in ferry.jobs()), 60, "both are under way")
    ferry.run("suspend", "One")
    ferry.run("cancel", "Two")
    wait_until(lambda: len(ferry.partials()) == 1, 60, "the partial file of the one that was cancelled is gone")
    ferry.run("resume", "One")
    ferry.run("wait", "One")
    check_landed(ferry, share, "large.bin")
    assert begun_at(ferry, "large.bin")[-1] > MIB / 2, begun_at(ferry, "large.bin")
    share.close()
    ferry.close()


def what_is_not_there__is_said_with_its_path():
    ferry = Ferry()
    share = Share(ferry)
    ferry.start()
    for name in ("gone.bin", "no folder\\gone.bin", "sub folder"):
        failed = ferry.run("submit", "--name", share.url(name), share.url(name), ferry.destination("a.bin"), check=False)
        assert failed.returncode != 0 and "SOURCE_NOT_FOUND" in failed.stderr and share.url(name) in failed.stderr, failed
    # Once it is there, a resume fetches it.
    share.file("gone.bin", 1000)
    ferry.run("resume", share.url("gone.bin"))
    ferry.run("wait", share.url("gone.bin"))
    assert sha256(os.path.join(ferry.landed, "a.bin")) == sha256(share.path("gone.bin"))
    share.close()
    ferry.close()


def one_of_several_sources__the_next_is_another_kind():
    ferry = Ferry()
    share, nginx = Share(ferry), Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    share.file("a.bin", MIB)
    shutil.copy2(share.path("a.bin"), os.path.join(nginx.www, "a.bin"))
    dead = f"http://127.0.0.1:{nobody()}/a.bin"
    ferry.run("submit", "--name", "ToShare", "--mirror", share.url("a.bin"), dead, ferry.destination("a.bin"))
    check_landed(ferry, share, "a.bin")
    assert file_of(ferry, "ToShare")["source"] == 1
    share.disconnect()
    ferry.run("submit", "--name", "ToServer", "--mirror", nginx.url("a.bin"), share.url("a.bin"), ferry.destination("b.bin"))
    assert sha256(os.path.join(ferry.landed, "b.bin")) == sha256(share.path("a.bin"))
    assert file_of(ferry, "ToServer")["source"] == 1
    share.connect()
    ferry.run("submit", "--name", "Moves", "--no-wait", dead, ferry.destination("c.bin"))
    ferry.run("replace-prefix", "Moves", dead.removesuffix("a.bin"), share.url(""))
    ferry.run("wait", "Moves")
    assert sha256(os.path.join(ferry.landed, "c.bin")) == sha256(share.path("a.bin"))
    nginx.close()
    share.close()
    ferry.close()


if GROUND == "linux":
    not_shown("files from shares", "Wine; their copying by runtime/test_share.c")
    run(this_ground_has_none__and_says_so)
else:
    run(whole_files__land_with_their_bytes_and_times, killed_in_the_middle__only_the_very_file_is_gone_on_with,
        stopped_in_the_middle__it_ends_at_once_and_goes_on, what_is_not_there__is_said_with_its_path,
        one_of_several_sources__the_next_is_another_kind)
