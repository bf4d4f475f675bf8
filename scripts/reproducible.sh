#!/bin/sh
# reproducible.sh: builds this commit in two folders with different names and compares the binaries
# byte by byte. Arguments go to cargo.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
VXLAN_EXPORTER_REVISION=$(git rev-parse HEAD)
export SOURCE_DATE_EPOCH VXLAN_EXPORTER_REVISION

for folder in a another/folder; do
    mkdir -p "$work/$folder"
    git archive HEAD | tar -x -C "$work/$folder"
    "$work/$folder/scripts/build-release.sh" "$@"
    mv "$work/$folder/target/dist/release/vxlan_exporter" "$work/$(basename "$folder").binary"
    rm -rf "${work:?}/$folder"
done
sha256sum "$work"/*.binary | sed "s|$work/||"
if ! cmp "$work/a.binary" "$work/folder.binary"; then
    echo "reproducible: the two differ" >&2
    exit 1
fi
if strings -a "$work/a.binary" | grep -F -e "$work" -e "${CARGO_HOME:-$HOME/.cargo}"; then
    echo "reproducible: it names folders of this machine" >&2
    exit 1
fi
echo "reproducible: the two are the same, byte by byte"
