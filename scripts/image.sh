#!/bin/sh
# image.sh BINARY ARCHIVE: builds the container image of a binary of this machine as an OCI archive.
# Needs root for the file capability. The same binary gives the same image: its timestamps are those
# of the last commit, or SOURCE_DATE_EPOCH.
set -eu
umask 022
binary=$1
archive=$2
cd "$(dirname "$0")/.."

# Size limit in bytes: the image is carried by hand to machines without a registry.
limit=25000000

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
git() { command git -c safe.directory="$PWD" "$@" 2>/dev/null; }
revision=$(git rev-parse HEAD || echo unknown)
time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct || echo 0)}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
root=$work/context/root
mkdir -p "$root/etc"

# The C library is included: a static one would look for parts of its resolver at run time and find
# none.
ldd "$binary" | grep -o '/[^ ]*' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp -L "$library" "$root$library"
done
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
strip -o "$root/vxlan_exporter" "$binary"
# The list of components (cargo-auditable) is kept if the binary has one.
names_its_parts() { readelf -SW "$1" | grep -q ' \.dep-v0 '; }
if names_its_parts "$binary" && ! names_its_parts "$root/vxlan_exporter"; then
    echo "image: strip has taken away what $binary is made of" >&2
    exit 1
fi
chmod 755 "$root/vxlan_exporter"
# Permitted, not effective: so it also starts where NET_RAW is withheld, and raises it where it is
# granted.
setcap cap_net_raw+p "$root/vxlan_exporter"

image=localhost/vxlan_exporter:$version
buildah() {
    command buildah --storage-driver vfs --root "$work/storage" --runroot "$work/run" "$@"
}
buildah bud --quiet --isolation chroot --timestamp "$time" --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --file Containerfile --tag "$image" "$work/context" >/dev/null
mkdir -p "$(dirname "$archive")"
rm -f "$archive"
buildah push --quiet --compression-format gzip --compression-level 9 "$image" "oci-archive:$archive:$image"

size=$(stat -c %s "$archive")
if [ "$size" -gt "$limit" ]; then
    echo "image: $archive has $size bytes, more than $limit" >&2
    exit 1
fi
echo "image: $image, $size bytes packed, $(du -sb "$root" | cut -f 1) unpacked: $archive"
