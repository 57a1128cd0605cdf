"""The mark of the web by policy: files that land get it, or land without where it cannot be kept, and that is told."""
import os

from ground import Ferry, Nginx, not_shown, run

MARK = b"[ZoneTransfer]\r\nZoneId=3\r\n"


def told(ferry):
    return [event for event in ferry.events() if event["id"] == 1021]


def has_mark(ferry, name):
    stream = os.path.join(ferry.landed, name) + ":Zone.Identifier"
    return os.path.exists(stream) and open(stream, "rb").read() == MARK


def files__land_marked_or_it_is_told_once_for_a_folder():
    ferry = Ferry({"files": {"mark_of_the_web_zone": 3}})
    nginx = Nginx(os.path.join(ferry.folder, "server"))
    ferry.start()
    names = ["a.bin", "b.bin", "c.bin"]
    for name in names:
        nginx.file(name, 100000)
    ferry.submit(nginx, names[:2])
    ferry.submit(nginx, names[2:])
    ferry.check_landed(nginx, names)
    marked = [has_mark(ferry, name) for name in names]
    if all(marked):
        assert told(ferry) == []
    else:
        assert not any(marked) and len(told(ferry)) == 1, (marked, told(ferry))
        assert sorted(os.listdir(ferry.landed)) == names, os.listdir(ferry.landed)
        not_shown("a mark of the web is kept", "windows/test_folder.c, on Windows")
    nginx.close()
    ferry.close()


def files__by_default__are_not_marked_and_nothing_is_told():
    ferry = Ferry()
    nginx = Nginx(os.path.join(ferry.folder, "server"))
    ferry.start()
    nginx.file("a.bin", 100000)
    ferry.submit(nginx, ["a.bin"])
    ferry.check_landed(nginx, ["a.bin"])
    assert not has_mark(ferry, "a.bin") and told(ferry) == []
    nginx.close()
    ferry.close()


run(files__land_marked_or_it_is_told_once_for_a_folder, files__by_default__are_not_marked_and_nothing_is_told)
