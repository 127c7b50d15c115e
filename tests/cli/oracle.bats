#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What arenainspect says of a process at rest is what malloc_info(3), called by the
# process itself, and its threads say.  20 new seeds per run, printed; to see a failure
# again:  SEEDS='4711 815' bats tests/cli/oracle.bats

load helper
load oracle

@test "headers alone: arenas, heaps, threads and mmapped chunks of random histories are malloc_info's" {
	histories --heaps 3 -- --depth arenas arenas
}

@test "every bin and every byte of random histories is malloc_info's" {
	histories --heaps 3 --chunks -- arenas
}

@test "a process whose main thread has ended is visited like any other" {
	start_truthful main-exits
	visit arenas
	"$cli/compare.py" "$info" "$truth" "$json"
}

@test "a process that never called malloc has one arena and nothing in it" {
	start_target nomalloc
	"$ARENAINSPECT" --json arenas "$pid" >"$json"
	holds "$json" '.totals.arenas == 1' '.totals.system_bytes == 0' \
		'.arenas[0].kind == "main"' '.totals.mmapped_chunks == 0'
}

@test "20 visits to a process that never rests end well, and its quiet arenas are exact" {
	visit_busy 20 80
}

@test "the comparison sees every kind of difference" {
	local change
	start_truthful history 3
	visit --depth arenas arenas
	"$cli/compare.py" --heaps 3 "$info" "$truth" "$json"
	for change in 'del(.arenas[1])' '.arenas[0].system_bytes += 4096' '.arenas[1].max_system_bytes += 4096' \
		'.arenas[1].heaps += .arenas[1].heaps' '.arenas[1].heaps[0].bytes += 4096' \
		'.arenas[1].heaps[0].mprotect_bytes += 4096' '.arenas[0].attached_threads += 1' \
		'.totals.mmapped_chunks += 1' '.totals.mmapped_bytes += 4096' \
		'.arenas |= [.[0]] + (.[1:] | reverse)' '.arenas[1].state = "torn"'; do
		jq "$change" "$json" >"$json.changed"
		run ! "$cli/compare.py" --heaps 3 "$info" "$truth" "$json.changed"
	done
}

@test "the same without any symbol: what is found proves itself, and nothing else does" {
	SEEDS=$(seeds | cut -d' ' -f1-6) histories --heaps 3 --chunks -- --symbols search arenas
}
