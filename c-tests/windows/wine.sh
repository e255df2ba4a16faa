#!/bin/sh
# Runs a program under Wine, with the programs' own output:
#
#     [WINE=COMMAND] wine.sh PROGRAM ARGUMENT...
#
# Now and then, on a busy machine, Wine itself fails, and WINEDEBUG=-all hides most of why. What is Wine's failure, and
# not the program's, is begun again, twice at the most:
#
# - It ends with status 1 before the program has begun. The programs here never do: each says something before it ends,
#   be it what it cannot go on without, and one that dies of an exception ends with another status.
# - It loses its server ("wine client error"): a process that ends closes its connection while its other threads may be
#   using it, and the last of them ends the process with their own status (process_exit_wrapper and abort_thread,
#   dlls/ntdll/unix). A program that has passed all the same is left at that.
set -u

output=$(mktemp)
errors=$(mktemp)
trap 'rm -f "$output" "$errors"' EXIT
status=1
for _ in 1 2 3; do
    "${WINE:-wine}" "$@" >"$output" 2>"$errors"
    status=$?
    cat "$errors" >&2
    if [ "$status" -eq 1 ] && [ ! -s "$output" ]; then
        echo "wine.sh: Wine ended before $1 had begun" >&2
    elif [ "$status" -ne 0 ] && grep -q '^wine client error' "$errors"; then
        echo "wine.sh: Wine lost its server while $1 ran, which ended with status $status" >&2
    else
        break
    fi
done
cat "$output"
exit "$status"
