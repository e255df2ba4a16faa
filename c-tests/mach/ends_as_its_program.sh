#!/bin/sh
# simulated-xnu ends as its program does, hands signals on, and reports; called with the path of simulated-xnu.
set -u
kernel=$1
passed=0
failed=0
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT

check() { # what was got, what is wanted, name
    if [ "$1" = "$2" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not ok: $3: got '$1', not '$2'"
    fi
}

run() {
    "$kernel" --profile=ordinary -- "$@" 2>"$folder/errors"
    echo "status $?"
}

check "$(run true)" "status 0" "success"
check "$(run sh -c 'exit 3')" "status 3" "an exit status"
check "$(run sh -c 'kill -SEGV $$')" "status 139" "a signal that ends the program"
check "$(run sh -c 'kill -KILL $$')" "status 137" "SIGKILL"
check "$(run "$folder/none")" "status 127" "a program that is not there"
check "$(run sh -c 'echo "$1-$0"' a 'b c')" "b c-a
status 0" "arguments"
check "$(echo text | "$kernel" --profile=ordinary -- cat)" "text" "standard input"
check "$(run sh -c 'sh -c "exit 4"; echo $?; (sleep 0; exit 5) & wait $!; echo $?')" "4
5
status 0" "children and what they end with"
check "$("$kernel" --profile=nothing -- true 2>&1; echo $?)" "simulated-xnu: no profile is called nothing
125" "a profile that there is not"
check "$("$kernel" --profile=ordinary >/dev/null 2>&1; echo $?)" "125" "no program"
check "$("$kernel" --list-profiles | wc -l)" "$("$kernel" --list-profiles | sort -u | wc -l)" "profiles, each once"

# A signal for the simulator is a signal for the program.
# shellcheck disable=SC2016 # for the inner shell to expand
"$kernel" --profile=ordinary -- sh -c 'trap "exit 9" TERM; : >"$0"; while :; do sleep 0.01; done' "$folder/ready" &
simulator=$!
while [ ! -e "$folder/ready" ]; do sleep 0.01; done
kill -TERM $simulator
wait $simulator
check $? 9 "a signal is handed on"

"$kernel" --profile=ordinary --report="$folder/report" -- sh -c 'true; /bin/true'
check "$(grep -c '^{"pid": [0-9]*, "program": "[^"]*", "rights": {"receive": 0, .*}$' "$folder/report")" \
    "$(wc -l <"$folder/report")" "each line of a report is a task's"
python3 -c 'import json, sys; [json.loads(line) for line in sys.stdin]' <"$folder/report"
check $? 0 "a report is JSON, line by line"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
