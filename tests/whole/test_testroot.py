"""The Linux ground is for tests: without a test root its daemon does nothing, and says why."""
import os
import subprocess

from ground import GROUND, Ferry, program, run, skip

if GROUND != "linux":
    skip("the product has no test root")


def no_test_root__nothing_is_served_and_the_reason_is_said():
    ferry = Ferry(None)
    file = os.path.join(ferry.folder, "file")
    open(file, "w").close()
    for root in (None, "", "relative", os.path.join(ferry.folder, "nothing"), file):
        environment = {name: value for name, value in ferry.environment.items() if name != "FERRY_TEST_ROOT"}
        if root is not None:
            environment["FERRY_TEST_ROOT"] = root
        for verb in ("console", "service", "check-config"):
            done = subprocess.run(program("ferryd") + [verb], env=environment, stdin=subprocess.DEVNULL,
                                  capture_output=True, text=True, timeout=60, cwd=ferry.folder)
            assert done.returncode == 2 and "FERRY_TEST_ROOT must name an existing folder" in done.stderr, (root, done)
    assert sorted(os.listdir(ferry.folder)) == ["data", "ferryd.err", "file", "landed", "reports"]
    assert os.listdir(ferry.data) == []


run(no_test_root__nothing_is_served_and_the_reason_is_said)
