#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Other releases of glibc, 2.31 to 2.43: Debian's own packages, what each suite serves
# that day.  Whatever is known of libc's symbols and layout, and from where, the answer is
# malloc_info's, and the same.  Three new seeds each, printed; twenty in long/suites.bats.

load helper
load oracle
load suites

setup_file() {
	fetch_suites
}

# Three are enough for every day.
seeds() {
	echo "${SEEDS:-$(od -An -N12 -w12 -tu4 /dev/urandom)}"
}

# ---- with debug information, without it, and by search ----

@test "bullseye: random histories are malloc_info's, by every way" {
	histories_by_all_ways bullseye
}

@test "bookworm: random histories are malloc_info's, by every way" {
	histories_by_all_ways bookworm
}

@test "trixie: random histories are malloc_info's, by every way" {
	histories_by_all_ways trixie
}

@test "forky: random histories are malloc_info's, by every way" {
	histories_by_all_ways forky
}

@test "debug files are found by a path from where the tool is run" {
	suite trixie
	start_truthful_in_root history "${SEEDS:-$RANDOM}"
	cd "$suites"
	debug=trixie-amd64-dbg/usr/lib/debug
	agree --heaps 3 --chunks -- default debuginfo beside
}

# ---- the table of layouts ----

@test "bullseye: the table of layouts is what debug information says, on both machines" {
	layouts bullseye
}

@test "bookworm: the table of layouts is what debug information says, on both machines" {
	layouts bookworm
}

@test "trixie: the table of layouts is what debug information says, on both machines" {
	layouts trixie
}

@test "forky: the table of layouts is what debug information says, on both machines" {
	layouts forky
}

# ---- processes of other kinds ----

main_ended() {
	suite "$1"
	start_truthful_in_root main-exits
	agree --chunks -- default search debuginfo
}

@test "bullseye: a process whose main thread has ended" {
	main_ended bullseye
}

@test "bookworm: a process whose main thread has ended" {
	main_ended bookworm
}

@test "trixie: a process whose main thread has ended" {
	main_ended trixie
}

@test "forky: a process whose main thread has ended" {
	main_ended forky
}

# threads_of SUITE: each says which arena it has; also where the kernel refuses to say
# where a thread's struct pthread is.
threads_of() {
	local visitor=$ARENAINSPECT name
	suite "$1"
	for name in threads threads-static; do
		start_truthful_in_root "$name" raw
		agree --chunks -- default search
		[ "$name" = threads-static ] || agree --chunks -- debuginfo beside
		refuse
		agree --chunks -- default search
		ARENAINSPECT=$visitor
		holds "$json.search" '.threads | length > 100'
		stop
	done
}

# refuse: get_robust_list, to the tool, until ARENAINSPECT is what it was
refuse() {
	printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$(realpath "$PROBES/refuse")" "$ARENAINSPECT" \
		>"$BATS_TEST_TMPDIR/refused"
	chmod +x "$BATS_TEST_TMPDIR/refused"
	ARENAINSPECT=$BATS_TEST_TMPDIR/refused
}

@test "bullseye: a hundred threads say which arena is theirs, by every way" {
	threads_of bullseye
}

@test "bookworm: a hundred threads say which arena is theirs, by every way" {
	threads_of bookworm
}

@test "trixie: a hundred threads say which arena is theirs, by every way" {
	threads_of trixie
}

@test "forky: a hundred threads say which arena is theirs, by every way" {
	threads_of forky
}

# A process that was never linked with threads has no list that leads to its one thread.
@test "bullseye: threads of a stripped libpthread, and of a program without threads" {
	suite bullseye
	copy_root
	strip --strip-all "$root"/usr/lib/x86_64-linux-gnu/libpthread-*.so
	start_truthful_in_root threads raw
	agree --chunks -- default search
	refuse
	agree --chunks -- default search
	stop
	run ! grep -q libpthread <(readelf -d "$built/single")
	start_truthful_in_root single
	agree --chunks -- default search
	holds "$json.search" '.threads | length == 1'
}

remapped() {
	suite "$1"
	start_truthful_in_root remapped
	agree --chunks -- default search debuginfo
	holds "$json.default" '.totals.mmapped_chunks == 0'
}

@test "bullseye: mmapped chunks that were moved, and are gone" {
	remapped bullseye
}

@test "bookworm: mmapped chunks that were moved, and are gone" {
	remapped bookworm
}

@test "trixie: mmapped chunks that were moved, and are gone" {
	remapped trixie
}

@test "forky: mmapped chunks that were moved, and are gone" {
	remapped forky
}

# It is said, and nothing is claimed to be there.
no_malloc() {
	local words='has not (yet )?(been )?called|never called' way options wrong=0
	suite "$1"
	words="malloc.*($words)|($words).*malloc"
	start_in_root nomalloc
	for way in default search debuginfo; do
		read -ra options <<<"${ways[$way]}"
		[[ ${ways[$way]} != *--debug-dir ]] || options+=("$debug")
		"$ARENAINSPECT" --json "${options[@]}" "$pid" >"$json"
		holds "$json" '.totals.arenas == 1' '.totals.system_bytes == 0' '.totals.heaps == 0' \
			'.arenas[0].kind == "main"' '.arenas[0].damage == []' '.totals.mmapped_chunks == 0'
		jq -r '(.libc.proof + .quality.notes)[]' "$json" | grep -qE "$words" ||
			fail "$way: the document does not say so:" "$(jq -c '.libc.proof, .quality' "$json")" || wrong=1
		"$ARENAINSPECT" "${options[@]}" "$pid" >"$json.text"
		grep -qE "$words" "$json.text" ||
			fail "$way: the text does not say so:" "$(cat "$json.text")" || wrong=1
	done
	((wrong == 0))
}


@test "bullseye: a process that has not called malloc yet is said to be that" {
	no_malloc bullseye
}

@test "bookworm: a process that has not called malloc yet is said to be that" {
	no_malloc bookworm
}

@test "trixie: a process that has not called malloc yet is said to be that" {
	no_malloc trixie
}

@test "forky: a process that has not called malloc yet is said to be that" {
	no_malloc forky
}

second_libc() {
	local way
	suite "$1"
	start_truthful_in_root second-libc
	agree --chunks -- default search debuginfo
	for way in default search debuginfo; do
		holds "$json.$way" '.allocator.others | length == 1' '.allocator.others[0].name == "glibc"' \
			'.allocator.others[0].path | test("/libc[.-]")'
	done
}

@test "bullseye: a second libc (dlmopen) is named, and the first one walked" {
	second_libc bullseye
}

@test "bookworm: a second libc (dlmopen) is named, and the first one walked" {
	second_libc bookworm
}

@test "trixie: a second libc (dlmopen) is named, and the first one walked" {
	second_libc trixie
}

@test "forky: a second libc (dlmopen) is named, and the first one walked" {
	second_libc forky
}

# ---- programs that are linked statically ----

static_programs() {
	suite "$1"
	SEEDS=${SEEDS:-$RANDOM} histories_of history-static default search
	SEEDS=${SEEDS:-$RANDOM} histories_of history-stripped default search
	holds "$json.default" '.libc.path | endswith("/history-stripped")'
}

@test "bullseye: a static program, stripped or not" {
	static_programs bullseye
}

@test "bookworm: a static program, stripped or not" {
	static_programs bookworm
}

@test "trixie: a static program, stripped or not" {
	static_programs trixie
}

@test "forky: a static program, stripped or not" {
	static_programs forky
}

# ---- a libc of which less is left ----

stripped_libc() {
	suite "$1"
	copy_root
	find "$root/usr" -type f -name '*.so*' ! -name libc.so ! -name libm.so -exec strip --strip-all {} +
	run ! grep -qw '\.symtab' <(readelf -S "$libc")
	SEEDS=${SEEDS:-$RANDOM} histories_of history default search debuginfo
	sources default search table
	without_section_headers "$libc"
	readelf -S "$libc" | grep -q 'no sections'
	SEEDS=${SEEDS:-$RANDOM} histories_of history default search
	sources default search table
}

@test "bullseye: a libc without symbols, then without section headers" {
	stripped_libc bullseye
}

@test "bookworm: a libc without symbols, then without section headers" {
	stripped_libc bookworm
}

@test "trixie: a libc without symbols, then without section headers" {
	stripped_libc trixie
}

@test "forky: a libc without symbols, then without section headers" {
	stripped_libc forky
}

libc_changes() {
	suite "$1"
	copy_root
	start_truthful_in_root history "${SEEDS:-$RANDOM}"
	cp /bin/true "$libc.new"
	mv "$libc.new" "$libc" # as an upgrade does
	grep -q 'libc.* (deleted)$' "/proc/$pid/maps"
	agree --heaps 3 --chunks -- default search debuginfo
	rm "$libc"
	agree --heaps 3 --chunks -- default search debuginfo
}

@test "bullseye: a libc that was replaced, then deleted, while the process runs" {
	libc_changes bullseye
}

@test "bookworm: a libc that was replaced, then deleted, while the process runs" {
	libc_changes bookworm
}

@test "trixie: a libc that was replaced, then deleted, while the process runs" {
	libc_changes trixie
}

@test "forky: a libc that was replaced, then deleted, while the process runs" {
	libc_changes forky
}
