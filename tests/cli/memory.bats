#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Where the resident set is: the lines of `memory` add up to what the kernel's smaps says,
# to the page, and the mmapped chunks are those that the process itself knows.

load helper
load cores
load postgres

setup() {
	need python3 python3
	json=$BATS_TEST_TMPDIR/ours.json
	truth=$BATS_TEST_TMPDIR/truth.json
}

# What a test of its own started besides.
teardown() {
	stop_postgres
	end_all
	remove_postgres
}

visit() {
	"$ARENAINSPECT" --json "$@" "${visited:-$pid}" >"$json"
}

# The same on a kernel without PAGEMAP_SCAN, as far as the tool can see.
visit_without_scan() {
	need strace strace
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace --seccomp-bpf -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=ioctl \
		-e inject=ioctl:error=ENOTTY "$ARENAINSPECT" --json "${visited:-$pid}" >"$json"
}

# adds_up [TRUTH]: $json is right about the process, which rests
adds_up() {
	python3 "$cli/memory.py" "${visited:-$pid}" "$json" "$@" || fail "it does not add up"
}

# By both ways, with nothing left open.
all_adds_up() {
	visit
	adds_up "$@"
	holds "$json" '.quality.notes == []'
	visit_without_scan
	adds_up "$@"
	holds "$json" '.quality.notes == []'
	valid "$json"
}

start_mmapped() {
	start_target mmapped "$truth" "$@"
}

# stopped COMMAND…: while the process, and so all of its threads, is stopped
stopped() {
	kill -STOP "$visited"
	await is_stopped
	"$@"
	kill -CONT "$visited"
}

is_stopped() {
	local task
	for task in "/proc/$visited/task"/*/stat; do
		[[ $(sed 's/.*) //' "$task") == T* ]] || return 1
	done
}

# ---- the lines ----

@test "mappings of every kind add up to smaps, and 16 TiB of nothing cost nothing" {
	start_target mappings
	all_adds_up
	holds "$json" '[.memory[].kind] == ["malloc-heaps", "malloc-mmapped", "stacks", "anonymous", "files", "shared"]' \
		'.memory[3].virtual_bytes > 17592186044416'
	timeout 20 "$ARENAINSPECT" "$pid" >/dev/null
}

@test "stacks of threads are stacks, and that which malloc gave is malloc's" {
	start_mmapped mixed
	visit
	# Two of a MiB and the kernel's own; pages of a quarter of each are present.
	holds "$json" '.memory[2].virtual_bytes | . > 2097152 and . < 3145728' \
		'.memory[2].resident_bytes | . > 524288 and . < 1048576' '.memory[3].virtual_bytes < 2097152'
}

@test "of a process that never rests one number is given for the arenas" {
	start_truthful busy
	local turn
	for turn in 1 2 3 4 5; do
		"$ARENAINSPECT" --json "$pid" >"$json"
		holds "$json" '.totals.resident.total_bytes as $arenas | $arenas == null or .memory[0].resident_bytes == $arenas' \
			'[.memory[].resident_bytes] as $lines | any($lines[]; . == null) or
				($lines | add) == .process.rss_bytes + .quality.rss_difference_bytes'
	done
}

@test "--depth arenas says nothing of them" {
	start_mmapped mixed
	visit --depth arenas
	holds "$json" '.memory == null' '.mmapped == { listed: null, more_chunks: null, more_bytes: null }' \
		'.quality.rss_difference_bytes == null' '.totals.mmapped_chunks > 90'
}

@test "a child after fork: both share pages, and either adds up" {
	start_mmapped mixed
	echo fork >&"$in"
	await grep -q '^child' "$out"
	all_adds_up "$truth"
	visited=$(sed -n 's/^child //p' "$out")
	started+=("$visited")
	all_adds_up "$truth"
	holds "$json" ".process.pid == $visited"
}

# ---- mmapped chunks ----

@test "mmapped chunks of all kinds are those that the process knows" {
	start_mmapped mixed
	all_adds_up "$truth"
}

@test "60,000 of them that the kernel made one mapping of" {
	start_mmapped many 60000
	visit
	adds_up "$truth"
	holds "$json" '.mmapped.listed | length == 1000' '.mmapped.more_chunks == 59000'
	timeout 20 "$ARENAINSPECT" "$pid" >/dev/null
}

@test "30,000 of them, each alone among 60,000 mappings" {
	(($(cat /proc/sys/vm/max_map_count) > 61000)) || skip "vm.max_map_count is too low"
	start_mmapped apart 30000
	visit
	adds_up "$truth"
	holds "$json" '.memory[1].mappings > 29000' '.mmapped.more_chunks == 29000'
	timeout 20 "$ARENAINSPECT" "$pid" >/dev/null
}

@test "a mapping that looks like a chunk is none of them" {
	start_mmapped traps
	visit
	if jq -e '.libc.version | split(".") | map(tonumber) >= [2, 43]' "$json" >/dev/null; then
		skip "this glibc's sum drifts: which is the trap cannot be told"
	fi
	all_adds_up "$truth"
}

@test "where a mapping looks like a chunk and is as large as one, nothing is claimed" {
	start_mmapped twins
	visit
	holds "$json" '.mmapped == { listed: null, more_chunks: null, more_bytes: null }' \
		'[.memory[1, 3] | .mappings, .virtual_bytes, .resident_bytes, .swapped_bytes] | all(. == null)' \
		'[.memory[0, 2, 4, 5] | .resident_bytes] | all(. != null)' \
		'.quality.notes | any(test("look like one"))' '.quality.rss_difference_bytes != null'
	valid "$json"
}

@test "chunks whose headers cannot be read are counted, not listed, and noted" {
	start_mmapped hidden
	visit
	holds "$json" '.totals.mmapped_chunks == (.mmapped.listed | length) + 2' '.mmapped.more_chunks == 2' \
		'.mmapped.more_bytes > 0' '.memory[1].resident_bytes == null' '.memory[3].resident_bytes == null' \
		'.quality.notes | any(test("mmapped chunks"))'
	jq '[.mmapped.listed[] | [.address, .bytes]]' "$json" >"$json.listed"
	jq -e --slurpfile truth "$truth" '. - $truth[0] == []' "$json.listed" || fail "some of these are none"
}

@test "looking for them leaves the process as it was" {
	start_mmapped hidden
	python3 "$cli/witness.py" "$pid" >"$BATS_TEST_TMPDIR/before"
	visit
	visit_without_scan
	python3 "$cli/witness.py" "$pid" >"$BATS_TEST_TMPDIR/after"
	diff -u "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after" || fail "it changed"
}

@test "a core has the chunks, and of what was resident nothing" {
	start_mmapped mixed
	visit
	jq .mmapped "$json" >"$json.live"
	dump
	read_core
	holds "$json" '.memory == null' '[.mmapped.listed[].resident_bytes] | all(. == null)'
	diff <(jq 'del(.listed[].resident_bytes)' "$json.live") \
		<(jq '.mmapped | del(.listed[].resident_bytes)' "$json") || fail "they differ"
}

# ---- programs of others ----

start_jvm() {
	need javac 'default-jdk'
	cat >"$BATS_TEST_TMPDIR/Fill.java" <<-'END'
		public class Fill {
		    public static void main(String[] args) throws Exception {
		        Object[] kept = new Object[200];
		        for (int i = 0; i < 200; i++)
		            kept[i] = i % 2 == 0 ? new byte[1 << 18] : java.nio.ByteBuffer.allocateDirect(1 << 18);
		        System.out.println("ready");
		        System.in.read();
		        System.out.println(kept.length);
		    }
		}
	END
	javac -d "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/Fill.java" >/dev/null
	start java "$@" -cp "$BATS_TEST_TMPDIR" Fill
	visited=$pid
}

@test "a stopped JVM adds up" {
	start_jvm -Xmx1g
	stopped all_adds_up
	holds "$json" '.memory[2].mappings > 20' '.memory[3].virtual_bytes > 1073741824'
}

@test "a stopped JVM with ZGC, which reserves far more than there is, adds up" {
	start_jvm -XX:+UseZGC -Xmx4g
	stopped all_adds_up
	holds "$json" '.memory[5].resident_bytes > 0'
}

@test "a stopped PostgreSQL server and its backend add up" {
	local server
	start_postgres '-c shared_buffers=64MB'
	cat >&"$in" <<-'END'
		create temp table t as select g, repeat('x', g % 3000) s from generate_series(1, 20000) g;
		select 'backend ' || pg_backend_pid();
		\echo ready
	END
	await_line ready
	server=$(head -n 1 "$cluster/data/postmaster.pid")
	for visited in "$server" "$(sed -n 's/^backend //p' "$out")"; do
		stopped all_adds_up
		holds "$json" '.memory[5].resident_bytes > 0' '.process.comm == "postgres"'
	done
}
