#!/bin/bash
# Unpacks Debian packages that cannot be installed beside what the machine has, with all that they need and the machine
# lacks, below a folder, and makes their programs callable from there. The machine's packages stay as they are: apt
# works on a copy of its package database here, and only downloads. It takes no root.
#
#     c-tests/setup/unpack.sh FOLDER PACKAGE...
#
# Afterwards FOLDER/bin has a command for each program of the PACKAGEs, and FOLDER/root the files, of all packages
# together: a toolchain looks for its parts beside itself. A package that was unpacked before is left as it is.
set -euo pipefail

folder=${1:?"usage: $0 FOLDER PACKAGE..."}
shift
mkdir -p "$folder"/{bin,root,done}
folder=$(cd "$folder" && pwd)
private=$folder/apt

say() { echo "unpack: $*" >&2; }

# The machine's own sources, keyrings and settings; a state and a cache of our own. What the machine does after an
# update or an installation is none of it.
prepare_apt() {
    rm -rf --one-file-system "$private"
    mkdir -p "$private"/{lists/partial,archives/partial,parts,log}
    {
        apt-config dump | grep -E '^(Acquire|APT::Architecture)' || true
        cat <<CONFIGURATION
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Debug::NoLocking "true";
Dir::State "$private";
Dir::State::status "$private/status";
Dir::State::lists "$private/lists";
Dir::State::extended_states "$private/extended_states";
Dir::Cache "$private";
Dir::Cache::archives "$private/archives";
Dir::Etc::parts "$private/parts";
Dir::Log "$private/log";
CONFIGURATION
    } >"$private/apt.conf"
    : >"$private/status"
    # One source out of order does not matter if the packages are to be had from the others.
    private_apt update || true
}

private_apt() {
    APT_CONFIG="$private/apt.conf" DEBIAN_FRONTEND=noninteractive LC_ALL=C timeout 1200 apt-get -y -q \
        --allow-downgrades --allow-change-held-packages "$@" >>"$private/log/output" 2>&1 </dev/null
}

# download PACKAGE: it, and what it needs that STATUS, a package database, does not have.
download() {
    cat "$2" >"$private/status"
    rm -f "$private"/archives/*.deb
    private_apt --download-only install "$1"
}

# program_caller PROGRAM ROOT: a command that runs PROGRAM with the libraries of ROOT. The machine's loader does it
# unless the C library had to be unpacked, too.
program_caller() {
    local libraries loader
    libraries=$(find "$2" -name '*.so*' \( -type f -o -type l \) -printf '%h\n' | sort -u |
        grep -xE "$2(/usr)?/lib(32|64)?(/$multiarch(/.*)?)?" | paste -sd: || true)
    loader=$(find "$2"/lib* "$2"/usr/lib* -maxdepth 2 -name 'ld-linux*.so.*' 2>/dev/null | head -n 1 || true)
    echo '#!/bin/sh'
    echo "# Written by c-tests/setup/unpack.sh."
    # What programs look for at fixed places.
    case $1 in
    */qemu-*) [ ! -d "$2/usr/lib/$multiarch/qemu" ] || echo "export QEMU_MODULE_DIR='$2/usr/lib/$multiarch/qemu'" ;;
    # A cross compiler's headers and libraries are its own package's, which may be one of the machine's.
    */*-linux-gnu-g[c+][c+]*)
        target=${1##*/} target=${target%-g[c+][c+]*}
        echo "[ -e '$2/usr/$target/lib/crt1.o' ] ||"
        echo "    set -- -isystem /usr/$target/include -B/usr/$target/lib -L/usr/$target/lib \"\$@\""
        ;;
    esac
    if [ -n "$loader" ]; then
        echo "exec '$loader' --library-path '$libraries' --argv0 '$1' '$1' \"\$@\""
    else
        echo "LD_LIBRARY_PATH='$libraries'\"\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}\" exec '$1' \"\$@\""
    fi
}

unpack() {
    local package=$1 root=$folder/root program name archive
    download "$package" /var/lib/dpkg/status || download "$package" /dev/null || {
        cat "$private/log/output" >&2
        say "$package could not be fetched"
        return 1
    }
    for archive in "$private"/archives/*.deb; do
        dpkg-deb --extract "$archive" "$root"
    done
    # What stands for a C library and names its parts by their places.
    find "$root" -name 'lib*.so' -size -4k -type f -exec grep -lZIE '^(GROUP|INPUT)' {} + |
        xargs -r0 sed -i "s,\([( ]\)/\(usr\|lib\),\1$root/\2,g; s,$root$root,$root,g"
    multiarch=$(gcc -print-multiarch 2>/dev/null || uname -m | sed 's/$/-linux-gnu/')
    dpkg-deb --fsys-tarfile "$private/archives/${package}"_*.deb | tar --list |
        sed -n 's,^\./\(usr/s\?bin/[^/]*[^/]\)$,\1,p' | while read -r program; do
        name=$folder/bin/${program##*/}
        program_caller "$root/$program" "$root" >"$name.new"
        chmod 755 "$name.new"
        mv "$name.new" "$name"
    done
    (cd "$private/archives" && ls -- *.deb) >"$folder/done/$package"
    say "$package is in $root, with $(($(wc -l <"$folder/done/$package") - 1)) more that it needs"
}

wanted=()
for package; do
    [ -e "$folder/done/$package" ] || wanted+=("$package")
done
[ "${#wanted[@]}" != 0 ] || exit 0
command -v apt-get >/dev/null || { say "there is no apt-get to fetch with: ${wanted[*]}" && exit 1; }
prepare_apt
for package in "${wanted[@]}"; do unpack "$package"; done
rm -rf --one-file-system "$private"
