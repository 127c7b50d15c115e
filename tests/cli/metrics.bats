#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# metrics: what Prometheus' own parsers read in them is what the document says.

load helper
load metrics
load stubborn

setup() {
	text=$BATS_TEST_TMPDIR/text
	samples=$BATS_TEST_TMPDIR/samples
	json=$BATS_TEST_TMPDIR/json
}

teardown() {
	end_all
	rm -rf "${public:-}"
}

# same NAME EXPRESSION [LABEL]: the metric is the document's number, or not there if null
same() {
	local said
	said=$(jq -r "($2) // empty" "$json")
	[ "$(value "$1" "${3:-}")" = "$said" ] || fail "$1 ${3:-}: $(value "$1" "${3:-}"), not $said"
}

@test "every metric is the document's number" {
	start_truthful history 11
	"$ARENAINSPECT" metrics "$pid" >"$text"
	gather "$pid"
	"$ARENAINSPECT" --json "$pid" >"$json"
	same trimmable_bytes .totals.trimmable_bytes
	same retained_top_bytes .totals.resident.retained_top_bytes
	same pinned_free_bytes .totals.resident.pinned_free_bytes
	same arenas .totals.arenas
	same idle_arenas .totals.idle_arenas
	same arena_limit .settings.arena_limit
	same in_use_bytes .totals.in_use_bytes
	same free_bytes '.totals | .free_bytes + .fast_bytes + .top_bytes + (.tcache_bytes // 0)'
	same overhead_bytes .totals.overhead_bytes
	same unread_bytes .totals.unread_bytes
	same unwalked_bytes .totals.unwalked_bytes
	same system_bytes .totals.system_bytes
	same mmapped_bytes .totals.mmapped_bytes
	same resident_bytes .totals.resident.total_bytes
	same attached_threads '[.arenas[].attached_threads] | add'
	(($(value free_bytes) + $(value in_use_bytes) + $(value overhead_bytes) + $(value unread_bytes) + $(value unwalked_bytes) ==
		$(value system_bytes)))
	[ "$(value processes)" = 1 ]
	[ "$(value torn_processes)" = 0 ]
	[ "$(value build_info "version=$(jq -r .tool.version "$json")")" = 1 ]
	[ "$(grep -c "comm=history" "$samples")" -ge 18 ]
	[ ! -s "$text.err" ]
	tail -n 1 "$text" | grep -qx '# EOF'
}

@test "arenas by their index" {
	start_truthful history 11
	gather --per-arena "$pid"
	"$ARENAINSPECT" --json "$pid" >"$json"
	local index
	for index in $(jq '.arenas[].index' "$json"); do
		same arena_in_use_bytes ".arenas[$index].in_use_bytes" "arena=$index"
		same arena_trimmable_bytes ".arenas[$index].resident.trimmable_bytes" "arena=$index"
		same arena_attached_threads ".arenas[$index].attached_threads" "arena=$index"
	done
	[ "$(value arena_system_bytes | wc -l)" = "$(jq .totals.arenas "$json")" ]
	[ "$(value arena_system_bytes | total)" = "$(value system_bytes)" ]
	! grep -P '^arenainspect_(?!arena_).*arena=' "$samples"
}

@test "two processes of one name and group are one row, and count as two" {
	start_truthful history 11
	local first=$pid
	gather "$pid"
	local of_first
	of_first=$(value in_use_bytes)
	start_truthful history 12
	gather "$pid"
	local of_second
	of_second=$(value in_use_bytes)
	gather "$first" "$pid"
	[ "$(value processes)" = 2 ]
	[ "$(value in_use_bytes)" = $((of_first + of_second)) ]
	gather --per-arena "$first" "$pid"
	[ "$(value arena_system_bytes | total)" = "$(value system_bytes)" ]
}

@test "a share of several processes is weighed by what it is of" {
	start_truthful history 11
	local first=$pid
	start_truthful history 12
	gather "$first" "$pid"
	awk -v ratio="$(value free_ratio)" -v free="$(value free_bytes)" -v all="$(value system_bytes)" 'BEGIN {
		exit !(ratio - free / all < 1e-9 && free / all - ratio < 1e-9) }'
}

@test "several by name, and no number of a process in any label" {
	local name=ari-met$$
	start_named "$name"
	start_named "$name"
	gather --comm "$name"
	[ "$(value processes "comm=$name")" = 2 ]
	! grep -w "$pid" "$samples"
}

@test "a hostile name is a label like any other" {
	start_named $'a"b\\c\n{}\xff\xc3\xa9'
	gather "$pid"
	[ "$(value processes 'comm=a"b\x5cc\x0a{}\xffé')" = 1 ] || fail "$(cat "$text")"
}

@test "those that cannot be read are counted by reason, and the rest is there" {
	start_target nomalloc
	local there=$pid gone kernel
	true &
	gone=$!
	wait "$gone"
	gather "$there" "$gone"
	[ "$(value skipped_processes reason=gone)" = 1 ]
	[ "$(value skipped_processes reason=denied)" = 0 ]
	[ "$(value processes comm=nomalloc)" = 1 ]
	grep -q "$gone" "$text.err"
	"$ARENAINSPECT" metrics -q "$gone" "$there" >"$text" 2>"$text.err"
	[ ! -s "$text.err" ]
	parsed "$text" >"$samples"
	[ "$(value skipped_processes reason=gone)" = 1 ]
}

@test "one that takes too long does not take the others' time" {
	need strace strace
	start_target nomalloc
	local first=$pid
	start_target nomalloc
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=process_vm_readv \
		-e inject=process_vm_readv:delay_enter=4000000:when=1 \
		"$ARENAINSPECT" metrics --jobs 1 -t 12 "$first" "$pid" >"$text" 2>"$text.err"
	parsed "$text" >"$samples"
	[ "$(value skipped_processes reason=timed_out)" = 1 ] || fail "$(cat "$text.err")"
	[ "$(value processes comm=nomalloc)" = 1 ]
	grep -qi time "$text.err"
}

@test "denied ones are counted" {
	need_root "to be somebody else"
	start_target nomalloc
	copy_for_nobody "$ARENAINSPECT"
	as_nobody "$public/arenainspect" metrics "$pid" >"$text" 2>"$text.err" || (($? == 4))
	parsed "$text" >"$samples"
	[ "$(value skipped_processes reason=denied)" = 1 ]
	grep -q CAP_SYS_PTRACE "$text.err"
}

@test "all of the host, but not the tool itself" {
	start_target nomalloc
	local tool=ari-tool$$
	ln -s "$ARENAINSPECT" "$BATS_TEST_TMPDIR/$tool"
	"$BATS_TEST_TMPDIR/$tool" metrics --all --depth arenas >"$text" 2>"$text.err"
	parsed "$text" >"$samples"
	(($(value processes comm=nomalloc | total) >= 1))
	[ -z "$(value processes "comm=$tool")" ]
	[ ! -s "$text.err" ]
	# headers only: what chunks would tell is not known, and not 0
	[ -z "$(value in_use_bytes comm=nomalloc)" ]
	[ -n "$(value arenas comm=nomalloc)" ]
}

@test "a limit keeps the largest, and says what it cut" {
	local small=ari-sma$$ large
	start_named "$small"
	small=$pid
	start_truthful history 11
	large=$pid
	gather --limit 1 "$small" "$large"
	[ "$(value processes)" = 1 ]
	[ "$(value processes comm=history)" = 1 ]
	[ "$(value cut_series)" = 1 ]
	[ "$(value cut_processes)" = 1 ]
	gather --limit 2 --per-arena "$small" "$large"
	[ "$(value cut_series)" = 0 ]
	[ "$(value arena_system_bytes | wc -l)" = 2 ]
	(($(value cut_arenas) == $(value arenas | total) - 2))
}

@test "what a torn arena leaves open is not there" {
	start_truthful damaged chunk-zero
	gather "$pid"
	[ "$(value torn_processes)" = 1 ]
	[ -z "$(value in_use_bytes)" ]
	[ -n "$(value system_bytes)" ]
	gather --per-arena "$pid"
	(($(value arena_in_use_bytes | wc -l) == $(value arenas) - 1))
}

@test "a file is there whole or not at all, and readable by others" {
	start_target nomalloc
	echo old >"$text"
	"$ARENAINSPECT" metrics --write "$text" "$pid"
	parsed "$text" >"$samples"
	[ "$(value processes comm=nomalloc)" = 1 ]
	[ "$(stat -c %a "$text")" = 644 ]
	[ "$(find "$BATS_TEST_TMPDIR" -name 'text*' | wc -l)" = 1 ]
	run "$ARENAINSPECT" metrics --write "$BATS_TEST_TMPDIR/no/such/folder" "$pid"
	((status == 7))
	status=0
	"$ARENAINSPECT" metrics "$pid" >/dev/full 2>"$text.err" || status=$?
	((status == 7))
}

@test "usage" {
	run "$ARENAINSPECT" metrics
	((status == 2))
	run "$ARENAINSPECT" metrics --all $$
	((status == 2))
	run "$ARENAINSPECT" metrics --json $$
	((status == 2))
	run "$ARENAINSPECT" metrics --top 1 $$
	((status == 2))
	run "$ARENAINSPECT" metrics --limit 0 $$
	((status == 2))
	run "$ARENAINSPECT" arenas --limit 1 $$
	((status == 2))
	run "$ARENAINSPECT" metrics --comm no-such-program
	((status == 3))
}

@test "pids of which none can be read end with the reason, and the text is whole" {
	local gone
	true &
	gone=$!
	wait "$gone"
	"$ARENAINSPECT" metrics "$gone" >"$text" 2>"$text.err" || status=$?
	((status == 3))
	(($(wc -l <"$text.err") == 1)) || fail "$(cat "$text.err")"
	parsed "$text" >"$samples"
	[ "$(value skipped_processes reason=gone)" = 1 ]
	start_target nomalloc
	gather "$gone" "$pid"
	[ "$(value skipped_processes reason=gone)" = 1 ]
	grep -q "$gone" "$text.err"
}

@test "one that hangs is counted, and all the others are read" {
	local begun=$SECONDS name=ari-hang$$ hanging
	start_target nomalloc
	hanging=$pid
	start_named "$name"
	HANGS=:$hanging: stubborn metrics --timeout 8 --write "$text" "$hanging" "$pid" 2>"$text.err"
	((SECONDS - begun < 40)) || fail "it took $((SECONDS - begun)) s"
	parsed "$text" >"$samples"
	[ "$(value processes "comm=$name")" = 1 ]
	[ "$(value skipped_processes reason=timed_out)" = 1 ]
	grep -q "process $hanging did not answer" "$text.err" || fail "$(cat "$text.err")"
}
