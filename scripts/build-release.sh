#!/bin/sh
# build-release.sh: builds the release binary, target/dist/release/vxlan_exporter. The same commit
# gives the same bytes in every folder. If cargo-auditable is installed
# (`scripts/cargo-tools.sh cargo-auditable`), the components can be read from the binary
# (`cargo audit bin`). Arguments go to cargo.
set -eu
cd "$(dirname "$0")/.."

here=$(pwd -P)
cargo_home=$(cd "${CARGO_HOME:-$HOME/.cargo}" && pwd -P)
target=$here/target/dist
compiler=$(command -v cc)

# The compiler must be called `cc`, because OpenSSL records the name by which it was called. OpenSSL
# also records the folders in which it would look for its modules, which would otherwise be in the
# build folder.
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
branch=${VXLAN_EXPORTER_BRANCH:-$(git -c safe.directory="$here" rev-parse --abbrev-ref HEAD 2>/dev/null || true)}
rustc=${VXLAN_EXPORTER_RUSTC:-$(cd "$here" && rustc --version | cut -d ' ' -f 2)}
# shellcheck disable=SC2086 # nothing, or one word
env -u CC -u CFLAGS -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS PATH="$work:$PATH" SOURCE_DATE_EPOCH="$time" \
    VXLAN_EXPORTER_REVISION="$revision" VXLAN_EXPORTER_BRANCH="$branch" VXLAN_EXPORTER_RUSTC="$rustc" \
    RUSTFLAGS="--remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$here=/build" \
    cargo $auditable build --locked --release --bin vxlan_exporter --target-dir "$target" "$@"
