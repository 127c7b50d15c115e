#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What every page is (--depth pages), against the page map and the other sums; and the
# picture of it.

load helper
load oracle
load trim
load cores
load swap
load terminal

setup() {
	json=$BATS_TEST_TMPDIR/tool.json
	text=$BATS_TEST_TMPDIR/text
	export LC_ALL=C
}

teardown() {
	end_all
	remove_swap
}

seeds() {
	echo "${SEEDS:-$(od -An -N4 -tu4 /dev/urandom)}"
}

# runs_are_right: of process $pid
runs_are_right() {
	"$ARENAINSPECT" --json --depth pages "$pid" >"$json"
	"$cli/runs.py" "$pid" "$json" || fail "runs.py"
	holds "$json" '.taken.depth == "pages"'
}

# states_of EXPRESSION…: of the pages of each state, by word, in all heaps
states_of() {
	jq '[.arenas[].heaps[].runs[]] | group_by(.[1]) |
		map({ key: (.[0][1] // "unseen"), value: (map(.[0]) | add) }) | from_entries' "$json" >"$json.states"
	holds "$json.states" "$@"
}

# start_scenario NAME: of tests/targets/trim.c
start_scenario() {
	seed
	start_target trim "$1" "$seed"
}

# map ARGUMENTS…: of process $pid, into $text
map() {
	"$ARENAINSPECT" map "$@" "$pid" >"$text"
}

# ---- runs ----

@test "random histories: runs agree with the page map, what is resident and what would go back" {
	start_scenario history
	runs_are_right
	states_of '.["in-use"] > 500' '.trimmable > 5000' '.["pinned-free"] > 100'
}

@test "what was trimmed is absent" {
	start_scenario trimmed
	runs_are_right
	states_of '.absent > 5000' '.trimmable == null'
}

@test "tops, fragments and merged chunks are what malloc_trim makes of them" {
	start_scenario tops
	runs_are_right
	states_of '.["retained-top"] > 5000' '.trimmable == null'
	stop
	start_scenario checkerboard
	runs_are_right
	states_of '.["pinned-free"] > 5000' '.trimmable == null'
	stop
	start_scenario fastbins
	runs_are_right
	states_of '.trimmable > 5000'
	stop
	start_scenario fast-tops
	runs_are_right
	states_of '.["retained-top"] > 1000'
}

@test "what is locked stays" {
	need_root 'locking more than a user may'
	start_scenario locked-parts
	runs_are_right
	states_of '.trimmable > 1000' '.["pinned-free"] > 1000'
}

@test "what is in swap is swapped" {
	add_swap
	start_scenario swapped
	runs_are_right
	states_of '.swapped > 1000'
}

@test "pages that a child shares" {
	start_scenario fork
	child
	runs_are_right
}

@test "without --depth pages there are none, and they cost nothing else" {
	start_scenario checkerboard
	"$ARENAINSPECT" --json "$pid" >"$json.chunks"
	holds "$json.chunks" '.taken.depth == "chunks"' 'all(.arenas[].heaps[]; .runs == null)'
	"$ARENAINSPECT" --json --depth pages "$pid" >"$json"
	diff <(jq -S '.arenas | map(.heaps[].runs = null)' "$json") <(jq -S .arenas "$json.chunks")
}

@test "pins and runs in one visit are those of two" {
	start_scenario history
	"$ARENAINSPECT" snapshot "$pid" >"$json.pins"
	"$ARENAINSPECT" map --json "$pid" >"$json.runs"
	"$ARENAINSPECT" snapshot --depth pages "$pid" >"$json"
	diff <(jq -S '.arenas | map(.heaps[].runs = null)' "$json") <(jq -S .arenas "$json.pins")
	diff <(jq -S '.arenas | map(.heaps[].pins = null)' "$json") <(jq -S .arenas "$json.runs")
}

@test "a torn arena has none, and the others have theirs" {
	start_truthful damaged chunk-zero
	"$ARENAINSPECT" --json --depth pages "$pid" >"$json"
	holds "$json" 'any(.arenas[]; .state == "torn")' \
		'all(.arenas[]; (.state == "torn") == any(.heaps[]; .runs == null))'
	map
	(($(grep -cx '  not known: the arena is torn' "$text") >= 1))
}

@test "the document is valid, and scan goes as deep as it says" {
	start_scenario checkerboard
	"$ARENAINSPECT" map --json "$pid" >"$json"
	"$ARENAINSPECT" scan --json --depth pages --comm trim >"$json.scan"
	holds "$json.scan" '.taken.depth == "pages"' "any(.processes[]; .pid == $pid and .depth == \"pages\")"
	valid "$json" "$json.scan"
}

# ---- the picture ----

@test "each cell is what most of its pages are" {
	start_scenario history
	"$ARENAINSPECT" map --json "$pid" >"$json"
	map
	"$cli/picture.py" 72 "$json" "$text" || fail "$(cat "$text")"
	grep -qE '^A cell is [0-9.]+ [KM]iB and shows what most of it is; a line is [0-9.]+ [KM]iB\.$' "$text"
	grep -qE '^T trimmable +[0-9.]+ MiB  malloc_trim\(0\) would give it back$' "$text"
	run ! grep -q hugetlb "$text"
}

@test "a row for each heap, in the order of heaps, and the table for machines" {
	start_scenario history
	map
	grep -oE '0x[0-9a-f]+' "$text" >"$text.addresses"
	"$ARENAINSPECT" heaps -r -n -o address "$pid" | diff - "$text.addresses"
	map --top 2 --bytes
	(($(grep -c 0x "$text") == 2))
	map -r -n -o resident,in_use,cached,trimmable,retained_top,pinned_free,metadata,unwalked
	awk '{ for (i = 2; i <= NF; i++) $1 -= $i; if ($1 != 0) exit 1 }' "$text" || fail "$(cat "$text")"
	map -n
	head -n 1 "$text" | grep -q 0x
}

@test "blocks in UTF-8, letters elsewhere, colour by the rules of all text" {
	start_scenario checkerboard
	LC_ALL=C.UTF-8 map
	grep -q '█' "$text"
	map
	run ! grep -qP '[^\x00-\x7f]' "$text"
	run ! grep -q $'\e' "$text"
	map --color always
	grep -q $'\e\[0;33mP' "$text"
	sed 's/\x1b\[[0-9;]*m//g' "$text" >"$text.plain"
	map
	diff "$text" "$text.plain"
}

@test "on a terminal it is as wide as that" {
	start_scenario checkerboard
	"$ARENAINSPECT" map --json "$pid" >"$json"
	NO_COLOR=1 TERM=xterm on_terminal "'$ARENAINSPECT' map $pid" | tr -d '\r' >"$text"
	"$cli/picture.py" 192 "$json" "$text" || fail "$(cat "$text")"
	TERM=xterm on_terminal "'$ARENAINSPECT' map $pid" >"$text"
	grep -q $'\e\[0;33m' "$text"
}

@test "a snapshot of that depth is drawn as the process was, others are refused" {
	start_scenario history
	map
	"$ARENAINSPECT" snapshot --depth pages --write "$json.zst" "$pid"
	"$ARENAINSPECT" map "$json.zst" | diff "$text" -
	"$ARENAINSPECT" snapshot --write "$json" "$pid"
	ends 2 'map needs a snapshot of --depth pages' -- map "$json"
	ends 2 'map needs --depth pages' -- map --depth chunks "$pid"
	"$ARENAINSPECT" diff "$json.zst" "$json" >"$text" 2>&1
	run ! grep -q -e --depth "$text"
}

@test "a core is drawn, and what is free there is just free" {
	start_scenario history
	"$ARENAINSPECT" map --json "$pid" >"$json.live"
	dump
	read_core --depth pages
	states_of '.trimmable == null' '.["pinned-free"] == null' '.free > 5000' '.["in-use"] > 500'
	"$ARENAINSPECT" map --core "$core" >"$text"
	grep -q '^F free ' "$text"
	"$ARENAINSPECT" map --core "$core" -r -n -o resident,trimmable,pinned_free | sort -u >"$text"
	grep -qx -- '- - -' "$text"
}

@test "a thousand heaps of 64 MiB stay readable" {
	start_scenario checkerboard
	"$ARENAINSPECT" map --json "$pid" |
		jq '.arenas[1].heaps[0] as $heap | .arenas = [.arenas[0]] + [range(1; 1001) as $i |
			.arenas[1] | .index = $i | .heaps = [$heap | .mprotect_bytes = 67108864 |
				.runs = [range(4096) | [3, "in-use"], [1, "absent"]]]]' >"$json"
	"$ARENAINSPECT" map "$json" >"$text"
	(($(wc -l <"$text") < 2 * 1001 + 50)) || fail "$(wc -l <"$text") lines"
	(($(awk '{ if (length() > most) most = length() } END { print most }' "$text") <= 80))
	grep -qx '  U\{64\}' "$text"
	grep -q '^A cell is 1.0 MiB' "$text"
}

@test "a document that lies is drawn within bounds" {
	start_scenario checkerboard
	"$ARENAINSPECT" map --json "$pid" >"$json"
	local lie lies=(
		'.arenas[].heaps[].runs |= map(.[0] = 9223372036854775807)'
		'.arenas[].heaps[].mprotect_bytes = 9223372036854775807'
		'.arenas[].heaps[].mprotect_bytes = null'
		'.arenas[].heaps[].runs |= map(.[0] = null)'
		'.arenas[].heaps[].runs |= map(.[1] = "gilded")'
		'.process.page_bytes = 0' '.process.page_bytes = 4097' '.process.page_bytes = null'
		'.process.page_bytes = 9223372036854775807'
		'.arenas[].heaps[].runs = []' '.arenas[].heaps = []' '.arenas = []'
	)
	for lie in "${lies[@]}"; do
		jq "$lie" "$json" >"$json.lie"
		timeout 20 "$ARENAINSPECT" map "$json.lie" >"$text" || fail "$lie: $?"
		(($(wc -l <"$text") < 20000)) || fail "$lie: $(wc -l <"$text") lines"
	done
}
