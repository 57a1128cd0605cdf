"""The command line lends: on both grounds and as any user, with the one identity that the user has.

Whose token is worn where, two users show (test_helper.py) and, under Wine, the peer's token (tests/peer); here it is the
release's programs, their words, and what a kill leaves.
"""
import os

from ground import MIB, Bridge, Ferry, Nginx, run, wait_until

TOKEN_REQUIRED = "0x80200056"


def shown(ferry, name):
    return ferry.json("show", name)[0]["job"]


def lent_flagged_killed_and_lent_again__lands_and_says_so():
    ferry = Ferry({"transfer": {"checkpoint_bytes": MIB}})
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate=2 * MIB)
    ferry.start()
    nginx.file("a.bin", 8 * MIB)
    bridge = Bridge(ferry)
    sid = bridge.hello()["owner"]
    bridge.ok("job.create", name="App", auto_complete=True, on_token_loss="wait",
              files=[{"url": nginx.url("a.bin"), "path": ferry.destination("a.bin")}])
    ferry.run("helper", "flags", "App", "local-file,network")
    found = ferry.run("preflight", "App", check=False)
    assert found.returncode != 0 and "TOKEN_REQUIRED" in found.stdout + found.stderr, found
    ferry.run("helper", "set", "--max-age", "1h", "App")
    assert shown(ferry, "App")["helper"] == {"flags": ["local-file", "network"], "sid": sid, "last_sid": sid}
    ferry.run("preflight", "App")
    ferry.run("resume", "App")
    wait_until(lambda: shown(ferry, "App")["bytes"]["transferred"] > 2 * MIB, 60, "it is under way")
    bridge.close()
    ferry.kill()
    ferry.start()
    # The flags are there, the token is not; and the job does not fall back on its owner, who is here.
    wait_until(lambda: (shown(ferry, "App")["wait"] or {}).get("reason") == "token-required", 30, "it waits for a token")
    job = shown(ferry, "App")
    assert (job["state"], job["helper"]) == ("QUEUED", {"flags": ["local-file", "network"], "sid": None, "last_sid": sid})
    assert job["identities"]["file"] == {"as": "helper", "sid": None, "last_sid": sid}, job
    assert "token" in ferry.run("show", "App").stdout
    ferry.run("helper", "set", "--max-age", "1h", "App")
    ferry.run("wait", "App")
    ferry.check_landed(nginx, ["a.bin"])
    assert any(status == 206 for _, status, _, _ in nginx.requests()), nginx.requests()
    told = [event["id"] for event in ferry.events() if 1011 <= event["id"] <= 1017]
    assert told == [1016, 1011, 1014], told
    nginx.close()
    ferry.close()


def cleared__is_in_error_and_goes_on_without_flags():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "nginx"))
    ferry.start()
    nginx.file("b.bin", MIB)
    bridge = Bridge(ferry)
    sid = bridge.hello()["owner"]
    handle = bridge.ok("job.create", name="Bill", auto_complete=True,
                       files=[{"url": nginx.url("b.bin"), "path": ferry.destination("b.bin")}])["handle"]
    # A message that is not of whom it claims to be lends nothing, and says whose it is.
    for claim in ({"sid": "S-1-5-21-1-2-3-4", "logon_id": "0x0"}, {"sid": sid, "logon_id": "0xdead"}):
        refused = bridge.call("job.setHelperToken", handle=handle, **claim)["error"]["data"]
        assert refused["result"] == "ACCESS_REFUSED" and f"claim: the message shows {sid}" in refused["what"], refused
    ferry.run("helper", "set", "--max-age", "1h", "Bill")
    ferry.run("helper", "flags", "Bill", "local-file")
    ferry.run("helper", "clear", "Bill")
    refused = ferry.run("resume", "Bill", check=False)
    assert refused.returncode != 0 and "TOKEN_REQUIRED" in refused.stderr and TOKEN_REQUIRED in refused.stderr, refused
    assert shown(ferry, "Bill")["state"] == "SUSPENDED"
    ferry.run("helper", "flags", "Bill", "none")
    ferry.run("resume", "Bill")
    ferry.run("wait", "Bill")
    ferry.check_landed(nginx, ["b.bin"])
    bridge.close()
    nginx.close()
    ferry.close()


run(lent_flagged_killed_and_lent_again__lands_and_says_so, cleared__is_in_error_and_goes_on_without_flags)
