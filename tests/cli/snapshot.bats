#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A snapshot in place of a process: every reading command says what it said live.

load helper
load snapshot

setup() {
	snapshot=$BATS_TEST_TMPDIR/snapshot.json
	export LC_ALL=C.UTF-8
}

# refused CODE WORDS ARGUMENTS…
refused() {
	local code=$1 words=$2
	shift 2
	run --separate-stderr "$ARENAINSPECT" "$@"
	((status == code)) || fail "exit $status instead of $code: $*" "$output" "$stderr"
	[ -z "$output" ] || fail "says something: $output"
	grep -qF -- "$words" <<<"$stderr" || fail "does not say '$words': $stderr"
}

@test "every command and format says of a snapshot what it said live" {
	local reading
	taken history 11
	"$ARENAINSPECT" snapshot --write "$snapshot.zst" "$pid"
	while read -r reading; do
		# shellcheck disable=SC2086 # words
		says_the_same "$snapshot" $reading
	done < <(readings)
	says_the_same "$snapshot.zst" report
	says_the_same "$snapshot.zst" heaps --pins
	stop
	# many threads, with names and caches of their own
	taken threads
	holds "$snapshot" '.threads | length > 50'
	while read -r reading; do
		# shellcheck disable=SC2086 # words
		says_the_same "$snapshot" $reading
	done < <(readings | grep -E '^(report|threads|arenas|bins)')
}

@test "damage is the same, too" {
	taken damaged top-wild
	holds "$snapshot" '[.arenas[].damage | length] | add > 0'
	says_the_same "$snapshot" report
	says_the_same "$snapshot" arenas
}

@test "a document of any command is a snapshot, and one is written from another byte for byte" {
	local command
	taken history 12
	valid "$snapshot"
	for command in '' arenas heaps snapshot; do
		# shellcheck disable=SC2086 # words
		"$ARENAINSPECT" $command --json "$snapshot" | cmp - "$snapshot"
	done
	"$ARENAINSPECT" --json --depth arenas "$pid" >"$snapshot.headers"
	"$ARENAINSPECT" arenas "$snapshot.headers" | grep -q main
	refused 2 'needs a snapshot of --depth chunks' bins "$snapshot.headers"
	refused 2 'needs a snapshot of --depth chunks' heaps --pins "$snapshot.headers"
}

@test "without --write it goes to stdout; --depth decides how much there is" {
	start_target nomalloc
	"$ARENAINSPECT" snapshot "$pid" >"$snapshot"
	holds "$snapshot" '.taken.depth == "chunks"' ".process.pid == $pid" '.stopped == null' \
		'[.arenas[].heaps[].pins] | all(. != null)'
	"$ARENAINSPECT" snapshot --depth arenas "$pid" >"$snapshot"
	holds "$snapshot" '.taken.depth == "arenas"'
	"$ARENAINSPECT" <(cat "$snapshot") | grep -q "^process  *$pid "
}

@test "a snapshot is its owner's alone, whole or not at all" {
	umask 022
	start_target nomalloc
	"$ARENAINSPECT" snapshot --write "$snapshot" "$pid"
	[ "$(stat -c %a "$snapshot")" = 600 ]
	"$ARENAINSPECT" snapshot --write "$snapshot.zst" "$pid"
	[ "$(stat -c %a "$snapshot.zst")" = 600 ]
	"$ARENAINSPECT" report --write "$snapshot.text" "$snapshot"
	[ "$(stat -c %a "$snapshot.text")" = 644 ]
	cp "$snapshot" "$snapshot.before"
	refused 3 'no process 999999999' snapshot --write "$snapshot" 999999999
	cmp "$snapshot" "$snapshot.before"
	# in the midst of writing: no file may be larger than 1 KiB
	for file in "$snapshot" "$snapshot.zst"; do
		cp "$file" "$file.before"
		# shellcheck disable=SC2016 # for the inner shell
		run bash -c 'trap "" XFSZ; ulimit -f 1; exec "$@"' bash \
			"$ARENAINSPECT" snapshot --write "$file" "$pid"
		((status == 7)) || fail "exit $status: $output"
		cmp "$file" "$file.before"
	done
	(($(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name 'snapshot.json*' | wc -l) == 5))
}

@test "it is renamed only when all of it is on disk" {
	need strace strace
	start_target nomalloc
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -o "$snapshot.trace" \
		-e trace=openat,fsync,rename,fchmod \
		"$ARENAINSPECT" snapshot --write "$snapshot.zst" "$pid"
	grep -oE '(fsync|rename|fchmod)\(|O_EXCL.*0600' "$snapshot.trace" >"$snapshot.order"
	diff - <(sed 's/.*0600$/O_EXCL/' "$snapshot.order") <<-'END'
		O_EXCL
		fchmod(
		fsync(
		rename(
	END
}

@test "zstd and jq read what was packed, and a packed file of theirs is read" {
	need zstd zstd
	taken history 13
	"$ARENAINSPECT" snapshot --write "$snapshot.zst" "$snapshot"
	zstd -q -t "$snapshot.zst"
	zstd -q -d -c "$snapshot.zst" | cmp - "$snapshot"
	zstd -q -19 -f -o "$snapshot.other" "$snapshot"
	"$ARENAINSPECT" --json "$snapshot.other" | cmp - "$snapshot"
	(($(stat -c %s "$snapshot.zst") * 3 < $(stat -c %s "$snapshot")))
}

@test "7: what is no snapshot, is cut, spoiled or of another schema" {
	need jq jq
	need zstd zstd
	taken history 14
	cd "$BATS_TEST_TMPDIR"
	head -c 20000 "$snapshot" >cut
	refused 7 'cut: the document ends in its midst' cut
	zstd -q -c "$snapshot" | head -c 3000 >cut.zst
	refused 7 'it is cut' report cut.zst
	zstd -q -c "$snapshot" | sed 's/.\{5\}$/xxxxx/' >spoiled.zst
	refused 7 'cannot read spoiled.zst' arenas spoiled.zst
	jq '.schema = "arenainspect/2"' "$snapshot" >newer
	refused 7 "its schema is 'arenainspect/2'" ./newer
	jq '.schema = "arenainspect-diff/1"' "$snapshot" >diff.json
	refused 7 'arenainspect-diff/1' heaps diff.json
	jq '.arenas[0].system_bytes = "much"' "$snapshot" >typed.json
	refused 7 '"system_bytes" is not a number' bins typed.json
	echo '{}' >empty.json
	refused 7 'not a snapshot' empty.json
	refused 7 'not a snapshot' "$ARENAINSPECT"
	refused 7 'No such file' ./none
	refused 7 'No such file' arenas none.json
	refused 7 'directory' .
	refused 7 'NUL' /dev/zero
}

@test "well-formed lies are said or refused, and crash nothing" {
	taken damaged none
	lies 6
}

@test "members and words of a later version do no harm" {
	need jq jq
	taken history 15
	jq '.new = {a: [1, {b: null}]} | .arenas[].new = [1, 2] | .arenas[0].state = "asleep"
		| .memory += [{kind: "gpu", mappings: 1, virtual_bytes: 1, resident_bytes: 1, swapped_bytes: 1}]
		| .findings = [{id: "NEW-ONE", severity: "grave", message: "m", evidence: {n: 1}, advice: "a"}]' \
		"$snapshot" >"$snapshot.later"
	"$ARENAINSPECT" report "$snapshot.later" >"$snapshot.text"
	"$ARENAINSPECT" arenas -r -n -o index,state "$snapshot.later" | grep -qx '0 -'
	"$ARENAINSPECT" -J "$snapshot.later" >"$snapshot.again"
	holds "$snapshot.again" '.findings[0].id == "NEW-ONE"' '.findings[0].evidence.n == 1' \
		'.findings[0].severity == null' '.arenas[0].state == null' '.memory[-1].kind == null'
}

@test "a visit that ended early is told as it was: exit 6 and why" {
	need jq jq
	taken history 16
	jq '.stopped = {reason: "timed-out", message: "the time is over"}' "$snapshot" >"$snapshot.early"
	run --separate-stderr "$ARENAINSPECT" arenas "$snapshot.early"
	((status == 6))
	[[ $output == *main* ]]
	[[ $stderr == *'the time is over'* ]]
	# It was no option that left the chunks out.
	jq '.taken.depth = "arenas" | .arenas[].bins = null' "$snapshot.early" >"$snapshot.headers"
	run --separate-stderr "$ARENAINSPECT" bins "$snapshot.headers"
	((status == 6)) || fail "exit $status" "$stderr"
	[[ $output == *'not known'* ]]
	[[ $stderr == *'the time is over'* && $stderr != *--depth* ]] || fail "$stderr"
	"$ARENAINSPECT" diff "$snapshot" "$snapshot.headers" >"$snapshot.text" || (($? == 6))
	grep -q 'note .*the time is over' "$snapshot.text"
	! grep -q -- --depth "$snapshot.text" || fail "$(cat "$snapshot.text")"
	start_truthful damaged ring-wild
	run -6 "$ARENAINSPECT" snapshot --write "$snapshot.torn" "$pid"
	valid "$snapshot.torn"
	holds "$snapshot.torn" '.stopped.reason == "unstable"'
	says_the_same "$snapshot.torn" report
	says_the_same "$snapshot.torn" arenas
}

@test "a document is a picture of a core file, too" {
	need gcore gdb
	start_truthful damaged none
	gcore -o "$BATS_TEST_TMPDIR/core" "$pid" >/dev/null 2>&1
	"$ARENAINSPECT" snapshot --core "$BATS_TEST_TMPDIR/core.$pid" --write "$snapshot"
	diff <("$ARENAINSPECT" arenas --core "$BATS_TEST_TMPDIR/core.$pid" 2>&1) <("$ARENAINSPECT" arenas "$snapshot" 2>&1)
}

@test "2: what cannot be meant with a snapshot" {
	start_target nomalloc
	"$ARENAINSPECT" snapshot --write "$snapshot" "$pid"
	refused 2 '--depth is about a visit' --depth chunks "$snapshot"
	refused 2 '--symbols is about a visit' arenas --symbols search "$snapshot"
	refused 2 'one process at a time' "$snapshot" "$pid"
	refused 2 'one of them' "$snapshot" --comm nomalloc
	refused 2 'doctor is about a running process' doctor "$snapshot"
	refused 2 'always JSON' snapshot --raw "$pid"
	refused 2 'is always whole' snapshot --top 1 "$pid"
	refused 2 'neither a process id, a snapshot file nor a command' nonesuch
	refused 2 'neither a process id nor a snapshot file' arenas nonesuch
	"$ARENAINSPECT" --jobs 2 --timeout 10 "$snapshot" >/dev/null
}
