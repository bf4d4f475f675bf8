"""VyOS's HTTPS API as its clients see it: the format of its replies, and of those of nginx in front of it.

    server.py DIRECTORY CORPUS

DIRECTORY holds certificate.pem, key.pem and `mode`, which is read at each request. Prints its port; writes a
line to DIRECTORY/log for each connection and each request.
"""

import html
import http.server
import json
import pathlib
import socketserver
import ssl
import sys
import time
import urllib.parse

DIRECTORY, CORPUS = map(pathlib.Path, sys.argv[1:3])
KEY = "correct-horse-&+battery"

SUMMARY = """Codes: S - State, L - Link, u - Up, D - Down, A - Admin Down
Interface        IP Address                        S/L  Description
---------        ----------                        ---  -----------
br01             -                                 u/u
eth0             10.10.0.254/24                    u/u  underlay
eth1             -                                 u/u
lo               127.0.0.1/8                       u/u
                 ::1/128
vxlan01          -                                 u/u  to site A (Tokyo) - primary
vxlan02          -                                 u/u
"""

NGINX = "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"


def corpus(name):
    return (CORPUS / name).read_text()


class Router(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "nginx"
    sys_version = ""

    def log_message(self, *_):
        pass

    def note(self, line):
        with open(DIRECTORY / "log", "a") as log:
            log.write(line + "\n")

    def setup(self):
        self.request.settimeout(30)
        self.request.do_handshake()
        super().setup()
        self.note("connection")

    def answer(self, status, body, **headers):
        body = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def page(self, status, title, **headers):
        self.answer(status, NGINX.format(f"{status} {title}"), **headers)

    def success(self, data):
        self.answer(200, json.dumps({"success": True, "data": data, "error": None}))

    def error(self, status, text):
        self.answer(status, json.dumps({"success": False, "error": html.escape(text, quote=False), "data": None}))

    def do_GET(self):
        self.note(f"GET {self.path}")
        if self.path == "/info" and "1.5" in self.mode():
            self.success({"version": "1.5-rolling-202410210007", "hostname": "dc", "banner": "Welcome to VyOS"})
        else:
            self.page(404, "Not Found")

    def mode(self):
        return (DIRECTORY / "mode").read_text()

    def do_POST(self):
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        data, key, mode = json.loads(form["data"][0]), form["key"][0], self.mode()
        self.note(f"POST {self.path} {data['op']} {' '.join(data['path'])}")
        if self.path == "/show" and data["path"] == ["interfaces"] and "no-summary" in mode:
            self.error(400, "\n  Invalid command: show [interfaces]\n\n")
        elif "closes" in mode:
            self.close_connection = True
        elif "silent" in mode:
            time.sleep(20)
        elif "redirect" in mode:
            self.page(301, "Moved Permanently", Location="https://192.0.2.1/elsewhere")
        elif "html-503" in mode:
            self.page(503, "Service Temporarily Unavailable")
        elif "html-403" in mode:
            self.page(403, "Forbidden")
        elif "error-500" in mode:
            self.error(500, "An internal error occured. Check the logs for details.")
        elif "error-400" in mode:
            self.error(400, "'showConfig' is <not> a valid & \"known\" operation")
        elif "error-422" in mode:
            self.answer(422, json.dumps({"detail": [{"input": {"key": key, "op": "show"}, "msg": "Field required"}]}))
        elif "echo" in mode:
            self.answer(500, f"bad request: key={key}")
        elif "no-json" in mode:
            self.answer(200, "<!DOCTYPE html><html><body><h1>Welcome</h1> to <b>nginx</b>!</body></html>")
        elif "cut" in mode:
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b'{"success": true, "data": "vxlan01: <BROAD')
            self.close_connection = True
        elif "huge" in mode:
            self.send_response(200)
            self.send_header("Content-Length", str(1 << 30))
            self.end_headers()
            try:
                for _ in range(1 << 10):
                    self.wfile.write(b"x" * (1 << 20))
            except OSError:
                self.note("gave up")
            self.close_connection = True
        elif key != KEY:
            self.answer(401, corpus("api-401.json"))
        else:
            self.good(data, mode)

    def good(self, data, mode):
        what = (self.path, data["op"], *data["path"])
        if what == ("/show", "show", "interfaces", "vxlan", "detail"):
            if "cleared" in mode:
                shown = json.loads(corpus("api-show.json"))["data"]
                self.success(shown.replace("    Description:", "    Last clear: 2024-10-21 20:42:08\n    Description:"))
            elif "empty" in mode:
                self.success("")
            else:
                self.answer(200, corpus("api-show.json"))
        elif what == ("/show", "show", "interfaces"):
            self.success(SUMMARY)
        elif what == ("/show", "show", "version"):
            self.success("Version:          VyOS 1.3.8\nRelease train:    equuleus\n")
        elif what == ("/retrieve", "showConfig", "interfaces", "vxlan") and "empty" not in mode:
            self.answer(200, corpus("api-retrieve-vxlan.json"))
        elif what == ("/retrieve", "showConfig", "interfaces", "bridge") and "empty" not in mode:
            self.success({"br01": {"member": {"interface": {"eth1": {}, "vxlan01": {}, "vxlan02": {}}}}})
        elif self.path == "/retrieve":
            self.error(400, "Configuration under specified path is empty\n")
        else:
            self.error(400, f"\n  Invalid command: show [{' '.join(data['path'])}]\n\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, *_):
        """Ignores clients that go away, but reports faults of this server."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(*_)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(DIRECTORY / "certificate.pem", DIRECTORY / "key.pem")
server = Server(("127.0.0.1", 0), Router)
server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
print(server.server_address[1], flush=True)
server.serve_forever()
