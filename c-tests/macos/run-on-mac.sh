#!/bin/sh
# Runs, on a Mac, what `make macos` has built on Linux. Needs nothing but what macOS brings.
#
#     ./run-on-mac.sh                  everything
#     ./run-on-mac.sh c traps/         the C and C++ programs whose paths contain "traps/"
#     ./run-on-mac.sh python           the Python tests
#
# The C and C++ programs run as they are (Mach exception ports where the library takes them), then with
# WASMTRAP_BACKEND=signals; on a Mac with Apple's processor and Rosetta, the Intel ones as well. `prove` shows the
# results where there is one. The last line is the sum; the exit status says whether all went well.
set -u
cd "$(dirname "$0")" || exit 2

part=${1:-all}
only=${2:-}
case $part in
all | c | python) ;;
*) echo "usage: $0 [all|c|python] [part of the programs' paths]" >&2 && exit 2 ;;
esac
if [ "$(uname -s)" != Darwin ]; then
    echo "$0: this is for a Mac" >&2
    exit 2
fi

failed_runs=0
summary=''

# remember WHAT STATUS
remember() {
    if [ "$2" = 0 ]; then
        summary="$summary
passed: $1"
    else
        failed_runs=$((failed_runs + 1))
        summary="$summary
FAILED: $1"
    fi
}

# read_tap PROGRAM: runs it and shows what failed. Fails if a check failed, if the plan does not fit, or if the program
# ended badly.
read_tap() {
    "$1" >"$log" 2>&1
    read_tap_status=$?
    planned=$(sed -n 's/^1\.\.\([0-9]*\).*/\1/p' "$log")
    passed=$(grep -c '^ok ' "$log")
    if [ "$read_tap_status" = 0 ] && [ -n "$planned" ] && [ "$passed" = "$planned" ]; then
        echo "$1 .. ok"
        return 0
    fi
    echo "$1 .. FAILED: exit status $read_tap_status, $passed of ${planned:-?} passed"
    grep -v '^ok ' "$log" | sed 's/^/    /'
    return 1
}

# run_list LIST: the programs named in a file, one a line.
run_list() {
    if command -v prove >/dev/null; then
        prove --exec '' - <"$1"
        return
    fi
    run_list_failed=0
    log=$(mktemp) || exit 2
    while read -r program; do
        read_tap "$program" || run_list_failed=1
    done <"$1"
    rm -f "$log"
    return $run_list_failed
}

# run_architecture FOLDER NAME: its C and C++ programs, twice.
run_architecture() {
    list=$(mktemp) || exit 2
    find "$1/capi" "$1/mach" -name '*.t' 2>/dev/null | grep -F -e "$only" | sort >"$list"
    if [ -s "$list" ]; then
        echo "== $2, the backend that the library takes"
        run_list "$list"
        remember "$2, the backend that the library takes" $?
        # What tests the choice of the backend, or one of the two, cannot be told which to take.
        grep -v -e '/mach/' -e '/setup/' -e 'init_refuses' -e 'init_after_shutdown' "$list" >"$list.signals"
        if [ -s "$list.signals" ]; then
            echo "== $2, signals"
            WASMTRAP_BACKEND=signals run_list "$list.signals"
            remember "$2, signals" $?
        fi
    fi
    rm -f "$list" "$list.signals"
}

unset WASMTRAP_BACKEND
echo "macOS $(sw_vers -productVersion), kernel $(uname -r), $(uname -m)"

if [ "$part" != python ]; then
    case $(uname -m) in
    arm64)
        run_architecture aarch64 "arm64"
        if [ ! -d x86_64 ]; then
            summary="$summary
not run: x86-64, because it was not built"
        elif arch -x86_64 /usr/bin/true 2>/dev/null; then
            run_architecture x86_64 "x86-64, translated by Rosetta"
        else
            summary="$summary
not run: x86-64, because Rosetta is not installed"
        fi
        ;;
    *) run_architecture x86_64 "x86-64" ;;
    esac
fi
if [ "$part" != c ] && [ ! -d python ]; then
    summary="$summary
not run: Python, because it was not built"
elif [ "$part" != c ]; then
    python/run.sh
    case $? in
    0) remember "Python" 0 ;;
    77) summary="$summary
not run: Python, because no Python with headers, or no compiler, was found" ;;
    *) remember "Python" 1 ;;
    esac
fi

echo "$summary"
if [ -z "$summary" ]; then
    echo "There was nothing to run."
    exit 1
fi
if [ "$failed_runs" = 0 ]; then
    echo "All went well."
else
    echo "$failed_runs of the above failed."
    exit 1
fi
