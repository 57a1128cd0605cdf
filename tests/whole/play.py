"""The stage of the tests of helper tokens, on the Linux ground: an owner, a helper, and a server that sees who asks."""
import glob
import os

from ground import Identity, sha256, wait_until
from judge import Judge
from wire import Scene, Wire, can_read


class Play(Scene):
    """Owner and helper with a folder each, closed to all others."""

    def __init__(self, settings=(), rate=0):
        super().__init__(settings, rate)
        self.owner, self.helper, self.stranger = Identity(), Identity(), Identity()
        self.owners, self.helpers = self.folder(self.owner, "owners"), self.folder(self.helper, "helpers")
        self.judge = Judge(self.nginx)
        self.wire = Wire(self.ferry, self.owner)

    def create(self, *paths, size=20000, wire=None, **properties):
        """A job of the owner's with these files; its handle."""
        properties.setdefault("auto_complete", True)
        files = [self.file(path, size) for path in paths]
        return (wire or self.wire).ok("job.create", name="two", files=files, **properties)["handle"]

    def file(self, path, size=20000):
        name = os.path.basename(path)
        self.nginx.file(name, size)
        return {"url": self.judge.url(name), "path": path}

    def flags(self, handle, *flags):
        return self.wire.ok("job.setHelperTokenFlags", handle=handle, flags=list(flags))["job"]

    def wait(self, handle, state, reason=None, wire=None):
        def there():
            job = (wire or self.wire).job(handle)
            return job if job["state"] == state and (job["wait"] or {}).get("reason") == reason else None
        try:
            return wait_until(there, 30, f"{state} {reason}")
        except AssertionError as late:
            raise AssertionError(f"{late}: {(wire or self.wire).job(handle)}") from late

    def asked_by(self, path):
        return {seen.uid for seen in self.judge.seen if seen.path == "/" + os.path.basename(path)} - {None}

    def check_landed(self, path, owner):
        """It is this identity's alone, and right."""
        status = os.stat(path)
        assert (status.st_uid, status.st_mode & 0o7777) == (owner.uid, 0o600), (path, status)
        for other in {self.owner, self.helper, self.daemon, self.stranger} - {owner}:
            assert not can_read(other, path), (path, other.uid)
        assert sha256(path) == sha256(os.path.join(self.nginx.www, os.path.basename(path)))

    def check_tidy(self):
        for folder in (self.owners, self.helpers):
            assert glob.glob(os.path.join(folder, ".ferry-*")) == [], os.listdir(folder)

    def messages(self, number):
        return [event["message"] for event in self.ferry.events() if event["id"] == number]

    def end(self):
        self.wire.close()
        self.judge.close()
        self.check_tidy()
        super().end()
