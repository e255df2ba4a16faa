#!/bin/bash
# Installs into a folder of its own and uses the result as a user's build would: every way to find the library gives a
# program that traps for real. Prints TAP. Run it from the top folder: `make check-install`.
set -euo pipefail
unset MAKEFLAGS MAKELEVEL DESTDIR LIBDIR INCLUDEDIR PKGCONFIGDIR CMAKEDIR

MAKE=${MAKE:-make}
CC=${CC:-cc}
STRICT=(-std=c99 -pedantic -Wall -Wextra -Werror)
version=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
soname=libwasmtrap.so.${version%%.*}
program=$PWD/c-tests/packaging/trap.c
out=$PWD/target/check-install
prefix=/opt/wasmtrap
rm -rf "$out"
mkdir -p "$out/build"

# shellcheck source-path=SCRIPTDIR source=tap.sh
. c-tests/packaging/tap.sh

install_to() { # DESTDIR [VARIABLE=VALUE...]
    "$MAKE" --no-print-directory SETUP=no install DESTDIR="$1" PREFIX="$prefix" "${@:2}"
}

files_in() { (cd "$1" && find . ! -type d | sort); }

# ---- What is installed ----

root=$out/root
tree=$root$prefix
promise make install -- install_to "$root"

cat >"$out/expected" <<END
./bin/wasmtrap-wasm2c
./include/wasmtrap.h
./lib/cmake/wasmtrap/wasmtrap-config-version.cmake
./lib/cmake/wasmtrap/wasmtrap-config.cmake
./lib/cmake/wasmtrap/wasmtrap-wasm2c.cmake
./lib/libwasmtrap.a
./lib/libwasmtrap.so
./lib/$soname
./lib/libwasmtrap.so.$version
./lib/pkgconfig/wasmtrap-wasm2c.pc
./share/man/man1/wasmtrap-wasm2c.1
./lib/pkgconfig/wasmtrap.pc
./share/man/man7/wasmtrap.7
$(grep -v '^//' include/wasmtrap.h | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sed 's,.*,./share/man/man3/&.3,')
$(printf '%s\n' adapters/wasm2c/*.[ch] adapters/wasm2c/*.py adapters/wasm2c/*.inc | sed 's,adapters,./share/wasmtrap,')
END
same_files() { files_in "$tree" | diff <(sort "$out/expected") -; }
promise exactly these files are installed -- same_files

links_in_a_chain() {
    [ "$(readlink "$tree/lib/libwasmtrap.so")" = "$soname" ] &&
        [ "$(readlink "$tree/lib/$soname")" = "libwasmtrap.so.$version" ]
}
promise "libwasmtrap.so -> $soname -> libwasmtrap.so.$version" -- links_in_a_chain

no_placeholders() { ! grep -rnE '@[A-Z_]+@' "$tree/lib/cmake" "$tree/lib/pkgconfig"; }
promise no placeholder is left in the package files -- no_placeholders

# ---- The manual pages ----

# mandoc prints bold letters twice, one over the other.
page() { mandoc -T ascii -O width=100 "$tree/share/man/$1" | sed "s/.$(printf '\b')//g"; }
reads_well() { mandoc -T lint -W error "$tree"/share/man/man*/*; }
promise the manual pages read well -- reads_well
says_errors() { page man3/wasmtrap_init.3 | grep -A 8 '^ERRORS' | grep >/dev/null WASMTRAP_ERR_CONFLICT; }
promise the page of wasmtrap_init names its errors -- says_errors
says_type() { page man3/wasmtrap_call.3 | sed -n '/^TYPES/,$p' | grep >/dev/null 'typedef struct wasmtrap_trap_t {'; }
promise the page of wasmtrap_call has the trap record -- says_type
names_all() {
    local function
    for function in $(grep -v '^//' include/wasmtrap.h | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '('); do
        echo "$function"
        page man7/wasmtrap.7 | grep >/dev/null "$function(3)" || return
        grep -qE "^$function \\\\- .{10}" "$tree/share/man/man3/$function.3" || return
    done
}
promise the overview names each function, and each has a page with a sentence on it -- names_all

# ---- What the shared library says of itself ----

library=$tree/lib/libwasmtrap.so
dynamic() { readelf -dW "$library" | grep -E "$1"; }
segments() { readelf -lW "$library" | grep -E "$1"; }
not() { ! "$@"; }
promise "its soname is $soname" -- dynamic "\(SONAME\).*\[${soname//./\\.}\]"
promise it is never unloaded '(NODELETE)' -- dynamic '\(FLAGS_1\).*NODELETE'
promise it is bound when loaded '(BIND_NOW)' -- dynamic 'BIND_NOW|\(FLAGS_1\).* NOW'
promise what the dynamic linker writes is read-only afterwards '(RELRO)' -- segments GNU_RELRO
promise its code is not relocated '(no TEXTREL)' -- not dynamic TEXTREL
promise it has no search path of its own '(no RPATH)' -- not dynamic 'RPATH|RUNPATH'
promise its stack is not executable -- segments 'GNU_STACK.* RW '
notes() { readelf -nW "$library" | grep -E "$1"; }
if [ "$(uname -m)" = x86_64 ]; then
    promise it says that it keeps to a shadow stack '(SHSTK)' -- notes 'x86 feature:.*SHSTK'
    promise and not that it marks the targets of indirect branches '(IBT)' -- not notes 'x86 feature:.*IBT'
fi
promise nothing in it is writable and executable at once -- not segments 'RWE'
no_build_paths() { ! grep -aoF -e "$PWD" -e "${CARGO_HOME:-$HOME/.cargo}" "$library" "$tree/lib/libwasmtrap.a"; }
promise no path of the build machine is in either library -- no_build_paths
is_small() { strip -o "$out/stripped.so" "$library" && [ "$(stat -c %s "$out/stripped.so")" -lt 350000 ]; }
promise it has less than 350 kB when stripped -- is_small

# ---- Programs ----

traps() { LD_LIBRARY_PATH=$1 "$2" && [ "$(LD_LIBRARY_PATH=$1 "$2")" = 'out of bounds memory access at address 4660' ]; }

# uses_the_shared_library PROGRAM. grep reads to the end: `grep -q` would end readelf by SIGPIPE, and pipefail says no.
uses_the_shared_library() { readelf -dW "$1" | grep -F "[$soname]"; }

# With the shared library: COMMAND builds PROGRAM, which needs it and traps.
shared_program() { # LIBRARY_FOLDER PROGRAM COMMAND...
    "${@:3}" && uses_the_shared_library "$2" && traps "$1" "$2"
}

# With the static one: the program does without the shared library.
static_program() { # PROGRAM COMMAND...
    "${@:2}" && not uses_the_shared_library "$1" && traps /nowhere "$1"
}

# pkg_config FOLDER ARGUMENT...: sees nothing but FOLDER.
pkg_config() { PKG_CONFIG_LIBDIR="$1" PKG_CONFIG_PATH='' pkg-config "${@:2}" wasmtrap; }

build_with_pkg_config() { # PROGRAM FOLDER COMPILER_ARGUMENTS PKG_CONFIG_ARGUMENTS...
    local flags
    flags=$(pkg_config "$2" --cflags --libs "${@:4}")
    # shellcheck disable=SC2086 # several words each
    $CC "${STRICT[@]}" "$program" $3 $flags -o "$1"
}

export PKG_CONFIG_SYSROOT_DIR=$root
says_its_version() { [ "$(pkg_config "$tree/lib/pkgconfig" --modversion)" = "$version" ]; }
promise "pkg-config knows version $version" -- says_its_version
promise a program by pkg-config, shared, traps -- \
    shared_program "$tree/lib" "$out/pc-shared" build_with_pkg_config "$out/pc-shared" "$tree/lib/pkgconfig" ''
promise a program by pkg-config --static, static altogether, traps -- \
    static_program "$out/pc-static" build_with_pkg_config "$out/pc-static" "$tree/lib/pkgconfig" -static --static
unset PKG_CONFIG_SYSROOT_DIR

build_plainly() { # PROGRAM LIBRARY...
    # shellcheck disable=SC2086 # CC may have arguments
    $CC "${STRICT[@]}" -I"$tree/include" "$program" "${@:2}" -o "$1"
}
promise a program by cc -lwasmtrap traps -- \
    shared_program "$tree/lib" "$out/plain-shared" build_plainly "$out/plain-shared" -L"$tree/lib" -lwasmtrap
promise a program by cc libwasmtrap.a traps -- \
    static_program "$out/plain-static" build_plainly "$out/plain-static" "$tree/lib/libwasmtrap.a"

build_with_cmake() { # FOLDER CMAKE_ARGUMENT...
    rm -rf "$1"
    cmake -S c-tests/packaging -B "$1" -DCMAKE_C_COMPILER="${CC%% *}" -DCMAKE_BUILD_TYPE=Release "${@:2}" &&
        cmake --build "$1" --verbose
}
cmake_programs() { # FOLDER LIBRARY_FOLDER CMAKE_ARGUMENT...
    build_with_cmake "$1" "${@:3}" && shared_program "$2" "$1/trap_shared" true && static_program "$1/trap_static" true
}
promise programs by CMake, shared and static, trap -- \
    cmake_programs "$out/build/plain" "$tree/lib" -DCMAKE_PREFIX_PATH="$tree"

wants_version() { # VERSION: asks CMake for it, in a project of its own
    mkdir -p "$out/build/version"
    printf '%s\n' 'cmake_minimum_required(VERSION 3.19)' 'project(version C)' "find_package(wasmtrap $1 REQUIRED)" \
        >"$out/build/version/CMakeLists.txt"
    cmake -S "$out/build/version" -B "$out/build/version/$1" -DCMAKE_PREFIX_PATH="$tree"
}
promise "CMake takes it for version ${version%.*}" -- wants_version "${version%.*}"
promise "CMake takes it for version $version exactly" -- wants_version "$version EXACT"
promise "CMake takes it for a range of versions" -- wants_version "0.0...<1"
promise CMake does not take it for a later version -- not wants_version "${version%%.*}.999"
promise CMake does not take it for another major version -- not wants_version 7.0

# ---- wasm2c's output ----

wasm=$out/memory.wasm
wasm_traps() { [ "$(LD_LIBRARY_PATH=$1 "$2")" = 'out of bounds memory access at address 70000' ]; }

# The driver, and pkg-config for the host's own C; what is in the way of Python's caches stays out of the tree.
wasm2c_program() { # TREE
    local program=$out/wasm2c-pc
    export PYTHONDONTWRITEBYTECODE=1
    "${WAT2WASM:-wat2wasm}" c-tests/wasm/modules/memory.wat -o "$wasm" &&
        "$1/bin/wasmtrap-wasm2c" module "$wasm" -o "$out/memory.o" &&
        "$1/bin/wasmtrap-wasm2c" runtime -o "$out/runtime.o" || return
    # shellcheck disable=SC2046,SC2086 # several words each
    $CC "${STRICT[@]/c99/c11}" -I"$out" $("$1/bin/wasmtrap-wasm2c" cflags) c-tests/packaging/wasm2c/host.c \
        "$out/memory.o" "$out/runtime.o" \
        $(PKG_CONFIG_LIBDIR=$1/lib/pkgconfig pkg-config --define-prefix --cflags --libs wasmtrap-wasm2c) \
        -o "$program" && wasm_traps "$1/lib" "$program"
}
promise "a module by wasmtrap-wasm2c and pkg-config traps" -- wasm2c_program "$tree"
wasm2c_by_cmake() { # TREE FOLDER
    PYTHONDONTWRITEBYTECODE=1 cmake -S c-tests/packaging/wasm2c -B "$2" -DCMAKE_PREFIX_PATH="$1" -DWASM="$wasm" \
        -DCMAKE_C_COMPILER="${CC%% *}" && PYTHONDONTWRITEBYTECODE=1 cmake --build "$2" --verbose &&
        wasm_traps "$1/lib" "$2/host"
}
promise "a module by CMake traps" -- wasm2c_by_cmake "$tree" "$out/build/wasm2c"

# ---- The tree elsewhere ----

moved=$out/moved
mv "$tree" "$moved"
promise a moved tree still works with pkg-config --define-prefix -- \
    shared_program "$moved/lib" "$out/moved-pc" build_with_pkg_config "$out/moved-pc" "$moved/lib/pkgconfig" '' \
    --define-prefix
promise a moved tree still works with CMake -- \
    cmake_programs "$out/build/moved" "$moved/lib" -DCMAKE_PREFIX_PATH="$moved"
promise a moved tree still works for wasm2c -- wasm2c_program "$moved"
mv "$moved" "$tree"

debian=$out/debian
multiarch=/usr/lib/$($CC -dumpmachine)
debian_paths=(PREFIX=/usr LIBDIR="$multiarch")
promise make install with Debian\'s paths -- install_to "$debian" "${debian_paths[@]}"
promise programs by CMake with Debian\'s paths trap -- \
    cmake_programs "$out/build/debian" "$debian$multiarch" -Dwasmtrap_DIR="$debian$multiarch/cmake/wasmtrap"

# ---- Uninstall ----

echo mine >"$tree/lib/cmake/somebody-elses"
removes_all() { # DESTDIR ARGUMENT...
    "$MAKE" --no-print-directory SETUP=no uninstall DESTDIR="$1" PREFIX="$prefix" "${@:2}"
}
promise make uninstall -- removes_all "$root"
nothing_left() {
    [ "$(files_in "$root")" = ".$prefix/lib/cmake/somebody-elses" ] && [ ! -e "$tree/lib/cmake/wasmtrap" ]
}
promise it leaves nothing behind, and nothing of others harmed -- nothing_left
promise make uninstall with Debian\'s paths -- removes_all "$debian" "${debian_paths[@]}"
nothing_in_debian() { [ -z "$(files_in "$debian")" ]; }
promise it leaves nothing behind there -- nothing_in_debian

tap_done
