#!/bin/bash
# Gets what the emulated machine needs of Debian's packages for its architecture from the machine's own apt sources, and
# leaves apt and dpkg as they are: an apt of its own (lists, cache, an empty package database), all below FOLDER, with
# the machine's own keyrings to check by.
#
#     c-tests/arm64-system/fetch-system.sh FOLDER [arm64|amd64]
#
# Afterwards FOLDER/Image is the kernel, FOLDER/version its version, and FOLDER/busybox a shell and the usual tools.
set -euo pipefail

folder=${1:?"usage: $0 FOLDER [arm64|amd64]"}
architecture=${2:-arm64}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

say() { echo "fetch-system: $*" >&2; }

if ! command -v apt-get >/dev/null; then
    say "there is no apt-get to fetch Debian's $architecture packages with; needed are a kernel (for arm64 an"
    say "uncompressed Image with a PL011 console), its version, and a static busybox:"
    say "$folder/Image, $folder/version, $folder/busybox"
    exit 1
fi

private=$folder/apt
rm -rf --one-file-system "$private"
mkdir -p "$private"/{lists/partial,archives/partial,parts}
: >"$private/status"

# How to reach the sources is the machine's (proxies, certificates, time-outs); what to do after an update is not.
{
    apt-config dump | grep -E '^Acquire::' || true
    cat <<CONFIGURATION
APT::Architecture "$architecture";
APT::Architectures { "$architecture"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Dir::State "$private";
Dir::State::status "$private/status";
Dir::State::lists "$private/lists";
Dir::Cache "$private";
Dir::Cache::archives "$private/archives";
Dir::Etc::parts "$private/parts";
CONFIGURATION
} >"$private/apt.conf"

log() { "$@" >>"$private/log" 2>&1 </dev/null; }
private_apt() { APT_CONFIG="$private/apt.conf" timeout 600 "$@"; }

give_up() {
    cat "$private/log" >&2
    say "$*"
    exit 1
}

# linux-image-ARCHITECTURE is empty, and depends on the kernel of the day.
newest_kernel() {
    private_apt apt-cache depends --important "linux-image-$architecture" 2>/dev/null |
        sed -n 's/^ *Depends: \(linux-image-[0-9].*\)/\1/p' | sed -n 1p
}

# A source without arm64 makes the update fail; what counts is whether the packages are to be had.
log private_apt apt-get -q update || true
kernel=$(newest_kernel)
[ -n "$kernel" ] || give_up "apt's sources have no linux-image-$architecture"
say "fetching $kernel and busybox-static"
cd "$private/archives"
log private_apt apt-get -q download "$kernel" busybox-static || give_up "they could not be fetched"

# take PACKAGE MEMBER AS: one file of a package. The version goes last: it says that all is there.
take() { dpkg-deb --fsys-tarfile "$1"_*_"$architecture".deb | tar --extract --to-stdout "$2" >"$folder/$3"; }
take "$kernel" "./boot/vmlinuz-${kernel#linux-image-}" Image
take busybox-static ./bin/busybox busybox
chmod 755 "$folder/busybox"
echo "${kernel#linux-image-}" >"$folder/version"
rm -rf --one-file-system "$private"
