#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where the memory is: the books of each arena close and add up, the report says what the
# document says, and the chunks that `heaps --pins` names hold what it says they hold.

load helper
load oracle
load trim
load cores
load group

setup() {
	need jq jq
	json=$BATS_TEST_TMPDIR/ours.json
	text=$BATS_TEST_TMPDIR/text
}

teardown() {
	end_all
	remove_group
	rm -f "$BATS_TEST_TMPDIR"/core.*
}

# look ARGUMENTS…: a document, into $json
look() {
	"$ARENAINSPECT" --json "$@" "$pid" >"$json"
}

# ---- the books ----

# closes DOCUMENT: every byte that an arena got from the system has one place, all of them
# known, and what is resident of a kind is not more than there is of it
closes() {
	local wrong
	wrong=$(jq -r '
		.arenas[] | "arena \(.index): " as $it |
			([.unsorted, .small, .large] | map(.bytes) | add) as $free |
			(select(.free_bytes != $free) | $it + "free_bytes is not what the bins hold"),
			(select(.system_bytes != .in_use_bytes + .tcache.bytes + .fast.bytes + $free + .top.bytes +
				.overhead_bytes + .unread_bytes + .unwalked_bytes) | $it + "the ledger does not close"),
			(select(.unread_bytes + .unwalked_bytes + .resident.unwalked_bytes != 0) | $it + "not all was walked"),
			(select(.resident.in_use_bytes > .in_use_bytes or .resident.metadata_bytes > .overhead_bytes or
				.resident.pinned_free_bytes > .free_bytes + .fast.bytes or
				.resident.tcache_bytes > .tcache.bytes) | $it + "more is resident than there is")
		' "$1") || return
	[ -z "$wrong" ] || fail "the ledger of $1" "$wrong"
}

# Bytes of the mappings that malloc's heaps begin in, as the kernel counts them.
kernels_count() {
	local name value heap heaps ours=0 sum=0
	mapfile -t heaps < <(jq -r '.arenas[].heaps[].address' "$json")
	while read -r name value _; do
		if [[ $name = [0-9a-f]*-* ]]; then
			ours=0
			for heap in "${heaps[@]}"; do
				((heap < 0x${name%-*} || heap >= 0x${name#*-})) || ours=1
			done
		elif [ "$name" = Rss: ]; then
			((sum += ours * value * 1024, 1))
		fi
	done <"/proc/$pid/smaps"
	echo "$sum"
}

# balanced: of the process last started
balanced() {
	look
	books_balance "$json"
	closes "$json"
	valid "$json"
}

@test "at rest every class adds up and every ledger closes, in every arena and in all" {
	seed
	start_truthful history "$seed"
	balanced
	stop
	start_truthful main-exits
	balanced
	stop
	start_target pins
	balanced
	stop
	start_target static
	balanced
	stop
	start_target nomalloc
	look
	closes "$json"
	holds "$json" '.totals.resident | all(. == 0)' '.totals.trimmable_bytes == 0'
}

@test "what is resident of the arenas is what the kernel counts in their mappings" {
	start_truthful quiet
	balanced
	(($(jq .totals.resident.total_bytes "$json") == $(kernels_count)))
	holds "$json" '.totals.resident.total_bytes < .totals.system_bytes'
	stop
	start_target demo
	balanced
	(($(jq .totals.resident.total_bytes "$json") == $(kernels_count)))
}

@test "without a look at the chunks no class is known, and the report claims none" {
	start_target demo
	look --depth arenas
	holds "$json" '[.arenas[], .totals | .resident[], .trimmable_swapped_bytes] | all(. == null)' \
		'.totals.trimmable_bytes == null'
	"$ARENAINSPECT" --depth arenas "$pid" >"$text"
	grep -qx "$(jq .totals.arenas "$json") arenas hold .* from the system\." "$text"
	run ! grep -qi 'trim\|of the arenas\|pinned' "$text"
}

@test "a core tells nothing of what was resident, and nothing is claimed" {
	start_target pins
	dump
	read_core
	holds "$json" "[$untold] | all(. == null)"
	read_core --pins heaps
	holds "$json" '[.arenas[].heaps[].pins] | all(. == null)'
	"$ARENAINSPECT" --core "$core" >"$text"
	head -n 1 "$text" | grep -q '^3 arenas hold .* from the system\.$'
	run ! grep -qi 'trim\|of the arenas\|pinned\|^container' "$text"
}

@test "the check sees a ledger that does not close" {
	local change
	start_target pins
	look
	closes "$json"
	for change in '.in_use_bytes += 16' '.tcache.bytes += 16' '.resident.tcache_bytes = .tcache.bytes + 1' '.top.bytes -= 16' '.free_bytes += 16' '.unsorted.bytes += 16' '.fast.bytes += 16' \
		'.overhead_bytes += 16' '.unwalked_bytes += 16 | .system_bytes += 16' '.resident.unwalked_bytes += 16' \
		'.resident.in_use_bytes = .in_use_bytes + 1' '.resident.pinned_free_bytes = .free_bytes + 1'; do
		jq ".arenas[1] |= ($change)" "$json" >"$json.changed"
		run ! closes "$json.changed"
	done
}

# ---- the report ----

# says_of LABEL BYTES: the fact of that name in $text begins with so many bytes, and is not
# there where they are 0
says_of() {
	if (($2 == 0)); then
		run ! grep -qE "^$1 {2,}[0-9]+ bytes" "$text"
	else
		grep -qE "^$1 {2,}$2 bytes\b" "$text" || fail "not '$1 $2 bytes':" "$(cat "$text")"
	fi
}

# class NAME: of totals.resident
class() {
	jq ".totals.resident.$1_bytes" "$json"
}

# opening: the verdict that comes first, if there is one, as the document has it
opening() {
	jq -r '.findings[0] // empty | "\(.id): \(.message)"' "$json"
}

# sentence: the report's first besides, as the document has it
sentence() {
	jq -r '(.memory // [] | map(select(.kind == "malloc-mmapped").resident_bytes)[0] // 0) as $mmapped |
		(.memory | map(select(.kind | startswith("malloc-") | not).resident_bytes) | add) as $outside |
		.totals.resident as $all |
		"Of \(.process.rss_bytes) bytes RSS the application holds \($all.in_use_bytes) bytes in malloc'\''s arenas" +
		(if $mmapped == 0 then "" else " and \($mmapped) bytes in mmapped chunks" end) +
		"; malloc_trim(0) would give back \(.totals.trimmable_bytes) bytes, and " +
		"\($all.retained_top_bytes + $all.pinned_free_bytes + $all.tcache_bytes) bytes more is free but would stay; " +
		"\($outside) bytes is not malloc'\''s."' "$json"
}

@test "the report opens with the verdict and the answer, in the document's own figures" {
	local target
	for target in 'start_target demo' 'start_truthful history 5' 'start_truthful quiet' 'start_target pins'; do
		$target
		look
		"$ARENAINSPECT" -b "$pid" >"$text"
		diff <(
			opening
			sentence
		) <(grep . "$text" | head -n "$(jq '[2, (.findings | length) + 1] | min' "$json")")
		says_of 'of the arenas' "$(class total)"
		says_of '  in use' "$(class in_use)"
		says_of '  cached' "$(jq .totals.resident.tcache_bytes "$json")"
		says_of '  trimmable' "$(class trimmable)"
		says_of '  retained top' "$(class retained_top)"
		says_of '  pinned free' "$(class pinned_free)"
		says_of '  metadata' "$(class metadata)"
		says_of '  not walked' "$(class unwalked)"
		says_of '  in swap' "$(jq .totals.trimmable_swapped_bytes "$json")"
		# the headline: all that is free inside malloc, resident or not
		says_of free "$(jq '.totals | .free_bytes + .fast_bytes + .tcache_bytes + .top_bytes' "$json")"
		says_of 'in use' "$(jq .totals.in_use_bytes "$json")"
		stop
	done
}

@test "the report has a line for each kind of memory that there is, and they add up to the RSS" {
	local target kind bytes
	for target in 'start_target demo' 'start_truthful history 9' 'start_truthful quiet'; do
		$target
		look
		holds "$json" '.memory | map(.kind) ==
				["malloc-heaps", "malloc-mmapped", "stacks", "anonymous", "files", "shared"]' \
			'.memory[0].resident_bytes == .totals.resident.total_bytes' \
			'(.memory | map(.resident_bytes) | add) == .process.rss_bytes + .quality.rss_difference_bytes'
		(($(jq '.memory | map(.resident_bytes) | add' "$json") == $(rollup Rss "/proc/$pid/smaps_rollup")))
		"$ARENAINSPECT" -b "$pid" >"$text"
		while read -r kind bytes; do
			says_of "$kind" "$bytes"
		done < <(jq -r '.memory[] | "\(.kind) \(.resident_bytes)"' "$json")
		[ "$target" = 'start_truthful quiet' ] || stop
	done
	holds "$json" '["malloc-heaps", "malloc-mmapped", "stacks", "anonymous"] - [.memory[] | select(.resident_bytes > 0).kind] == []'
}

# ---- the container ----

@test "a container's limit and use, and what share of the use could come back" {
	local max=$((1 << 29)) used share
	limited_group "$max"
	start_in_group "$TARGETS/demo"
	look
	holds "$json" ".process.cgroup.memory_max_bytes == $max" '.process.cgroup.path | endswith("arenainspect-test-'$$'")' \
		'.process.cgroup.memory_current_bytes >= .totals.resident.total_bytes'
	within "$(jq .process.cgroup.memory_current_bytes "$json")" "$(cat "$group/$usage")" $((1 << 20))
	"$ARENAINSPECT" -b "$pid" >"$text"
	used=$(sed -n "s/^container  *memory \([0-9]*\) bytes of at most $max bytes.*/\1/p" "$text")
	[ -n "$used" ] || fail "$(cat "$text")"
	share=$(jq -r ".totals.trimmable_bytes / $used * 100 | round" "$json")
	grep -qE "\($(((used * 200 + max) / 2 / max)) %\); .* malloc_trim\(0\) would give back is $share %" "$text" ||
		fail "not $share %" "$(grep ^container "$text")"
}

@test "where there is no limit, or none can be seen, there is no line for it" {
	start_target demo
	look
	"$ARENAINSPECT" "$pid" >"$text"
	if holds "$json" '.process.cgroup.memory_max_bytes == null'; then
		run ! grep -q '^container' "$text"
	else
		grep -q '^container' "$text"
	fi
}

# ---- heaps --pins ----

# pin NAME: what the target said of it, into $pointer and $size
pin() {
	read -r _ pointer size < <(grep "^$1 0x" "$out")
	[ -n "$pointer" ] || fail "the target has no pin '$1'"
}

# pin_row NAME COL[,COL]: of its row
pin_row() {
	pin "$1"
	"$ARENAINSPECT" heaps --pins -r -n -o "address,$2" "$pid" |
		sed -n "s/^$(printf '0x%x' $((pointer - 16))) //p"
}

@test "a live chunk between large free ones is a pin, and so is one in front of a top" {
	local name
	start_target pins
	look heaps --pins
	for name in between top heap; do
		pin "$name"
		[[ $(pin_row "$name" size) = "$size" ]] || fail "$name: $(pin_row "$name" size) instead of $size"
		jq -e --arg at "$(printf '0x%x' $((pointer - 16)))" --argjson size "$size" \
			'[.arenas[].heaps[].pins[] | select(.address == $at and .bytes == $size)] | length == 1' "$json"
	done
	pin heap
	[[ $(pin_row heap heap_address,heap,arena) = "$(printf '0x%x' $((pointer & ~((64 << 20) - 1)))) 1 "[12] ]]
	(($(pin_row heap holds) >= 500000)) || fail "heap: $(pin_row heap holds)"
	pin between
	[[ $(pin_row between arena,arena_address) = "0 $(jq -r '.arenas[0].address' "$json")" ]]
}

# Freed, and malloc_trim(0) called: on top of the forecast, what the pin was said to hold.
@test "what a pin holds is what goes back besides, once it is freed" {
	local name hold forecast before dropped
	start_target pins
	for name in top between heap; do
		hold=$(pin_row "$name" holds)
		look
		forecast=$(jq .totals.trimmable_bytes "$json")
		before=$(rollup Anonymous "/proc/$pid/smaps_rollup")
		echo "$name" >&"$in"
		await_line "freed $name"
		dropped=$((before - $(rollup Anonymous "/proc/$pid/smaps_rollup")))
		echo "$name: forecast $forecast, held $hold, dropped by $dropped"
		((hold > 0 && dropped == forecast + hold))
		[ -z "$(pin_row "$name" holds)" ] || fail "$name is free, and still a pin"
	done
}

@test "pins are at most five for each heap, those that hold most, in the order of the heaps" {
	local target
	for target in 'start_target demo' 'start_truthful history 7' 'start_target pins'; do
		$target
		look heaps --pins
		books_balance "$json"
		"$ARENAINSPECT" heaps --pins -r -n -o arena,heap,heap_address,heap_size,address,size,holds "$pid" >"$text"
		diff <(jq -r '.arenas[] | .index as $arena | .heaps | to_entries[] | .key as $heap | .value |
			"\($arena) \($heap) \(.address) \(.bytes) " as $its | .pins[] |
			$its + "\(.address) \(.bytes) \(.holds_bytes)"' "$json") "$text"
		[ -s "$text" ] || fail "$target: no pins"
		holds "$json" '[.arenas[].heaps[].pins | length <= 5 and . == sort_by(-.holds_bytes)] | all' \
			'[.arenas[].heaps[].pins[] | .holds_bytes > 0 and .bytes > 0] | all' \
			'[.arenas[].heaps[].pins[].address] | length == (unique | length)'
		stop
	done
	holds "$json" '.arenas | length == 3'
}

@test "--sort and --top order pins by what they hold" {
	start_target demo
	"$ARENAINSPECT" heaps --pins -r -n -o holds --sort holds "$pid" >"$text"
	sort -rnc "$text"
	diff <(head -n 3 "$text") <("$ARENAINSPECT" heaps --pins -r -n -o holds --top 3 "$pid")
	"$ARENAINSPECT" heaps --pins -P --top 1 "$pid" |
		grep -qxE 'ARENA="[0-9]+" HEAP_ADDRESS="0x[0-9a-f]+" HEAP_SIZE="[0-9]+" ADDRESS="0x[0-9a-f]+" SIZE="[0-9]+" HOLDS="[0-9]+"( CACHED="(yes|no)")?'
}

@test "pins are listed with --pins only, and both documents are valid" {
	start_target pins
	look
	holds "$json" '[.arenas[].heaps[].pins] | all(. == null)'
	valid "$json"
	jq -S 'del(.taken, .arenas[].heaps[].pins, .process.cgroup["memory_current_bytes", "memory_inactive_file_bytes"])' "$json" >"$json.without"
	look heaps --pins
	holds "$json" '[.arenas[].heaps[].pins] | all(type == "array") and any(length > 0)'
	valid "$json"
	jq -S 'del(.taken, .arenas[].heaps[].pins, .process.cgroup["memory_current_bytes", "memory_inactive_file_bytes"])' "$json" | diff "$json.without" -
	run -2 "$ARENAINSPECT" arenas --pins "$pid"
	run -2 "$ARENAINSPECT" heaps -o holds "$pid"
	run -2 "$ARENAINSPECT" heaps --pins -o resident "$pid"
}

@test "where nothing is pinned the text says so, and formats for machines have no rows" {
	start_target nomalloc
	"$ARENAINSPECT" heaps --pins "$pid" | grep -qx 'No single live chunk keeps memory from going back.'
	"$ARENAINSPECT" heaps --pins -r -n "$pid" >"$text"
	[ ! -s "$text" ]
}

@test "where pins cannot be known nobody says that there are none" {
	start_target pins
	run -2 "$ARENAINSPECT" heaps --pins --depth arenas "$pid"
	dump
	run "$ARENAINSPECT" heaps --pins --core "$core"
	[[ $output != *'No single live chunk'* ]] || fail "a core cannot tell: $output"
}
