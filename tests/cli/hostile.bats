#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Processes that are made to take the time and the memory of who looks at them.

load helper

setup() {
	made=$BATS_TEST_TMPDIR/made
	text=$BATS_TEST_TMPDIR/text
}

# at_once ARGUMENTS…: what -t leaves in time, and with 256 MiB of address space
at_once() {
	local begun=$SECONDS status=0
	[ -n "$SAN" ] || ulimit -v 262144
	timeout 30 "$ARENAINSPECT" --timeout 2 "$@" >"$text" 2>&1 || status=$?
	((status != 124 && SECONDS - begun < 10)) || fail "$*: exit $status after $((SECONDS - begun)) s"
	((status < 7)) || fail "$*: exit $status" "$(cat "$text")"
}

@test "a file without an end of notes, or of headers" {
	local headers
	for headers in 200 60000; do
		start python3 "$cli/foreign/notes.py" "$made.so" "$headers"
		(at_once "$pid")
		stop
	done
}

@test "untouched mappings side by side with a program's own memory" {
	gcc -O1 -no-pie -static -s -o "$made" "$cli/foreign/regions.c" || skip 'no static C library'
	start "$made" 300
	(at_once "$pid")
}
