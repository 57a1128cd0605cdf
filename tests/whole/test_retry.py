"""When a server is asked again, as a real one sees it."""
import os
import time

from ground import Bridge, Ferry, Nginx, run, wait_until


def busy_server__is_asked_again_when_it_said_and_not_before():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    bridge = Bridge(ferry)
    bridge.hello()
    handle = bridge.ok("job.create", name="Later",
                       files=[{"url": nginx.url("busy/a.bin"), "path": ferry.destination("a.bin")}])["handle"]
    bridge.ok("job.resume", handle=handle)

    def waits():
        job = bridge.ok("job.get", handle=handle, limit=0)["job"]
        return job if job["state"] == "TRANSIENT_ERROR" else None

    job = wait_until(waits, 30, "the job waits")
    assert (job["wait"]["reason"], job["error"]["result"]) == ("retry-at", "HTTP_TRANSIENT"), job
    until = job["wait"]["next_try_ms"]
    # A tenth is chance; and the head may have come a moment before the state changed.
    assert 3900 <= until - job["wait"]["since_ms"] <= 4500, job["wait"]
    wait_until(lambda: len(nginx.requests()) > 1, 30, "it is asked again")
    assert time.time() * 1000 >= until
    assert [status for _, status, _, _ in nginx.requests()] == [503, 503], nginx.requests()
    bridge.ok("job.cancel", handle=handle)
    bridge.close()
    nginx.close()
    ferry.close()


run(busy_server__is_asked_again_when_it_said_and_not_before)
