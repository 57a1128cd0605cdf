"""What every refusal must have, whatever it refuses: the documented outcome, the field or file that is wrong, what to
do about it, and no secret.

FERRY_ALOUD=1 prints every error as its reader sees it.
"""
import json
import os
import re

from ground import GROUND, SOURCE, Bridge

SECRET = "geheim5f3a"  # is in the query or the userinfo of every URL here, and may be seen nowhere
WINDOWS = GROUND == "wine"
NOBODY = 65534
ORDINARY = not WINDOWS and os.getuid() == 0  # whether clients can be somebody who is no administrator
ALOUD = bool(os.environ.get("FERRY_ALOUD"))


def documented_outcomes():
    """{result: (class, JSON-RPC code, HRESULT, sentence)}, as docs/errors.md and docs/protocol.md promise them."""
    def table(name, row):
        with open(os.path.join(SOURCE, "docs", name), encoding="utf-8") as page:
            return re.findall(row, page.read(), re.M)
    codes = {result: int(code) for code, results in table("protocol.md", r"^\| (-\d+) \| (`.*`) \|$")
             for result in re.findall(r"`(\w+)`", results)}
    rows = table("errors.md", r"^\| `(\w+)` \| (\w+) \| (0x[0-9A-F]{8})[^|]* \| `\w+` \| ([^|]*) \|")
    return {name: (kind, codes.get(name, -32000), int(hresult, 16), sentence) for name, kind, hresult, sentence in rows}


OUTCOMES = documented_outcomes()


def judge(row, error, result, what, source=None, number=None):
    """An error's `data`, or a job's `error`: what every one must have, and what this row asks of it."""
    if ALOUD:
        print(f"    {row}: {error['result']} {error['what']} | {error['native']} | {error['remedy']}")
    assert error["result"] == result, (row, result, error)
    hresult = OUTCOMES[result][2]
    if error["native"] and error["native"]["source"] == "http" and hresult == 0x80190000:
        hresult += error["native"]["code"]
    assert int(error["hresult"], 16) == hresult, (row, error)
    assert what in error["what"] and error["what"], (row, what, error)
    assert error["remedy"].endswith("."), (row, error)
    assert SECRET not in json.dumps(error), (row, error)
    if source:
        assert error["native"] and error["native"]["source"] == source, (row, error)
        assert number is None or error["native"]["code"] == number, (row, error)


def judge_reply(row, reply, result, what, source=None, number=None):
    assert reply is not None and "error" in reply, (row, reply)
    error = reply["error"]
    judge(row, error["data"], result, what, source, number)
    _, code, _, sentence = OUTCOMES[result]
    assert error["code"] == code and error["message"] == f"{sentence} {error['data']['what']}", (row, reply)


def check_no_secret(ferry):
    """In nothing that can be read: logs, stderr, lists."""
    for name in os.listdir(ferry.data):
        if name.startswith("ferry.jsonl"):
            with open(os.path.join(ferry.data, name), encoding="utf-8") as file:
                assert SECRET not in file.read(), name
    assert SECRET not in ferry.said()
    for arguments in (["list", "--all"], ["list", "--all", "--json"]):
        assert SECRET not in ferry.run(*arguments).stdout, arguments


class Target:
    """A connection with one job that all rows of a table aim at, and that none of them may change."""

    def __init__(self, ferry):
        self.ferry = ferry
        self.bridge = Bridge(ferry)
        self.bridge.hello()
        self.bridge.validators.methods.clear()  # rows repeat ids
        self.made = self.bridge.ok("job.create", name="target", key="target", files=[
            {"url": f"http://127.0.0.1:9/x?token={SECRET}", "path": ferry.destination("taken.bin")}])
        self.handle, self.id = self.made["handle"], self.made["job"]["id"]
        self.before = self.look()

    def look(self):
        """The job, its files and the list of all jobs, as the very bytes that come."""
        seen = []
        for line in (f'{{"jsonrpc":"2.0","id":"look","method":"job.get","params":{{"handle":{self.handle}}}}}',
                     '{"jsonrpc":"2.0","id":"look","method":"job.list","params":{"all":true}}'):
            self.bridge.send(line)
            seen.append(self.bridge.process.stdout.readline())
            assert b'"result"' in seen[-1] and SECRET.encode() not in seen[-1], seen[-1]
        return seen

    def check(self, row, line, result, what):
        reply = self.bridge.raw(line)
        judge_reply(row, reply, result, what)
        self.said = reply["error"]["data"]["what"]
        assert self.look() == self.before, (row, self.before, self.look())


def as_nobody():
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []} if ORDINARY else {}


def contents(path):
    with open(path, "rb") as file:
        return file.read()
