# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the tests use what is set here, and set what is used
# SPDX-License-Identifier: Apache-2.0
# What the tests of core files share.

# dump: a core of the process last started, into $core
dump() {
	need gcore gdb
	core=$BATS_TEST_TMPDIR/core.$pid
	gcore -o "${core%.*}" "$pid" >"$core.log" 2>&1 || fail "gcore: $(cat "$core.log")"
}

# read_core ARGUMENTS…: into $json
read_core() {
	"$ARENAINSPECT" --json --core "$core" "$@" >"$json"
}

# ends CODE [WORDS] -- ARGUMENTS…: the tool exits so, says why on stderr, where a line
# matches the words, and writes nothing to stdout
ends() {
	local code=$1 words=arenainspect:
	shift
	if [ "$1" != -- ]; then
		words=$1
		shift
	fi
	shift
	run --separate-stderr timeout 60 "$ARENAINSPECT" "$@"
	((status == code)) || fail "exit $status, not $code: $*" "$stderr"
	[ -z "$output" ] || fail "stdout is not empty: $*"
	grep -qE -- "$words" <<<"$stderr" || fail "stderr does not say '$words': $stderr"
}

# What a core cannot tell, and must say so.
# shellcheck disable=SC2016 # an expression of jq
untold='(.process | .rss_bytes, .anon_bytes, .swap_bytes, .virtual_bytes, .start_time_ticks, .boot_id, .ns_pid, .cgroup[]),
	.allocator[], (.threads[] | .name), .memory, .quality.rss_difference_bytes, (.mmapped.listed[]? | .resident_bytes),
	(.totals | .resident[], .trimmable_bytes, .trimmable_swapped_bytes, .locked_free_bytes),
	(.arenas[] | .resident[], .trimmable_swapped_bytes, .locked_free_bytes, .top.resident_bytes,
		(.heaps[] | .resident_bytes, .swapped_bytes, .huge_page_bytes, .last_chunk[], .pins))'

# But for those, for what was asked of the kernel, and for the moment.
same='.threads |= (map(del(.name)) | sort_by(.tid)) |
	del(.taken, .process, .allocator, .findings, .memory, .quality, .settings.environment, .settings.arena_limit,
	.settings.arena_limit_source, .settings.arena_limit_processors, .libc.path) |
	del(.mmapped.listed[]? | .resident_bytes) |
	del(.totals | .resident, .trimmable_bytes, .trimmable_swapped_bytes, .locked_free_bytes) |
	del(.arenas[] | .resident, .trimmable_swapped_bytes, .locked_free_bytes, .top.resident_bytes,
		(.heaps[]? | .resident_bytes, .swapped_bytes, .huge_page_bytes, .last_chunk))'

# A live visit and a core say the same; $json.live is the former.
same_as_live() {
	diff <(jq -S "$same" "$json.live") <(jq -S "$same" "$json") || fail 'they differ'
}
