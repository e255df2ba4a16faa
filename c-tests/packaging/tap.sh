# shellcheck shell=bash
# TAP of commands, for scripts that set `out` to a folder of their own.
# shellcheck disable=SC2154

tests=0
failures=0
# promise WORDS... -- COMMAND...: a test that passes if the command does. What the command says is shown if it fails.
promise() {
    local words=()
    while [ "$1" != -- ]; do
        words+=("$1")
        shift
    done
    shift
    tests=$((tests + 1))
    if "$@" >"$out/log" 2>&1; then
        echo "ok $tests - ${words[*]}"
    else
        failures=$((failures + 1))
        echo "not ok $tests - ${words[*]}"
        sed 's/^/# /' "$out/log"
    fi
}

# Prints the plan; fails if a test has.
tap_done() {
    echo "1..$tests"
    [ "$failures" = 0 ]
}
