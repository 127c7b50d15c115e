#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The forecast of malloc_trim(0) is what a process's resident set drops by when it calls
# it.  New seeds per run, printed; to see a failure again:
#   SEEDS='4711 815' bats tests/cli/trim.bats

load helper
load oracle
load trim

# A few are enough for every day; twenty for each release in long/trim.bats.
seeds() {
	echo "${SEEDS:-$(od -An -N$((4 * few)) -w80 -tu4 /dev/urandom)}"
}

few=6

@test "random histories give back what was forecast, 30 MB and more" {
	histories_trimmed start_target trim "$much"
}

@test "the same in a program that is linked statically" {
	few=2
	histories_trimmed start_target trim-static "$much"
}

@test "chunks between which nothing merges, each less than a page: nothing comes back" {
	scenario start_target checkerboard
}

@test "all that is free lies in tops of other arenas than main's: nothing comes back" {
	scenario start_target tops
}

@test "what was trimmed before does not come back twice" {
	scenario start_target trimmed
}

@test "memory that is locked: only main's top comes back" {
	need_root 'locking more than a user may'
	scenario start_target locked
}

@test "a part that is locked ends what comes back of a chunk" {
	scenario start_target locked-parts
}

@test "fast chunks between free ones merge with them first" {
	scenario start_target fastbins
}

@test "fast chunks next to top become part of it first, and only main's comes back" {
	scenario start_target fast-tops
}

@test "pages that a child shares with its parent come back as its own do" {
	scenario start_target fork
}

@test "pages of zeros among them are told from them, or nothing is told" {
	if [ "$(printf '%s\n' 6.7 "$(uname -r)" | sort -V | head -n 1)" = 6.7 ]; then
		scenario start_target fork-zeros
	else
		start_target trim fork-zeros 1
		child
		"$ARENAINSPECT" --json "$pid" >"$json"
		holds "$json" "$unknown"
	fi
}

@test "with transparent huge pages asked for" {
	few=2 tunables=glibc.malloc.hugetlb=1
	histories_trimmed start_target trim "$much"
}

@test "with huge pages asked for, and none there" {
	few=2 tunables=glibc.malloc.hugetlb=2
	histories_trimmed start_target trim "$much"
}

@test "the comparison sees a forecast that is too high or too low, and books that do not balance" {
	local change documents=$BATS_TEST_TMPDIR
	printf '%s\n' 'Anonymous: 50000 kB' 'Swap: 3000 kB' >"$documents/before"
	printf '%s\n' 'Anonymous: 20000 kB' 'Swap: 1000 kB' >"$documents/after"
	jq -n '{ total_bytes: 51200000, in_use_bytes: 11000000, tcache_bytes: 1000000, trimmable_bytes: 30720000,
			retained_top_bytes: 3000000, pinned_free_bytes: 5000000, metadata_bytes: 480000, unwalked_bytes: 0 } |
		{ process: { page_bytes: 4096 }, arenas: [{ resident: ., heaps: [{ resident_bytes: 51200000 }] }],
			totals: { arenas: 1, trimmable_bytes, trimmable_swapped_bytes: 2048000, resident: . } }' >"$json"
	books_balance "$json"
	forecast_holds "$json" "$documents/before" "$documents/after"
	for change in 4096 -4096; do
		jq ".totals.trimmable_bytes += $change" "$json" >"$json.changed"
		forecast_holds "$json.changed" "$documents/before" "$documents/after"
	done
	for change in '.trimmable_bytes += 8192' '.trimmable_bytes -= 8192' \
		'.trimmable_swapped_bytes += 8192' '.trimmable_swapped_bytes -= 8192'; do
		jq ".totals |= ($change)" "$json" >"$json.changed"
		run ! forecast_holds "$json.changed" "$documents/before" "$documents/after"
	done
	for change in '.arenas[0].resident.in_use_bytes += 1' '.arenas[0].resident.unwalked_bytes = null' '.arenas[0].resident.tcache_bytes = null' \
		'.arenas[0].heaps[0].resident_bytes += 4096' '.totals.resident.metadata_bytes += 1' \
		'.totals.trimmable_bytes += 4096' '.totals.trimmable_swapped_bytes = null'; do
		jq "$change" "$json" >"$json.changed"
		run ! books_balance "$json.changed"
	done
}
