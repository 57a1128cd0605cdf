"""Every method over the real door; each message is held against schema/protocol.schema.json as it passes (ground.Bridge)."""
import os

from ground import MIB, Bridge, Ferry, Nginx, run, wait_until


def prepare():
    ferry = Ferry({"transfer": {"stall_timeout_s": 5}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=2 * MIB)
    for name in ("a.bin", "b.bin", "large.bin"):
        nginx.file(name, 6 * MIB if name == "large.bin" else 3000)
    ferry.start()
    bridge = Bridge(ferry)
    return ferry, nginx, bridge


def file(ferry, nginx, name):
    return {"url": nginx.url(name), "path": ferry.destination(name)}


def each_method__does_what_it_says():
    ferry, nginx, bridge = prepare()
    assert bridge.call("job.list")["error"]["data"]["result"] == "HELLO_REQUIRED"
    hello = bridge.hello()
    assert hello["protocol"] == 1 and hello["owner"]
    made = bridge.ok("job.create", name="one", description="two\nlines", priority="high", retry_delay_s=7)
    handle, job = made["handle"], made["job"]
    assert (job["state"], job["priority"], job["retry_delay_s"]) == ("SUSPENDED", "high", 7)
    assert bridge.call("job.resume", handle=handle)["error"]["data"]["hresult"] == "0x80200003"
    bridge.ok("events.subscribe", handle=handle)
    assert bridge.ok("job.addFiles", handle=handle, files=[file(ferry, nginx, "large.bin")])["job"]["files"]["total"] == 1
    bridge.ok("job.setProperties", handle=handle, name="renamed", priority="foreground")
    assert bridge.ok("job.resume", handle=handle)["job"]["state"] in ("QUEUED", "CONNECTING")
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["state"] == "TRANSFERRING", 20, "it transfers")
    assert bridge.ok("job.suspend", handle=handle)["job"]["state"] == "SUSPENDED"
    bridge.ok("job.resume", handle=handle)
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["state"] == "TRANSFERRED", 20, "it is fetched")
    got = bridge.ok("job.get", handle=handle, limit=10)
    assert got["files"][0]["state"] == "transferred" and got["job"]["name"] == "renamed"
    bridge.ok("job.complete", handle=handle)
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["state"] == "ACKNOWLEDGED", 20, "it is complete")
    ferry.check_landed(nginx, ["large.bin"])
    states = [note["params"]["job"]["state"] for note in bridge.notifications if note["method"] == "job.changed"]
    assert "CONNECTING" in states and "TRANSFERRING" in states, states
    assert bridge.call("job.resume", handle=handle)["error"]["data"]["hresult"] == "0x80200002"
    service = bridge.ok("service.status")["service"]
    assert service["jobs_queued"] == 0
    bridge.close()


def cancelled_in_the_middle__leaves_nothing_behind():
    ferry, nginx, bridge = prepare()
    bridge.hello()
    handle = bridge.ok("job.create", name="c", files=[file(ferry, nginx, "large.bin")])["handle"]
    bridge.ok("job.resume", handle=handle)
    wait_until(ferry.partials, 20, "a partial file")
    assert bridge.ok("job.cancel", handle=handle)["job"]["state"] == "CANCELLED"
    wait_until(lambda: not os.listdir(ferry.landed), 20, "the partial file is gone")
    bridge.close()


def completed_before_the_end__keeps_what_is_whole():
    ferry, nginx, bridge = prepare()
    bridge.hello()
    files = [file(ferry, nginx, name) for name in ("large.bin", "a.bin")]
    handle = bridge.ok("job.create", name="c", files=files)["handle"]
    bridge.ok("job.resume", handle=handle)
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["files"]["transferred"] == 1, 20, "a.bin is whole")
    bridge.ok("job.complete", handle=handle)
    wait_until(lambda: bridge.ok("job.get", handle=handle)["job"]["state"] == "ACKNOWLEDGED", 20, "it is complete")
    assert os.listdir(ferry.landed) == ["a.bin"], os.listdir(ferry.landed)
    bridge.close()


def no_handle_left__creates_no_job_either():
    ferry = Ferry({"door": {"handles_per_connection_max": 2}}).start()
    bridge = Bridge(ferry)
    bridge.hello()
    for name in ("one", "two"):
        bridge.ok("job.create", name=name)
    assert bridge.call("job.create", name="three")["error"]["data"]["result"] == "TOO_MANY_HANDLES"
    assert [job["name"] for job in bridge.ok("job.list")["jobs"]] == ["one", "two"]
    other = Bridge(ferry)
    other.hello()
    assert other.call("job.get", handle=1)["error"]["data"]["result"] == "BAD_HANDLE"  # it is the first connection's
    assert other.call("job.create", name="four", files=[{"url": "ftp://h/x", "path": "x"}])["error"]
    for name in ("four", "five"):  # a refused call keeps no handle
        other.ok("job.create", name=name)
    bridge.close()
    other.close()


run(each_method__does_what_it_says, cancelled_in_the_middle__leaves_nothing_behind,
    completed_before_the_end__keeps_what_is_whole, no_handle_left__creates_no_job_either)
