#!/bin/bash
# The header in the eyes of MSVC, as far as clang plays it: no warning in C and C++, functions that come from the DLL,
# and none that do where the static library is used. Without MSVC's own headers: clang's <stddef.h> and <stdint.h> are
# enough. Prints TAP. Run it from the top folder: `make check-windows`.
set -euo pipefail

out=$PWD/target/windows/header
rm -rf "$out"
mkdir -p "$out"

# shellcheck source-path=SCRIPTDIR source=../packaging/tap.sh
. c-tests/packaging/tap.sh

# A program that has the address of each function, and one of each structure.
{
    echo '#include <wasmtrap.h>'
    grep -oE '^typedef struct \w+ \{' include/wasmtrap.h |
        sed 's/typedef struct \(.*\) {/extern \1 some_\1; \1 some_\1;/'
    echo 'typedef void (*function_t)(void);'
    echo 'function_t address_of(int number);'
    echo 'function_t address_of(int number) {'
    echo '  switch (number) {'
    grep -v '^//' include/wasmtrap.h | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sort -u | cat -n |
        sed 's/ *\([0-9]*\)\s*\(.*\)/    case \1: return (function_t)\2;/'
    printf '    default: return 0;\n  }\n}\n'
} >"$out/all.c"
cp "$out/all.c" "$out/all.cc"

functions=$(grep -c ' case ' "$out/all.c")
imported() { x86_64-w64-mingw32-nm "$out/$1.obj" | grep -c 'U __imp_wasmtrap_'; }
compile() { # NAME ARGUMENT...
    clang -ffreestanding -Iinclude -Werror -c -o "$out/$1.obj" "${@:2}"
}
imports() { [ "$(imported "$1")" = "$2" ]; }
strict=(-pedantic -Wall -Wextra)

for machine in x86_64 aarch64; do
    promise "$machine, C99" -- \
        compile "$machine-c" --target=$machine-pc-windows-msvc -std=c99 "${strict[@]}" "$out/all.c"
    promise "$machine, C++17" -- \
        compile "$machine-cc" --target=$machine-pc-windows-msvc -std=c++17 "${strict[@]}" "$out/all.cc"
done
promise "each of $functions functions comes from the DLL" -- imports x86_64-c "$functions"
promise "in C++, too" -- imports x86_64-cc "$functions"
promise "with WASMTRAP_STATIC" -- \
    compile static --target=x86_64-pc-windows-msvc -std=c99 "${strict[@]}" -DWASMTRAP_STATIC "$out/all.c"
none_is_imported() { [ "$(imported static || true)" = 0 ]; }
promise "none does" -- none_is_imported
cl() {
    clang --driver-mode=cl --target=x86_64-pc-windows-msvc /W4 /WX /X -imsvc"$(clang -print-resource-dir)/include" \
        /clang:-ffreestanding /Iinclude /c /Fo"$out/cl.obj" -- "$1"
}
promise "clang-cl /W4, C" -- cl "$out/all.c"
promise "clang-cl /W4, C++" -- cl "$out/all.cc"

tap_done
