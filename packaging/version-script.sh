#!/bin/sh
# Prints the version script of the shared library: the functions that it exports, each with the version in which it
# appeared.
#
#     packaging/version-script.sh
#
# What a release had is in packaging/abi/VERSION/wasmtrap.h; what the header has more is the next minor version's.
set -eu
cd "$(dirname "$0")/.."

functions_of() { grep -v '^//' "$1" | grep -oE '\bwasmtrap_[a-z_]+\(' | tr -d '(' | sort -u; }

# node NAME FUNCTIONS PREDECESSOR
node() {
    [ -n "$2" ] || return 0
    echo "$1 {"
    echo '  global:'
    for function in $2; do echo "    $function;"; done
    # Once is enough, and has to be somewhere.
    [ -n "$3" ] || printf '  local:\n    *;\n'
    echo "}${3:+ $3};"
}

known='' last='' version=''
for folder in $(printf '%s\n' packaging/abi/[0-9]* | sort -V); do
    version=${folder#packaging/abi/}
    fresh=$(functions_of "$folder/wasmtrap.h" | while read -r function; do
        case " $known " in *" $function "*) ;; *) echo "$function" ;; esac
    done)
    node "WASMTRAP_${version%.*}" "$fresh" "$last"
    [ -z "$fresh" ] || last=WASMTRAP_${version%.*}
    known="$known $(echo "$fresh" | tr '\n' ' ')"
done
fresh=$(functions_of include/wasmtrap.h | while read -r function; do
    case " $known " in *" $function "*) ;; *) echo "$function" ;; esac
done)
minor=${version#*.}
node "WASMTRAP_${version%%.*}.$((${minor%%.*} + 1))" "$fresh" "$last"
