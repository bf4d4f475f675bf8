"""Records what Alertmanager sends, one JSON object per line. Arguments: address, port, file."""

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

address, port, file = sys.argv[1:]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(file, "ab") as record:
            record.write(body.rstrip(b"\n") + b"\n")
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


HTTPServer((address, int(port)), Handler).serve_forever()
