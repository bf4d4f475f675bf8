"""The lab's HTTPS server on every host: `/` is small, `/big` is large. Each connection has its own thread
from the TLS handshake on, so that a hanging download does not hold up the others.

Arguments: certificate, key, bytes of `/` and of `/big`; then for each host the file of its namespace, the
address and the port. A socket stays in the namespace in which it was made."""

import ctypes
import socket
import ssl
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLONE_NEWNET = 0x40000000  # linux/sched.h
libc = ctypes.CDLL(None, use_errno=True)
certificate, key, small, big, *hosts = sys.argv[1:]
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


class ServerV6(Server):
    """Covers IPv4 too, with Linux' default of bindv6only."""

    address_family = socket.AF_INET6


def enter(namespace):
    if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "entering " + namespace.name)


with open("/proc/self/ns/net") as own:
    for namespace, address, port in zip(hosts[::3], hosts[1::3], hosts[2::3]):
        with open(namespace) as entry:
            enter(entry)
        server = (ServerV6 if ":" in address else Server)((address, int(port)), Handler)
        threading.Thread(target=server.serve_forever).start()
    # So that whoever looks for the processes of a host finds this one.
    enter(own)
