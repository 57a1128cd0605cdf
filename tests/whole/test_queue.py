"""What was acknowledged is kept through a kill; a slip in the configuration stops nobody."""
import os
import subprocess

from ground import Ferry, native, run


def acknowledged_submits__survive_a_kill_at_once():
    ferry = Ferry().start()
    ids = [ferry.run("submit", "--suspended", "--no-wait", "--name", f"job {i}", "http://127.0.0.1:9/x",
                     ferry.destination(f"{i}")).stdout.split()[0] for i in range(10)]
    ferry.kill()
    ferry.start()
    assert sorted(job["id"] for job in ferry.jobs()) == sorted(ids)


SLIP = '{\n  "transfer": { "checkpoint_byte": 1 },\n  "queue": { "slice_s": 1 }\n}\n'


def write_slip(ferry):
    with open(os.path.join(ferry.data, "ferry.jsonc"), "w") as file:
        file.write(SLIP)


def configuration_with_a_slip__is_said_and_the_last_good_one_serves():
    ferry = Ferry({"queue": {"slice_s": 60}}).start()
    ferry.kill()
    write_slip(ferry)
    check = subprocess.run(ferry.serve[:-1 if len(ferry.serve) == 2 else -5] +
                           ["check-config", native(os.path.join(ferry.data, "ferry.jsonc"))], env=ferry.environment,
                           capture_output=True, text=True, timeout=60)
    assert check.returncode == 2 and "line 2" in check.stderr and "checkpoint_bytes" in check.stderr, check
    assert "line 3, column 25: queue.slice_s: 1 is not a whole number from 10 to 86400" in check.stderr, check
    for _ in range(2):  # it is not forgotten by starting with it
        ferry.start()
        settings = {line["setting"]["key"]: line["setting"] for line in ferry.json("config", "show")}
        assert settings["queue.slice_s"] == {"key": "queue.slice_s", "value": 60, "layer": "last-good",
                                             "source": "ferry.good.jsonc", "line": 7}, settings["queue.slice_s"]
        ferry.kill()
    event = [event["message"] for event in ferry.events() if event["id"] == 1006]
    assert len(event) == 2 and "checkpoint_bytes" in event[0] and "slice_s: 1 is" in event[0], event


def configuration_with_a_slip_and_none_before__is_not_begun_with():
    ferry = Ferry()
    write_slip(ferry)
    done = subprocess.run(ferry.serve, env=ferry.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and "BAD_SETTING" in done.stderr and "checkpoint_bytes" in done.stderr, done
    assert [event["id"] for event in ferry.events()] == [16392], ferry.events()
    assert sorted(os.listdir(ferry.data)) in (["ferry.jsonc", "ferry.jsonl"], ["ferry.jsonc", "ferry.jsonl", "ferry.lock"])


run(acknowledged_submits__survive_a_kill_at_once, configuration_with_a_slip__is_said_and_the_last_good_one_serves,
    configuration_with_a_slip_and_none_before__is_not_begun_with)
