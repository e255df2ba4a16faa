#!/bin/sh
# Makes the static library for C of the one that rustc makes:
#
#     packaging/static-archive.sh HEADER RUSTC_ARCHIVE OUTPUT
#
# rustc's has the whole Rust runtime in it, with its symbols global (an allocator, an end for panics), so that no other
# Rust code can be linked beside it, and with bitcode, which a linker with LLVM's plug-in takes for the program's own.
# The result is one relocatable object: what the functions of the header need, which alone are global. Sections stay
# apart, for who links with --gc-sections.
#
# TOOLS is what the names of ld, objcopy and ar begin with. Mach-O archives stay as they are: of the linkers for it only
# Apple's can do the like.
set -eu
header=${1:?"usage: $0 HEADER RUSTC_ARCHIVE OUTPUT"}
archive=${2:?"usage: $0 HEADER RUSTC_ARCHIVE OUTPUT"}
output=${3:?"usage: $0 HEADER RUSTC_ARCHIVE OUTPUT"}
TOOLS=${TOOLS:-}

folder=$(dirname "$output")
mkdir -p "$folder"
if [ "$(uname -s)" = Darwin ]; then
    cp "$archive" "$output"
    exit
fi

# The functions that the header declares.
functions=$(grep -v '^//' "$header" | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sort -u)
roots=
globals=
for function in $functions; do
    roots="$roots -u $function"
    globals="$globals --keep-global-symbol=$function"
done

# shellcheck disable=SC2086 # a word a function
"${TOOLS}ld" -r --gc-sections $roots -o "$folder/wasmtrap.o.whole" "$archive"
# shellcheck disable=SC2086 # a word a function
"${TOOLS}objcopy" --strip-debug --remove-section=.llvmbc --remove-section=.llvmcmd $globals \
    "$folder/wasmtrap.o.whole" "$folder/wasmtrap.o"
rm -f "$folder/wasmtrap.o.whole" "$output.new"
"${TOOLS}ar" crsD "$output.new" "$folder/wasmtrap.o"
rm "$folder/wasmtrap.o"
mv "$output.new" "$output"
