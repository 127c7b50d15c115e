#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A heap that is broken: the visit ends soon, says what is odd and where, and what it
# says of all other arenas is right.

load helper

setup() {
	json=$BATS_FILE_TMPDIR/$BATS_TEST_NUMBER.json
}

# look KIND STATUS: visits a process with that damage, into $json; sets $victim, the
# index of the arena that has it.  $options are the tool's.
# shellcheck disable=SC2086,SC2154 # words of a command line; helper.bash sets the others
look() {
	local status=0
	start_truthful damaged "$1"
	if grep -qx absent "$out"; then
		skip "SUITE-NOT-SERVED: this release of glibc has no fastbins"
	fi
	victim=$(sed -n 's/^victim //p' "$out")
	timeout 20 "$ARENAINSPECT" --json ${options-} "$pid" >"$json" 2>"$json.err" || status=$?
	[ -s "$json" ] || rm "$json"
	((status == $2)) || fail "exit $status, not $2" "$(cat "$json.err")"
	status=0
	timeout 20 "$ARENAINSPECT" ${options-} report "$pid" >"$json.text" 2>&1 || status=$?
	((status == $2)) || fail "report: exit $status, not $2" "$(cat "$json.text")"
}

# compare ARGUMENTS…: with what malloc_info said before the damage
compare() {
	"$cli/compare.py" --chunks "$@" "$info" "$truth" "$json"
}

# said_of_it EXPRESSION: of the arena
said_of_it() {
	holds "$json" ".arenas[$victim] | $1"
}

# damaged KIND ID [EXPRESSION]: that damage is recorded, all others are right, what is
# said of the arena is possible, and the expression of jq is true of it
damaged() {
	look "$1" 0
	said_of_it "(.damage | any(.id == \"$2\" and .address != null)) and (${3:-true})"
	compare --damaged "$victim"
}

# Lists that lie cost nothing but the chunks they should have named.
list_damaged() {
	damaged "$1" list-astray '.state == "steady" and .unwalked_bytes + .unread_bytes == 0'
}

# One bad header costs what lies before the next chunk that a list names.
chunk_damaged() {
	damaged "$1" "$2" '.state == "torn" and .unwalked_bytes > 0 and .unwalked_bytes < 32768 and
		.in_use_bytes > 500000 and .free_bytes > 300000'
}

# unharmed KIND [ARGUMENTS…]: nothing that is told rests on what is broken
unharmed() {
	look "$1" 0
	shift
	compare "$@"
}

# odd KIND STATUS ID: of what is told only that damage is new
odd() {
	look "$1" "$2"
	said_of_it ".damage | length == 1 and .[0].id == \"$3\" and .[0].address != null"
	compare --damaged "$victim" --odd
}

# ring_broken KIND ID: what lies before the break is told and right; where it is, too
ring_broken() {
	odd "$1" 6 "$2"
	holds "$json" ".arenas | length == $victim + 1"
	grep -q ring "$json.err" || fail "the ring is not named: $(cat "$json.err")"
}

# unreadable KIND: without main_arena there is nothing to tell
unreadable() {
	look "$1" 6
	[ ! -e "$json" ] || fail "a document: $(head -c 300 "$json")"
	[ -s "$json.err" ] || fail "not a word"
}

@test "without damage every arena is right" {
	look none 0
	compare
	holds "$json" ".arenas[$victim].heaps | length == 3" '.totals.idle_arenas == 1'
}

@test "fastbin: a member follows itself" { list_damaged fastbin-loops; }
@test "fastbin: a link to where nothing is" { list_damaged fastbin-wild; }
@test "fastbin: a link into a chunk" { list_damaged fastbin-misaligned; }
@test "fastbin: a head that points nowhere" { list_damaged fastbin-head-wild; }
@test "fastbin: a head with another's members" { list_damaged fastbins-crossed; }
@test "unsorted bin: a member follows itself" { list_damaged unsorted-loops; }
@test "unsorted bin: a link to where nothing is" { list_damaged unsorted-wild; }
@test "unsorted bin: a link into a chunk" { list_damaged unsorted-misaligned; }
@test "unsorted bin: a head that points nowhere" { list_damaged unsorted-head-wild; }
@test "small bin: a member follows itself" { unharmed small-bin-loops; }
@test "large bin: a member follows itself" { unharmed large-bin-loops; }
@test "two bins have each other's members" { unharmed bins-crossed; }

@test "chunk: size 0" { chunk_damaged chunk-zero chunk-too-small; }
@test "chunk: size 16" { chunk_damaged chunk-sixteen chunk-too-small; }
@test "chunk: a huge size" { chunk_damaged chunk-huge chunk-too-large; }
@test "chunk: size with every bit set" { chunk_damaged chunk-all-ones chunk-header-impossible; }
@test "chunk: reaches beyond its heap" { chunk_damaged chunk-overruns chunk-too-large; }
@test "chunk: marked as mmapped" { chunk_damaged chunk-mmapped chunk-header-impossible; }
@test "chunk: a size that is no multiple of 16" { chunk_damaged chunk-misaligned chunk-header-impossible; }
@test "chunk: ends in the bytes of the next" { chunk_damaged chunk-longer chunk-too-large; }
@test "chunk: size 0, and the bins that would help loop" {
	chunk_damaged chunk-zero-bins-loop chunk-too-small
}
@test "a page of noise" {
	look noise 0
	said_of_it '.damage | any(.id | startswith("chunk-"))'
	compare --damaged "$victim"
}
@test "a page of headers that could be and are not" {
	look plausible-noise 0
	compare --damaged "$victim"
}

@test "heap: names another arena" { damaged heap-of-other heap-of-other-arena; }
@test "heap: the chain loops" { odd heaps-loop 0 heap-chain-loops; }
@test "heap: the chain leads to where nothing is" { damaged heap-prev-wild heap-unreadable '.heaps | length == 2'; }
@test "heap: the chain leads into a heap" { damaged heap-prev-misaligned heap-chain-astray '.heaps | length == 2'; }
@test "heap: a huge size" { damaged heap-size-huge heap-size-impossible; }
@test "heap: larger than what was made writable" { damaged heap-size-above-mprotect heap-size-impossible; }
@test "heap: size 0" { damaged heap-size-zero heap-size-impossible; }
@test "heap: unmapped" { damaged heap-unmapped heap-unreadable; }
@test "heap: its second half unmapped" { damaged heap-cut-short heap-size-impossible; }
@test "heap: the one with top unmapped" { damaged newest-heap-unmapped top-astray; }
@test "heap: a page in its middle may not be read" {
	look page-none 0
	said_of_it '.unread_bytes > 0 and .unwalked_bytes == 0 and .damage == []'
	compare --damaged "$victim"
}

@test "top: points to where nothing is" { damaged top-wild top-astray; }
@test "top: points into a chunk" { damaged top-misaligned top-astray; }
@test "top: another arena's" { damaged top-of-other heap-of-other-arena; }
@test "top: a huge size" { damaged top-size-huge top-size-impossible '.unwalked_bytes < 200000'; }
@test "top: size 0" { damaged top-size-zero top-size-impossible '.unwalked_bytes < 200000'; }

@test "arena: more memory than is mapped" {
	damaged system-huge system-impossible '.system_bytes == null and .in_use_bytes == null'
}
@test "arena: more threads than there can be" {
	damaged attached-huge attached-impossible '.attached_threads == null and .unwalked_bytes == 0'
}

@test "ring: an arena that follows itself" { ring_broken ring-loops ring-loops; }
@test "ring: back to an arena that is not main" { ring_broken ring-back ring-loops; }
@test "ring: leads to where nothing is" { ring_broken ring-wild ring-leads-astray; }
@test "ring: leads to what is not aligned" { ring_broken ring-misaligned ring-leads-astray; }
@test "ring: leads into a heap" { ring_broken ring-into-a-heap ring-leads-astray; }

# Only debug information tells where the list is.
@test "free list: loops" { options='--symbols debuginfo' odd free-list-loops 0 free-list-loops; }
@test "free list: leads to where nothing is" { options='--symbols debuginfo' odd free-list-wild 0 free-list-astray; }

@test "main_arena: more memory than is mapped" { unreadable main-system-huge; }
@test "main_arena: may not be read" { unreadable main-unreadable; }
@test "main_arena: top points to where nothing is" { damaged main-top-wild top-astray; }
@test "main_arena: a chunk of size 0" { chunk_damaged main-chunk-zero chunk-too-small; }
@test "main_arena: a page of noise" {
	look main-noise 0
	said_of_it '.damage | any(.id | startswith("chunk-"))'
	compare --damaged "$victim"
}

@test "no damage: others called sbrk, too" {
	unharmed foreign-sbrk --gap 65536
}
@test "no damage: brk was full, and main went on in pieces" {
	unharmed main-pieces
	holds "$json" '.arenas[0].heaps | length > 1'
}
@test "no damage: main never got anything of brk" { unharmed main-never-brk; }

@test "what was said of all these is valid by the JSON Schema" {
	valid "$BATS_FILE_TMPDIR"/*.json
}
