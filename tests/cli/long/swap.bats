#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A process of which parts are in swap: nothing comes back from there, what is there is
# said, and all that is not is told as ever.

load ../helper
load ../swap

setup() {
	json=$BATS_TEST_TMPDIR/ours.json
	add_swap
	start_truthful swapped
	await swapped_out
}

teardown() {
	end_all
	remove_swap
}

swapped_out() {
	(($(awk '$1 == "VmSwap:" { print $2 }' "/proc/$pid/status") > 1000))
}

@test "nothing comes back from swap, whatever is asked" {
	need python3 python3
	local arguments before=$BATS_TEST_TMPDIR/before after=$BATS_TEST_TMPDIR/after
	python3 "$cli/witness.py" "$pid" >"$before"
	for arguments in report 'arenas --depth arenas' arenas 'arenas --jobs 1' heaps bins 'bins --sizes' \
		'--json report' doctor; do
		# shellcheck disable=SC2086 # words of a command line
		"$ARENAINSPECT" $arguments "$pid" >/dev/null
		python3 "$cli/witness.py" "$pid" >"$after"
		diff -u "$before" "$after" || fail "the visit ($arguments) changed the process"
	done
}

@test "each heap's swapped and resident bytes are the kernel's" {
	"$ARENAINSPECT" --json "$pid" >"$json"
	python3 - "/proc/$pid/smaps" "$json" <<-'END'
		import json, re, sys
		counts = []
		for line in open(sys.argv[1]):
		    if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
		        counts.append([int(x, 16) for x in line.split()[0].split("-")] + [0, 0])
		    elif line.split()[0] in ("Rss:", "Swap:"):
		        counts[-1][2 + (line[0] == "S")] = int(line.split()[1]) * 1024
		swapped = 0
		for arena in json.load(open(sys.argv[2]))["arenas"]:
		    for heap in arena["heaps"]:
		        start = int(heap["address"], 16)
		        end = start + heap["mprotect_bytes"]
		        inside = [c for c in counts if start <= c[0] and c[1] <= end]
		        ours = heap["resident_bytes"], heap["swapped_bytes"]
		        assert ours == (sum(c[2] for c in inside), sum(c[3] for c in inside)), (heap, inside)
		        swapped += heap["swapped_bytes"]
		    assert (arena["index"] == 2) == (sum(h["swapped_bytes"] for h in arena["heaps"]) == 0), arena["index"]
		assert swapped > 1 << 20, swapped
	END
}

@test "what is in swap is unread, the books close, and the arena that is all there is exact" {
	"$ARENAINSPECT" --json bins --sizes "$pid" >"$json"
	"$cli/compare.py" --chunks --damaged 0,1,3 --unread "$info" "$truth" "$json"
	holds "$json" '[.arenas[0, 1, 3] | .unread_bytes > 4096 and .in_use_bytes > 100000 and .free_bytes > 50000] | all'
	valid "$json"
}
