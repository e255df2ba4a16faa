#!/bin/sh
# wine with pipes for output: of a file CPython 3.13 asks what Wine 8 does not tell, and does not start.
code=$(mktemp)
trap 'rm -f "$code"' EXIT
{ { wine "$@"; echo $? >"$code"; } 2>&1 >&3 3>&- | cat >&2; } 3>&1 | cat
exit "$(cat "$code")"
