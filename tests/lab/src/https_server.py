"""The lab's HTTPS server: `/` is small, `/big` is large. Each connection has its own thread from the
TLS handshake on, so that a hanging download does not hold up the others."""

import socket
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

address, port, certificate, key, small, big = sys.argv[1:]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
bodies = {"/": b"x" * int(small), "/big": b"x" * int(big)}


class Handler(BaseHTTPRequestHandler):
    timeout = 30

    def do_GET(self):
        body = bodies.get(self.path)
        self.send_response(200 if body else 404)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def finish_request(self, request, client_address):
        request.settimeout(30)
        with context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request, client_address):
        """Not reported: probes and hanging clients are expected in this lab."""


if ":" in address:
    # With Linux' default of bindv6only this covers IPv4 too.
    Server.address_family = socket.AF_INET6
Server((address, int(port)), Handler).serve_forever()
