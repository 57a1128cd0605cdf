"""ferry doctor on installations that are really broken: each is found, and said with what to do; and the archive for a ticket,
which tar unpacks, is whole or not there, and overwrites nothing."""
import json
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import threading

from ground import GROUND, Ferry, Identity, Nginx, native, not_shown, run, wait_until

CHECKS = ["pipe", "proxy", "account", "privileges", "data-folder", "queue", "disk", "clock", "kdc", "configuration"]
MAY_MOUNT = GROUND == "linux" and subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL, check=False).returncode == 0


def examine(ferry, *options, **more):
    """{name: finding}; the exit code says whether there is a problem."""
    done = ferry.run("doctor", "--json", *options, check=False, **more)
    findings = {line["check"]["name"]: line["check"] for line in map(json.loads, done.stdout.splitlines())}
    problem = any(finding["verdict"] == "problem" for finding in findings.values())
    assert done.returncode == (2 if problem else 0) and done.stderr == "", done
    for finding in findings.values():
        assert finding["seen"] and (finding["remedy"] or finding["verdict"] in ("ok", "unknown")), finding
    return findings


def expect(findings, name, verdict, *words):
    finding = findings[name]
    assert finding["verdict"] == verdict and all(word in finding["seen"] for word in words), finding


def installation_that_is_well__has_no_problem():
    ferry = Ferry().start()
    ferry.run("submit", "--suspended", "http://127.0.0.1:9/x", ferry.destination("x"))
    findings = examine(ferry)
    assert list(findings) == CHECKS, findings
    if GROUND == "linux":  # Wine runs everything as an administrator with all privileges, and has no access lists
        assert not [finding for finding in findings.values() if finding["verdict"] in ("problem", "warning")], findings
    expect(findings, "pipe", "ok", "ferryd ")
    expect(findings, "queue", "ok", "1 unfinished")
    expect(findings, "disk", "ok", native(ferry.data))
    expect(findings, "clock", "ok")
    expect(findings, "configuration", "ok")
    said = ferry.run("doctor", check=False).stdout
    assert "queue          ok       whole, 1 unfinished jobs\n" in said, said
    assert not [name for name in os.listdir(ferry.data) if name.startswith("doctor")], "its trial file is gone"
    ferry.close()


def service_that_is_down__is_told_with_how_to_start_it():
    ferry = Ferry()
    findings = examine(ferry)
    expect(findings, "pipe", "problem", "does not answer")
    assert "sc start Ferry" in findings["pipe"]["remedy"]
    expect(findings, "service", "unknown")
    archive = os.path.join(ferry.folder, "down.tar")
    examine(ferry, "--bundle", native(archive))
    assert names(archive)[:2] == ["about.txt", "doctor.jsonl"], names(archive)
    ferry.close()


def folder_that_others_may_write_to__is_a_problem():
    if GROUND != "linux":
        not_shown("a data folder that is open to others", "Linux; **W** windows/test_folder.c")
        return
    ferry = Ferry().start()
    os.chmod(ferry.data, 0o777)
    expect(examine(ferry), "data-folder", "problem", ferry.data, "777")
    os.chmod(ferry.data, 0o700)
    os.chmod(os.path.join(ferry.data, "queue.sqlite3"), 0o666)
    expect(examine(ferry), "data-folder", "problem", "queue.sqlite3", "666")
    ferry.close()


def configuration_that_is_not_good__is_told_with_its_first_error():
    ferry = Ferry().start()
    path = os.path.join(ferry.data, "ferry.jsonc")
    with open(path, "w") as file:
        file.write('{\n "queue": { "slices": 1 } }')
    ferry.run("config", "reload", check=False)
    expect(examine(ferry), "configuration", "problem", "ferry.jsonc: line 2", "queue.slice_s")
    ferry.kill()
    ferry.start()
    expect(examine(ferry), "configuration", "problem", "ferry.jsonc: line 2")
    with open(path, "w") as file:
        file.write("{}")
    ferry.run("config", "reload")
    expect(examine(ferry), "configuration", "ok")
    ferry.close()


def proxy_that_is_dead__is_a_problem_and_one_that_answers_is_not():
    ferry = Ferry({"proxy": {"table": ["* http://127.0.0.1:9"]}}).start()
    expect(examine(ferry), "proxy", "problem", "http://127.0.0.1:9 (table)")
    ferry.close()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                connection.close()
        threading.Thread(target=answer, daemon=True).start()
        port = listener.getsockname()[1]
        ferry = Ferry({"proxy": {"table": [f"* http://127.0.0.1:{port}"]}}).start()
        expect(examine(ferry), "proxy", "ok", f"http://127.0.0.1:{port} (table) answers")
        ferry.close()


class OnSmallDisk(Ferry):
    """Its data folder is a file system of a few MiB that only it sees, and we through /proc."""

    def __init__(self, mebibytes):
        super().__init__(None)
        self.serve = ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o size={mebibytes}m,mode=700 none "$0" && exec "$@"', self.data,
                      *self.serve]

    def seen(self, name):
        return f"/proc/{self.process.pid}/root{self.data}/{name}"


def disk_that_is_nearly_full__is_a_warning_and_a_full_one_a_problem():
    if not MAY_MOUNT:
        not_shown("a full disk", "Linux, with the right to mount one")
        return
    ferry = OnSmallDisk(64).start()
    expect(examine(ferry), "disk", "warning", "256 MiB")
    with open(ferry.seen("filler"), "wb") as file:
        try:
            while file.write(b"x" * 65536):
                file.flush()
        except OSError:
            pass
    expect(examine(ferry), "disk", "problem")
    ferry.run("submit", "--suspended", "http://127.0.0.1:9/x", ferry.destination("x"), check=False)
    findings = examine(ferry)
    expect(findings, "disk", "problem")
    ferry.close()


def clock_that_was_set_back__is_a_problem():
    """The queue's last job is of tomorrow: as if the clock had been set back since."""
    import sqlite3
    ferry = Ferry().start()
    ferry.run("submit", "--suspended", "http://127.0.0.1:9/x", ferry.destination("x"))
    ferry.kill()
    with sqlite3.connect(os.path.join(ferry.data, "queue.sqlite3")) as queue:
        queue.execute("UPDATE job SET created_ms = created_ms + 86400000")
    queue.close()
    ferry.start()
    expect(examine(ferry), "clock", "problem", "behind the last job")
    ferry.close()


def somebody_who_is_no_administrator__is_told_what_may_be_seen_from_outside():
    if GROUND != "linux" or os.getuid() != 0:
        not_shown("who is no administrator", "Linux as root")
        return
    ferry = Ferry().start()
    other = Identity()
    ferry.run("submit", "--suspended", "--name", "Somebody's", "http://127.0.0.1:9/x", ferry.destination("x"))
    folder = other.folder(os.path.join(ferry.folder, "other"))
    archive = os.path.join(folder, "t.tar")
    findings = examine(ferry, "--bundle", archive, **other.options)
    assert list(findings) == ["pipe", "proxy", "service"], findings
    expect(findings, "service", "unknown", "administrators only")
    with tarfile.open(archive) as tar:
        everything = b"".join(tar.extractfile(member).read() for member in tar.getmembers())
    assert names(archive) == ["about.txt", "doctor.jsonl", "status.jsonl", "configuration.jsonl", "jobs.jsonl", "history.jsonl", "metrics.prom"]
    assert b"Somebody's" not in everything and ferry.data.encode() not in everything
    assert b"ACCESS_REFUSED" in everything  # where the configuration would be
    ferry.close()


# --- the archive ---

def names(archive):
    listed = subprocess.run(["tar", "-tf", archive], capture_output=True, text=True, check=True)
    assert listed.stderr == "", listed
    return listed.stdout.splitlines()


def archive__unpacks_to_what_the_verbs_say_and_the_log():
    ferry = Ferry().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("a.bin", 1000)
    ferry.submit(nginx, ["a.bin"], "--name", "Landed")
    ferry.run("submit", "--name", "Failed", nginx.url("none?secret"), ferry.destination("n"), check=False)
    archive, folder = os.path.join(ferry.folder, "b.tar"), os.path.join(ferry.folder, "unpacked")
    os.mkdir(folder)
    done = ferry.run("doctor", "--bundle", native(archive), check=False)
    assert done.returncode in (0, 2) and "pipe" in done.stdout and done.stderr == "", done
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    assert sorted(os.listdir(folder)) == sorted(names(archive)) == sorted(
        ["about.txt", "doctor.jsonl", "status.jsonl", "configuration.jsonl", "jobs.jsonl", "history.jsonl", "metrics.prom", "ferry.jsonl"])
    content = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            content[name] = file.read()
        assert "secret" not in content[name].lower() or name == "about.txt", name
    lines = {name: [json.loads(line) for line in text.splitlines()] for name, text in content.items() if name.endswith(".jsonl")}
    assert [line["check"]["name"] for line in lines["doctor.jsonl"]] == CHECKS
    assert [line["job"]["name"] for line in lines["jobs.jsonl"]] == ["Landed", "Failed"]
    assert [list(line) for line in lines["history.jsonl"]] == [["history_of"], ["attempt"]] * 2, lines["history.jsonl"]
    assert lines["status.jsonl"][0]["service"]["version"].startswith("ferryd "), lines["status.jsonl"]
    assert any(line["setting"]["key"] == "queue.slice_s" and "layer" in line["setting"] for line in lines["configuration.jsonl"])
    assert lines["ferry.jsonl"] == ferry.events()[:len(lines["ferry.jsonl"])]
    assert "ferry_files_landed_total 1\n" in content["metrics.prom"]
    nginx.close()
    ferry.close()


def archive__over_something_or_without_room__leaves_all_as_it_was():
    ferry = Ferry().start()
    taken = os.path.join(ferry.folder, "taken.tar")
    with open(taken, "w") as file:
        file.write("mine")
    done = ferry.run("doctor", "--bundle", native(taken), check=False)
    assert done.returncode == 8 and "nothing is overwritten" in done.stderr, done
    with open(taken) as file:
        assert file.read() == "mine"
    done = ferry.run("doctor", "--bundle", native(os.path.join(ferry.folder, "no", "such.tar")), check=False)
    assert done.returncode == 8, done
    if not MAY_MOUNT:
        not_shown("an archive for which there is no room", "Linux, with the right to mount a disk")
    else:
        small = os.path.join(ferry.folder, "small")
        os.mkdir(small)
        script = 'mount -t tmpfs -o size=8k none "$0" && { "$@"; code=$?; ls -A "$0"; exit $code; }'
        done = subprocess.run(["unshare", "-m", "sh", "-c", script, small, *ferry.arguments(["doctor", "--json", "--bundle", small + "/b.tar"])],
                              env=ferry.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 8 and "DISK_FULL" in done.stdout and "b.tar\n" not in done.stdout, done
    ferry.close()


def archive__that_is_interrupted__is_gone():
    """Long logs take a moment to copy."""
    if GROUND != "linux":
        not_shown("Ctrl-C while an archive is written", "Linux")
        return
    ferry = Ferry().start()
    with open(os.path.join(ferry.data, "ferry.1.jsonl"), "wb") as file:
        file.truncate(60 << 20)
    for number in (2, 3, 4):
        shutil.copy(os.path.join(ferry.data, "ferry.1.jsonl"), os.path.join(ferry.data, f"ferry.{number}.jsonl"))
    archive = os.path.join(ferry.folder, "i.tar")
    client = ferry.spawn("doctor", "--bundle", archive)
    wait_until(lambda: os.path.exists(archive), 30, "it is begun")
    client.send_signal(signal.SIGINT)
    client.communicate()
    assert client.returncode in (130, 0, 2), client.returncode
    assert os.path.exists(archive) == (client.returncode != 130)
    ferry.close()


run(installation_that_is_well__has_no_problem, service_that_is_down__is_told_with_how_to_start_it, folder_that_others_may_write_to__is_a_problem,
    configuration_that_is_not_good__is_told_with_its_first_error, proxy_that_is_dead__is_a_problem_and_one_that_answers_is_not,
    disk_that_is_nearly_full__is_a_warning_and_a_full_one_a_problem, clock_that_was_set_back__is_a_problem,
    somebody_who_is_no_administrator__is_told_what_may_be_seen_from_outside, archive__unpacks_to_what_the_verbs_say_and_the_log,
    archive__over_something_or_without_room__leaves_all_as_it_was, archive__that_is_interrupted__is_gone)
