"""Metrics of the real service: read by a real parser, they say what was done, name nobody, and are whole in the file."""
import json
import os
import re
import sys
import threading
import time

from ground import GROUND, SOURCE, Bridge, Ferry, Nginx, native, run, skip, wait_until

sys.path.append("/usr/lib/python3/dist-packages")  # where Debian puts it, whichever python3 comes first
try:
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    skip("python3-prometheus-client is not installed")


def parsed(text):
    """{name: {label value or "": value}}, and {name: (type, help, label)}."""
    assert text.endswith("\n") and "\r" not in text
    values, about = {}, {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            assert len(sample.labels) <= 1 and sample.timestamp is None, sample
            label, value = next(iter(sample.labels.items()), ("", ""))
            assert value not in values.setdefault(sample.name, {}), sample
            values[sample.name][value] = sample.value
            about[sample.name] = (family.type, family.documentation, label)
    return values, about


def table():
    """What metrics.def says: {name: (type, help, label)}."""
    with open(os.path.join(SOURCE, "daemon", "core", "metrics.def")) as file:
        rows = re.findall(r'^METRIC\(\w+, "(\w+)", "(\w+)", "(\w*)", "(.+)"\)$', file.read(), re.M)
    assert len(rows) > 20
    return {name: (kind, help, label) for name, kind, label, help in rows}


def use(ferry, nginx):
    nginx.file("a.bin", 300000)
    ferry.submit(nginx, ["a.bin"])
    ferry.run("submit", "--name", "Secret Name", nginx.url("none.bin?secret"), ferry.destination("n.bin"), check=False)
    ferry.run("resume", "00000000-0000-4000-8000-000000000000", check=False)  # refused
    ferry.run("submit", "--no-wait", "http://127.0.0.1:9/x", ferry.destination("x.bin"))
    wait_until(lambda: any(job["state"] == "TRANSIENT_ERROR" for job in ferry.jobs()), 30, "it is tried again")


def metrics__after_use__say_what_was_done():
    ferry = Ferry().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    before = time.time()
    use(ferry, nginx)
    text = ferry.run("metrics").stdout
    values, about = parsed(text)
    assert about == {name: row for name, row in table().items() if name in about}
    assert set(table()) == set(about), set(table()) ^ set(about)
    assert set(values["ferry_jobs"]) == {"QUEUED", "CONNECTING", "TRANSFERRING", "SUSPENDED", "ERROR", "TRANSIENT_ERROR", "TRANSFERRED",
                                         "ACKNOWLEDGED", "CANCELLED"}
    assert values["ferry_jobs"]["ACKNOWLEDGED"] == 1 and values["ferry_jobs"]["ERROR"] == 1, values["ferry_jobs"]
    assert values["ferry_jobs_waiting"]["retry-at"] == 1, values["ferry_jobs_waiting"]
    assert values["ferry_jobs_created_total"][""] == 3
    assert values["ferry_files_landed_total"][""] == 1
    assert values["ferry_fetched_bytes_total"][""] == 300000
    assert values["ferry_fetches_total"]["OK"] == 1 and values["ferry_fetches_total"]["HTTP_STATUS"] == 1
    assert values["ferry_job_failures_total"] == {"HTTP_STATUS": 1}
    assert values["ferry_job_retries_total"]["CONNECT_FAILED"] >= 1
    assert values["ferry_client_connections"][""] == 1  # who asks
    assert values["ferry_queue_writable"][""] == 1 and values["ferry_queue_failures_total"][""] == 0
    assert values["ferry_queue_commits_total"][""] >= 3
    assert values["ferry_events_total"]["error"] == 1 and values["ferry_events_total"]["info"] > 5
    assert before - 60 < values["ferry_start_time_seconds"][""] < time.time()
    for name in ("secret", "Secret Name", "127.0.0.1", "a.bin", ferry.jobs()[0]["id"], ferry.jobs()[0]["owner"]):
        assert name not in text, name
    assert parsed(ferry.json("metrics")[0]["metrics"])[0]["ferry_jobs"] == values["ferry_jobs"]
    nginx.close()
    ferry.close()


def metrics__of_requests_that_are_refused__count_them_by_outcome():
    ferry = Ferry().start()
    bridge = Bridge(ferry)
    bridge.hello()
    bridge.call("job.get", handle=99)
    bridge.call("job.create", name="x", files=[{"url": "nonsense", "path": "/x"}])
    values, _ = parsed(bridge.ok("service.metrics")["text"])
    assert values["ferry_requests_refused_total"] == {"BAD_HANDLE": 1, "BAD_URL": 1}, values["ferry_requests_refused_total"]
    bridge.close()
    ferry.close()


def the_file__while_it_is_written_anew__is_always_whole():
    """The service is made to write it as often as can be, by reloads; who reads meanwhile never sees a part of one."""
    ferry = Ferry()
    folder = os.path.join(ferry.folder, "collected")
    path = os.path.join(folder, "ferry.prom")
    os.mkdir(folder)
    with open(os.path.join(ferry.data, "ferry.jsonc"), "w") as file:
        json.dump({"metrics": {"textfile_folder": [native(folder)]}}, file)
    ferry.start()
    wait_until(lambda: os.path.exists(path), 30, "it is written at the start")
    seen, done = set(), threading.Event()

    def read():
        while not done.is_set():
            with open(path, encoding="utf-8", newline="") as file:
                seen.add(file.read())
    reader = threading.Thread(target=read)
    reader.start()
    bridge = Bridge(ferry)
    bridge.hello()
    for _ in range(40):
        bridge.ok("config.reload")
    done.set()
    reader.join()
    assert len(seen) > 1, "it did not change"
    for text in seen:
        values, about = parsed(text)
        assert set(table()) - set(about) <= {name for name, row in table().items() if row[2] == "result"}
    assert os.listdir(folder) == ["ferry.prom"], os.listdir(folder)
    bridge.close()
    ferry.close()


def the_file__in_a_folder_that_is_not_there__is_told_and_nothing_else_fails():
    missing = native("/no-such-folder-of-metrics")
    ferry = Ferry({"metrics": {"textfile_folder": [missing]}}).start()
    told = [event["message"] for event in ferry.events() if event["id"] == 1090]
    assert len(told) == 1 and missing in told[0], told
    ferry.run("metrics")
    ferry.close()


def the_file__in_a_folder_that_others_may_write_to__is_refused_and_told():
    if GROUND != "linux":
        print("SKIPPED on wine: who else may write to a folder (tests/windows/test_folder.c)")
        return
    ferry = Ferry()
    folder = os.path.join(ferry.folder, "collected")
    os.mkdir(folder)
    os.chmod(folder, 0o777)
    with open(os.path.join(ferry.data, "ferry.jsonc"), "w") as file:
        json.dump({"metrics": {"textfile_folder": [folder]}}, file)
    ferry.start()
    told = [event for event in ferry.events() if event["id"] == 1090]
    assert len(told) == 1 and told[0]["error"] == "ACCESS_REFUSED" and folder in told[0]["why"], told
    assert os.listdir(folder) == [], os.listdir(folder)
    ferry.close()


def every_metric__is_on_the_page():
    with open(os.path.join(SOURCE, "docs", "monitoring.md")) as file:
        page = file.read()
    named = set(re.findall(r"\bferry_[a-z_]+", page))
    assert set(table()) <= named, set(table()) - named
    assert named <= set(table()), named - set(table())


run(metrics__after_use__say_what_was_done, metrics__of_requests_that_are_refused__count_them_by_outcome,
    the_file__while_it_is_written_anew__is_always_whole, the_file__in_a_folder_that_is_not_there__is_told_and_nothing_else_fails,
    the_file__in_a_folder_that_others_may_write_to__is_refused_and_told,
    every_metric__is_on_the_page)
