#!/usr/bin/env python3
"""The story of a day, read back from the log that tests/sim/test_day.c leaves: with nothing but docs/events.md, which says what
each event is, what its fields mean and where they stand."""
import datetime
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

GROUND = os.environ["FERRY_GROUND"]


def read_page():
    """By their ids: level, name, sentence and fields in their positions; and what each field is."""
    events, fields = {}, {}
    for line in (Path(os.environ["FERRY_SOURCE"]) / "docs/events.md").read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 6 and cells[0].isdigit():
            numbered = re.findall(r"(\d+) `(\w+)`", cells[4])
            assert [int(number) for number, _ in numbered] == list(range(1, len(numbered) + 1)), line
            events[int(cells[0])] = {"level": cells[1], "name": cells[2].strip("`"), "sentence": cells[3].replace("\\|", "|"),
                                     "fields": [name for _, name in numbered], "advice": cells[5]}
        elif len(cells) == 2 and re.fullmatch(r"`\w+`", cells[0]):
            fields[cells[0].strip("`")] = cells[1]
    return events, fields


def run_day():
    name = "test_sim_day" if GROUND == "linux" else "test_sim_day.exe"
    program = os.path.join(os.environ["FERRY_BIN"], "tests", name)
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "day.jsonl")
        seen_there = "Z:" + log.replace("/", "\\") if GROUND == "wine" else log
        command = [os.environ["FERRY_WINE"], program] if GROUND == "wine" else [program]
        done = subprocess.run(command, env=dict(os.environ, FERRY_DAY=seen_there), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", timeout=250)
        assert done.returncode == 0, done.stdout + done.stderr
        with open(log, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


EVENTS, FIELDS = read_page()


def check_line(line):
    """It is what the page says of its id."""
    told = EVENTS[line["id"]]
    assert line["event"] == told["name"].lower().replace("_", "-") and line["level"] == told["level"], line
    assert list(line)[:5] == ["time", "id", "event", "level", "message"] and list(line)[5:] == told["fields"], line
    assert line["message"] == re.sub(r"\{(\w+)\}", lambda field: str(line[field.group(1)]), told["sentence"]), line
    assert all(field in FIELDS for field in told["fields"]) and told["advice"], line


class Day:
    """The log, read from the top; `now` is the event that was read last.  What was not told comes when its time is over."""

    def __init__(self, lines):
        untold = [line for line in lines if EVENTS[line["id"]]["name"] == "NOT_TOLD"]
        self.lines, self.at, self.now = [line for line in lines if line not in untold], 0, None
        self.retries_untold = sum(line["count"] for line in untold if line["kind"] == "retries")

    def then(self, event, /, **wanted):
        """The next event is that one, with these fields."""
        self.now = self.lines[self.at]
        self.at += 1
        told = {field: self.now.get(field) for field in wanted}
        assert EVENTS[self.now["id"]]["name"] == event and told == wanted, (event, wanted, self.now)
        return self.now

    def next_is(self, name):
        return EVENTS[self.lines[self.at]["id"]]["name"] == name

    def time(self):
        return datetime.datetime.fromisoformat(self.now["time"].replace("Z", "+00:00"))


OWNER, NEIGHBOUR, HELPER = "S-1-5-21-1-1-1-1001", "S-1-5-21-1-1-1-1002", "S-1-5-21-1-1-1-2001"
UPDATER, AGENT = "C:\\Acme\\updater.exe", "C:\\Build\\agent.exe"
SUBMITS = {name: f"{letter * 8}-0000-4000-8000-{number:012}" for number, (letter, name) in
           enumerate(zip("abcdef", ("updates", "sources", "tool", "licensed", "forbidden", "late")), 1)}


def submitted(day, name, owner, program, files):
    """A program makes a job; what is asked for of it has its process and its session."""
    made = day.then("JOB_CREATED", name=name, owner=owner, caller=owner, image=program, program=program, files=files,
                    network_sid="", file_sid="")
    assert made["pid"] > 0 and made["session"] in (1, 3), made
    for _ in range(files):
        added = day.then("FILE_ADDED", job=made["job"], image=program, pid=made["pid"])
        assert re.fullmatch(r"http://sim\.test/\d+\?\.\.\.", added["url"]), "no query"
    return made


def resumed(day, made):
    day.then("JOB_RESUMED", job=made["job"], caller=made["owner"], image=made["image"])


def arrived(day, made, sid=None):
    """Its files come, in whatever order, and get their places; it is complete."""
    bytes_fetched, places = 0, set()
    while not day.next_is("JOB_COMPLETED"):
        event = day.then(EVENTS[day.lines[day.at]["id"]]["name"], job=made["job"])
        assert EVENTS[event["id"]]["name"] in ("FILE_STARTED", "FILE_STOPPED", "FILE_PUBLISHED"), event
        assert event["network_sid"] == (sid or made["owner"]) and event["file_sid"] == made["owner"], event
        if EVENTS[event["id"]]["name"] == "FILE_STOPPED":
            bytes_fetched += event["bytes"]
        elif EVENTS[event["id"]]["name"] == "FILE_PUBLISHED":
            places.add(event["path"])
    assert len(places) == made["files"]
    day.then("JOB_COMPLETED", job=made["job"], files=made["files"], bytes=bytes_fetched)


def morning(day):
    day.then("NETWORK_REACH", reach="there")
    day.then("SERVICE_STARTED", jobs=0, running=0)
    day.then("OWNER_PRESENT", identity=OWNER)
    made = submitted(day, "updates", OWNER, UPDATER, 2)
    resumed(day, made)
    arrived(day, made)
    day.then("OWNER_PRESENT", identity=NEIGHBOUR)
    made = submitted(day, "sources", NEIGHBOUR, AGENT, 1)
    resumed(day, made)
    arrived(day, made)


def failure(day):
    """It fails for half an hour; the first retry is told, then one in ten minutes, and the number of the others is right."""
    made = submitted(day, "tool", OWNER, UPDATER, 1)
    resumed(day, made)
    begun, told, attempt, last = day.time(), 0, 0, None
    while True:
        day.then("FILE_STARTED", job=made["job"])
        if day.next_is("FILE_STOPPED"):
            break
        day.then("FILE_FAILED", job=made["job"], error="CONNECT_FAILED", http_status=0)
        if day.next_is("JOB_RETRIES"):
            event = day.then("JOB_RETRIES", job=made["job"], error="CONNECT_FAILED", wait="retry-at")
            told += 1
            assert event["attempt"] > attempt and event["next_try"] > event["time"], event
            assert last is None or day.time() - last >= datetime.timedelta(minutes=10), event
            attempt, last = event["attempt"], day.time()
    assert 2 <= told <= 4 and attempt <= told + day.retries_untold, (told, attempt, day.retries_untold)
    day.at -= 1
    arrived(day, made)
    assert datetime.timedelta(minutes=29) < day.time() - begun < datetime.timedelta(minutes=45)


def helper(day):
    """Lent, lost with the session, so that the job is in error; lent again, and it goes on as the helper."""
    made = submitted(day, "licensed", OWNER, UPDATER, 1)
    day.then("HELPER_FLAGS", job=made["job"], caller=OWNER, flags="network")
    day.then("HELPER_SET", job=made["job"], caller=OWNER, image=UPDATER, helper=HELPER, logon="interactive", life="session")
    resumed(day, made)
    day.then("FILE_STARTED", job=made["job"], network_sid=HELPER, file_sid=OWNER)
    day.then("HELPER_LOST", job=made["job"], helper=HELPER, why="the session it came from ended")
    day.then("JOB_FAILED", job=made["job"], error="TOKEN_REQUIRED")
    day.then("HELPER_REATTACHED", job=made["job"], caller=OWNER, helper=HELPER)
    resumed(day, made)
    arrived(day, made, sid=HELPER)


def trouble(day):
    """A policy, a configuration, the network, the disk."""
    day.then("REFUSED", caller=NEIGHBOUR, image=AGENT, method="job.create", error="BLOCKED_BY_POLICY",
             correlation=SUBMITS["forbidden"])
    assert "allow.destinations" in day.now["why"], "which setting it was"
    day.then("RELOAD_REFUSED")
    assert "line 1, column 1" in day.now["why"]
    day.then("SETTINGS_RELOADED", later="nothing")
    assert day.now["now"] == "queue.background_jobs_max 4 -> 7"
    day.then("NETWORK_REACH", reach="gone")
    day.then("NETWORK_REACH", reach="there")
    day.then("NETWORK_COST", metered="is", roaming="is not", battery_saver="off")
    day.then("NETWORK_COST", metered="is not", roaming="is not", battery_saver="off")
    day.then("STORE_TROUBLE", error="STORE_BUSY")
    day.then("STORE_RECOVERED", seconds=5)


def evening(day):
    made = submitted(day, "late", OWNER, UPDATER, 1)
    resumed(day, made)
    arrived(day, made)
    made = submitted(day, "not meant", OWNER, UPDATER, 1)
    day.then("JOB_CHANGED", job=made["job"], properties="priority retry_delay_s")
    day.then("JOB_CANCELLED", job=made["job"], program=UPDATER, caller=OWNER, image="C:\\Windows\\System32\\ferry.exe")
    day.then("SERVICE_STOPPED")
    assert day.at == len(day.lines), day.lines[day.at:]


def check_submits(lines):
    """The correlation id is what joins the events of one submit, and no others."""
    for name, correlation in SUBMITS.items():
        joined = [line for line in lines if line.get("correlation") == correlation]
        jobs = {line["job"] for line in joined}
        assert len(jobs) == 1, (name, jobs)
        of_job = [line for line in lines if line.get("job") and line["job"] in jobs]
        assert (joined == of_job) if name != "forbidden" else (jobs == {""} and len(joined) == 1), name
    for line in lines:  # an event about a job: the same fields in the same positions
        fields = EVENTS[line["id"]]["fields"]
        if "name" in fields:
            assert fields[:7] == ["job", "name", "owner", "correlation", "network_sid", "file_sid", "program"], fields


day = Day(run_day())
for one in day.lines:
    check_line(one)
for chapter in (morning, failure, helper, trouble, evening):
    chapter(day)
    print(f"ok     {chapter.__name__}", flush=True)
check_submits(day.lines)
assert "s3same" not in json.dumps(day.lines), "a query is in the log"
sys.exit(0)
