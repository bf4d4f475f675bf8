#!/bin/sh
# Installs the cargo commands that are named, in the versions that this project is built and checked with; what is there already
# in that version is left alone. `make test` needs none of them.
set -eu

version() {
    case $1 in
    cargo-cyclonedx) echo 0.5.9 ;;
    cargo-deny) echo 0.20.2 ;;
    cargo-fuzz) echo 0.13.2 ;;
    *)
        echo "cargo-tools: no version of $1 is pinned in $0" >&2
        exit 1
        ;;
    esac
}

for tool; do
    wanted=$(version "$tool")
    if cargo install --list | grep -qx "$tool v$wanted:"; then
        continue
    fi
    cargo install --locked "$tool" --version "$wanted"
done
