#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every thread, its name and its arena, as the threads and the kernel say; on other
# releases of glibc in suites.bats.

load helper
load oracle
load cores

setup() {
	json=$BATS_TEST_TMPDIR/ours.json
	PROBES=${PROBES:-$cli/../../build/probes}
	refused=()
}

# agrees ARGUMENTS…: a visit is what the threads say of themselves
agrees() {
	"${refused[@]}" "$ARENAINSPECT" --json "$@" "$pid" >"$json"
	"$cli/compare.py" --chunks "$info" "$truth" "$json"
}

# by_every_way: as it is asked usually; by search; where the kernel refuses, too
by_every_way() {
	local way
	for way in auto search; do
		agrees --symbols "$way"
		refused=("$PROBES/refuse")
		agrees --symbols "$way"
		refused=()
	done
}

# kernel_names: tid and comm of each, as --raw escapes what has blanks
kernel_names() {
	local task
	for task in "/proc/$pid/task"/*; do
		printf '%s %s\n' "${task##*/}" "$(sed 's/ /\\x20/g' "$task/comm")"
	done | sort
}

named_as_by_the_kernel() {
	"$ARENAINSPECT" threads --raw -n -o tid,name "$pid" >"$BATS_TEST_TMPDIR/names"
	diff <(kernel_names) <(sort "$BATS_TEST_TMPDIR/names") || fail 'names differ'
}

@test "a hundred threads, of which others have ended, say which arena is theirs" {
	start_truthful threads
	by_every_way
	holds "$json" '.threads | length > 100' '.quality.notes == []' \
		'[.threads[] | select(.arena == null)] | length >= 9'
	valid "$json"
	named_as_by_the_kernel
}

@test "threads of a static program" {
	start_truthful threads-static
	by_every_way
	holds "$json" '.threads | length > 100' '.quality.notes == []'
}

@test "threads that clone(2) alone made have no arena, and are said not to be glibc's" {
	start_truthful threads raw
	by_every_way
	holds "$json" '.process.tasks == ([.threads[]] | length)' \
		'[.quality.notes[] | select(test("^2 of .* not made by glibc"))] | length == 1'
}

# In the child the one thread has the id of the process, and its maker's arena.
@test "a process that a thread forked has one thread, and that thread's arena" {
	start_truthful threads fork
	await grep -q '^child ' "$out"
	pid=$(sed -n 's/^child //p' "$out")
	started+=("$pid")
	by_every_way
	holds "$json" '.threads | length == 1' '.arenas[.threads[0].arena].attached_threads == 1' '.quality.notes == []' \
		".threads[0].tid == $pid" '[.arenas[] | select(.idle | not)] | length == 1'
}

@test "a main thread that has ended is listed without an arena, and explained" {
	start_truthful main-exits
	by_every_way
	holds "$json" '.threads | length == 4' ".threads[0].tid == $pid and .threads[0].arena == null" \
		'[.quality.notes[] | select(test("main thread has ended"))] | length == 1'
}

@test "where malloc was never called nobody has an arena, and that is no failure" {
	start_target nomalloc
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.threads | length == 1' '.threads[0].arena == null' \
		'.quality.notes | all(test("could not be read") | not)'
}

@test "threads and threads --group are the document's, in every format" {
	start_truthful threads
	agrees
	diff <("$ARENAINSPECT" threads --raw -n -o tid,ns_tid,arena,arena_address "$pid") \
		<(jq -r '. as $all | .threads[] | [.tid, .ns_tid, .arena // "-",
			(if .arena == null then "-" else $all.arenas[.arena].address end)] | join(" ")' "$json")
	diff <("$ARENAINSPECT" threads --group --raw -n -o name,threads,arenas,in_arenas,system "$pid") \
		<(jq -r '. as $all | [.threads[] | . + { name: (.name | gsub("[0-9]+"; "*")) }] | group_by(.name)[] |
			(map(.arena) | map(select(. != null)) | unique) as $in |
			[.[0].name, length, ($in | length), ($in | map(tostring) | join(",")),
				([$all.arenas[$in[]].system_bytes] | add)] | join(" ")' "$json")
	diff <("$ARENAINSPECT" threads --raw -n -o arena,sharing "$pid" | sort -u) \
		<(jq -r '(.arenas[] | select(.attached_threads > 0) | [.index, .attached_threads] | join(" ")), "- -"' \
			"$json" | sort -u)
	"$ARENAINSPECT" threads "$pid" | grep -Eq '^ *TID NAME +ARENA '
	"$ARENAINSPECT" threads --group --pairs "$pid" | grep -q '^NAME="pool-\*-thread-\*" THREADS="[0-9]*" '
	ends 2 no-such-column -- threads -o no-such-column "$pid"
	ends 2 group -- arenas --group "$pid"
}

@test "arenas show the names of their threads" {
	start_truthful threads
	agrees
	"$ARENAINSPECT" arenas --pairs -o index,attached,names "$pid" >"$BATS_TEST_TMPDIR/names"
	grep -q '^INDEX="0" .*NAMES=".*\bthreads\b' "$BATS_TEST_TMPDIR/names"
	# As many as are attached: a name without a count is one.
	python3 - "$BATS_TEST_TMPDIR/names" <<-'END'
		import re
		import sys

		for line in open(sys.argv[1]):
		    attached, names = re.match(r'INDEX="\d+" ATTACHED="(\d+)" NAMES="(.*)"', line).groups()
		    each = [n for n in names.split(", ") if n]
		    count = sum(int((re.search(r" x(\d+)$", n) or [0, 1])[1]) for n in each)
		    assert count == int(attached), line
	END
}

@test "hostile names reach the terminal as text" {
	start_truthful threads odd
	"$ARENAINSPECT" --json "$pid" >"$json"
	valid "$json"
	jq -e --arg name $'a\033[31m"b\\ \n' '.threads[0].name == $name' "$json"
	run ! grep -q $'\033' <("$ARENAINSPECT" threads "$pid"; "$ARENAINSPECT" threads --group "$pid"
		"$ARENAINSPECT" arenas -o +names "$pid")
}

@test "a core has the threads and their arenas, without their names" {
	need gcore gdb
	start_truthful threads raw
	dump
	read_core
	jq '.threads |= map(.ns_tid //= .tid)' "$json" >"$json.tids"
	"$cli/compare.py" --chunks "$info" "$truth" "$json.tids"
	holds "$json" '.threads | all(.name == null)' '.process.tasks == (.threads | length)'
	holds "$json" '[.quality.notes[] | select(test("^2 of .* not made by glibc"))] | length == 1'
	"$ARENAINSPECT" threads --group --raw -n -o name,threads --core "$core" | grep -qx -- "- $(jq '.threads | length' "$json")"
	rm "$core"
}

@test "a JVM's threads have the names it gave them, and arenas count as many as are attached" {
	need java default-jdk-headless
	cat >"$BATS_TEST_TMPDIR/Pool.java" <<-'END'
		import java.util.concurrent.*;

		public class Pool {
			public static void main(String[] none) throws Exception {
				ExecutorService pool = Executors.newFixedThreadPool(9);
				for (int i = 0; i < 9; i++)
					pool.submit(() -> { System.in.read(); return null; });
				System.out.println("ready");
				System.in.read();
				System.exit(0);
			}
		}
	END
	start java -XX:+UseSerialGC -Xmx64m "$BATS_TEST_TMPDIR/Pool.java"
	await all_agree
	named_as_by_the_kernel
	"$ARENAINSPECT" threads --group --raw -n -o name,threads "$pid" >"$BATS_TEST_TMPDIR/groups"
	grep -qx 'pool-\*-thread-\* 9' "$BATS_TEST_TMPDIR/groups"
}

# It takes some time until a JVM rests: then nobody starts, ends or moves.
all_agree() {
	"$ARENAINSPECT" --json "$pid" >"$json"
	jq -e '. as $all | [.threads[] | select(.arena != null) | .arena] as $in |
		.arenas | all(.index as $i | .attached_threads == ($in | map(select(. == $i)) | length))' "$json" >/dev/null
}
