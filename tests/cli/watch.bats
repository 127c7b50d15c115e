#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A line each time, at once, until the count, the process or Ctrl-C ends it.

load helper
load terminal

setup() {
	text=$BATS_TEST_TMPDIR/text
	err_text=$BATS_TEST_TMPDIR/err
	unset NO_COLOR
	export LC_ALL=C.UTF-8 TERM=xterm
}

# A python that grows by some MiB with every line that it reads, or drops it all for one
# of "less", and answers "done".
start_growing() {
	need python3 python3
	start python3 -uc 'if True:
		import sys
		held = []
		print("ready")
		for line in sys.stdin:
		    if line == "less\n":
		        held.clear()
		    else:
		        held.extend(bytes(2000) for _ in range(3000))
		    print("done")'
}

# grow [LESS]: by one line
grow() {
	local said
	said=$(grep -cxF 'done' "$out" || :)
	echo "${1:-}" >&"$in"
	await_line 'done' $((said + 1))
}

# watch ARGUMENTS…: in the background, as $watcher, into $text
watch() {
	: >"$text" # not the lines of one before it
	"$ARENAINSPECT" watch "$@" >"$text" 2>"$err_text" 3>&- &
	watcher=$!
	started+=("$watcher")
}

has_lines() {
	(($(wc -l <"$text") >= $1))
}

ends_with() {
	local status=0
	wait "$watcher" || status=$?
	((status == $1)) || fail "exit $status instead of $1" "$(cat "$err_text")"
}

@test "COUNT lines below one line of headings" {
	start_target nomalloc
	"$ARENAINSPECT" watch "$pid" 0.05 5 >"$text"
	(($(wc -l <"$text") == 6))
	grep -n TIME "$text" | grep -q '^1:TIME .* RSS .* IN USE .* TRIMMABLE'
	! grep -q ' $' "$text" || fail "blanks at the end of lines"
	"$ARENAINSPECT" watch -n "$pid" 0.05 2 >"$text"
	(($(wc -l <"$text") == 2))
}

@test "the numbers are those of a visit" {
	start_truthful quiet
	"$ARENAINSPECT" watch -r -n -o rss,malloc,system,in_use,free,trimmable,retained_top,arenas,threads "$pid" 0.01 2 >"$text"
	"$ARENAINSPECT" --json "$pid" | jq -r '[.process.rss_bytes,
		([.memory[] | select(.kind | startswith("malloc-")).resident_bytes] | add),
		.totals.system_bytes, .totals.in_use_bytes, .totals.free_bytes, .totals.trimmable_bytes,
		.totals.resident.retained_top_bytes, .totals.arenas, .process.tasks] | join(" ")' >"$text.alone"
	diff <(cat "$text.alone" "$text.alone") "$text"
}

@test "each line is written at once, and what grew is marked" {
	start_growing
	watch "$pid" 0.2
	await has_lines 2
	grow
	await grep -qE 'iB\+' "$text"
	kill -0 "$watcher"
	kill -INT "$watcher"
	ends_with 0
	! sed -n 2p "$text" | grep -q '[+]' || fail "the first line has nothing to compare with"
}

@test "what went down is marked, too" {
	start_growing
	grow
	watch -o time,threads,in_use "$pid" 0.1
	await has_lines 2
	grow less
	await grep -qE 'iB-$' "$text"
	kill -TERM "$watcher"
	ends_with 0
	awk 'NR > 1 { print $2 }' "$text" | grep -qx 1
}

@test "INTERVAL is kept, with a unit or without" {
	start_target nomalloc
	local each begun
	for each in 0.4 .4 400ms 0.4s; do
		begun=$(date +%s%N)
		"$ARENAINSPECT" watch "$pid" "$each" 3 >"$text"
		(($(date +%s%N) - begun >= 800000000)) || fail "$each: too fast"
	done
	for each in 0 -1 x 1x 1e3 0x1 inf 1.2.3 '' 1ms2 9999999999; do
		run -2 "$ARENAINSPECT" watch "$pid" -- "$each"
	done
	run -2 "$ARENAINSPECT" watch "$pid" 1 0
	run -2 "$ARENAINSPECT" watch "$pid" 1 x
	run -2 "$ARENAINSPECT" watch "$pid" 1 1 1
	run -2 "$ARENAINSPECT" watch
	run -2 "$ARENAINSPECT" watch --sort rss "$pid"
	run -2 "$ARENAINSPECT" watch --top 1 "$pid"
	run -2 "$ARENAINSPECT" watch --core core 1
}

@test "it ends with the process, with 0 and a word" {
	start_target nomalloc
	watch "$pid" 0.1
	await has_lines 3
	stop
	ends_with 0
	grep -q "process $pid has ended" "$err_text"
	start_target nomalloc
	# at once, not at the next line
	watch -q "$pid" 1h
	await has_lines 2
	stop
	ends_with 0
	[ ! -s "$err_text" ]
}

@test "one that is not there at all is an error, as ever" {
	true &
	local gone=$!
	wait "$gone"
	run -3 --separate-stderr "$ARENAINSPECT" watch "$gone" 1 1
	[ -z "$output" ]
	start_target nomalloc
	run -0 "$ARENAINSPECT" watch "$pid" 1 1
}

@test "another program in its place ends it, too" {
	start_target execs
	watch "$pid" 0.1
	await has_lines 3
	echo exec >&"$in"
	await_line ready 2
	ends_with 0
	grep -q 'another program' "$err_text"
}

@test "--comm names the process, and the words are INTERVAL and COUNT" {
	cp "$TARGETS/nomalloc" "$BATS_TEST_TMPDIR/watched-$$"
	start "$BATS_TEST_TMPDIR/watched-$$"
	"$ARENAINSPECT" watch --comm "$(cat "/proc/$pid/comm")" 0.05 3 -n >"$text"
	(($(wc -l <"$text") == 3))
}

@test "-r and -P give a row a line, -J a document each time" {
	start_target nomalloc
	"$ARENAINSPECT" watch -r -o taken,in_use,arenas "$pid" 0.05 3 >"$text"
	(($(wc -l <"$text") == 4))
	head -1 "$text" | grep -qx 'TAKEN IN_USE ARENAS'
	(($(sed 1d "$text" | grep -cE '^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z [0-9]+ 1$') == 3))
	"$ARENAINSPECT" watch -P -o in_use,heaps "$pid" 0.05 3 >"$text"
	(($(grep -cE '^IN_USE="[0-9]+" HEAPS="[0-9]+"$' "$text") == 3))
	"$ARENAINSPECT" watch -J "$pid" 0.05 3 >"$text"
	(($(jq -s length "$text") == 3))
	jq -se 'all(.[]; .schema == "arenainspect/1" and .process.pid == '"$pid)" "$text"
}

@test "what is not known says so, and its column stays" {
	start_target nomalloc
	"$ARENAINSPECT" watch --depth arenas "$pid" 0.05 2 >"$text"
	head -1 "$text" | grep -q TRIMMABLE
	(($(grep -c unknown "$text") == 2))
	"$ARENAINSPECT" watch --depth arenas -r -n -o trimmable "$pid" 0.05 1 >"$text"
	[ "$(cat "$text")" = - ]
}

@test "on a terminal the headings come again, and there is colour" {
	start_growing
	on_terminal "'$ARENAINSPECT' watch $pid 0.02 50" >"$text"
	(($(grep -c TIME "$text") == 3)) || fail "$(grep -c TIME "$text") lines of headings"
	grep -q $'\e\[1mTIME' "$text"
	on_terminal "NO_COLOR=1 '$ARENAINSPECT' watch $pid 0.02 3" >"$text"
	! grep -q $'\e' "$text"
}

@test "--write makes the file when it has ended, whole" {
	start_target nomalloc
	"$ARENAINSPECT" watch --write "$text.file" "$pid" 0.05 3 >"$text"
	[ ! -s "$text" ]
	(($(wc -l <"$text.file") == 4))
	watch --write "$text.other" "$pid" 0.05
	sleep 0.3
	[ ! -e "$text.other" ]
	kill -INT "$watcher"
	ends_with 0
	grep -q TIME "$text.other"
}

@test "output that cannot be written ends it with 7, a closed one quietly" {
	start_target nomalloc
	run -7 bash -c "'$ARENAINSPECT' watch $pid 0.05 3 >/dev/full"
	grep -qi 'no space' <<<"$output"
	run bash -c "'$ARENAINSPECT' watch $pid 0.05 | head -n 2"
	((${#lines[@]} == 2)) || fail "$output"
}

@test "who reads has gone: it does not wait for the next line to find that out" {
	start_target nomalloc
	run -0 timeout 20 bash -c "'$ARENAINSPECT' watch $pid 300 | head -n 2"
	((${#lines[@]} == 2)) || fail "$output"
	# A pipe that nobody reads is nothing to one that writes a file.
	bash -c "'$ARENAINSPECT' watch --write '$text.file' $pid 0.5 3 | true"
	(($(wc -l <"$text.file") == 4))
}

@test "a moment without an answer does not end it" {
	need strace strace
	start_target nomalloc
	run --separate-stderr env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
		strace -f -qq -o "$text.trace" -e trace=process_vm_readv \
		-e inject=process_vm_readv:delay_enter=600000:when=1 \
		"$ARENAINSPECT" watch --timeout 0.5 -n -r -o arenas "$pid" 0.1 2
	((status == 0)) || fail "exit $status" "$stderr"
	grep -q time <<<"$stderr"
	[ "${lines[-1]}" = 1 ]
}
