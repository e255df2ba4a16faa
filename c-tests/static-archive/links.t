#!/bin/bash
# Links the static library as real builds do, and runs what comes out: every program traps. Prints TAP.
#
#     c-tests/static-archive/links.t ARCHIVE
set -euo pipefail

archive=$(realpath "${1:?"usage: $0 ARCHIVE"}")
CC=${CC:-cc}
CARGO=${CARGO:-cargo}
TOOLS=${TOOLS:-}
here=c-tests/static-archive
out=$PWD/target/check-static-archive
rm -rf "$out"
mkdir -p "$out"
# shellcheck source-path=SCRIPTDIR source=../packaging/tap.sh
. c-tests/packaging/tap.sh

not() { ! "$@"; }

# ---- What is in it ----

# Binutils' own plug-ins would read bitcode as if it were code.
symbols() { "${TOOLS}nm" --plugin= "$@" "$archive"; }
of_the_header() { grep -v '^//' include/wasmtrap.h | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sort -u; }
only_ours() { diff <(of_the_header) <(symbols -g --defined-only | awk 'NF == 3 { print $3 }' | sort); }
promise its global symbols are the functions of the header -- only_ours
wants_nothing_of_rust() { not grep -E ' U (_ZN|_R[A-Z]|_*rust_)' <(symbols -u); }
promise it wants nothing of a Rust runtime -- wants_nothing_of_rust
sections() { "${TOOLS}objdump" -h "$archive"; }
promise it has no bitcode -- not grep -F .llvm <(sections)
is_small() { [ "$(stat -c %s "$archive")" -lt 500000 ]; }
promise it has less than 500 kB -- is_small
has_unwind_tables() { grep -qF .eh_frame <(sections) && grep -qF .gcc_except_table <(sections); }
promise it has its unwind tables -- has_unwind_tables

# ---- Programs ----

traps() { # PROGRAM [BUILD_COMMAND...]
    "${@:2}" && [ "$("$1")" = 'out of bounds memory access at address 4660' ]
}

compile() { # COMPILER PROGRAM ARGUMENT...
    # shellcheck disable=SC2086 # a compiler may have arguments
    $1 -std=c99 -O2 -Wall -Wextra -Werror -Iinclude -o "$2" "${@:3}" -lpthread -ldl -lm
}

cargo_build() { # FOLDER
    RUSTFLAGS="-L native=$(dirname "$archive")" "$CARGO" build --quiet --release --manifest-path "$here/$1/Cargo.toml" \
        --target-dir "$out/$1"
}

alone=c-tests/packaging/trap.c
promise all of it linked into a program -- traps "$out/whole" \
    compile "$CC" "$out/whole" "$alone" -Wl,--whole-archive "$archive" -Wl,--no-whole-archive
promise with unused sections left out -- traps "$out/gc" compile "$CC" "$out/gc" "$alone" -Wl,--gc-sections "$archive"
promise gcc -flto with GNU ld -- traps "$out/gcc-lto" compile "$CC -flto" "$out/gcc-lto" "$alone" "$archive"
promise clang -flto with GNU ld -- traps "$out/clang-lto" \
    compile 'clang -flto -fuse-ld=bfd' "$out/clang-lto" "$alone" "$archive"

beside=$out/beside/release/libbeside.a
promise another Rust static library is built -- cargo_build beside
promise beside it, ours first -- traps "$out/first" \
    compile "$CC" "$out/first" "$here/beside.c" "$archive" "$beside"
promise beside it, ours last -- traps "$out/last" compile "$CC" "$out/last" "$here/beside.c" "$beside" "$archive"
promise beside it, all of both -- traps "$out/both" \
    compile "$CC" "$out/both" "$here/beside.c" -Wl,--whole-archive "$archive" "$beside" -Wl,--no-whole-archive
promise in a Rust program -- traps "$out/program/release/program" cargo_build program

tap_done
