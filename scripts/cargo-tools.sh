#!/bin/sh
# Installs the given cargo commands in the versions that this project is built and checked with;
# tools that are already there in that version are left alone. `--is-there TOOL` only checks.
# `make test` needs none of them.
set -eu

# Version, and SHA-256 of the crate in the registry.
pinned() {
    case $1 in
    cargo-auditable) echo 0.7.7 ccdd489bc94d1338cd04389a842e00661300331ec915fb376b4810ef7d480b5d ;;
    cargo-cyclonedx) echo 0.5.9 5d162f67705f0f5038759d73bf546a083bf30e8677c2e944b416bca48d9d69a8 ;;
    cargo-deny) echo 0.20.2 e528dfcbe739af7ce37a77d3d6df1b29dd6887b1c701d888820c0f16b864f737 ;;
    cargo-fuzz) echo 0.13.2 5acfd01930e49823e58c30dd8012d3338a620377d7c7d4cc140ca4b2169400e2 ;;
    cargo-llvm-cov) echo 0.9.1 5e00647cc92940c4dd82249c480fe08fd3809767e89f056bcec46d8a7962ea5b ;;
    *)
        echo "cargo-tools: no version of $1 is pinned in $0" >&2
        exit 1
        ;;
    esac
}

is_there() {
    cargo install --list | grep -qx "$1 v$2:"
}

# The crate is fetched but not built, as a dependency of nothing: its hash is checked before any of
# it runs.
check() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    trap 'exit 130' INT TERM HUP
    mkdir "$work/src"
    : >"$work/src/lib.rs"
    printf '[package]\nname = "pinned"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\n%s = "=%s"\n[workspace]\n' "$1" "$2" \
        >"$work/Cargo.toml"
    cargo fetch --quiet --manifest-path "$work/Cargo.toml"
    for crate in "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$1-$2.crate"; do
        if ! echo "$3  $crate" | sha256sum --check --status; then
            echo "cargo-tools: $crate is not the $1 $2 that is pinned in $0" >&2
            exit 1
        fi
    done
}

only_look=''
if [ "${1-}" = --is-there ]; then
    only_look=yes
    shift
fi
for tool; do
    pin=$(pinned "$tool")
    version=${pin% *}
    is_there "$tool" "$version" && continue
    [ -z "$only_look" ] || exit 1
    check "$tool" "$version" "${pin#* }"
    cargo install --locked "$tool" --version "$version"
done
