"""A server that asks nobody who they are and sends everybody elsewhere."""
import http.server
import threading


class Redirector(http.server.ThreadingHTTPServer):
    """Answers each request with a redirect to `location`, or of a path in `hops` to what that has for it.  Both may be changed
    at any time."""

    def __init__(self, location=""):
        self.location, self.hops = location, {}
        super().__init__(("127.0.0.1", 0), Answer)
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    def url(self, name="go"):
        return f"http://127.0.0.1:{self.server_port}/{name}"

    def close(self):
        self.shutdown()
        self.server_close()


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(302)
        self.send_header("Location", self.server.hops.get(self.path, self.server.location))
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_HEAD = do_GET

    def log_message(self, *_):
        pass
