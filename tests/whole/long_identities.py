"""The connection that fetched was the owner's, for long: see test_identities.py."""
import os

from ground import GROUND, Ferry, Identity, Nginx, run, skip
from judge import Judge, play_round

if GROUND != "linux":
    skip("Wine has one user: tests/windows shows what a worn token may do")
if os.getuid() != 0:
    skip("only root can make identities up: Linux as root shows it")


def twenty_rounds_of_four_identities__each_fetches_over_its_own_connections():
    ferry = Ferry(run_as=Identity())
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    judge = Judge(nginx)
    ferry.start()
    for _ in range(20):
        play_round(ferry, nginx, judge)
    _, code = ferry.terminate()
    assert code == 0, ferry.said()
    judge.close()


run(twenty_rounds_of_four_identities__each_fetches_over_its_own_connections)
