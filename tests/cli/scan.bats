#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# All processes of the host: each has what a visit of it alone gives, and none that ends,
# refuses or hangs spoils the others.

load helper
load terminal
load stubborn

setup() {
	json=$BATS_TEST_TMPDIR/scan.json
	text=$BATS_TEST_TMPDIR/text
	unset NO_COLOR
	export LC_ALL=C.UTF-8 TERM=xterm
}

teardown() {
	end_all
	rm -rf "${public:-}"
}

# scan ARGUMENTS…: into $json
scan() {
	"$ARENAINSPECT" scan --json "$@" >"$json"
}

# row PID [FILTER]: the row of a process, and a value of it
row() {
	jq -c ".processes[] | select(.pid == $1) | ${2:-.}" "$json"
}

# row_is PID FILTER: true of its row, and it has one
row_is() {
	[ "$(row "$1" "$2")" = true ] || fail "not true of process $1: $2" "$(row "$1")"
}

skipped() {
	jq "[.skipped[] | select(.reason == \"$1\").processes][0] // 0" "$json"
}

# as_alone PID: its row has the numbers of a visit of it
as_alone() {
	"$ARENAINSPECT" --json "$1" >"$json.alone"
	diff <(row "$1" '[.rss_bytes, .anon_bytes, .swap_bytes, .malloc_bytes, .arenas,
			.idle_arenas, .in_use_bytes, .free_bytes, .trimmable_bytes,
			.retained_top_bytes, .pinned_free_bytes, .comm, .cgroup]') \
		<(jq -c '[.process.rss_bytes, .process.anon_bytes, .process.swap_bytes,
			([.memory[] | select(.kind | startswith("malloc-")).resident_bytes] | add),
			.totals.arenas, .totals.idle_arenas, .totals.in_use_bytes,
			.totals.free_bytes, .totals.trimmable_bytes,
			.totals.resident.retained_top_bytes,
			.totals.resident.pinned_free_bytes, .process.comm,
			.process.cgroup.path]' "$json.alone") ||
		fail "process $1 is another in the scan than alone"
}

@test "a process has the numbers that a visit of it alone gives" {
	local each pids=()
	start_truthful quiet
	pids+=("$pid")
	start_target nomalloc
	pids+=("$pid")
	start_target static
	pids+=("$pid")
	scan
	for each in "${pids[@]}"; do
		row_is "$each" '.depth == "chunks" and .skipped == null and .libc == "glibc"'
		as_alone "$each"
	done
	row_is "${pids[0]}" ".user == \"$(stat -c %U "/proc/${pids[0]}")\" and .pinned_free_bytes > 0"
}

@test "it changes nothing in a process that rests" {
	need python3 python3
	start_truthful quiet
	python3 "$cli/witness.py" "$pid" >"$text.before"
	"$ARENAINSPECT" scan >/dev/null
	python3 "$cli/witness.py" "$pid" >"$text.after"
	diff -u "$text.before" "$text.after" || fail "the scan changed the process"
}

@test "the document is what its JSON Schema says" {
	start_target nomalloc
	scan
	valid "$json"
	scan --depth arenas
	valid "$json"
	row_is "$pid" '.depth == "arenas" and .in_use_bytes == null'
	jq '.processes[0].rss_bytes = "1"' "$json" >"$json.spoiled"
	run valid "$json.spoiled"
	((status != 0))
}

@test "rows stand by what could be given back, the unknown last" {
	start_target demo
	scan
	holds "$json" '[.processes[].trimmable_bytes | if . == null then -1 else . end] |
		. == (sort | reverse)' '.processes[0].trimmable_bytes > 0'
}

@test "one that ends is no harm, and none is counted twice" {
	local round
	for ((round = 0; round < 40; round++)); do
		sh -c 'for i in 1 2 3 4 5 6 7 8; do sleep 0.0$i & done; wait' 3>&- &
	done
	for ((round = 0; round < 5; round++)); do
		scan
		holds "$json" '(.processes | length) == ([.processes[].pid] | unique | length)' \
			'[.processes[] | select(.skipped == "gone" or .skipped == "zombie")] == []' \
			'([.processes[] | select(.skipped != null)] | length) ==
				([.skipped[] | select(.reason | IN("kernel-thread", "zombie", "gone", "self") | not).processes] | add // 0)'
	done
	valid "$json"
	wait
}

@test "zombies, threads of the kernel and the scan itself have no row and are counted" {
	start_zombie
	scan
	[ -z "$(row "$zombie")" ]
	(($(skipped zombie) >= 1)) || fail "no zombie: $(jq -c .skipped "$json")"
	(($(skipped self) == 1))
	holds "$json" '[.processes[] | select(.comm == "kthreadd")] == []'
	[ ! -e /proc/2/comm ] || ! grep -qx kthreadd /proc/2/comm || (($(skipped kernel-thread) >= 1))
}

@test "another user's processes are listed as far as they can be seen, one's own are read" {
	need_root "a process of another user"
	copy_for_nobody "$ARENAINSPECT" "$TARGETS/nomalloc"
	start_target nomalloc
	local other=$pid
	start setpriv --reuid=65534 --regid=65534 --clear-groups "$public/nomalloc"
	as_nobody "$public/arenainspect" scan --json >"$json"
	row_is "$other" '.depth == "process" and .skipped == "denied" and .rss_bytes > 0 and
		.user == "root" and .comm == "nomalloc" and .trimmable_bytes == null and .libc == null and
		(.reason | contains("CAP_SYS_PTRACE"))'
	row_is "$pid" '.depth == "chunks" and .user != "root" and .in_use_bytes != null'
	(($(skipped denied) >= 1))
}

@test "where the mappings may be read and the memory may not, there are the mappings" {
	start_target nomalloc
	local refusing=$pid
	start_target nomalloc
	REFUSES=:$refusing: stubborn scan --json >"$json"
	row_is "$refusing" '.depth == "mappings" and .skipped == "denied" and .libc == "glibc" and
		.rss_bytes > 0 and .malloc_bytes == null and .arenas == null'
	row_is "$pid" '.depth == "chunks"'
}

@test "one that hangs is given up in time, and all the others are read" {
	local begun=$SECONDS hanging
	start_target nomalloc
	hanging=$pid
	start_target nomalloc
	hanging+=:$pid
	start_truthful quiet
	HANGS=:$hanging: stubborn scan --json --timeout 2 --jobs 2 >"$json"
	((SECONDS - begun < 40)) || fail "it took $((SECONDS - begun)) s"
	row_is "${hanging%:*}" '.depth == "mappings" and .skipped == "timeout" and .rss_bytes > 0'
	row_is "${hanging#*:}" '.depth == "mappings" and .skipped == "timeout"'
	(($(skipped timeout) >= 2))
	as_alone "$pid"
}

@test "one that is stopped, and one in state D, are read like others" {
	start_target nomalloc
	local stopped=$pid
	kill -STOP "$stopped"
	start_target waits
	await grep -q '^State:.D' "/proc/$pid/status"
	scan
	row_is "$stopped" '.depth == "chunks"'
	row_is "$pid" '.depth == "chunks" and .in_use_bytes > 100000'
}

@test "what is not glibc is named and counted" {
	need musl-gcc musl-tools
	local musl
	musl-gcc -O1 -o "$BATS_TEST_TMPDIR/musl" "$cli/foreign/musl.c"
	start "$BATS_TEST_TMPDIR/musl"
	musl=$pid
	start_bare
	scan
	row_is "$musl" '.skipped == "other-libc" and (.libc | contains("musl")) and .depth == "mappings" and .rss_bytes > 0'
	row_is "$pid" '.skipped == "no-libc" and .libc == null and .depth == "mappings"'
}

# alone COMMAND…: in a namespace of process ids of its own, as root or as one's own root
alone() {
	local user=()
	((EUID == 0)) || user=(--user --map-root-user)
	unshare "${user[@]}" --pid --fork --mount-proc "$@"
}

@test "each file of a C library is searched once, the other processes prove it" {
	alone true || skip "this system gives no namespaces"
	# shellcheck disable=SC2016 # for the inner shell
	alone bash -c 'for i in {1..12}; do sleep 1000 & sleep 0.01; done; sleep 0.5
		"$1" scan -v --jobs 2 --json' bash "$ARENAINSPECT" >"$json" 2>"$text"
	holds "$json" '[.processes[] | select(.comm == "sleep" and .depth == "chunks")] | length == 12'
	(($(grep -c 'symbols and layout took' "$text") == 1)) || fail "$(grep layout "$text")"
	(($(grep -c 'as in another process of the same file' "$text") >= 11)) || fail "$(grep layout "$text")"
}

@test "--limit visits the largest, --top and --sort are about the rows" {
	local name=one-of-$$ target largest
	for target in nomalloc growing; do
		mkdir "$BATS_TEST_TMPDIR/$target"
		cp "$TARGETS/$target" "$BATS_TEST_TMPDIR/$target/$name"
	done
	start "$BATS_TEST_TMPDIR/nomalloc/$name"
	start "$BATS_TEST_TMPDIR/growing/$name" in-use 1
	largest=$pid
	start "$BATS_TEST_TMPDIR/nomalloc/$name"
	scan --comm "$name" --limit 1
	holds "$json" '[.processes[] | select(.skipped == "limit")] | length == 2' \
		"[.processes[] | select(.depth == \"chunks\").pid] == [$largest]"
	start_truthful quiet
	"$ARENAINSPECT" scan -r -n -o pid,rss --sort rss --top 3 >"$text"
	(($(wc -l <"$text") == 3))
	sort -k2 -n -r -c "$text"
	"$ARENAINSPECT" scan -P -o pid,comm,skipped >"$text"
	grep -qxF "PID=\"$pid\" COMM=\"quiet\" SKIPPED=\"\"" "$text"
}

@test "--comm scans those of a name, however many" {
	local name=many-of-it-$$
	cp "$TARGETS/nomalloc" "$BATS_TEST_TMPDIR/$name"
	name=${name:0:15}
	start "$BATS_TEST_TMPDIR/many-of-it-$$"
	start "$BATS_TEST_TMPDIR/many-of-it-$$"
	scan --comm "$name"
	holds "$json" '.processes | length == 2' "all(.processes[]; .comm == \"$name\")" '.skipped == []'
	row_is "$pid" '.depth == "chunks"'
	run -3 --separate-stderr "$ARENAINSPECT" scan --comm no-such-name
	grep -q no-such-name <<<"$stderr"
}

@test "text begins with the answer and ends with those not visited" {
	start_truthful quiet
	"$ARENAINSPECT" scan >"$text"
	head -1 "$text" | grep -qE '^Of .+ resident in the mallocs of [0-9]+ process(es)? malloc_trim\(0\) would give back .+; it would leave .+ of tops\.$' ||
		fail "$(head -1 "$text")"
	tail -1 "$text" | grep -qE '^not visited  .*\b1 self\b'
	LC_ALL=C "$ARENAINSPECT" scan >"$text"
	! LC_ALL=C grep -P '[^\x00-\x7f]' "$text"
}

@test "usage: no process of its own, and its option is nobody else's" {
	run -2 "$ARENAINSPECT" scan 1
	run -2 "$ARENAINSPECT" scan --core core
	run -2 "$ARENAINSPECT" scan --limit 0
	run -2 "$ARENAINSPECT" arenas --limit 3 $$
}

@test "progress is told on a terminal only, and taken away again" {
	start_target nomalloc
	export HANGS=:$pid:
	stubborn scan --timeout 1 >/dev/null 2>"$text"
	[ ! -s "$text" ] || fail "$(cat "$text")"
	on_terminal "LD_PRELOAD=$BATS_TEST_TMPDIR/stubborn.so \
		ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0 \
		'$ARENAINSPECT' scan --timeout 1 -r -n -o pid --top 1" >"$text"
	grep -qE '[0-9]+ of [0-9]+ processes' "$text"
	[[ $(cat "$text") == *$'\r\e[K'[0-9]* ]] || fail "$(cat -v "$text")"
}
