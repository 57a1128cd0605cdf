"""The queue's database: kept through a kill, kept aside when it is damaged, left alone when it is not ours."""
import glob
import os
import re
import sqlite3
import subprocess

from ground import Ferry, native, run, sha256, wait_until


def begin(ferry):
    """Start a daemon that is expected to refuse; its exit code and words."""
    done = subprocess.run(ferry.serve, env=ferry.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stderr


def database(ferry):
    return os.path.join(ferry.data, "queue.sqlite3")


def acknowledged_submits__survive_a_kill_at_once():
    ferry = Ferry().start()
    ids = [ferry.run("submit", "--suspended", "--no-wait", "--name", f"job {i}", "http://127.0.0.1:9/x",
                     ferry.destination(f"{i}")).stdout.split()[0] for i in range(10)]
    ferry.kill()
    ferry.start()
    assert sorted(job["id"] for job in ferry.jobs()) == sorted(ids)


def damaged_database__is_kept_aside_and_said():
    ferry = Ferry().start()
    for i in range(40):
        ferry.run("submit", "--suspended", "--no-wait", "http://127.0.0.1:9/x", ferry.destination(f"{i}"))
    ferry.kill()
    with sqlite3.connect(database(ferry)) as connection:  # bring the log's content into the file
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    size = os.path.getsize(database(ferry))
    with open(database(ferry), "r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * (size - 4096))
    damaged = sha256(database(ferry))
    ferry.start()
    assert ferry.jobs() == []
    event = [event for event in ferry.events() if event["id"] == 16391]
    kept = [name for name in glob.glob(os.path.join(ferry.data, "queue.damaged-*")) if not re.search("-(wal|shm)$", name)]
    assert len(event) == 1 and len(kept) == 1 and os.path.basename(kept[0]) in event[0]["message"], (event, kept)
    assert sha256(kept[0]) == damaged


def refused(prepare, result):
    ferry = Ferry()
    prepare(database(ferry))
    before = sha256(database(ferry))
    code, words = begin(ferry)
    assert code == 2 and result in words, (code, words)
    assert sha256(database(ferry)) == before and not glob.glob(os.path.join(ferry.data, "queue.damaged-*"))
    assert any(event["id"] == 16392 for event in ferry.events())


def newer_database__is_refused_and_left_alone():
    def make(path):
        ferry = Ferry().start()
        ferry.kill()
        with sqlite3.connect(database(ferry)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("PRAGMA user_version = 9999")
        connection.close()
        with sqlite3.connect(database(ferry)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        os.rename(database(ferry), path)
    refused(make, "STORE_TOO_NEW")


def database_of_another_program__is_refused_and_left_alone():
    def make(path):
        with sqlite3.connect(path) as connection:
            connection.execute("CREATE TABLE recipe (name TEXT)")
        connection.close()
    refused(make, "STORE_FOREIGN")


def file_that_is_no_database__is_refused_and_left_alone():
    def make(path):
        with open(path, "w") as file:
            file.write("Dear diary\n" * 1000)
    refused(make, "STORE_FOREIGN")


def second_daemon__is_refused_and_the_first_goes_on():
    ferry = Ferry().start()
    code, words = begin(ferry)
    assert code == 2 and "ALREADY_RUNNING" in words, (code, words)
    ferry.run("status")


def data_folder_that_is_a_file__is_refused():
    ferry = Ferry()
    os.rmdir(ferry.data)
    open(ferry.data, "w").close()
    code, words = begin(ferry)
    assert code == 2 and "0x" in words, (code, words)


def configuration_with_a_slip__is_said_and_the_defaults_serve():
    ferry = Ferry()
    with open(os.path.join(ferry.data, "ferry.jsonc"), "w") as file:
        file.write('{\n  "transfer": { "checkpoint_byte": 1 }\n}\n')
    check = subprocess.run(ferry.serve[:-1 if len(ferry.serve) == 2 else -5] +
                           ["check-config", native(os.path.join(ferry.data, "ferry.jsonc"))], env=ferry.environment,
                           capture_output=True, text=True, timeout=60)
    assert check.returncode == 2 and "line 2" in check.stderr and "checkpoint_bytes" in check.stderr, check
    ferry.start()
    event = [event for event in ferry.events() if event["id"] == 1006]
    assert len(event) == 1 and "checkpoint_bytes" in event[0]["message"], event


run(acknowledged_submits__survive_a_kill_at_once, damaged_database__is_kept_aside_and_said,
    newer_database__is_refused_and_left_alone, database_of_another_program__is_refused_and_left_alone,
    file_that_is_no_database__is_refused_and_left_alone, second_daemon__is_refused_and_the_first_goes_on,
    data_folder_that_is_a_file__is_refused, configuration_with_a_slip__is_said_and_the_defaults_serve)
