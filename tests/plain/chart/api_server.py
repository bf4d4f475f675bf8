"""As much of a Kubernetes API server as `helm template --dry-run=server` asks for: discovery, and the ConfigMap that every
namespace has. `python3 api_server.py NAMESPACE…` prints its port."""

import http.server
import json
import sys

GROUPS = {"apiregistration.k8s.io": "v1", "apps": "v1", "monitoring.coreos.com": "v1"}
KINDS = {
    "v1": ["ConfigMap", "Pod", "Service", "ServiceAccount"], "apps/v1": ["Deployment"],
    "monitoring.coreos.com/v1": ["Probe", "PrometheusRule", "ServiceMonitor"], "apiregistration.k8s.io/v1": [],
}


def answer(path):
    if path == "/version":
        return {"major": "1", "minor": "30", "gitVersion": "v1.30.0"}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        versions = {name: {"groupVersion": f"{name}/{version}", "version": version} for name, version in GROUPS.items()}
        groups = [{"name": name, "versions": [it], "preferredVersion": it} for name, it in versions.items()]
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}
    version = path.removeprefix("/apis/").removeprefix("/api/")
    if version in KINDS:
        kinds = [{"name": kind.lower() + "s", "namespaced": True, "kind": kind, "verbs": ["get"]} for kind in KINDS[version]]
        return {"kind": "APIResourceList", "groupVersion": version, "resources": kinds}
    for namespace in sys.argv[1:]:
        if path == f"/api/v1/namespaces/{namespace}/configmaps/kube-root-ca.crt":
            return {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "kube-root-ca.crt", "namespace": namespace}}
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        found = answer(self.path.split("?")[0])
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "NotFound", "code": 404}
        body = json.dumps(found or status).encode()
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.serve_forever()
