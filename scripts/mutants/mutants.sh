#!/bin/sh
# Runs run.py with the parser that it needs, which is fetched from PyPI into target/tools, pinned by
# its hash, unless it is already there.
set -eu
here=$(dirname "$0")
tools=target/tools/mutants
if ! cmp -s "$here/requirements.txt" "$tools/requirements.txt"; then
    rm -rf "$tools"
    python3 -m venv --without-pip "$tools"
    python3 -m pip --python "$tools" install --quiet --disable-pip-version-check --no-input --only-binary :all: --require-hashes \
        -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/"
fi
exec "$tools/bin/python3" -B "$here/run.py" "$@"
