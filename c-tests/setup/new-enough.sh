#!/bin/sh
# The first of some cargos that is as new as a manifest asks for (rustc goes with its cargo); else the first of all,
# which will say what it misses.
#
#     new-enough.sh MANIFEST CARGO...
wanted=$(sed -n 's/^rust-version = "\(.*\)".*/\1/p' "$1")
shift
for cargo; do
    # shellcheck disable=SC2086 # a command may be several words
    version=$($cargo --version 2> /dev/null | cut -d ' ' -f 2)
    if [ "$(printf '%s\n' "$wanted" "${version:-0}" | sort -V | head -n 1)" = "$wanted" ]; then
        echo "$cargo"
        exit
    fi
done
echo "$1"
