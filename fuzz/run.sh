#!/bin/sh
# Runs one fuzzer over the seed corpus, then on:
#
#     fuzz/run.sh FUZZER BINARIES CORPORA LIBFUZZER-ARGUMENT...
#
# What it finds worth keeping goes to CORPORA/FUZZER, which is emptied first if a seed is given: a run from a seed is to
# be the same each time. An input that fails is left beside the log. Ends with a line for run-checks.py.
set -eu

fuzzer=$1 binaries=$2 corpora=$3
shift 3

corpus=$corpora/$fuzzer
seeds=fuzz/corpus/$fuzzer
log=target/fuzz/$fuzzer.log
case " $*" in
*" -seed="*) rm -rf "$corpus" ;;
esac
mkdir -p "$corpus"

# The environment variable would override the options that the fuzzer tries.
unset WASMTRAP_BACKEND
echo "$binaries/$fuzzer $corpus $seeds $*"
if "$binaries/$fuzzer" "$corpus" "$seeds" -max_len=512 -artifact_prefix="target/fuzz/$fuzzer-" \
    "$@" >"$log" 2>&1; then
    grep -E '^#[0-9]+[[:space:]]+DONE' "$log"
    echo "$fuzzer: 1 passed, 0 failed"
else
    # What failed, then how to get at it again; the log has the stack in between.
    grep -A 4 'panicked at\|^==.*ERROR' "$log" | grep -v '^stack backtrace' || true
    tail -n 3 "$log"
    echo "$fuzzer: 0 passed, 1 failed"
    exit 1
fi
