# One test, as TAP: the command is killed by SIGKILL.
#
#     is_killed.sh COMMAND...
"$@" >/dev/null 2>&1
status=$?
echo 1..1
if [ "$status" = 137 ]; then
    echo "ok 1 - it is killed"
else
    echo "not ok 1 - it is killed"
    echo "#   it ended with status $status"
fi
