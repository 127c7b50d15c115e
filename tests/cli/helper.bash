# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the end-to-end tests share: targets are started, visited and always ended.
#
#   ARENAINSPECT  the program under test (build/arenainspect)
#   TARGETS       where its targets are (build/targets)
#
# Nothing here depends on how fast a machine is: what is waited for either comes, or
# the process it should come from is gone, or a minute has passed and the test fails.

bats_require_minimum_version 1.5.0

cli=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ARENAINSPECT=${ARENAINSPECT:-$cli/../../build/arenainspect}
TARGETS=${TARGETS:-$cli/../../build/targets}
started=()
declare -gA start_of=() # when each began: a number is given again to another process

# launch COMMAND…: runs it in the background.
#   $pid  its process   $in  a descriptor of its stdin   $out, $err  files of its output
# Its stdin closes when the test's shell ends, however that ends, and a target goes then.
launch() {
	local dir
	dir=$(mktemp -d "$BATS_TEST_TMPDIR/start.XXXXXX")
	out=$dir/out err=$dir/err
	mkfifo "$dir/in"
	touch "$out" "$err"
	"$@" <"$dir/in" >"$out" 2>"$err" 3>&- &
	pid=$!
	started+=("$pid")
	start_of[$pid]=$(began_at "$pid")
	exec {in}>"$dir/in"
}

# start COMMAND…: the same, until it says "ready"
start() {
	launch "$@"
	await_line ready
}

# start_target NAME ARGUMENTS…: the same, for a program of tests/targets
start_target() {
	local name=$1
	shift
	start "$TARGETS/$name" "$@"
}

# start_truthful NAME ARGUMENTS…: a target that tells the truth, into $info and $truth
start_truthful() {
	info=$BATS_TEST_TMPDIR/info.xml
	truth=$BATS_TEST_TMPDIR/truth.json
	start_target "$@" "$info" "$truth"
}

# start_named NAME: a process of that name, which the kernel cuts at 15 bytes
start_named() {
	start python3 -c 'if True:
		import os, sys
		with open("/proc/self/comm", "wb", buffering=0) as comm:
		    comm.write(os.fsencode(sys.argv[1]))
		print("ready", flush=True)
		sys.stdin.read()' "$1"
}

# start_zombie: a process with a child that has ended and that it does not await, $zombie
start_zombie() {
	start python3 -c 'if True:
		import os, sys
		child = os.fork()
		if child == 0:
		    os._exit(0)
		os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
		print(child, "ready", sep="\n", flush=True)
		sys.stdin.read()'
	# shellcheck disable=SC2034 # the test reads it
	zombie=$(head -1 "$out")
}

# start_bare: a program without any libc
start_bare() {
	"${CC:-cc}" -nostdlib -static -O1 -fno-builtin -fno-stack-protector \
		-o "$BATS_TEST_TMPDIR/bare" "$cli/foreign/bare.c"
	start "$BATS_TEST_TMPDIR/bare"
}

# await COMMAND…: until it succeeds
await() {
	local tries
	for ((tries = 0; tries < 1200; tries++)); do
		if "$@"; then
			return 0
		fi
		sleep 0.05
	done
	fail "waited in vain for: $*"
}

# await_line LINE [TIMES]: until the process last started has printed it so often
await_line() {
	local tries
	for ((tries = 0; tries < 1200; tries++)); do
		if (($(grep -cxF -- "$1" "$out") >= ${2:-1})); then
			return 0
		fi
		kill -0 "$pid" 2>/dev/null || break
		sleep 0.05
	done
	cat "$out" "$err"
	fail "process $pid did not say '$1'"
}

# ask_info: has the target write its malloc_info anew, and waits until it has; each time
# is told from those before it by how often the target has said so
ask_info() {
	local said
	said=$(grep -cxF info "$out" || :)
	echo info >&"$in"
	await_line info $((said + 1))
}

# stop: ends the process last started
stop() {
	exec {in}>&-
	kill_own "$pid"
	wait "$pid" 2>/dev/null || :
}

# began_at PID: in clock ticks since boot; nothing when it has ended.  A name may hold
# anything: what follows its bracket counts.
began_at() {
	local stat fields
	{ stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 0
	read -ra fields <<<"${stat##*) }"
	echo "${fields[19]}"
}

# kill_own PID: unless it is another's by now
kill_own() {
	local began=${start_of[$1]-}
	[ -z "$began" ] || [ "$(began_at "$1")" = "$began" ] || return 0
	kill -KILL "$1" 2>/dev/null || :
}

# For every teardown; a target that was stopped before is no error.
end_all() {
	local each
	for each in "${started[@]}"; do
		kill_own "$each"
		wait "$each" 2>/dev/null || :
	done
}

teardown() {
	end_all
}

fail() {
	printf '%s\n' "$@" >&2
	return 1
}

# need COMMAND PACKAGE: skips where a test's own tool is missing
need() {
	command -v "$1" >/dev/null || skip "$1 is missing (package $2)"
}

# library NAME PACKAGE: where the dynamic linker finds it, into $library; skips where not
library() {
	library=$(ldconfig -p | awk -v name="$1" '$1 == name { print $NF; exit }')
	[ -n "$library" ] || skip "$1 is missing (package $2)"
	library=$(realpath "$library")
}

need_root() {
	((EUID == 0)) || skip "needs root: $1"
}

# Expressions of jq on a file: all must be true.
holds() {
	local file=$1 expression
	shift
	for expression in "$@"; do
		jq -e "$expression" "$file" >/dev/null || fail "not true of $file: $expression" "$(head -c 2000 "$file")"
	done
}

# python_with PACKAGE SCRIPT ARGUMENTS…: by a python that has the package; skips where
# none has, which the script says by exiting with 77
python_with() {
	local package=$1 python status=77
	shift
	for python in python3 /usr/bin/python3; do
		((status == 77)) || break
		status=0
		"$python" "$@" || status=$?
	done
	((status != 77)) || skip "$package is missing"
	return "$status"
}

# valid DOCUMENT…: by the JSON Schema
valid() {
	python_with python3-jsonschema "$cli/valid.py" "$@" || fail "not valid by the JSON Schema"
}

# As nobody, a program must be where nobody may go.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

copy_for_nobody() {
	public=$(mktemp -d /tmp/arenainspect-test.XXXXXX)
	chmod 755 "$public"
	cp "$@" "$public"
}
