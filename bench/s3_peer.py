#!/usr/bin/env python3
"""s3_peer.py PORT: the least that S3 is, for B2s: keeps what is put, gives it back, forgets it. It checks nothing; that is what the tests against Ceph are for."""
import http.server, socketserver, sys

objects = {}


class Peer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def key(self):
        return self.path.split("?")[0]

    def do_PUT(self):
        objects[self.key()] = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(200, ETag='"x"')

    def do_GET(self):
        body = objects.get(self.key())
        self.answer(404) if body is None else self.answer(200, body)

    do_HEAD = do_GET

    def do_DELETE(self):
        objects.pop(self.key(), None)
        self.answer(204)

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1])), Peer).serve_forever()
