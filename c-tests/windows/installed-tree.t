#!/bin/bash
# Installs the library for Windows into a folder of its own and uses the result as a user's build with mingw-w64 would:
# each way to find the library gives a program that traps under Wine, with the DLL or without. Prints TAP. Run it from
# the top folder: `make check-windows`, which sets the variables for Wine.
set -euo pipefail
unset MAKEFLAGS MAKELEVEL DESTDIR LIBDIR INCLUDEDIR PKGCONFIGDIR CMAKEDIR BINDIR

MAKE=${MAKE:-make}
TOOLS=x86_64-w64-mingw32-
STRICT=(-std=c99 -pedantic -Wall -Wextra -Werror)
version=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
program=$PWD/c-tests/windows/trap.c
project=$PWD/target/windows/installed/project
wine=$PWD/c-tests/windows/wine.sh
out=$PWD/target/windows/installed
prefix=/opt/wasmtrap
tree=$out/root$prefix
rm -rf "$out"
mkdir -p "$project"
cp "$program" c-tests/packaging/CMakeLists.txt "$project"

# shellcheck source-path=SCRIPTDIR source=../packaging/tap.sh
. c-tests/packaging/tap.sh

promise make windows-install -- \
    "$MAKE" --no-print-directory SETUP=no windows-install DESTDIR="$out/root" PREFIX="$prefix"
cat >"$out/expected" <<END
./bin/wasmtrap.dll
./include/wasmtrap.h
./lib/cmake/wasmtrap/wasmtrap-config-version.cmake
./lib/cmake/wasmtrap/wasmtrap-config.cmake
./lib/libwasmtrap.a
./lib/libwasmtrap.dll.a
./lib/pkgconfig/wasmtrap.pc
./lib/wasmtrap.lib
END
same_files() { (cd "$tree" && find . ! -type d | LC_ALL=C sort) | diff <(LC_ALL=C sort "$out/expected") -; }
promise exactly these files are installed -- same_files
no_placeholders() { ! grep -rnE '@[A-Z_]+@' "$tree/lib/cmake" "$tree/lib/pkgconfig"; }
promise no placeholder is left in the package files -- no_placeholders

# Programs find the DLL on the path.
WINEPATH=Z:${tree//\//\\}\\bin
export WINEPATH
traps() { [ "$("$wine" "$1" | tr -d '\r')" = 'out of bounds memory access at address 4660' ]; }
needs_the_dll() { "${TOOLS}objdump" -p "$1" | grep -F 'DLL Name: wasmtrap.dll'; }
not() { ! "$@"; }

pkg_config() {
    PKG_CONFIG_SYSROOT_DIR=$out/root PKG_CONFIG_LIBDIR=$tree/lib/pkgconfig PKG_CONFIG_PATH='' pkg-config "$@" wasmtrap
}
says_its_version() { [ "$(pkg_config --modversion)" = "$version" ]; }
promise "pkg-config knows version $version" -- says_its_version
build_with_pkg_config() { # PROGRAM COMPILER_ARGUMENTS PKG_CONFIG_ARGUMENTS...
    local flags
    flags=$(pkg_config --cflags --libs "${@:3}")
    # shellcheck disable=SC2086 # several words each
    "${TOOLS}gcc" "${STRICT[@]}" "$project/trap.c" $2 $flags -o "$1"
}
promise a program by pkg-config, shared, is built -- build_with_pkg_config "$out/pc-shared.exe" ''
promise ... needs the DLL -- needs_the_dll "$out/pc-shared.exe"
promise ... and traps -- traps "$out/pc-shared.exe"
# wants FUNCTION PKG_CONFIG_ARGUMENTS...: an object of the program has that undefined, and calls it by no other name.
wants() {
    # shellcheck disable=SC2046 # several words
    "${TOOLS}gcc" "${STRICT[@]}" $(pkg_config --cflags "${@:2}") -c "$project/trap.c" -o "$out/trap.o" &&
        [ "$("${TOOLS}nm" "$out/trap.o" | grep -o '[^ ]*wasmtrap_call$')" = "$1" ]
}
promise ... with calls that go to the DLL with no function in between -- wants __imp_wasmtrap_call
promise ... for which calls of the static library are no reason -- wants wasmtrap_call --static
promise a program by pkg-config --static is built -- build_with_pkg_config "$out/pc-static.exe" -static --static
promise ... does without the DLL -- not needs_the_dll "$out/pc-static.exe"
promise ... and traps -- traps "$out/pc-static.exe"

build_with_cmake() {
    cmake -S "$project" -B "$out/cmake" -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_SYSTEM_PROCESSOR=x86_64 \
        -DCMAKE_C_COMPILER="${TOOLS}gcc" -DCMAKE_PREFIX_PATH="$tree" && cmake --build "$out/cmake"
}
promise CMake finds both libraries -- build_with_cmake
promise ... its shared program needs the DLL -- needs_the_dll "$out/cmake/trap_shared.exe"
promise ... and traps -- traps "$out/cmake/trap_shared.exe"
promise ... its static program does without -- not needs_the_dll "$out/cmake/trap_static.exe"
promise ... and traps -- traps "$out/cmake/trap_static.exe"
other_version_is_refused() {
    local project_of_another=$out/another
    mkdir -p "$project_of_another"
    sed 's/find_package(wasmtrap 0.1/find_package(wasmtrap 99.1/' "$project/CMakeLists.txt" \
        >"$project_of_another/CMakeLists.txt"
    ! cmake -S "$project_of_another" -B "$project_of_another/build" -DCMAKE_SYSTEM_NAME=Windows \
        -DCMAKE_C_COMPILER="${TOOLS}gcc" -DCMAKE_PREFIX_PATH="$tree"
}
promise CMake refuses a version that is not there -- other_version_is_refused

tap_done
