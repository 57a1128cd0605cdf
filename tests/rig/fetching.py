"""fetch_as.c: two threads of one process ask as two identities; the server's log tells whom it took them for."""
import collections
import os
import subprocess

from ground import program, wait_until


def fetch_as(way, multi, server, url, identities, environment, times=50, start=(), proxy=None):
    """For each of the two numbers, how often the server answered it with 200, by the user that it saw."""
    before = len(server.requests())
    command = [*start, *program("tests/fetch_as"), way, multi, str(times), url, *map(str, identities)]
    done = subprocess.run(command + [proxy] * bool(proxy), env=dict(os.environ, **environment), capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, (done.stdout, done.stderr)

    def served():
        return [seen for seen in server.requests()[before:] if seen.status == 200]

    wait_until(lambda: len(served()) == 2 * times, 10, f"{server.log} tells of {2 * times} answers")
    users = {number: collections.Counter() for number in identities}
    for seen in served():
        users[int(seen.url.rpartition("?")[2])][seen.user] += 1
    return users
