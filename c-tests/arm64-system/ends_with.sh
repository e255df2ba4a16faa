# shellcheck shell=sh
# One test, as TAP: the command ends with a status.
#
#     ends_with.sh STATUS COMMAND...
expected=$1
shift
output=$("$@" 2>&1)
status=$?
echo 1..1
if [ "$status" = "$expected" ]; then
    echo "ok 1 - it ends with status $expected"
else
    echo "not ok 1 - it ends with status $expected"
    printf '%s\nwith status %s\n' "$output" "$status" | sed 's/^/#   /'
fi
