#!/bin/bash
# The import library for MSVC's linker, as far as LLVM plays that: a program of clang's for x86_64-pc-windows-msvc is
# linked with wasmtrap.lib by lld-link, and traps under Wine. No C library of MSVC's is there. Prints TAP. Run it from
# the top folder: `make check-windows`, which sets the variables for Wine, and LLVM to a version.
set -euo pipefail

out=$PWD/target/windows/msvc
lib=$PWD/target/windows/lib
rm -rf "$out"
mkdir -p "$out"

# shellcheck source-path=SCRIPTDIR source=../packaging/tap.sh
. c-tests/packaging/tap.sh

printf 'LIBRARY kernel32.dll\nEXPORTS\n    ExitProcess\n' >"$out/kernel32.def"
promise the system\'s import library -- \
    "llvm-dlltool-$LLVM" -m i386:x86-64 -d "$out/kernel32.def" -l "$out/kernel32.lib"
promise the program is compiled -- \
    clang --target=x86_64-pc-windows-msvc -std=c99 -ffreestanding -O1 -Wall -Wextra -Werror -Iinclude \
    -c c-tests/windows/msvc.c -o "$out/msvc.obj"
promise lld-link takes wasmtrap.lib -- \
    "lld-link-$LLVM" /nodefaultlib /entry:start /subsystem:console "/out:$out/msvc.exe" "$out/msvc.obj" \
    "$lib/wasmtrap.lib" "$out/kernel32.lib"
ln -f "$lib/wasmtrap.dll" "$out"
exports() { x86_64-w64-mingw32-nm "$lib/wasmtrap.lib" | grep -oE ' T wasmtrap_[a-z_]+$' | sort -u; }
documented() { grep -v '^//' include/wasmtrap.h | grep -oE '\bwasmtrap_[a-z_]+\(' | sort -u | sed 's/^/ T /; s/($//'; }
has_all() { diff <(documented) <(exports); }
promise it has each function of the header -- has_all
# The status of a program that has trapped as it must.
traps() {
    local status=0
    c-tests/windows/wine.sh "$out/msvc.exe" || status=$?
    [ "$status" = 42 ]
}
promise the program traps -- traps

tap_done
