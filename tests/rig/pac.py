"""A server of one proxy.pac, whose text the test chooses."""
from .server import Handler, Threads


class Page(Handler):
    def do_GET(self):
        if self.rig.text is None:
            self.answer(404, [])
        else:
            self.answer(200, [("Content-Type", "application/x-ns-proxy-autoconfig")], self.rig.text.encode())


class PacServer(Threads):
    """`text` may be changed at any time; None: there is no such file."""
    handler = Page

    def __init__(self, folder, text=None):
        self.text = text
        super().__init__(folder)
        self.url = f"http://127.0.0.1:{self.port}/proxy.pac"


def script(proxy):
    """That sends everything to this proxy: "PROXY host:port", "DIRECT", or several with semicolons between."""
    return f'function FindProxyForURL(url, host) {{ return "{proxy}"; }}\n'
