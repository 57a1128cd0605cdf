"""A stop with active transfers: checkpointed and down within 2 s; the next start goes on from there."""
import os

from ground import GROUND, MIB, Ferry, Nginx, run, skip, wait_until

if GROUND != "linux":
    skip("stopping is tested through the service manager by whole.service")
LARGE = 30 * MIB


def stopped_with_active_transfers__is_down_in_2_s_and_goes_on():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=6 * MIB)
    names = [f"large-{i}.bin" for i in range(4)]
    for name in names:
        nginx.file(name, LARGE // 4)
    ferry.start()
    client = ferry.submit(nginx, names, spawn=True)
    wait_until(lambda: ferry.bytes_written() > 2 * MIB, 30, "some of it written")
    took, code = ferry.terminate()
    assert code == 0 and took < 2, f"exit code {code} after {took:.2f} s"
    ferry.start()
    output, _ = client.communicate(timeout=60)
    assert client.returncode == 0, output
    ferry.check_landed(nginx, names)
    fetched = sum(sent for _, _, sent, _ in nginx.requests())
    # What was written is synced and recorded at a stop; only what the sockets held comes again.
    assert fetched <= LARGE // 4 * 4 + 4 * 4 * MIB, fetched
    resumed = [name for name, status, _, first in nginx.requests() if status == 206 and first > 0]
    assert sorted(resumed) == sorted(names), nginx.requests()
    assert [event["id"] for event in ferry.events()].count(1001) == 1


def stopped_while_idle__is_down_at_once():
    ferry = Ferry().start()
    took, code = ferry.terminate()
    assert code == 0 and took < 2, f"exit code {code} after {took:.2f} s"


run(stopped_with_active_transfers__is_down_in_2_s_and_goes_on, stopped_while_idle__is_down_at_once)
