"""What the log tells of submits: which program made a job, and what joins all events about it."""
import os
import uuid

from ground import GROUND, Bridge, Ferry, Nginx, run


def of_job(ferry, job):
    return [event for event in ferry.events() if event.get("job") == job]


def shown(ferry, name):
    return [job for job in ferry.jobs() if job["name"] == name][0]


def submit__its_program_and_a_correlation_id__are_in_every_event_about_the_job():
    ferry = Ferry().start()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    nginx.file("a.bin", 1000)
    mine = str(uuid.uuid4())
    ferry.submit(nginx, ["a.bin"], "--name", "mine", "--correlation", mine.upper())
    ferry.submit(nginx, ["a.bin"], "--name", "its own")
    own = shown(ferry, "its own")
    assert shown(ferry, "mine")["correlation"] == mine
    assert own["correlation"] not in (mine, own["id"]) and uuid.UUID(own["correlation"])
    for name, correlation in (("mine", mine), ("its own", own["correlation"])):
        job = shown(ferry, name)
        events = of_job(ferry, job["id"])
        assert [event["id"] for event in events] == [3, 16403, 1, 59, 60, 1007, 4], events
        for event in events:
            assert event["correlation"] == correlation and event["owner"] == job["owner"], event
            assert event["name"] == name and event["program"] == events[0]["image"], event
            # The asker is a process of its own; which one is known of what it asked for.
            assert event["id"] not in (3, 16403, 1) or (event["pid"] > 0 and event["caller"] == job["owner"]), event
        assert os.path.basename(events[0]["program"].replace("\\", "/")) == ("ferry" if GROUND == "linux" else "ferry.exe")
        assert events[0]["pid"] == events[2]["pid"]
        assert (events[3]["offset"], events[4]["bytes"], events[6]["files"]) == (0, 1000, 1)
        assert events[3]["network_sid"] == events[3]["file_sid"] == job["owner"]
    assert ferry.run("submit", nginx.url("a.bin"), ferry.destination("x"), "--correlation", "no-uuid", check=False).returncode == 4


def correlation__of_a_job_found_by_its_key__is_that_of_the_first_submit():
    ferry = Ferry().start()
    bridge = Bridge(ferry)
    bridge.hello()
    first, second = str(uuid.uuid4()), str(uuid.uuid4())
    made = bridge.ok("job.create", name="n", key="k", correlation=first)
    found = bridge.ok("job.create", name="n", key="k", correlation=second)
    assert made["created"] and not found["created"]
    assert made["job"]["correlation"] == found["job"]["correlation"] == first
    bridge.close()
    ferry.kill()
    ferry.start()  # it is kept
    assert shown(ferry, "n")["correlation"] == first


def refusals__by_a_policy_and_of_others_jobs__are_told_with_who_asked():
    secret = "s3cr3t-of-the-query"
    ferry = Ferry({"allow": {"hosts": ["good.example"]}}).start()
    bridge = Bridge(ferry)
    bridge.hello()
    mine = str(uuid.uuid4())
    answer = bridge.call("job.create", name="n", correlation=mine,
                         files=[{"url": f"http://user:{secret}@bad.example/x?{secret}", "path": ferry.destination("x")}])
    assert "error" in answer, answer
    for _ in range(20):
        bridge.call("job.create", name="n", files=[{"url": "http://bad.example/x", "path": ferry.destination("x")}])
    for _ in range(3):  # answered in a turn to come, or at once by the one who looks ahead
        assert "error" in bridge.call("auth.test", url="http://bad.example/x")
        assert "error" in bridge.call("proxy.show", url="http://bad.example/x")
    bridge.ok("job.create", name="good")
    bridge.close()
    told = [event for event in ferry.events() if event["id"] == 1035]
    assert [event["method"] for event in told[20:]] == ["auth.test", "proxy.show"] * 3, told
    assert all(event["caller"] == told[0]["caller"] and event["pid"] == told[0]["pid"] for event in told), told
    assert len(told) == 26 and told[0]["method"] == "job.create", told
    assert told[0]["caller"] and told[0]["pid"] > 0 and os.path.basename(told[0]["image"].replace("\\", "/")).startswith("ferry")
    assert secret not in str(ferry.events())


run(refusals__by_a_policy_and_of_others_jobs__are_told_with_who_asked,
    submit__its_program_and_a_correlation_id__are_in_every_event_about_the_job,
    correlation__of_a_job_found_by_its_key__is_that_of_the_first_submit)
