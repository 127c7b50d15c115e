#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A host with 300 processes: shells, Python, JVMs, and a PostgreSQL server with 50
# connections.  The scan finds each as a visit of it alone does, changes nothing in any,
# and its time is printed.

load ../helper
load ../postgres

setup() {
	json=$BATS_TEST_TMPDIR/scan.json
	idle=() # processes that rest, and do nothing until they are ended
}

teardown() {
	local clients=()
	# psql runs below the shell that started it.
	[ -z "${cluster:-}" ] || mapfile -t clients < <(pgrep -f -- "psql -XqAt -h $cluster ")
	started+=("${clients[@]}")
	stop_postgres
	end_all
	remove_postgres
}

# many COUNT COMMAND…: so many of them, which end with the test
many() {
	local count=$1 i
	shift
	for ((i = 0; i < count; i++)); do
		"$@" <&"$never" >/dev/null 2>&1 3>&- &
		started+=($!)
		idle+=($!)
	done
}

start_shells() {
	# shellcheck disable=SC2016 # for the shells
	many 110 bash -c 'for ((i = 0; i < 300; i++)); do held[i]=$(printf "%*s" 500 $i); done; unset "held[7]"; read -r'
}

start_pythons() {
	need python3 python3
	many 40 python3 -c 'if True:
		import json, sys
		held = [bytes(100 + i % 5000) for i in range(4000)][::3]
		sys.stdin.read()'
}

start_javas() {
	need javac default-jdk-headless
	cat >"$BATS_TEST_TMPDIR/Rest.java" <<-'END'
		public class Rest {
		    public static void main(String[] args) throws Exception {
		        System.in.read();
		    }
		}
	END
	javac -d "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/Rest.java"
	local i
	for i in 1 2; do
		java -Xmx64m -XX:-UsePerfData -cp "$BATS_TEST_TMPDIR" Rest <&"$never" >/dev/null 2>&1 3>&- &
		started+=($!)
	done
}

# Of the server's children those that serve a client rest, too.
start_clients() {
	local i
	start_postgres '-c max_connections=70 -c autovacuum=off'
	for ((i = 0; i < 50; i++)); do
		as_owner "$postgres/psql" -XqAt -h "$cluster" -U postgres \
			-c "select pg_sleep(0)" -c 'select count(*) from pg_class, pg_attribute' \
			-f - <&"$never" >"$BATS_TEST_TMPDIR/client.$i" 2>&1 3>&- &
		started+=($!)
	done
	await clients_are_served
}

clients_are_served() {
	(($(cat "$BATS_TEST_TMPDIR"/client.* | grep -cE '^[0-9]+$') == 50))
}

start_all() {
	mkfifo "$BATS_TEST_TMPDIR/never"
	exec {never}<>"$BATS_TEST_TMPDIR/never"
	start_clients
	start_javas
	start_pythons
	start_shells
	many 50 sleep 10000
	start_truthful quiet
	idle+=("$pid")
}

# Those that run a program.
process_count() {
	find /proc/[0-9]*/exe -maxdepth 0 -lname '/*' 2>/dev/null | wc -l
}

rests() {
	[ "$(awk '/^State:/ { print $2 }' "/proc/$1/status")" = S ] &&
		! cmp -s "/proc/$1/cmdline" "/proc/$$/cmdline"
}

all_rest() {
	local each
	for each in "${idle[@]}"; do
		rests "$each" || return 1
	done
}

# The idle ones, all of them; see witness.py for what it looks at.  But for Referenced:
# that is the kernel's own note of which pages were read of late, by whomever, and most
# of these processes have slept too long, or share pages after fork.
witness_all() {
	python3 "$cli/witness.py" "${idle[@]}" | grep -v '^  Referenced: '
}

# each_alone: the row of every idle process against a visit of it
each_alone() {
	python3 - "$ARENAINSPECT" "$json" "${idle[@]}" <<-'END'
		import json, subprocess, sys

		tool, scan, *pids = sys.argv[1:]
		with open(scan, encoding="utf-8") as file:
		    rows = {row["pid"]: row for row in json.load(file)["processes"]}
		wrong = 0
		for pid in map(int, pids):
		    alone = json.loads(subprocess.run([tool, "--json", str(pid)], check=True, capture_output=True).stdout)
		    totals, process = alone["totals"], alone["process"]
		    expected = {
		        "comm": process["comm"],
		        "rss_bytes": process["rss_bytes"],
		        "malloc_bytes": sum(m["resident_bytes"] for m in alone["memory"] if m["kind"].startswith("malloc-")),
		        "arenas": totals["arenas"],
		        "idle_arenas": totals["idle_arenas"],
		        "in_use_bytes": totals["in_use_bytes"],
		        "free_bytes": totals["free_bytes"],
		        "trimmable_bytes": totals["trimmable_bytes"],
		        "retained_top_bytes": totals["resident"]["retained_top_bytes"],
		        "pinned_free_bytes": totals["resident"]["pinned_free_bytes"],
		        "depth": "chunks",
		        "skipped": None,
		    }
		    row = {key: rows.get(pid, {}).get(key) for key in expected}
		    if row != expected:
		        wrong += 1
		        print(f"{pid}: scan {row}, alone {expected}")
		sys.exit(wrong != 0)
	END
}

@test "300 processes: each as alone, none changed, in seconds" {
	local round took best=999999 times=() TIMEFORMAT='%R %U %S'
	start_all
	await all_rest
	mapfile -t -O ${#idle[@]} idle < <(pgrep -f 'postgres: .* idle')
	echo "# $(process_count) processes, ${#idle[@]} of them at rest and compared" >&3
	(($(process_count) >= 300)) || fail "only $(process_count) processes"

	witness_all >"$json.before"
	for ((round = 0; round < 5; round++)); do
		{ time "$ARENAINSPECT" scan --json >"$json"; } 2>"$json.time"
		times+=("$(cat "$json.time")")
		took=$(awk '{ print int($1 * 1000) }' "$json.time")
		((took >= best)) || best=$took
	done
	witness_all >"$json.after"
	{
		echo "# scan on $(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg); seconds: elapsed, user, system"
		printf '#   %s\n' "${times[@]}"
	} >&3

	diff -u "$json.before" "$json.after" || fail "the scan changed a process"
	each_alone || fail "processes are others in the scan than alone"
	valid "$json"
	holds "$json" '[.processes[] | select(.comm == "java" and .depth == "chunks" and .arenas > 1)] | length >= 2' \
		'[.processes[] | select(.comm == "postgres" and .depth == "chunks")] | length >= 50'
	# Generous: other things run on the machine, too.
	((best < 20000)) || fail "the best took $best ms"
}
