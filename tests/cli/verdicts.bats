#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Verdicts: each is found in a process that shows it, and not in one that comes near; what
# the report and `explain` say of them, and --exit-code.

load helper
load oracle
load group
load verdicts

setup() {
	need jq jq
	json=$BATS_TEST_TMPDIR/ours.json
	text=$BATS_TEST_TMPDIR/text
}

teardown() {
	end_all
	remove_group
}

one_seed() {
	read -r list _ <<<"$(seeds)"
	echo "# $BATS_TEST_DESCRIPTION: seed $list" >&3
}

# ---- processes ----

@test "each verdict is found where it is shown, and not where something comes near it" {
	one_seed
	each_of start_scenario "${plain[@]}"
}

@test "free memory that is locked is told from what trimming would give back" {
	need_root 'locking more than a user may'
	one_seed
	each_of start_scenario locked
}

@test "free memory on huge pages is told where there are any" {
	grep -qE '\[(always|madvise)\]' /sys/kernel/mm/transparent_hugepage/enabled || skip 'this kernel has no huge pages for us'
	one_seed
	each_of start_scenario thp-inflated
}

@test "a container near its limit is told from one that is not" {
	limited_group $((128 << 20))
	one_seed
	each_of in_group near-limit
}

@test "an arena that cannot be read whole is unstable, and one at rest is not" {
	start_truthful damaged chunk-huge
	judge
	is_found UNSTABLE
	holds "$json" 'any(.arenas[]; .state == "torn")' \
		'.findings[] | select(.id == "UNSTABLE") | .message | test("1 of [0-9]+ arenas is damaged \\(arena [0-9]+: ")'
	stop
	start_truthful damaged none
	judge
	is_not_found UNSTABLE
}

@test "another allocator is told from a file that is only looked into" {
	library libjemalloc.so.2 libjemalloc2
	one_seed
	each_of beside other-allocator
}

@test "a second malloc is told, and none where there is none" {
	start_truthful second-libc
	judge
	is_found OTHER-ALLOCATOR
	stop
	start_truthful quiet
	judge
	is_not_found OTHER-ALLOCATOR
}

@test "a process that has just begun has no finding that asks for anything" {
	start_target nomalloc
	judge
	holds "$json" '[.findings[] | select(.severity != "info")] == []'
}

# ---- what is said ----

@test "the report opens with the verdict, and closes with what to do and what would not help" {
	one_seed
	start_scenario trimmable "$list"
	judge
	"$ARENAINSPECT" "$pid" >"$text"
	head -n 1 "$text" | grep -qE '^TRIMMABLE: [0-9.]+ MiB, [0-9]+ % of the RSS of .*malloc_trim\(0\) would give it back at this moment\.$'
	[ "$(jq -r '.findings[0].message' "$json")" = "$(sed -n '1s/^TRIMMABLE: //p' "$text")" ]
	grep -qE '^what to do {2,}TRIMMABLE: Have malloc_trim\(0\) called' "$text"
	grep -q '^would not help' "$text"
	grep -q '^against it' "$text"
	grep -qE '^more {2,}arenainspect explain TRIMMABLE$' "$text"
	# the document's own figures
	"$ARENAINSPECT" -b "$pid" >"$text"
	grep -qE "^evidence {2,}TRIMMABLE: trimmable_bytes $(jq .totals.trimmable_bytes "$json"), " "$text"
	# formats for machines have the arenas alone
	"$ARENAINSPECT" -r -n "$pid" >"$text"
	(($(wc -l <"$text") == $(jq .totals.arenas "$json")))
}

@test "opposite situations get opposite advice" {
	one_seed
	start_scenario retained-top "$list"
	judge
	holds "$json" '.findings[] | select(.id == "RETAINED-TOP").advice |
		test("MALLOC_TRIM_THRESHOLD_=131072") and (test("malloc_trim") | not)'
	"$ARENAINSPECT" -v "$pid" >"$text"
	grep -A 1 '^what to do  *RETAINED-TOP' "$text" | grep -qE '^would not help {2,}malloc_trim\(0\): of tops'
	stop
	start_scenario pinned-free "$list"
	judge
	holds "$json" '.findings[] | select(.id == "PINNED-FREE").advice | test("malloc_trim") | not'
	stop
	start_scenario pinned-by-one "$list"
	judge
	holds "$json" '.findings[] | select(.id == "PINNED-BY-ONE").advice | test("^malloc_trim\\(0\\) gives that back")'
}

@test "advice is for what runs there, told by its program or by what it has loaded" {
	local name
	for name in java:jvm python3.11:cpython ruby3.1:ruby postgres:postgresql node:nodejs javac: pythonic:; do
		cp "$TARGETS/verdicts" "$BATS_TEST_TMPDIR/${name%:*}"
		start "$BATS_TEST_TMPDIR/${name%:*}" trimmable 7
		judge
		[ "$(jq -r '.process.runtime // ""' "$json")" = "${name#*:}" ] || fail "$name: $(jq .process.runtime "$json")"
		case ${name#*:} in
		jvm) holds "$json" ".findings[0].advice | contains(\"jcmd $pid System.trim_native_heap\")" ;;
		cpython) holds "$json" '.findings[0].advice | contains("ctypes.CDLL(None).malloc_trim(0)")' ;;
		'') holds "$json" '.findings[0].advice | contains("the program itself has to call it")' ;;
		esac
		stop
	done
}

@test "python's own way of trimming does what the verdict says" {
	need python3 python3
	start python3 -c '
import ctypes, sys
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
blocks = [libc.malloc(100000) for i in range(500)]
for block in blocks: ctypes.memset(block, 1, 100000)
for i, block in enumerate(blocks):
    if i % 20 != 19: libc.free(block)
print("ready", flush=True)
for line in sys.stdin:
    ctypes.CDLL(None).malloc_trim(0)
    print("trimmed", flush=True)
'
	judge
	is_found TRIMMABLE
	holds "$json" '.process.runtime == "cpython"'
	echo >&"$in"
	await_line trimmed
	judge
	is_not_found TRIMMABLE
}

@test "node is told by what it is, and its heap is not malloc's" {
	need node nodejs
	start node -e 'const held = [];
		for (let i = 0; i < 500000; i++) held.push({ number: i });
		console.log("ready"); process.stdin.resume()'
	judge
	holds "$json" '.process.runtime == "nodejs"'
	is_found OUTSIDE-MALLOC
	holds "$json" '.findings[] | select(.id == "OUTSIDE-MALLOC").advice | contains("--max-old-space-size")'
}

# ---- --exit-code ----

@test "--exit-code is 1 where a warning is found, for every command, and 0 where none is" {
	local command comm
	one_seed
	start_scenario already-returned-not "$list"
	judge
	holds "$json" '.findings[0] | .id == "TRIMMABLE" and .severity == "warning"'
	for command in report arenas heaps bins; do
		run -1 --separate-stderr "$ARENAINSPECT" "$command" --exit-code "$pid"
		[ -n "$output" ]
		[ -z "$stderr" ] || fail "$stderr"
	done
	run -1 "$ARENAINSPECT" --json --exit-code "$pid"
	comm=$(cat "/proc/$pid/comm")
	run -1 --separate-stderr "$ARENAINSPECT" scan --exit-code --comm "$comm"
	[ -n "$output" ]
	[ -z "$stderr" ] || fail "$stderr"
	run -0 "$ARENAINSPECT" scan --comm "$comm"
	run -0 "$ARENAINSPECT" "$pid"
	stop
	start_truthful quiet
	judge
	holds "$json" 'all(.findings[]; .severity != "warning")'
	run -0 "$ARENAINSPECT" --exit-code "$pid"
	run -0 "$ARENAINSPECT" scan --exit-code --comm "$(cat "/proc/$pid/comm")"
	for command in "metrics $pid" "watch $pid" "explain TRIMMABLE"; do
		# shellcheck disable=SC2086 # a command and its operand
		run -2 "$ARENAINSPECT" $command --exit-code
		grep -q 'judges no process' <<<"$output" || fail "$output"
	done
}

# ---- explain ----

@test "explain lists all verdicts, and has a long text for each" {
	local id
	"$ARENAINSPECT" explain -r -n -o verdict >"$text"
	(($(wc -l <"$text") == 21))
	while read -r id; do
		"$ARENAINSPECT" explain "$id" >"$text.one"
		grep -qE "^what to do  +[A-Za-z]" "$text.one" || fail "$id: no advice"
		grep -qE "^$id \((info|notice|warning)\): " "$text.one"
		grep -q '^would not help' "$text.one"
		grep -q '^against it' "$text.one"
		(($(wc -w <"$text.one") >= 90)) || fail "$id: $(wc -w <"$text.one") words"
		[ "$("$ARENAINSPECT" explain -r -n -o verdict "${id,,}")" = "$id" ]
	done <"$text"
}

@test "explain puts right what is widely repeated and wrong" {
	says() {
		"$ARENAINSPECT" explain "$1" | grep -qF -- "$2" || fail "$1 does not say: $2"
	}
	says IDLE-ARENAS 'attached_threads 0 is a leak. It is not'
	says TRIMMABLE 'What malloc_trim returns was not lost before'
	says ARENA-LIMIT 'MALLOC_ARENA_MAX is a number of threads, or bounds them. It is a number of arenas'
	says ALREADY-RETURNED '64 MiB of address space are not 64 MiB of memory'
	says ALREADY-RETURNED 'the free bytes which mallinfo(3) or malloc_info(3) tell are resident'
	says RETAINED-TOP 'malloc_trim empties every top. It does not'
	says PINNED-BY-ONE 'one live chunk at the end of a heap holds everything below it'
}

@test "explain needs no process, reads none, and refuses what it does not know" {
	run -2 "$ARENAINSPECT" explain NO-SUCH-VERDICT
	[[ $output == *'no verdict'* ]]
	run -2 "$ARENAINSPECT" explain TRIMMABLE LOCKED
	run -2 "$ARENAINSPECT" explain --comm nomalloc
	run -2 "$ARENAINSPECT" explain --unit nomalloc
	run -2 "$ARENAINSPECT" explain --json
	run -2 "$ARENAINSPECT" explain -o no-such-column
	run -2 "$ARENAINSPECT" explain --pins
}
