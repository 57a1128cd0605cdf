"""Starts that cannot succeed: databases, data folders, second daemons, configurations.  The terminal says which file is
wrong and what to do, and what lay there lies there still.
"""
import faulthandler
import glob
import os
import re
import sqlite3
import stat
import struct
import subprocess
import sys

from ground import Bridge, Ferry, native, not_shown, run
from outcomes import ALOUD, NOBODY, OUTCOMES, SECRET, WINDOWS, Target, as_nobody, check_no_secret, contents


def database(ferry):
    return os.path.join(ferry.data, "queue.sqlite3")


def template():
    """The bytes of a queue of 40 jobs."""
    ferry = Ferry().start()
    bridge = Bridge(ferry)
    bridge.hello()
    for i in range(40):
        bridge.ok("job.create", name=f"job {i}", files=[{"url": f"http://127.0.0.1:9/{i}?{SECRET}" + "x" * 500,
                                                         "path": ferry.destination(f"{i}")}])
    bridge.close()
    ferry.kill()
    with sqlite3.connect(database(ferry)) as connection:  # bring the log's content into the file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return contents(database(ferry))


def on_disk(folder):
    """All that lies there, but for what is written while refusing: the log, and the lock file that Windows needs."""
    found = {}
    for at, folders, files in os.walk(folder):
        for name in folders + files:
            path = os.path.join(at, name)
            status = os.lstat(path)
            if not name.startswith(("ferry.jsonl", "ferryd.err")) and "lock" not in name:
                found[path] = (stat.S_IFMT(status.st_mode) if WINDOWS else status.st_mode, status.st_uid,
                               contents(path) if os.path.isfile(path) and not os.path.islink(path) else None)
    return found


def refused(row, ferry, result, what, arguments=(), **options):
    """A start that must fail; what the terminal shows of it."""
    before = on_disk(ferry.folder)
    done = subprocess.run([*ferry.serve, *arguments], env=ferry.environment, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, encoding="utf-8", timeout=60, **options)
    if ALOUD:
        print(f"    {row}: {done.returncode}\n{done.stderr}")
    told = re.fullmatch(r"ferryd: [\w-]+: (.+)\n  (.+)\n  \((\w+) (0x[0-9A-F]{8})(?:; (\w+) (-?\d+))?\)\n  (.+\.)\n",
                        done.stderr)
    assert done.returncode == 2 and told, (row, done)
    assert told[3] == result and told[1] == OUTCOMES[result][3] and int(told[4], 16) == OUTCOMES[result][2], (row, done)
    for part in (what,) if isinstance(what, str) else what:
        assert part in told[2], (row, part, told[2])
    assert SECRET not in done.stderr and on_disk(ferry.folder) == before, (row, done)


def queues_that_cannot_be_opened__are_refused_and_left_alone():
    whole = template()

    def changed(offset, *parts):
        return whole[:offset] + b"".join(parts) + whole[offset + sum(map(len, parts)):]

    def recipes(path):
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE recipe (name TEXT)")
        connection.close()

    rows = [  # (row, the file's content or what makes it, result, what beside the path)
        ("newer", changed(60, struct.pack(">I", 9999)), "STORE_TOO_NEW", "schema version 9999"),
        ("another program's, by its id", changed(68, b"MOZI"), "STORE_FOREIGN", "another program's database"),
        ("another program's", recipes, "STORE_FOREIGN", "another program's database"),
        ("no database", b"Dear diary\n" * 1000, "STORE_FOREIGN", "not an SQLite database"),
        ("two bytes", b"xy", "STORE_FOREIGN", "not an SQLite database"),
        ("header overwritten", changed(0, b"\xa5" * 100), "STORE_FOREIGN", "not an SQLite database"),
        ("a folder in its place", os.mkdir, "DATA_UNUSABLE", "unable to open"),
    ]
    for row, make, result, what in rows:
        ferry = Ferry()
        if callable(make):
            make(database(ferry))
        else:
            with open(database(ferry), "wb") as file:
                file.write(make)
        refused(row, ferry, result, (what, native(database(ferry))))
        event = [event for event in ferry.events() if event["id"] == 16392]
        assert len(event) == 1 and what in event[0]["message"], (row, event)
        assert not glob.glob(os.path.join(ferry.data, "queue.damaged-*")), row
    ferry = Ferry()
    with open(database(ferry), "wb") as file:
        file.write(whole)
    if WINDOWS:
        not_shown("a queue that another program has locked", "Linux")
    else:
        # In a process of its own: ours would lose the lock with the first descriptor of the file that it closes.
        hold = ("import sqlite3, sys; held = sqlite3.connect(sys.argv[1], isolation_level=None);"
                "held.execute('BEGIN EXCLUSIVE'); print('held', flush=True); sys.stdin.read()")
        holder = subprocess.Popen([sys.executable, "-c", hold, database(ferry)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE)
        assert holder.stdout.readline() == b"held\n"
        refused("locked", ferry, "DATA_UNUSABLE", (native(database(ferry)), "database is locked", "another program"))
        holder.communicate(timeout=20)
    ferry.start()
    assert len(ferry.jobs()) == 40
    check_no_secret(ferry)


def damaged_keys_of_secrets__are_left_alone_and_said():
    for row, content in {"cut": b"\xa5" * 31, "never written": b"\0" * 32, "longer": b"\xa5" * 33, "empty": b""}.items():
        ferry = Ferry()
        key = os.path.join(ferry.data, "secrets.key")
        with open(key, "wb") as file:
            file.write(content)
        ferry.start()
        event = [event["message"] for event in ferry.events() if event["id"] == 1033]
        assert len(event) == 1 and "secrets.key is not the key" in event[0], (row, event)
        assert contents(key) == content and ferry.jobs() == [], row
        ferry.close()


def damaged_queues__are_kept_aside_and_said():
    whole = template()
    half = len(whole) // 2 // 4096 * 4096
    rows = [
        ("a page in the middle", whole[:4096] + b"\xa5" * 4096 + whole[8192:], {}),
        ("everything but the header", whole[:100] + b"\xa5" * (len(whole) - 100), {}),
        ("cut in the middle", whole[:half], {}),
        ("cut in the header", whole[:4096], {}),
        ("begins with zeros", b"\0" * 4096 + whole[4096:], {}),
        ("empty beside its log", b"", {"-wal": b"x" * 5000}),
    ]
    for row, content, beside in rows:
        ferry = Ferry()
        for suffix, part in {"": content, **beside}.items():
            with open(database(ferry) + suffix, "wb") as file:
                file.write(part)
        ferry.start()
        event = [event for event in ferry.events() if event["id"] == 16391]
        kept = [path for path in glob.glob(os.path.join(ferry.data, "queue.damaged-*"))
                if not re.search("-(wal|shm)$", path)]
        assert len(event) == 1 and len(kept) == 1, (row, event, kept)
        assert os.path.basename(kept[0]) in event[0]["message"], (row, event, kept)
        if ALOUD:
            print(f"    {row}: {event[0]['message']}")
        assert contents(kept[0]) == content and ferry.jobs() == [], row
        for suffix, part in beside.items():
            assert contents(kept[0] + suffix) == part, row
        check_no_secret(ferry)
        ferry.close()
    ferry = Ferry()
    open(database(ferry), "wb").close()  # nothing is lost with an empty file: it becomes a queue
    ferry.start()
    assert not [event for event in ferry.events() if event["id"] == 16391] and ferry.jobs() == []


def data_folders_that_cannot_be_used__are_refused():
    def fresh(make):
        ferry = Ferry(None)
        os.rmdir(ferry.data)
        make(ferry.data)
        return ferry

    file = fresh(lambda path: open(path, "w").close())
    refused("a file", file, "DATA_UNUSABLE", (native(file.data), "no folder" if not WINDOWS else "file"))
    alone = Ferry(None)
    missing = native(os.path.join(alone.folder, "no", "data"))
    options = ["--data", missing] if not WINDOWS else []
    if WINDOWS:
        alone.serve[alone.serve.index("--data") + 1] = missing
    refused("a folder above is missing", alone, "DATA_UNUSABLE", (missing, "does not exist"), options)
    if WINDOWS:
        not_shown("links, pipes, owners and rights of data folders", "Linux; windows/test_folder.c, unrun")
        return
    # Whoever opened one of these in the ordinary way would wait for the other end.
    for name in ("ferry.jsonc", "ferry.jsonl", "queue.mark"):
        pipe = Ferry(None)
        os.mkfifo(os.path.join(pipe.data, name))
        if name == "ferry.jsonl":
            pipe.start()
            continue
        done = subprocess.run(pipe.serve, env=pipe.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20)
        assert done.returncode == 2 and "DATA_UNUSABLE" in done.stderr and os.path.join(pipe.data, name) in done.stderr, done
    link = fresh(lambda path: os.symlink("/tmp", path))
    refused("a link", link, "DATA_UNUSABLE", (link.data, "link"))
    if os.getuid() != 0:
        not_shown("data folders of somebody else", "Linux as root")
        return

    def anothers(path, name="theirs"):
        os.mkdir(path)
        if name:
            open(os.path.join(path, name), "w").close()
        os.chown(path, NOBODY, NOBODY)
    foreign = fresh(anothers)
    refused("somebody else's", foreign, "DATA_UNUSABLE", (foreign.data, f"uid {NOBODY}", "remove it"))
    # The folder is ours, and others could put something in it: a queue with jobs of anybody's, say.
    lax = fresh(lambda path: (os.mkdir(path), os.chmod(path, 0o777), os.mkdir(os.path.join(path, "queue.sqlite3"))))
    refused("open to others", lax, "DATA_UNUSABLE", (lax.data, "mode 777", "remove it"))
    assert os.stat(lax.data).st_mode & 0o777 == 0o777 and os.listdir(lax.data) == ["queue.sqlite3"]
    empty = fresh(lambda path: (os.mkdir(path), os.chmod(path, 0o777))).start()
    assert os.stat(empty.data).st_mode & 0o777 == 0o700
    if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode == 0:
        still = Ferry(None)  # on a disk that only this daemon sees as read-only
        still.serve = ["unshare", "-m", "sh", "-c",
                       'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"', still.data, *still.serve]
        refused("on a read-only disk", still, "DATA_UNUSABLE", still.data)
    else:
        not_shown("a data folder on a read-only disk", "Linux, with the right to mount one")
    empty = fresh(lambda path: anothers(path, None)).start()
    status = os.stat(empty.data)
    assert (status.st_uid, status.st_mode & 0o777) == (0, 0o700)

    # As a user whom rights bind; root passes by all of them.
    def own(ferry, path, mode):
        os.chown(path, NOBODY, NOBODY)
        os.chmod(path, mode)
        os.chown(ferry.folder, NOBODY, NOBODY)
        return ferry
    rows = [("no folder may be made", lambda ferry: (os.rmdir(ferry.data), own(ferry, ferry.folder, 0o555)), "data"),
            ("root's folder", lambda ferry: os.chmod(ferry.data, 0o755), "data"),
            ("unreadable queue", lambda ferry: (own(ferry, ferry.data, 0o700),
                                                open(database(ferry), "w").close(), own(ferry, database(ferry), 0o000)),
             "queue.sqlite3"),
            ("queue that may not be written", lambda ferry: (own(ferry, ferry.data, 0o700),
                                                             open(database(ferry), "w").close(),
                                                             own(ferry, database(ferry), 0o444)), "queue.sqlite3")]
    for row, prepare, what in rows:
        ferry = Ferry(None)
        prepare(ferry)
        refused(row, ferry, "DATA_UNUSABLE", os.path.join(ferry.folder, "data") if what == "data" else database(ferry),
                **as_nobody())


def second_daemons__are_refused_and_the_first_goes_on():
    target = Target(Ferry().start())
    first, other = target.ferry, Ferry()
    before = target.look()
    for row, data, address, what in (("the same data", first.data, other.address, native(first.data)),
                                     ("the same address", other.data, first.address, first.address)):
        second = Ferry()
        second.serve = [*second.serve[:second.serve.index("console") + 1], "--data", native(data), "--address", address]
        refused(row, second, "ALREADY_RUNNING", what)
        assert target.look() == before, row
    first.run("status")
    target.bridge.close()


def configurations_that_cannot_be_read__are_told():
    ferry = Ferry()
    ferry.serve = ferry.serve[:ferry.serve.index("console")] + ["check-config"]
    missing, folder, wrong = (native(os.path.join(ferry.folder, name))
                              for name in ("missing.jsonc", "data", "wrong.jsonc"))
    with open(os.path.join(ferry.folder, "wrong.jsonc"), "w") as file:
        file.write('{\n  "transfer": { "checkpoint_byte": 1 }\n}\n')
    refused("missing", ferry, "DATA_UNUSABLE", (missing, "does not exist"), [missing])
    refused("a folder", ferry, "DATA_UNUSABLE", folder, [folder])
    refused("a slip", ferry, "BAD_SETTING", ("line 2", "checkpoint_bytes"), [wrong])


faulthandler.dump_traceback_later(150, exit=True)  # what is not answered hangs
run(queues_that_cannot_be_opened__are_refused_and_left_alone, damaged_keys_of_secrets__are_left_alone_and_said,
    damaged_queues__are_kept_aside_and_said,
    data_folders_that_cannot_be_used__are_refused, second_daemons__are_refused_and_the_first_goes_on,
    configurations_that_cannot_be_read__are_told)
