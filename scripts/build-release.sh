#!/bin/sh
# build-release.sh: the binary that is carried elsewhere, target/dist/release/vxlan_exporter. The same commit gives the same bytes in
# whatever folder it is built, and what it is made of can be read from it (`cargo audit bin`) where cargo-auditable is there:
# `scripts/cargo-tools.sh cargo-auditable`. Arguments go to cargo.
set -eu
cd "$(dirname "$0")/.."

here=$(pwd -P)
cargo_home=$(cd "${CARGO_HOME:-$HOME/.cargo}" && pwd -P)
target=$here/target/dist
compiler=$(command -v cc)

# A compiler by the name of `cc`, because OpenSSL writes into the library by which name it was called. It also writes the folders
# in which it would look for its modules: that of the build, where nobody should put any.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
cat >"$work/cc" <<END
#!/bin/sh
for argument; do
    shift
    case \$argument in
    -DMODULESDIR=*) argument='-DMODULESDIR="/nonexistent"' ;;
    -DENGINESDIR=*) argument='-DENGINESDIR="/nonexistent"' ;;
    esac
    set -- "\$@" "\$argument"
done
exec $compiler -ffile-prefix-map=$cargo_home=/cargo -ffile-prefix-map=$here=/build "\$@"
END
chmod 755 "$work/cc"

auditable=''
if "$here/scripts/cargo-tools.sh" --is-there cargo-auditable; then
    auditable=auditable
fi
time=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$here" log -1 --format=%ct 2>/dev/null || echo 0)}
revision=${VXLAN_EXPORTER_REVISION:-$(git -c safe.directory="$here" rev-parse HEAD 2>/dev/null || true)}
# shellcheck disable=SC2086 # nothing, or one word
env -u CC -u CFLAGS -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS PATH="$work:$PATH" SOURCE_DATE_EPOCH="$time" \
    VXLAN_EXPORTER_REVISION="$revision" \
    RUSTFLAGS="--remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$here=/build" \
    cargo $auditable build --locked --release --bin vxlan_exporter --target-dir "$target" "$@"
