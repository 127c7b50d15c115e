#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What changed between two moments, and what grew.  New seeds per run; a failure names
# them, and to see it again:
#   SEEDS=4711 bats -f 'each way' tests/cli/diff.bats

load helper
load growing

# The moment was another.
same='del(.before.taken, .seconds, .findings[].evidence.seconds, .before.process.cgroup, .findings[].message)'

# refused CODE WORDS ARGUMENTS…: exits so, says why, and nothing else
refused() {
	local code=$1 words=$2
	shift 2
	run --separate-stderr timeout 60 "$ARENAINSPECT" diff "$@"
	((status == code)) || fail "exit $status instead of $code: $*" "$output" "$stderr"
	[ -z "$output" ] || fail "says something: $output"
	grep -qF -- "$words" <<<"$stderr" || fail "does not say '$words': $stderr"
}

# changed EXPRESSION: $before, changed by jq, in $before.other
changed() {
	jq "$1" "$before" >"$before.other"
}

# In the background, in a process group whose Ctrl-C is not ignored; $waiting is its pid.
wait_with() {
	env --default-signal=INT "$ARENAINSPECT" diff -v --after "$@" >"$json" 2>"$json.err" 3>&- &
	waiting=$!
	started+=("$waiting")
	await has_visited
}

has_visited() {
	grep -q 'waiting for .*; Ctrl-C ends the wait$' "$json.err"
}

@test "each way to grow is named, and no other; what is no growth is not" {
	every_way 2
}

@test "of two snapshots, one of them packed, the same is said" {
	before in-use 1
	"$ARENAINSPECT" snapshot --write "$before.zst" "$pid"
	grow
	"$ARENAINSPECT" snapshot --write "$json.after" "$pid"
	stop
	"$ARENAINSPECT" diff --json "$before" "$json.after" >"$json"
	is_named in-use
	"$ARENAINSPECT" diff --json "$before.zst" "$json.after" >"$json.packed"
	diff <(jq "$same" "$json") <(jq "$same" "$json.packed")
	valid "$json"
}

@test "every delta is the difference of the two documents" {
	before arenas 5
	grow
	"$ARENAINSPECT" snapshot --write "$json.after" "$pid"
	"$ARENAINSPECT" diff --json "$before" "$json.after" >"$json"
	# shellcheck disable=SC2016 # an expression of jq
	jq -ne --slurpfile a "$before" --slurpfile b "$json.after" --slurpfile d "$json" '
		def less($x; $y): if $x == null or $y == null then null else $y - $x end;
		def numbers_of: [paths(type == "number")];
		def arena($model; $address): $model.arenas | map(select(.address == $address)) | first;
		def numbers: .heaps |= length | del(.bins, .sizes, .damage, .index, .address, .top.address, .last_remainder);
		$a[0] as $a | $b[0] as $b | $d[0] as $d |
		([$d.totals | paths(type != "object")] | length > 20 and all(.[];
			. as $p | ($d.totals | getpath($p)) == less($a.totals | getpath($p); $b.totals | getpath($p)))),
		($d.memory | length == 6 and all(.[]; . as $row |
			($a.memory[] | select(.kind == $row.kind)) as $x | ($b.memory[] | select(.kind == $row.kind)) as $y |
			["mappings", "virtual_bytes", "resident_bytes", "swapped_bytes"] |
			all(.[]; . as $key | $row[$key] == less($x[$key]; $y[$key])))),
		($d.arenas | length == ($b.arenas | length) and all(.[]; . as $row |
			(arena($a; .address) // null) as $x | (arena($b; .address) | numbers) as $y |
			($row.change == "new") == ($x == null) and
			([$y | numbers_of[]] | length > 20 and all(.[]; . as $p |
				($row | getpath($p)) == ($y | getpath($p)) - (if $x == null then 0 else ($x | numbers | getpath($p)) end))))),
		([$d.sizes[].in_use_bytes] | add) == $d.totals.in_use_bytes' |
		grep -c true | grep -qx 4
}

@test "the text begins with the answer, and says of each number what the document says" {
	before in-use 4
	grow
	"$ARENAINSPECT" diff --json "$before" "$pid" >"$json"
	"$ARENAINSPECT" diff -b "$before" "$pid" >"$json.text"
	head -1 "$json.text" | grep -qE '^In [0-9.]+ m?s the RSS grew by [0-9]+ bytes; the application holds .+ more in malloc.s arenas.*; chunks of .+ grew most, by .+\.$'
	grep -qE "^in use +\+$(jq .totals.in_use_bytes "$json") bytes" "$json.text"
	grep -qE "^system +\+$(jq .totals.system_bytes "$json") bytes" "$json.text"
	grep -qE '^what to do +GROWING-IN-USE: [A-Z]' "$json.text"
	grep -qE '^would not help +malloc_trim' "$json.text"
	grep -qE "^process +$pid growing " "$json.text"
	[ "$(tail -1 "$json.text" | awk '{ print $1 }')" = "$(jq .findings[0].evidence.size_from_bytes "$json")" ]
}

@test "rows are the arenas that changed, with --sizes the sizes; columns as everywhere" {
	before arenas 6
	grow
	"$ARENAINSPECT" diff --json "$before" "$pid" >"$json"
	"$ARENAINSPECT" diff -r -n -o address,change,system --sort system "$before" "$pid" >"$json.rows"
	diff <(jq -r '.arenas[] | select(.change == "new") | "\(.address) new \(.system_bytes)"' "$json" | sort) \
		<(grep ' new ' "$json.rows" | sort)
	awk '{ print $3 }' "$json.rows" | sort -rnc
	"$ARENAINSPECT" diff --sizes -r -n -o from,in_use "$before" "$pid" >"$json.rows"
	diff <(jq -r '.sizes[] | select(any(.in_use_chunks, .in_use_bytes, .free_chunks, .free_bytes; . != 0)) |
		"\(.from_bytes) \(.in_use_bytes)"' "$json") "$json.rows"
	"$ARENAINSPECT" diff --sizes -P --top 1 "$before" "$pid" | grep -qE '^FROM="[0-9]+" TO="[0-9]*" IN_USE_CHUNKS="-?[0-9]+" '
	refused 2 'no column' -o nonesuch "$before" "$pid"
	refused 2 'always whole' --json -o system "$before" "$pid"
}

@test "a process at rest has changed in nothing" {
	start_target growing rest 3
	"$ARENAINSPECT" --json "$pid" >"$before"
	"$ARENAINSPECT" diff "$before" "$pid" >"$json.text"
	grep -qx 'No arena has changed.' "$json.text"
	head -1 "$json.text" | grep -qE '^In .+ the RSS stayed the same; no kind of memory grew beyond noise\.$'
}

# With the idle arenas of the first taken for used ones, and the other way round.
@test "arenas that threads leave, or use again, are told" {
	start_target growing arenas 5
	grow
	"$ARENAINSPECT" --json "$pid" >"$before"
	"$ARENAINSPECT" --json "$pid" >"$json.after"
	changed '.arenas |= map(.idle |= not)'
	"$ARENAINSPECT" diff --json "$before.other" "$json.after" >"$json"
	holds "$json" '.arenas | length > 1'
	diff <(jq -r '.arenas[].change' "$json") \
		<(jq -r '.arenas[] | if .idle then "gone-idle" else "reused" end' "$json.after")
	"$ARENAINSPECT" diff "$before.other" "$json.after" | grep -qE '^arenas +.*[0-9] (left by|without a thread before)'
}

@test "two processes are refused, and so is one that ran another program" {
	before rest 1
	changed '.process.pid += 1'
	refused 2 'their pids differ' "$before.other" "$before"
	changed '.process.start_time_ticks += 1'
	refused 2 'different times' "$before.other" "$before"
	changed '.process.boot_id = "another"'
	refused 2 'booted' "$before.other" "$before"
	changed '.process.start_time_ticks = null'
	refused 2 'not known' "$before.other" "$before"
	changed '.taken.begun = "2031-01-01T00:00:00.000000000Z"'
	refused 2 'older one' "$before.other" "$pid"
	stop
	start_target execs
	"$ARENAINSPECT" --json "$pid" >"$before"
	echo exec >&"$in"
	await_line ready 2
	refused 2 'another program' "$before" "$pid"
}

@test "--force compares two processes, without their arenas, and calls nothing growth" {
	local first
	before rest 1
	first=$pid
	start_target growing in-use 2
	grow
	refused 2 'their pids differ' "$first" "$pid"
	"$ARENAINSPECT" diff --force --json "$before" "$pid" >"$json"
	valid "$json"
	holds "$json" '.arenas == null and .findings == null and .seconds == null' '.notes | length == 1' \
		'.totals.in_use_bytes > 10000000' '.sizes | length > 0' '.memory | length == 6'
	"$ARENAINSPECT" diff --force "$first" "$pid" >"$json.text"
	head -1 "$json.text" | grep -qE '^Compared with the first process, the second has [0-9.]+ MiB more RSS, and the application holds [0-9.]+ MiB more in '
	run -0 --separate-stderr "$ARENAINSPECT" diff --force -r --sizes "$first" "$pid"
	grep -qF 'not one process' <<<"$stderr"
}

@test "--after visits twice" {
	start_target growing in-use 7
	wait_with 3s --json "$pid"
	grow
	wait "$waiting"
	is_named in-use
	valid "$json"
	holds "$json" '.seconds >= 3 and .seconds < 60' '.findings[0].message | test("per hour")'
	# a rate is that of what grows; what falls does not go on falling
	"$ARENAINSPECT" snapshot "$pid" --write "$before"
	jq '.process.rss_bytes += 1048576 | .totals.in_use_bytes -= 1048576 | .taken.begun = "2020-01-01T00:00:00Z"' \
		"$before" >"$before.other"
	"$ARENAINSPECT" diff "$before.other" "$pid" >"$json.text"
	grep -qE '^RSS +-[^(]*, from' "$json.text"
	grep -qE '^in use +\+.* \(\+.* per hour\)' "$json.text"
	"$ARENAINSPECT" diff --after 0.1 "$pid" >/dev/null
	# a name that no other run's process has
	cp "$TARGETS/growing" "$BATS_TEST_TMPDIR/grows$$"
	start "$BATS_TEST_TMPDIR/grows$$" rest 7
	"$ARENAINSPECT" diff --after 0.001m --comm "grows$$" >/dev/null
}

@test "Ctrl-C ends the wait, and shows what there is by then" {
	start_target growing free 8
	wait_with 1h --json "$pid"
	grow
	kill -INT "$waiting"
	wait "$waiting"
	is_named free
}

@test "a process that ends meanwhile is waited for no longer" {
	local status=0
	start_target growing rest 9
	wait_with 1h "$pid"
	stop
	wait "$waiting" || status=$?
	((status == 3)) || fail "exit $status instead of 3"
	[ ! -s "$json" ]
	grep -q "$pid" "$json.err"
}

@test "on a terminal a line tells how long it waits; what it shows is the same" {
	local script
	need script bsdutils
	start_target growing rest 9
	script=(script -qec "'$ARENAINSPECT' diff --after 2s $pid 2>&1 >'$json.text'" /dev/null)
	if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
		need_root 'there is no pseudo-terminal'
		# shellcheck disable=SC2016 # for the inner shell
		script=(unshare -m --propagation unchanged sh -ec '
			mount --make-rprivate /dev
			mount -t devpts devpts /dev/pts
			exec "$@"' sh "${script[@]}")
	fi
	"${script[@]}" </dev/null >"$json.err"
	grep -qF '0.0 s of 2.0 s; Ctrl-C ends the wait' "$json.err"
	head -1 "$json.text" | grep -q '^In '
}

@test "of a process that never rests what is said is valid, three times" {
	local i
	# its threads come and go
	start_truthful busy
	for ((i = 0; i < 3; i++)); do
		"$ARENAINSPECT" diff --json --after 0.1s "$pid" >"$json.$i"
		holds "$json.$i" '.arenas | length > 0 and all(.change != "missing")' '.seconds >= 0.1'
	done
	valid "$json".?
}

@test "what only one of the two has is unknown, and said" {
	before in-use 10
	grow
	"$ARENAINSPECT" diff --depth arenas --json "$before" "$pid" >"$json"
	valid "$json"
	holds "$json" '.totals.in_use_bytes == null and .totals.free_bytes == null and .sizes == null' \
		'.totals.system_bytes > 0' '.findings == []' '.notes | length == 1'
	holds "$json" '.undecided == ["GROWING-IN-USE", "GROWING-FREE", "GROWING-OUTSIDE"]'
	"$ARENAINSPECT" diff --depth arenas "$before" "$pid" >"$json.text"
	grep -qE '^in use +unknown' "$json.text"
	head -1 "$json.text" | grep -qE 'of what is known nothing grew .*; GROWING-IN-USE, GROWING-FREE and GROWING-OUTSIDE cannot be told\.$'
	refused 2 'needs' --depth arenas --sizes "$before" "$pid"
}

@test "--exit-code tells growth from none" {
	before mmapped 3
	"$ARENAINSPECT" diff --exit-code "$before" "$pid" >/dev/null
	grow
	"$ARENAINSPECT" diff --json "$before" "$pid" >"$json"
	run -1 --separate-stderr "$ARENAINSPECT" diff --json --exit-code "$before" "$pid"
	[ -z "$stderr" ]
	diff <(jq -S '.findings | map(.id)' <<<"$output") <(jq -S '.findings | map(.id)' "$json")
}

@test "--write writes the whole or nothing" {
	before rest 2
	"$ARENAINSPECT" diff --json --write "$json" "$before" "$pid"
	valid "$json"
	changed '.process.pid += 1'
	refused 2 'pids differ' --write "$json.not" "$before.other" "$before"
	[ ! -e "$json.not" ]
}

@test "a command line that cannot be meant is refused" {
	before rest 2
	refused 2 'diff needs two'
	refused 2 'diff needs two' "$before"
	refused 2 'diff needs two' "$pid"
	refused 2 'diff needs two' --comm growing
	refused 2 'too much' "$before" "$before" "$pid"
	refused 2 'too much' "$before" "$pid" --comm growing
	refused 2 'too much' "$before" "$pid" --unit growing
	refused 3 'no process has the unit' "$before" --unit no-such-unit
	refused 3 'no process has the unit' --after 1s --unit no-such-unit
	refused 2 'too much' --after 1s "$before" "$pid"
	refused 2 'is none' --after 1s "$before"
	refused 2 'with itself' "$pid" "$pid"
	refused 2 'not a time' --after 10x "$pid"
	refused 2 'not a time' --after 0 "$pid"
	refused 2 'not a time' --after -1 "$pid"
	refused 2 'not a time' --after inf "$pid"
	run -2 "$ARENAINSPECT" report --after 1s "$pid"
	run -2 "$ARENAINSPECT" report --force "$pid"
	run -7 "$ARENAINSPECT" diff /nonexistent/file "$pid"
}
