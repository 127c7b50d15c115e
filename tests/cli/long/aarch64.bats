#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The program on a machine of aarch64 with Linux 6.1, which knows no PAGEMAP_SCAN: it is
# booted once (tests/aarch64/run), visits processes of three releases' glibc, and what it
# said is judged here.  Two new seeds for each release, printed.

load ../helper
load ../oracle
load ../suites
load ../trim

guest=$top/build-aarch64/guest

setup_file() {
	local missing=
	command -v qemu-system-aarch64 >/dev/null || missing=qemu-system-arm
	command -v aarch64-linux-gnu-gcc >/dev/null || missing=gcc-aarch64-linux-gnu
	command -v cpio >/dev/null || missing=cpio
	echo "$missing" >"$BATS_FILE_TMPDIR/missing"
	[ -z "$missing" ] || return 0
	# A failure is seen by each test, with what the machine said.
	"$top/tests/aarch64/run" >"$BATS_FILE_TMPDIR/said" 2>&1 || echo failed >"$BATS_FILE_TMPDIR/failed"
	sed 's/^/# aarch64: /' "$BATS_FILE_TMPDIR/said" | grep -E 'SUITE-NOT|glibc|Linux|seeds' >&3 || :
}

# of SUITE: its results in $results
of() {
	[ -z "$(cat "$BATS_FILE_TMPDIR/missing")" ] || skip "package $(cat "$BATS_FILE_TMPDIR/missing") is missing"
	if grep -qE 'SUITE-NOT-SERVED: '"($1|bookworm)"'$' "$BATS_FILE_TMPDIR/said"; then
		skip "SUITE-NOT-SERVED: $1, or bookworm for its kernel"
	fi
	[ ! -e "$BATS_FILE_TMPDIR/failed" ] || fail "tests/aarch64/run failed:" "$(tail -n 30 "$BATS_FILE_TMPDIR/said")"
	results=$guest/results/$1
	[ -d "$results" ] || fail "no results of $1"
	wrong=0
}

# in_case NAME: one process, in $dir, with $info and $truth
in_case() {
	dir=$results/$1 info=$results/$1/info.xml truth=$results/$1/truth.json
	[ ! -e "$dir/failed" ] || say "$(cat "$dir/failed" "$dir/target.err")"
}

say() {
	wrong=1
	printf '%s\n' "$dir: $*"
}

# ended FILE STATUS: the visit that wrote it, or tried to
ended() {
	[ "$(cat "$dir/$1.status")" = "$2" ] ||
		say "$1: exit $(cat "$dir/$1.status"), not $2: $(cat "$dir/$1.err")"
}

# compared COMPARE-ARGUMENTS DOCUMENT
compared() {
	local said
	said=$("$cli/compare.py" "${@:1:$#-1}" "$info" "$truth" "$dir/${!#}" 2>&1) || say "${!#}: $said"
}

# The four ways of knowing give one document, and it is malloc_info's.
ways_agree() {
	local way
	for way in default search debuginfo beside; do
		ended "$way.json" 0
		compared "$@" "$way.json"
		diff <(document "$dir/default.json") <(document "$dir/$way.json") || say "$way is not default"
	done
	cmp "$dir/info.before.xml" "$info" || say 'the target did not rest'
	true_of search.json '.libc.symbol_source == "search" and .libc.layout_source == "table"'
	true_of debuginfo.json '.libc.symbol_source == "debuginfo" and .libc.layout_source == "dwarf"'
}

true_of() {
	jq -e "$2" "$dir/$1" >/dev/null || say "$1: not true: $2"
}

# What the kernel counts of the process, and of each of its mappings, is as it was.
undisturbed() {
	diff "$dir/status.before" "$dir/status.after" || say 'its numbers changed'
	diff "$dir/smaps.before" "$dir/smaps.after" || say 'its mappings changed'
}

random_histories() {
	local each count=0
	of "$1"
	for each in "$results"/history-*; do
		count=$((count + 1))
		in_case "${each##*/}"
		ways_agree --heaps 3 --chunks
		compared --heaps 3 arenas.json
		undisturbed
		"$top/tests/aarch64/resident.py" "$dir/smaps.before" "$dir/default.json" || say 'resident bytes'
		true_of default.json '.process.arch == "aarch64" and .process.page_bytes == 4096'
		true_of default.json '.settings | .mmap_threshold_bytes >= 131072 and .tcache_count > 0'
		true_of default.json "(.libc.version | length > 0) and
			(\"$(cat "$suites/$1-arm64.version")\" | startswith(\"$(jq -r .libc.version "$dir/default.json")\"))"
	done
	((count > 0 && wrong == 0)) || fail "$count histories"
}

@test "bookworm: random histories are malloc_info's, by every way, and undisturbed" { random_histories bookworm; }
@test "trixie: random histories are malloc_info's, by every way, and undisturbed" { random_histories trixie; }
@test "forky: random histories are malloc_info's, by every way, and undisturbed" { random_histories forky; }

main_ended() {
	of "$1"
	in_case main-exits
	ways_agree --chunks
	undisturbed
	((wrong == 0)) || fail 'it differs'
}

@test "bookworm: a process whose main thread has ended" { main_ended bookworm; }
@test "trixie: a process whose main thread has ended" { main_ended trixie; }
@test "forky: a process whose main thread has ended" { main_ended forky; }

# Also where the kernel refuses to lead to them: by nptl's lists.
each_thread() {
	local document
	of "$1"
	in_case threads
	ways_agree --chunks
	for document in refused.json refused.search.json; do
		ended "$document" 0
		compared --chunks "$document"
	done
	for document in default.json refused.json; do
		true_of "$document" '(.threads | length) > 100 and
			([.quality.notes[] | select(test("^2 of .* not made by glibc"))] | length) == 1'
	done
	ended threads.txt 0
	grep -q 'pool-\*-thread-\*' "$dir/threads.txt" || say "its names are not folded: $(cat "$dir/threads.txt")"
	((wrong == 0)) || fail 'it differs'
}

@test "bookworm: a hundred threads say which arena is theirs, by every way" { each_thread bookworm; }
@test "trixie: a hundred threads say which arena is theirs, by every way" { each_thread trixie; }
@test "forky: a hundred threads say which arena is theirs, by every way" { each_thread forky; }

each_cache() {
	local way said
	of "$1"
	in_case cached
	ways_agree --chunks
	for way in default search debuginfo beside; do
		said=$("$cli/cached.py" "$truth" "$dir/$way.json" 2>&1) || say "$way: $said"
	done
	((wrong == 0)) || fail 'it differs'
}

@test "bookworm: threads' caches hold what was put there, class by class" { each_cache bookworm; }
@test "trixie: threads' caches hold what was put there, class by class" { each_cache trixie; }
@test "forky: threads' caches hold what was put there, class by class" { each_cache forky; }

no_malloc() {
	local way
	of "$1"
	in_case nomalloc
	for way in default search debuginfo beside; do
		ended "$way.json" 0
		true_of "$way.json" '.totals.arenas == 1 and .totals.system_bytes == 0 and .totals.heaps == 0 and
			.arenas[0].kind == "main" and .arenas[0].damage == [] and .totals.mmapped_chunks == 0'
	done
	((wrong == 0)) || fail 'it differs'
}

@test "bookworm: a process that has not called malloc" { no_malloc bookworm; }
@test "trixie: a process that has not called malloc" { no_malloc trixie; }
@test "forky: a process that has not called malloc" { no_malloc forky; }

# hurt KIND STATUS ID COMPARE-ARGUMENTS: as cli/damage.bats has it
hurt() {
	local kind=$1 status=$2 id=$3 victim
	shift 3
	in_case "damaged-$kind"
	victim=$(sed -n 's/^victim //p' "$dir/said")
	ended default.json "$status"
	if [ -n "$id" ]; then
		true_of default.json ".arenas[$victim].damage | any(.id == \"$id\" and .address != null)"
		set -- --damaged "$victim" "$@"
	fi
	compared --chunks "$@" default.json
}

damages() {
	of "$1"
	hurt chunk-zero 0 chunk-too-small
	hurt unsorted-loops 0 list-astray
	hurt ring-wild 6 ring-leads-astray --odd
	hurt foreign-sbrk 0 '' --gap 65536
	hurt main-pieces 0 ''
	hurt main-never-brk 0 ''
	((wrong == 0)) || fail 'they differ'
}

@test "bookworm: damage is named and costs only what is damaged" { damages bookworm; }
@test "trixie: damage is named and costs only what is damaged" { damages trixie; }
@test "forky: damage is named and costs only what is damaged" { damages forky; }

# Its quiet arenas are exact in every visit, and nearly all others walked whole.
never_rests() {
	local each documents=()
	of "$1"
	in_case busy
	for each in "$dir"/[0-9]*.json; do
		ended "${each##*/}" 0
		compared --last 3 --chunks "${each##*/}"
		documents+=("$each")
	done
	echo "# $1: ${#documents[@]} visits; $(busy_rates "${documents[@]}")" >&3
	((${#documents[@]} == 10 && wrong == 0)) || fail 'they differ'
}

@test "bookworm: quiet arenas of a process that never rests are exact" { never_rests bookworm; }
@test "trixie: quiet arenas of a process that never rests are exact" { never_rests trixie; }
@test "forky: quiet arenas of a process that never rests are exact" { never_rests forky; }

# told_to_trim SUITE: what came back is what was forecast, and then there is no more
told_to_trim() {
	local each expression said count=0
	of "$1"
	for each in "$results"/trim-*; do
		count=$((count + 1))
		in_case "${each##*/}"
		ended default.json 0
		ended trimmed.json 0
		if [[ ${each##*/} == trim-fork-zeros-* ]]; then
			true_of default.json "$unknown"
			continue
		fi
		said=$(books_balance "$dir/default.json" 2>&1) || say "$said"
		said=$(books_balance "$dir/trimmed.json" 2>&1) || say "$said"
		diff <(counts "$dir/rollup.before") <(counts "$dir/rollup.visited") || say 'the target did not rest'
		said=$(forecast_holds "$dir/default.json" "$dir/rollup.before" "$dir/rollup.after") || say "$said"
		each=${each##*/trim-}
		while read -r expression; do
			true_of default.json "$expression"
		done < <(expected "${each%-*}")
		true_of trimmed.json "$none"
	done
	((count >= 10 && wrong == 0)) || fail "$count processes"
}

@test "bookworm: malloc_trim gives back what was forecast" { told_to_trim bookworm; }
@test "trixie: malloc_trim gives back what was forecast" { told_to_trim trixie; }
@test "forky: malloc_trim gives back what was forecast" { told_to_trim forky; }

read_by_people() {
	local command
	of "$1"
	in_case texts
	for command in report bins heaps doctor; do
		ended "$command.txt" 0
		[ -s "$dir/$command.txt" ] || say "$command says nothing"
	done
	grep -q aarch64 "$dir/doctor.txt" || say "doctor does not name the machine: $(cat "$dir/doctor.txt")"
	((wrong == 0)) || fail 'they are wrong'
}

@test "bookworm: report, bins, heaps and doctor" { read_by_people bookworm; }
@test "trixie: report, bins, heaps and doctor" { read_by_people trixie; }
@test "forky: report, bins, heaps and doctor" { read_by_people forky; }

@test "what was said of all these is valid by the JSON Schema" {
	of bookworm
	find "$guest/results" -name '*.json' ! -name truth.json -size +0 -exec cp --parents -t "$BATS_TEST_TMPDIR" {} +
	find "$BATS_TEST_TMPDIR" -name '*.json' >"$BATS_TEST_TMPDIR/list"
	mapfile -t documents <"$BATS_TEST_TMPDIR/list"
	valid "${documents[@]}"
}
