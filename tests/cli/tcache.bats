#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What threads cache: class by class what the target knows that it put there, in the arena
# that it lies in, whosever cache it is; and what is in use is what is held.  New seeds per
# run, printed:  SEEDS=4711 bats tests/cli/tcache.bats

load helper
load oracle
load suites

setup_file() {
	fetch_suites
}

seeds() {
	echo "${SEEDS:-$(od -An -N4 -tu4 /dev/urandom)}"
}

# told DOCUMENT: what it says of caches is what the target says
told() {
	"$cli/cached.py" "$truth" "$1"
}

# told_by WAY…: each way of knowing symbols and layout gives that document
told_by() {
	local way
	agree --chunks -- "$@"
	for way; do
		told "$json.$way"
	done
	holds "$json.$1" '.quality.notes == []'
}

# of_suite NAME [TARGET WAY…]
of_suite() {
	local seed list
	suite "$1"
	shift
	(($# > 0)) || set -- cached default search debuginfo
	list=$(seeds)
	echo "# $BATS_TEST_DESCRIPTION: seeds:$list" >&3
	for seed in $list; do
		start_truthful_in_root "$1" "$seed"
		told_by "${@:2}"
		stop
	done
}

@test "bullseye: each class of each cache" {
	of_suite bullseye
}

@test "bookworm: each class of each cache" {
	of_suite bookworm
}

@test "trixie: each class of each cache" {
	of_suite trixie
}

@test "forky: each class of each cache" {
	of_suite forky
}

# libc's variables lie among the program's own there, and no symbol leads to them.
@test "bullseye: each class of each cache of a static program" {
	of_suite bullseye cached-static default search
	holds "$json.search" '.libc.symbol_source == "search"'
}

@test "bookworm: each class of each cache of a static program" {
	of_suite bookworm cached-static default search
	holds "$json.search" '.libc.symbol_source == "search"'
}

@test "trixie: each class of each cache of a static program" {
	of_suite trixie cached-static default search
	holds "$json.search" '.libc.symbol_source == "search"'
}

@test "forky: each class of each cache of a static program" {
	of_suite forky cached-static default search
	holds "$json.search" '.libc.symbol_source == "search"'
}

@test "forky: the large classes, mixed sizes in one list, and mmapped chunks in no arena" {
	suite forky
	GLIBC_TUNABLES=glibc.malloc.tcache_max=1000000 start_truthful_in_root cached "${SEEDS:-$RANDOM}" large
	told_by default search debuginfo
	holds "$json.default" '[.arenas[].sizes[] | select(.from_bytes > 90000).tcache_chunks] | add > 0' \
		'.totals.mmapped_chunks == 3'
}

@test "caches that a tunable turns off hold nothing, and that is known" {
	GLIBC_TUNABLES=glibc.malloc.tcache_count=0 start_truthful history 7
	visit
	"$cli/compare.py" --chunks "$info" "$truth" "$json"
	holds "$json" '[.arenas[].tcache, .threads[].tcache] | all(. == {"chunks": 0, "bytes": 0})' \
		'.totals.tcache_bytes == 0' '.totals.resident.tcache_bytes == 0'
}

@test "without a look at the chunks nothing is said of caches; before malloc was called they are empty" {
	start_truthful cached 5
	visit --depth arenas
	holds "$json" '[.arenas[].tcache, .threads[].tcache] | all(. == {"chunks": null, "bytes": null})' \
		'.totals.tcache_bytes == null'
	stop
	start_target nomalloc
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.totals.tcache_bytes == 0' '.threads[0].tcache.chunks == 0'
}

@test "text has what the document has: the report, arenas, threads and sizes" {
	local cached
	start_truthful cached "${SEEDS:-$RANDOM}"
	visit
	told "$json"
	cached=$(jq .totals.tcache_bytes "$json")
	"$ARENAINSPECT" -b "$pid" >"$json.text"
	grep -qE "^  cached +$(jq .totals.resident.tcache_bytes "$json") bytes: free, in threads' caches" "$json.text"
	grep -qE "^free .*\b$cached bytes in threads' caches" "$json.text"
	grep -qE "^in use +$(jq .totals.in_use_bytes "$json") bytes$" "$json.text"
	diff <("$ARENAINSPECT" arenas -r -n -o index,tcache_chunks,tcache,resident_tcache "$pid") \
		<(jq -r '.arenas[] | "\(.index) \(.tcache.chunks) \(.tcache.bytes) \(.resident.tcache_bytes)"' "$json")
	"$ARENAINSPECT" arenas "$pid" | grep -q ' TCACHE '
	"$ARENAINSPECT" bins --sizes "$pid" | grep -q ' TCACHE '
	diff <("$ARENAINSPECT" threads -r -n -o tid,tcache_chunks,tcache "$pid") \
		<(jq -r '.threads[] | "\(.tid) \(.tcache.chunks) \(.tcache.bytes)"' "$json")
	(($("$ARENAINSPECT" bins --sizes -r -n -o tcache "$pid" | awk '{ sum += $1 } END { print sum }') == cached))
}

@test "the comparison sees every kind of difference" {
	local change
	start_truthful cached "${SEEDS:-$RANDOM}"
	visit
	told "$json"
	for change in '.arenas[1].sizes[3].tcache_chunks += 1' '.arenas[0].sizes[3].tcache_bytes += 16' \
		'.arenas[2].sizes[5].in_use_chunks += 1' '.arenas[1].tcache.chunks += 1' '.arenas[1].tcache.bytes += 16' \
		'.threads[1].tcache.chunks += 1' 'del(.threads[0])' '.totals.tcache_bytes += 16' \
		'.arenas[1].resident.tcache_bytes -= 16' '.arenas[1].resident.tcache_bytes += 16'; do
		jq "$change" "$json" >"$json.changed"
		run ! told "$json.changed"
	done
}
