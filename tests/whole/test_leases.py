"""Leases as a person at the command line meets them: shown, renewed, kept by the queue; and `ferry purge`."""
import os
import sqlite3
import time

from ground import Ferry, run

URL = "http://127.0.0.1:9/x"
DAY_MS = 24 * 3600 * 1000


def prepare(names, settings=(), *options):
    """A daemon with resting jobs of these names; their ids."""
    ferry = Ferry(settings).start()
    ids = []
    for i, name in enumerate(names):
        done = ferry.run("submit", "--suspended", "--name", name, *options, URL, ferry.destination(f"{i}"))
        ids.append(done.stdout.split()[0])
    return ferry, ids


def age(ferry, ids, days):
    """Let it be days ago that anything happened to these jobs."""
    ferry.kill()
    with sqlite3.connect(os.path.join(ferry.data, "queue.sqlite3")) as connection:
        for job in ids:
            changed = connection.execute("UPDATE job SET modified_ms = modified_ms - ?1, "
                                         "progress_ms = progress_ms - ?1 WHERE id = ?2", (days * DAY_MS, job)).rowcount
            assert changed == 1, job
    connection.close()
    ferry.start()


def show(ferry, job):
    return ferry.json("show", job)[0]["job"]


def states(ferry):
    return {job["id"]: job["state"] for job in ferry.jobs()}


def lease__is_shown_and_renewed_and_survives_a_kill():
    ferry, (job,) = prepare(["Nightly"], None, "--lease", "2h")
    before = show(ferry, job)
    assert before["lease_s"] == 7200 and before["lease_ends_ms"] == before["modified_ms"] + 7200 * 1000, before
    assert abs(before["modified_ms"] - time.time() * 1000) < DAY_MS, before
    words = ferry.run("show", "Nightly").stdout
    assert "\n  lease        ends 20" in words and "every change renews it for 2:00:00" in words, words

    said = ferry.run("renew", job).stdout
    after = show(ferry, job)
    assert said.startswith(f"{job[:8]} 'Nightly': the lease ends 20"), said
    assert after["lease_s"] == 7200 and after["lease_ends_ms"] > before["lease_ends_ms"], (before, after)
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"modified_ms", "lease_ends_ms"}, changed

    (line,) = ferry.json("renew", "--lease", "365d", "Nightly")
    assert line["job"]["lease_s"] == 365 * 86400, line
    ferry.kill()
    ferry.start()
    assert show(ferry, job) == line["job"]
    assert show(ferry, job)["lease_ends_ms"] == line["job"]["lease_ends_ms"]  # looking does not renew it


def lease__that_is_not_given__is_the_configured_one():
    ferry, (job,) = prepare(["Nightly"], {"queue": {"lease_s": 86400}})
    assert show(ferry, job)["lease_s"] == 86400


def lease__too_short_or_of_a_finished_job__is_refused():
    ferry, (job,) = prepare(["Nightly"])
    done = ferry.run("renew", "--lease", "59", job, check=False)
    assert done.returncode == 4 and "lease_s" in done.stderr and "0x80070057" in done.stderr, done
    ferry.run("cancel", job)
    assert show(ferry, job)["lease_ends_ms"] is None
    done = ferry.run("renew", job, check=False)
    assert done.returncode == 4 and "INVALID_STATE" in done.stderr, done


def purge__takes_what_is_old_and_tells_each():
    names = ["leaked", "leaked", "other", "leaked"]
    ferry, ids = prepare(names)
    age(ferry, ids[:3], 4)

    assert ferry.run("purge", "--older-than", "5d").stdout == "0 jobs were cancelled.\n"
    done = ferry.run("purge", check=False)
    assert done.returncode == 1 and "--older-than" in done.stderr, done
    assert set(states(ferry).values()) == {"SUSPENDED"}

    said = ferry.run("purge", "--older-than", "3d", "--name", "leaked").stdout
    expected = "".join(f"{job[:8]} 'leaked': CANCELLED\n" for job in ids[:2]) + "2 jobs were cancelled.\n"
    assert said == expected, said
    assert states(ferry) == dict(zip(ids, ["CANCELLED", "CANCELLED", "SUSPENDED", "SUSPENDED"])), states(ferry)

    ferry.run("renew", ids[2])
    assert ferry.json("purge", "--older-than", "3d") == []
    age(ferry, ids[2:3], 4)
    (line,) = ferry.json("purge", "--older-than", "3d")
    assert line["job"]["id"] == ids[2] and line["job"]["state"] == "CANCELLED", line
    assert states(ferry)[ids[3]] == "SUSPENDED"


def purge__of_more_than_a_connection_may_open__takes_all():
    ferry, ids = prepare(["n"] * 5, {"door": {"handles_per_connection_max": 2}})
    assert ferry.run("purge", "--older-than", "0").stdout.endswith("\n5 jobs were cancelled.\n")
    assert set(states(ferry).values()) == {"CANCELLED"}


def purge__of_everybody__is_for_administrators():
    ferry, ids = prepare(["n"])
    elevated = ferry.json("status")[0]["service"]["elevated"]
    done = ferry.run("purge", "--older-than", "0", "--everyone", check=False)
    assert done.returncode == (0 if elevated else 4), done
    assert states(ferry)[ids[0]] == ("CANCELLED" if elevated else "SUSPENDED")


run(lease__is_shown_and_renewed_and_survives_a_kill, lease__that_is_not_given__is_the_configured_one,
    lease__too_short_or_of_a_finished_job__is_refused, purge__takes_what_is_old_and_tells_each,
    purge__of_more_than_a_connection_may_open__takes_all, purge__of_everybody__is_for_administrators)
