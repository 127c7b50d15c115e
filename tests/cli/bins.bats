#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# `bins` and `bins --sizes`: the same chunks as in the JSON document, added up.

load helper

setup() {
	need jq jq
	json=$BATS_TEST_TMPDIR/json
	text=$BATS_TEST_TMPDIR/text
	start_truthful history 23
	"$ARENAINSPECT" --json "$pid" >"$json"
}

visit() {
	"$ARENAINSPECT" bins -r -n "$@" "$pid" >"$text"
}

# same EXPRESSION: its rows, blanks between the fields, are those of $text
same() {
	diff <(jq -r "$1 | map(. // \"-\" | tostring) | join(\" \")" "$json" | sort) <(sort "$text")
}

@test "bins of one arena, and of each, are the document's" {
	visit --arena 1 -o kind,bin,from,to,chunks,bytes
	same '.arenas[1].bins[] | [.kind, .index, .from_bytes, .to_bytes, .chunks, .bytes]'
	visit --arena all -o arena,kind,bin,chunks,bytes
	same '.arenas[] | .index as $n | .bins[] | [$n, .kind, .index, .chunks, .bytes]'
}

@test "bins over all arenas add up, and their sizes reach from the least to the largest" {
	visit -o kind,bin,from,to,chunks,bytes
	same '[.arenas[].bins[]] | group_by([.kind, .index])[] | [.[0].kind, .[0].index,
		(map(.from_bytes) | min), (map(.to_bytes) | max), (map(.chunks) | add), (map(.bytes) | add)]'
	awk '$3 * $5 > $6 || $4 * $5 < $6 { print "impossible:", $0; bad = 1 } END { exit bad }' "$text"
}

@test "sizes over all arenas add up, and to what the arenas hold" {
	visit --sizes -o from,to,in_use_chunks,in_use,free_chunks,free,tcache_chunks,tcache
	same '[.arenas[].sizes[]] | group_by([.from_bytes, .to_bytes])[] | [.[0].from_bytes, .[0].to_bytes,
		(map(.in_use_chunks) | add), (map(.in_use_bytes) | add), (map(.free_chunks) | add), (map(.free_bytes) | add),
		(map(.tcache_chunks) | add), (map(.tcache_bytes) | add)]'
	(($(awk '{ sum += $4 } END { printf "%d", sum }' "$text") == $(jq .totals.in_use_bytes "$json")))
	(($(awk '{ sum += $8 } END { printf "%d", sum }' "$text") == $(jq .totals.tcache_bytes "$json")))
}

@test "the report's books add up to what the arenas have from the system" {
	holds "$json" '.totals | .system_bytes == .in_use_bytes + .tcache_bytes + .fast_bytes + .free_bytes +
		.top_bytes + .overhead_bytes + .unread_bytes + .unwalked_bytes'
	"$ARENAINSPECT" -b "$pid" >"$text"
	grep -qE "^in use +$(jq .totals.in_use_bytes "$json") bytes" "$text"
	grep -qE "^free +$(jq '.totals | .free_bytes + .fast_bytes + .top_bytes + .tcache_bytes' "$json") bytes" "$text"
	grep -qE "^bins .*large $(jq '[.arenas[].large.bytes] | add' "$json") bytes in $(jq '[.arenas[].large.chunks] | add' "$json") chunks" "$text"
}

@test "where threads' caches cannot be found, in use is said to include them" {
	"$ARENAINSPECT" "$pid" >"$text"
	run ! grep -q '(tcache) included' "$text"
	stop
	GLIBC_TUNABLES=glibc.pthread.rseq=0 start_target hidden
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.totals | .tcache_bytes == null and .in_use_bytes > 10000' \
		'[.arenas[].tcache, .threads[].tcache] | all(. == {"chunks": null, "bytes": null})' \
		'[.arenas[].sizes[] | .tcache_chunks, .tcache_bytes] | all(. == null)' \
		'.quality.notes | any(test("no thread.s cache"))'
	"$ARENAINSPECT" "$pid" >"$text"
	grep -q '^in use .*(tcache) included' "$text"
	run ! grep -q '^  cached' "$text"
	"$ARENAINSPECT" bins --sizes -r -n -o tcache_chunks,tcache "$pid" | sort -u | grep -qx -- '- -'
}

@test "where there is nothing, text says so and formats for machines have no rows" {
	stop
	start_target nomalloc
	"$ARENAINSPECT" bins "$pid" | grep -qx 'Every bin is empty.'
	"$ARENAINSPECT" bins --sizes "$pid" | grep -qx 'There are no chunks.'
	"$ARENAINSPECT" heaps "$pid" | grep -q 'no heap'
	visit
	[ ! -s "$text" ]
}

@test "an arena that is not there is bad usage" {
	run -2 "$ARENAINSPECT" bins --arena 9999 "$pid"
	run -2 "$ARENAINSPECT" bins --arena none "$pid"
	run -2 "$ARENAINSPECT" arenas --arena 0 "$pid"
	run -2 "$ARENAINSPECT" bins --depth arenas "$pid"
}

@test "a sum over all arenas is not known where one of them is not" {
	local some=$BATS_TEST_TMPDIR/some.json
	holds "$json" '.arenas | length > 2' '.arenas[1].bins | length > 0' '.arenas[2].bins | length > 0'
	jq '.arenas[1] |= (.bins = null | .sizes = null)' "$json" >"$some"
	[ "$("$ARENAINSPECT" bins -r -n -o chunks,bytes "$some" | sort -u)" = "- -" ]
	[ "$("$ARENAINSPECT" bins --sizes -r -n -o in_use,free "$some" | sort -u)" = "- -" ]
	"$ARENAINSPECT" bins "$some" | grep -qE '^The bins of 1 of [0-9]+ arenas are not known'
	"$ARENAINSPECT" bins --arena 1 "$some" | grep -qx 'The bins are not known.'
	# of the others each is told as before
	diff <("$ARENAINSPECT" bins --arena all -r "$json" | awk '$1 != 1') <("$ARENAINSPECT" bins --arena all -r "$some")
}
