#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every exit code, each with a message on stderr that names the thing.

load helper

setup() {
	trace=$BATS_TEST_TMPDIR/trace
}

teardown() {
	end_all
	rm -rf "${public:-}"
}

# ends CODE [WORDS] -- ARGUMENTS…: the tool exits so, says why on stderr, where a
# line matches the words, and writes nothing else anywhere
ends() {
	local code=$1 words=arenainspect:
	shift
	if [ "$1" != -- ]; then
		words=$1
		shift
	fi
	shift
	run --separate-stderr "$ARENAINSPECT" "$@"
	((status == code)) || fail "exit $status instead of $code: $*" "$output" "$stderr"
	[ -z "$output" ] || fail "not only on stderr: $output"
	grep -qEi -- "$words" <<<"$stderr" || fail "stderr does not say '$words': $stderr"
}

@test "0: a process that can be read, silently" {
	start_target nomalloc
	run --separate-stderr "$ARENAINSPECT" "$pid"
	((status == 0))
	[ -n "$output" ]
	[ -z "$stderr" ]
}

@test "2: bad usage" {
	ends 2 --
	ends 2 no-such-option -- --no-such-option $$
	ends 2 -- arenas
	ends 2 -- arenas $$ $$
	ends 2 depth -- --depth deep $$
	ends 2 no-such-column -- arenas -o no-such-column $$
	ends 2 no-such-column -- arenas --sort no-such-column $$
	local time
	for time in soon 0 -1 inf 0x10 1e1 10x; do
		ends 2 "timeout.*'$time'" -- --timeout "$time" $$
	done
	ends 2 top -- arenas --top many $$
}

@test "2: several processes of the name given, and they are listed" {
	start_target nomalloc
	local first=$pid
	start_target nomalloc
	run "$ARENAINSPECT" --comm nomalloc
	((status == 2))
	grep -qw "$first" <<<"$output"
	grep -qw "$pid" <<<"$output"
}

@test "3: no such process, nor one of that name" {
	local gone
	true &
	gone=$!
	wait "$gone"
	ends 3 "$gone" -- "$gone"
	ends 3 no-such-program -- --comm no-such-program
}

@test "3: a zombie" {
	start_zombie
	ends 3 zombie -- "$zombie"
}

# visit_and_meanwhile COMMAND…: runs the command while the tool has read something of
# the process but not all; its exit code in $status.  strace sends it SIGSTOP at its
# first read; threads that start later are stopped once each, hence the loop.
visit_and_meanwhile() {
	local tracer tool
	need strace strace
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 \
		strace -f -qq -o "$trace" -e trace=process_vm_readv \
		-e inject=process_vm_readv:signal=SIGSTOP:when=1 \
		"$ARENAINSPECT" "$pid" >"$trace.out" 2>"$trace.err" 3>&- &
	tracer=$!
	started+=("$tracer")
	await is_stopped_child "$tracer"
	tool=$(children_of "$tracer")
	"$@"
	while kill -0 "$tracer" 2>/dev/null && [ -e "/proc/$tool" ]; do
		kill -CONT "$tool" 2>/dev/null || :
		sleep 0.05
	done
	status=0
	wait "$tracer" || status=$?
}

children_of() {
	tr -d ' ' 2>/dev/null <"/proc/$1/task/$1/children"
}

is_stopped_child() {
	local child
	child=$(children_of "$1")
	[ -n "$child" ] && grep -q '^State:.[tT]' "/proc/$child/status" && grep -q SIGSTOP "$trace"
}

@test "3: the process ends during the visit" {
	start_target execs
	visit_and_meanwhile stop
	((status == 3)) || fail "exit $status" "$(cat "$trace.err")"
	grep -q "$pid" "$trace.err"
	[ ! -s "$trace.out" ]
}

exec_anew() {
	echo exec >&"$in"
	await_line ready 2
}

@test "3: the process runs another program during the visit" {
	start_target execs
	visit_and_meanwhile exec_anew
	((status == 3)) || fail "exit $status" "$(cat "$trace.err")"
	grep -qi "exec\|another program\|went away" "$trace.err"
	[ ! -s "$trace.out" ]
}

@test "0 or 3 and nothing else for a process that execs again and again" {
	start_target execs loop
	local round # not `i`, which `run` uses without making it its own
	for ((round = 0; round < 20; round++)); do
		run --separate-stderr "$ARENAINSPECT" --json "$pid"
		case $status in
		0) jq -e '.arenas | length >= 1' <<<"$output" >/dev/null || fail "not a document: $output" ;;
		3) [ -z "$output" ] || fail "exit 3 with: $output" ;;
		*) fail "exit $status" "$stderr" ;;
		esac
	done
}

@test "4: another user's process, and the missing right is named" {
	if ((EUID == 0)); then
		start_target nomalloc
		copy_for_nobody "$ARENAINSPECT"
		run --separate-stderr as_nobody "$public/arenainspect" "$pid"
	else
		[ "$(stat -c %u /proc/1)" != "$EUID" ] || skip "every process is this user's"
		run --separate-stderr "$ARENAINSPECT" 1
	fi
	((status == 4)) || fail "exit $status" "$stderr"
	[ -z "$output" ]
	grep -q CAP_SYS_PTRACE <<<"$stderr" || fail "the right is not named: $stderr"
}

@test "5: a kernel thread" {
	local stat flags
	for stat in /proc/[0-9]*/stat; do
		flags=$(sed 's/.*) //' "$stat" 2>/dev/null | cut -d' ' -f7)
		((${flags:-0} & 0x200000)) && break
	done
	((${flags:-0} & 0x200000)) || skip "no kernel thread to be seen here"
	ends 5 kernel -- "$(basename "$(dirname "$stat")")"
}

@test "5: a 32-bit process" {
	"${CC:-cc}" -m32 -O1 -nostdlib -static -fno-pic -fno-stack-protector -o "$BATS_TEST_TMPDIR/bits32" \
		"$cli/foreign/bits32.c" 2>/dev/null || skip "the compiler makes no 32-bit programs"
	"$BATS_TEST_TMPDIR/bits32" </dev/null >/dev/null || skip "the kernel runs no 32-bit programs"
	start "$BATS_TEST_TMPDIR/bits32"
	ends 5 32-bit -- "$pid"
}

@test "5: a process of musl" {
	need musl-gcc musl-tools
	musl-gcc -O1 -o "$BATS_TEST_TMPDIR/musl" "$cli/foreign/musl.c"
	start "$BATS_TEST_TMPDIR/musl"
	ends 5 musl -- "$pid"
}

@test "5: a program without any libc" {
	start_bare
	ends 5 'no C library' -- "$pid"
}

# A libc nobody has debug information of: a copy with another build-id, in $other.
copy_unknown_libc() {
	local libc
	libc=$(ldd "$TARGETS/nomalloc" | awk '$1 == "libc.so.6" { print $3 }')
	other=$BATS_TEST_TMPDIR/lib
	mkdir -p "$other"
	python3 - "$libc" "$other/libc.so.6" <<-'END'
		import sys
		image = bytearray(open(sys.argv[1], "rb").read())
		note = image.index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")  # name, 20 bytes, NT_GNU_BUILD_ID
		image[note + 16:note + 36] = bytes(range(20))
		open(sys.argv[2], "wb").write(image)
	END
	chmod +x "$other/libc.so.6"
}

@test "5: glibc without debug information, and the way out is named" {
	copy_unknown_libc
	LD_LIBRARY_PATH=$other start_target nomalloc
	grep -q "$other/libc.so.6" "/proc/$pid/maps"
	ends 5 'debug' -- --symbols debuginfo "$pid"
	grep -qE -- '-dbg|--debug-dir|debuginfo' <<<"$stderr" || fail "no way out: $stderr"
}

@test "6: the time is over, and what was read by then is given or nothing" {
	need strace strace
	start_target nomalloc
	run --separate-stderr env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0" \
		strace -f -qq -o "$trace" -e trace=process_vm_readv \
		-e inject=process_vm_readv:delay_enter=1500000:when=1 \
		"$ARENAINSPECT" --timeout 1 --json "$pid"
	((status == 6)) || fail "exit $status" "$stderr"
	grep -qi time <<<"$stderr" || fail "stderr does not say why: $stderr"
	[ -z "$output" ] || jq -e .schema <<<"$output" >/dev/null
}

@test "a time that suffices changes nothing" {
	start_target nomalloc
	local time
	for time in 600 600.5 600s 600000ms 10m .5h 1d; do
		run --separate-stderr "$ARENAINSPECT" --timeout "$time" "$pid"
		((status == 0)) || fail "$time: $stderr"
	done
}

@test "7: the output cannot be written" {
	start_truthful main-exits
	local arguments
	for arguments in report arenas heaps '--json arenas' '--raw arenas' --help; do
		status=0
		# shellcheck disable=SC2086 # words of a command line
		"$ARENAINSPECT" $arguments "$pid" >/dev/full 2>"$trace.err" || status=$?
		((status == 7)) || fail "$arguments: exit $status" "$(cat "$trace.err")"
		grep -qi "no space" "$trace.err" || fail "stderr does not say why: $(cat "$trace.err")"
	done
	ends 7 "no-such-dir" -- --json --write "$BATS_TEST_TMPDIR/no-such-dir/file" "$pid"
}

@test "a closed stdout ends it quietly" {
	start_truthful quiet
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	exec {both}<>"$BATS_TEST_TMPDIR/pipe"
	exec {nobody_reads}>"$BATS_TEST_TMPDIR/pipe"
	exec {both}<&-
	local arguments
	for arguments in report arenas '--json arenas'; do
		status=0
		# shellcheck disable=SC2086,SC2261 # words of a command line
		"$ARENAINSPECT" $arguments "$pid" 2>"$trace.err" >&"$nobody_reads" || status=$?
		((status == 0 || status == 128 + 13)) || fail "$arguments: exit $status"
		[ ! -s "$trace.err" ] || fail "$arguments: $(cat "$trace.err")"
	done
	run bash -c "'$ARENAINSPECT' --json arenas $pid | head -c 1"
	[ "$output" = "{" ]
}
