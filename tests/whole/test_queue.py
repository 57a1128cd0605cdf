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


run(acknowledged_submits__survive_a_kill_at_once, configuration_with_a_slip__is_said_and_the_defaults_serve)
