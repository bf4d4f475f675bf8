#!/bin/sh
# Installs what the build, the tests and the demo need and this machine lacks, from Debian's
# packages. If nothing is missing it changes nothing and needs no root. `setup.sh pictures` adds
# what `make pictures` needs, `setup.sh bench` the tools that `make bench` compares with,
# `setup.sh browser` what `make test-browser` needs.
set -eu

# The programs that are run, and the packages that contain them.
needs='
cc:gcc
make:make
perl:perl
ip:iproute2
bridge:iproute2
nft:nftables
ethtool:ethtool
sshd:openssh-server
ssh-keygen:openssh-client
ping:iputils-ping
curl:curl
openssl:openssl
python3:python3
script:bsdutils
setpriv:util-linux
setcap:libcap2-bin
strip:binutils
buildah:buildah
runc:runc
dnsmasq:dnsmasq-base
promtool:prometheus
prometheus:prometheus
prometheus-alertmanager:prometheus-alertmanager
/usr/lib/frr/bgpd:frr
'
if [ "${1-}" = pictures ]; then
    needs="$needs
chromium:chromium
node:nodejs
npm:npm
pngquant:pngquant
/usr/share/fonts/opentype/inter/Inter-Regular.otf:fonts-inter
"
fi
if [ "${1-}" = bench ]; then
    needs="$needs
fping:fping
prometheus-smokeping-prober:prometheus-smokeping-prober
prometheus-blackbox-exporter:prometheus-blackbox-exporter
"
fi
if [ "${1-}" = browser ]; then
    needs="$needs
chromium:chromium
node:nodejs
npm:npm
"
fi
have() {
    command -v "$1" >/dev/null || [ -e "$1" ]
}

# A user's PATH often lacks these.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

if ! command -v cargo >/dev/null; then
    echo "setup: Rust is missing (no cargo in PATH). Install it from https://rustup.rs, then run this again." >&2
    exit 1
fi

missing=''
packages=''
for need in $needs; do
    have "${need%%:*}" && continue
    missing="$missing ${need%%:*}"
    case " $packages " in *" ${need#*:} "*) ;; *) packages="$packages ${need#*:}" ;; esac
done
[ -n "$missing" ] || exit 0

echo "setup: missing:$missing; installing:$packages"
give_up() {
    echo "setup: $1" >&2
    echo "setup: as root, install these Debian packages and run this again:$packages" >&2
    exit 1
}
command -v apt-get >/dev/null || give_up "no apt-get here"
sudo=''
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || give_up "not root, and no sudo"
    sudo=sudo
fi

# sshd, prometheus, alertmanager and frr are installed for their programs; their services must not
# start. A machine's own policy is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    trap '$sudo rm -f "$policy"' EXIT
    trap 'exit 130' INT TERM HUP
    printf '#!/bin/sh\nexit 101\n' | $sudo tee "$policy" >/dev/null
    $sudo chmod 755 "$policy"
fi

install() {
    # shellcheck disable=SC2086 # one word per package
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages </dev/null
}
# The package lists may be old or absent: they are fetched only if installing without that fails.
install || { $sudo apt-get update -q </dev/null && install; } || give_up "apt-get could not install them"

for need in $needs; do
    have "${need%%:*}" || give_up "${need%%:*} is still missing"
done
