#!/bin/bash
# Tries targets of the Makefile on a fresh Debian or Ubuntu, as a newcomer would: a minimal system in a folder
# (debootstrap, chroot) with git, make, gcc, python3, a Rust toolchain, and nothing else. Needs root and debootstrap.
#
#     c-tests/setup/try-in-clean-root.sh [SUITE] [rustup|packages] [--with COMMAND] [TARGET...]
#
# SUITE is bookworm (Debian 12, the default), trixie, or one of Ubuntu's: jammy, noble, questing, resolute. rustup (the
# default) lends it this machine's Rust toolchain; packages gives it none, so that the set-up has to install the
# system's. COMMAND is run in the root first, to put other packages in the way, say. TARGETs are what make is asked for,
# one after the other; run and check by default.
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

suite=bookworm toolchain=rustup first=true targets=()
while [ "$#" != 0 ]; do
    case $1 in
    bookworm | trixie | jammy | noble | questing | resolute) suite=$1 ;;
    rustup | packages) toolchain=$1 ;;
    --with) first=$2 && shift ;;
    *) targets+=("$1") ;;
    esac
    shift
done
[ "${#targets[@]}" != 0 ] || targets=(run check)
folder=$PWD/target/clean-root/$suite
base=$folder/base
root=$folder/root
mkdir -p "$folder"

# ---- The system ----

if [ ! -e "$base.done" ]; then
    rm -rf --one-file-system "$base"
    case $suite in
    bookworm | trixie)
        debootstrap --variant=minbase --include=git,make,gcc,python3 "$suite" "$base"
        components=main
        ;;
    *)
        # One script serves all of Ubuntu's suites; it knows the mirror.
        script=/usr/share/debootstrap/scripts/gutsy
        mirror=$(awk '$1 == "default_mirror" && /archive/ { print $2; exit }' "$script")
        debootstrap --variant=minbase --components=main,universe --include=git,make,gcc,python3 \
            "$suite" "$base" "$mirror" "$script"
        components="main universe"
        ;;
    esac
    # As the installer sets it up: with updates and security updates, from where the rest came from.
    mirror=$(awk '$1 == "deb" { print $2; exit }' "$base/etc/apt/sources.list")
    {
        echo "deb $mirror $suite $components"
        echo "deb $mirror $suite-updates $components"
        echo "deb ${mirror/%debian/debian-security} $suite-security $components"
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
packages) ;;
esac

# ---- The project ----

mkdir -p "$root/src/wasmtrap"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do [ ! -e "$file" ] || printf '%s\0' "$file"; done |
    tar --create --null --files-from=- | tar --extract --no-same-owner --directory="$root/src/wasmtrap"

try() {
    local status=0 target
    chroot "$root" env -i "${environment[@]}" sh -c "$first" </dev/null || return
    for target in "${targets[@]}"; do
        echo "==== make $target, in a clean root"
        local start=$SECONDS
        chroot "$root" env -i "${environment[@]}" make -C /src/wasmtrap "$target" </dev/null || status=1
        echo "==== make $target: $((SECONDS - start)) s, status $status"
    done
    return "$status"
}
try 2>&1 | tee "$folder/log"
