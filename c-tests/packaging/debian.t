#!/bin/bash
# The Debian packages: built by dpkg-buildpackage from a copy of the source, clean for lintian, unpacked into a root,
# and used from there. Prints TAP. Run it from the top folder: `make check-debian`.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=outside.sh
. c-tests/packaging/outside.sh

source_tree "$out/wasmtrap-$version"
cp -r packaging/debian "$out/wasmtrap-$version/debian"
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
architecture=$(dpkg-architecture -qDEB_HOST_ARCH)
deb=${version}_$architecture.deb

# -d: the toolchain may be another than Debian's. The path is not what debhelper would have it be without that.
build() { (cd "$out/wasmtrap-$version" && dpkg-buildpackage --build=binary --no-sign -d); }
promise dpkg-buildpackage builds them -- build
has_packages() { [ -s "$out/libwasmtrap0_$deb" ] && [ -s "$out/libwasmtrap-dev_$deb" ]; }
promise "there are libwasmtrap0 and libwasmtrap-dev, $version" -- has_packages

# What debian/symbols says is what the library has: dh_makeshlibs ended the build otherwise (-c4).
symbols_in_package() {
    dpkg-deb --ctrl-tarfile "$out/libwasmtrap0_$deb" | tar --extract --to-stdout ./symbols |
        sed -n 's/^ \(wasmtrap_[a-z_]*\)@.*/\1/p' | sort -u
}
has_symbols() {
    diff <(symbols_in_package) \
        <(grep -v '^//' include/wasmtrap.h | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sort -u)
}
promise the symbols file has each function of the header -- has_symbols

clean_for_lintian() { [ -z "$(lintian --fail-on error,warning "$out"/*.changes | tee /dev/stderr)" ]; }
promise lintian has nothing to say -- clean_for_lintian

mkdir "$out/root"
unpack() {
    dpkg-deb --extract "$out/libwasmtrap0_$deb" "$out/root" &&
        dpkg-deb --extract "$out/libwasmtrap-dev_$deb" "$out/root"
}
promise they unpack -- unpack
library=$out/root/usr/lib/$multiarch
program() {
    local flags
    flags=$(PKG_CONFIG_LIBDIR="$library/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$out/root" \
        pkg-config --cflags --libs wasmtrap)
    # shellcheck disable=SC2086 # several words
    ${CC:-cc} "$trap_program" $flags -o "$out/program"
}
promise a program builds with what is in libwasmtrap-dev -- program
promise and traps with what is in libwasmtrap0 -- says "$trap_says" env LD_LIBRARY_PATH="$library" "$out/program"

tap_done
