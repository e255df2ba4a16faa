#!/bin/bash
# Tries `make run` and `make check` on a fresh Debian 12, as a newcomer would: a minimal system in a folder
# (debootstrap, chroot) with git, make, gcc, python3, a Rust toolchain, and nothing else. Needs root and debootstrap.
#
#     c-tests/setup/try-in-clean-root.sh [rustup|debian] [TARGET...]
#
# rustup (the default) lends it this machine's Rust toolchain; debian gives it none, so that the set-up has to install
# Debian's. TARGETs are what make is asked for, one after the other; run and check by default.
#
# All is below target/clean-root/: the minimal system is kept for the next time, what is tried runs in a copy. The files
# are those that git knows or would add. Mounts are in a name space of this script's own and end with it.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ "${1:-}" != --in-namespace ]; then
    if [ "$(id -u)" != 0 ] || ! command -v debootstrap >/dev/null; then
        echo "$0: wants root, and debootstrap (apt-get install debootstrap)" >&2
        exit 1
    fi
    exec unshare --mount --propagation private "$0" --in-namespace "$@"
fi
shift

toolchain=${1:-rustup}
targets=("${@:2}")
[ "${#targets[@]}" != 0 ] || targets=(run check)
folder=$PWD/target/clean-root
base=$folder/base
root=$folder/root
mkdir -p "$folder"

# ---- The system ----

if [ ! -e "$base.done" ]; then
    rm -rf --one-file-system "$base"
    debootstrap --variant=minbase --include=git,make,gcc,python3 bookworm "$base"
    # As the installer sets it up: with updates and security updates, from where the rest came from.
    mirror=$(awk '$1 == "deb" { print $2; exit }' "$base/etc/apt/sources.list")
    {
        echo "deb $mirror bookworm main"
        echo "deb $mirror bookworm-updates main"
        echo "deb ${mirror%/debian*}/debian-security bookworm-security main"
    } >"$base/etc/apt/sources.list"
    touch "$base.done"
fi
rm -rf --one-file-system "$root"
cp -a --reflink=auto "$base" "$root"

# The way to the network is this machine's: its name servers, its apt settings, the certificates that it trusts.
cp /etc/resolv.conf /etc/hosts "$root/etc/"
apt-config dump Acquire | grep -E '^Acquire::(Check|http|https|Retries)' >"$root/etc/apt/apt.conf.d/90network" || true
environment=(PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/src LANG=C.UTF-8 CI=true)
if [ -n "${SSL_CERT_FILE:-}" ]; then
    mkdir -p "$root/opt"
    cp -L "$SSL_CERT_FILE" "$root/opt/certificates.crt"
    environment+=({SSL_CERT_FILE,CARGO_HTTP_CAINFO,PIP_CERT,NODE_EXTRA_CA_CERTS}"=/opt/certificates.crt")
fi

mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
case $toolchain in
rustup)
    mkdir -p "$root/opt/rust"
    mount --bind "$(rustc --print sysroot)" "$root/opt/rust"
    mount -o remount,ro,bind "$root/opt/rust"
    environment[0]="PATH=/opt/rust/bin:${environment[0]#PATH=}"
    ;;
debian) ;;
*) echo "$0: '$toolchain' is neither rustup nor debian" >&2 && exit 2 ;;
esac

# ---- The project ----

mkdir -p "$root/src/wasmtrap"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --no-same-owner --directory="$root/src/wasmtrap"

try() {
    local status=0 target
    for target in "${targets[@]}"; do
        echo "==== make $target, in a clean root"
        chroot "$root" env -i "${environment[@]}" make -C /src/wasmtrap "$target" </dev/null || status=1
    done
    return "$status"
}
try 2>&1 | tee "$folder/log"
