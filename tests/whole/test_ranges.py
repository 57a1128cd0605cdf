"""Ranges of a file: the parts that were asked for, in that order and of one version, however often something comes between."""
import hashlib
import os

from ground import MIB, Bridge, Ferry, Nginx, run, wait_until

RATE = 8 * MIB


def scene(rate=0, size=MIB, **settings):
    ferry = Ferry(settings or None)
    nginx = Nginx(os.path.join(ferry.folder, "nginx"), rate)
    ferry.start()
    nginx.file("a.bin", size)
    return ferry, nginx


def read(path):
    with open(path, "rb") as file:
        return file.read()


def cut(nginx, ranges):
    whole = read(os.path.join(nginx.www, "a.bin"))
    return b"".join(whole[first:None if last is None else last + 1] for first, last in ranges)


def check(ferry, name, expected):
    landed = read(os.path.join(ferry.landed, name))
    assert landed == expected, f"{name}: {len(landed)} bytes landed, {len(expected)} were meant, or others"


def file_of(ferry, name):
    return [line["file"] for line in ferry.json("show", "--files", name) if "file" in line][0]


def parts__land_one_behind_the_other_and_are_told():
    ferry, nginx = scene()
    ranges = [(500000, 599999), (0, 9), (10, 99), (1000000, None)]
    expected = cut(nginx, ranges)
    options = ["--range", "500000-599999", "--range", "0-9,10-99", "--range", "1000000-"]
    ferry.run("submit", "--name", "One", *options, "--digest", "sha256:" + hashlib.sha256(expected).hexdigest(),
              nginx.url("a.bin"), ferry.destination("one.bin"))
    check(ferry, "one.bin", expected)
    file = file_of(ferry, "One")
    assert file["range_count"] == 4 and file["size_bytes"] == len(expected) == file["transferred_bytes"], file
    assert file["ranges"] == [{"offset": 500000, "length": 100000}, {"offset": 0, "length": 10},
                              {"offset": 10, "length": 90}, {"offset": 1000000, "length": None}], file
    assert "of it: 500000-599999, 0-9, 10-99, 1000000-" in ferry.run("show", "One").stdout
    # What follows on the server too is one request; all are ranges, on one connection's worth of bytes.
    assert [answer[1:] for answer in nginx.requests()] == [
        (206, 100000, 500000), (206, 100, 0), (206, MIB - 1000000, 1000000)], nginx.requests()
    ferry.run("submit", "--from", ferry.listing([
        (nginx.url("a.bin"), ferry.destination("two.bin"), "20", "", "ranges=5-14,100-109"),
        (nginx.url("a.bin"), ferry.destination("whole.bin"))]))
    check(ferry, "two.bin", cut(nginx, [(5, 14), (100, 109)]))
    check(ferry, "whole.bin", cut(nginx, [(0, None)]))
    # Without a validator one request is enough, and two are not.
    ferry.run("submit", "--range", "7-9", nginx.url("bare/a.bin"), ferry.destination("bare.bin"))
    check(ferry, "bare.bin", cut(nginx, [(7, 9)]))
    for options, said in ((["--range", "7-9,20-"], "INSUFFICIENT_HTTP"), (["--range", "1048570-1048576"], "INVALID_RANGE"),
                          (["--range", "1048576-"], "INVALID_RANGE"),
                          (["--range", "0-9", "--digest", "sha256:" + "5" * 64], "DIGEST_MISMATCH")):
        failed = ferry.run("submit", *options, nginx.url("bare/a.bin"), ferry.destination("no.bin"), check=False)
        assert failed.returncode == 2 and said in failed.stderr, failed
    assert not os.path.exists(os.path.join(ferry.landed, "no.bin"))
    nginx.close()
    ferry.close()


def what_is_wrong__is_refused_at_once_and_named():
    ferry, nginx = scene(queue={"ranges_per_file_max": 3})
    for arguments, said in ((["--range", "9-5"], "--range takes FIRST-LAST"), (["--range", "-5"], "--range takes"),
                            (["--range", "0-5,5-9"], "has bytes twice"),
                            (["--range", "0-9", nginx.url("x"), ferry.destination("x")], "--range is for one URL"),
                            (["--range", "0-9", "--range", "5-"], "ranges[1]: overlaps"),
                            (["--range", "0-0,2-2,4-4,6-6"], "4 would exceed queue.ranges_per_file_max (3)"),
                            (["--range", "0-9", "--if-none-match", '"a"'], "not together with a condition")):
        refused = ferry.run("submit", *arguments, nginx.url("a.bin"), ferry.destination("no.bin"), check=False)
        assert refused.returncode in (1, 4) and said in refused.stderr, refused
    bridge = Bridge(ferry)
    bridge.hello()
    whole = {"url": nginx.url("a.bin"), "path": ferry.destination("x")}
    for more, what, hresult in (
            ({"ranges": [{"offset": 0, "length": 5}, {"offset": 9, "length": 0}]}, "params.files[1].ranges[1].length: ", "0x8020002b"),
            ({"ranges": [{"offset": 5, "length": 2 ** 63 - 1}]}, "params.files[1].ranges[0].length: ", "0x8020002b"),
            ({"ranges": [{"offset": 2 ** 63 - 1}]}, "params.files[1].ranges[0].offset: ", "0x8020002b"),
            ({"ranges": [{"offset": 5}, {"offset": 900, "length": None}]}, "params.files[1].ranges[1]: overlaps", "0x8020002c"),
            ({"ranges": [{"offset": i * 2, "length": 1} for i in range(4)]}, "params.files[1].ranges: 4 would exceed", "0x80200052"),
            ({"ranges": [{"offset": 5, "length": 5}], "size_bytes": 6}, "params.files[1].size_bytes: ", "0x80070057"),
            ({"ranges": [{"offset": 5, "length": 5}, {"offset": 70}], "size_bytes": 5}, "params.files[1].size_bytes: ", "0x80070057"),
            ({"ranges": [{"offset": 7}, {"offset": 5, "length": 3}]}, "params.files[1].ranges[1]: overlaps", "0x8020002c")):
        second = {**whole, "path": ferry.destination("y"), **more}
        error = bridge.call("job.create", name="x", files=[whole, second])["error"]
        assert error["data"]["what"].startswith(what) and error["data"]["hresult"].lower() == hresult, error
    assert nginx.requests() == [] and ferry.jobs() == []
    bridge.close()
    nginx.close()
    ferry.close()


def killed_in_the_middle__goes_on_from_there():
    ferry, nginx = scene(RATE, 24 * MIB, transfer={"checkpoint_bytes": MIB})
    ranges = [(16 * MIB, None), (0, 4 * MIB - 1), (8 * MIB, 12 * MIB - 1)]
    client = ferry.spawn("submit", "--name", "One", "--range", f"{16 * MIB}-,0-{4 * MIB - 1},{8 * MIB}-{12 * MIB - 1}",
                         nginx.url("a.bin"), ferry.destination("a.bin"))
    for megabytes in (3, 10):
        wait_until(lambda: ferry.bytes_written() > megabytes * MIB, 60, f"{megabytes} MiB are written")
        ferry.kill()
        assert os.listdir(ferry.landed) == ferry.partials()
        ferry.start()
    output, _ = client.communicate(timeout=120)
    assert client.returncode == 0, output
    check(ferry, "a.bin", cut(nginx, ranges))
    assert file_of(ferry, "One")["range_count"] == 3
    fetched = sum(sent for _, _, sent, _ in nginx.requests())
    assert all(status == 206 for _, status, _, _ in nginx.requests()), nginx.requests()
    # A crash costs a checkpoint, and what curl and the sockets held.
    assert fetched <= 16 * MIB + 2 * 4 * MIB, nginx.requests()
    nginx.close()
    ferry.close()


def change_between_two_ranges(ferry, nginx, name):
    """Whether it came in time; whole and of one version it is anyway."""
    ranges = [(0, MIB - 1), (2 * MIB, 14 * MIB - 1), (15 * MIB, None)]
    nginx.file("new.bin", 16 * MIB)
    os.utime(os.path.join(nginx.www, "new.bin"), (1100000000 + len(name), 1100000000 + len(name)))
    old, asked = cut(nginx, ranges), len(nginx.requests())
    client = ferry.spawn("submit", "--range", f"0-{MIB - 1},{2 * MIB}-{14 * MIB - 1},{15 * MIB}-", nginx.url("a.bin"),
                         ferry.destination(name))
    before = ferry.bytes_written()
    wait_until(lambda: ferry.bytes_written() > before + 2 * MIB, 60, "the second range is under way")
    os.replace(os.path.join(nginx.www, "new.bin"), os.path.join(nginx.www, "a.bin"))
    output, _ = client.communicate(timeout=120)
    assert client.returncode == 0, output
    answers = [(status, first) for _, status, _, first in nginx.requests()[asked:]]
    in_time = (200, 0) in answers
    check(ferry, name, cut(nginx, ranges) if in_time else old)
    assert answers.count((206, 0)) == 1 + in_time, answers
    return in_time


def changed_between_two_ranges__all_of_them_are_of_the_new_version():
    ferry, nginx = scene(4 * MIB, 16 * MIB, transfer={"checkpoint_bytes": MIB})
    assert any(change_between_two_ranges(ferry, nginx, "a" * (i + 1)) for i in range(5)), nginx.requests()
    nginx.close()
    ferry.close()


run(parts__land_one_behind_the_other_and_are_told, what_is_wrong__is_refused_at_once_and_named,
    killed_in_the_middle__goes_on_from_there, changed_between_two_ranges__all_of_them_are_of_the_new_version)
