#!/bin/sh
# Builds the Python extension on a Mac, and runs its tests in every CPython from 3.8 up that is there. Part of the
# folder that `make macos` makes; run-on-mac.sh calls it. Exit status 77: there is nothing to build it with.
#
# The packages that some tests want (NumPy, wasmtime) come from PyPI, into virtual environments below this folder;
# without a network, or with WASMTRAP_TEST_PACKAGES=no, these tests are skipped.
set -u
cd "$(dirname "$0")" || exit 2

for python in "${PYTHON:-python3}" /usr/bin/python3 /opt/homebrew/bin/python3 /usr/local/bin/python3 none; do
    # Without the command line tools, Apple's /usr/bin/python3 and cc only offer to install them.
    case $python in
    none) echo "no Python from 3.8 up with headers was found" && exit 77 ;;
    /usr/bin/python3) xcode-select -p >/dev/null 2>&1 || continue ;;
    esac
    headers=$("$python" interpreters.py include 2>/dev/null) && break
done
if ! xcode-select -p >/dev/null 2>&1 || ! command -v cc >/dev/null; then
    echo "no C compiler was found: xcode-select --install gets one"
    exit 77
fi

case $(uname -m) in
arm64) architecture=aarch64 ;;
*) architecture=x86_64 ;;
esac
out=../$architecture/python

# One binary for all versions, by the limited API. Python's own names come from whoever loads it.
echo "building the extension with the headers in $headers"
cc -std=c99 -O2 -g -fno-omit-frame-pointer -Wall -Wextra -mmacosx-version-min=11.0 -DPy_LIMITED_API=0x03080000 \
    -I../include -isystem "$headers" extension/*.c "$out/lib/libwasm_rt_wasmtrap.so" "../$architecture/lib/"*.dylib \
    -bundle -undefined dynamic_lookup -Wl,-rpath,@loader_path/lib -Wl,-rpath,@loader_path/../lib \
    -o "$out/wasmtrap.abi3.so" || exit 1
exec "$python" run_tests.py --out "$out" --venvs "$out/venv" --packages "${WASMTRAP_TEST_PACKAGES:-if-possible}"
