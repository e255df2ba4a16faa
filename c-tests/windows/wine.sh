#!/bin/sh
# Runs a program under Wine, with the programs' own output:
#
#     wine.sh PROGRAM ARGUMENT...
#
# Now and then, on a busy machine, Wine itself ends with status 1 before the program has begun, and WINEDEBUG=-all
# hides why. The programs here never do: each says something before it ends, be it what it cannot go on without, and
# one that dies of an exception ends with another status. So what said nothing at all and ended with 1 is begun again,
# twice at the most.
set -u

output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=1
for _ in 1 2 3; do
    wine "$@" >"$output"
    status=$?
    if [ "$status" -ne 1 ] || [ -s "$output" ]; then
        break
    fi
    echo "wine.sh: Wine ended before $1 had begun" >&2
done
cat "$output"
exit "$status"
