#!/bin/sh
# Tries an API against its description at the URL given, with schemathesis, which is fetched from
# PyPI into target/tools, pinned by its hash, unless it is already there.
set -eu
here=$(dirname "$0")
tools=$here/../../target/tools/api-check
if ! cmp -s "$here/requirements.txt" "$tools/requirements.txt"; then
    rm -rf "$tools"
    python3 -m venv --without-pip "$tools"
    python3 -m pip --python "$tools" install --quiet --disable-pip-version-check --no-input --only-binary :all: --require-hashes \
        -r "$here/requirements.txt"
    cp "$here/requirements.txt" "$tools/"
fi
[ -n "${1-}" ] || exit 0
# The same cases each time, and no file left behind.
exec "$tools/bin/schemathesis" run "$1" --checks all --max-examples "${2:-30}" --seed 1 --generation-database=none \
    --phases coverage,fuzzing --no-color
