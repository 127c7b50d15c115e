#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A visit leaves no trace in the process: not a call that could disturb it, not a page
# more or less than before.

load helper

setup() {
	need python3 python3
	before=$BATS_TEST_TMPDIR/before
	after=$BATS_TEST_TMPDIR/after
	trace=$BATS_TEST_TMPDIR/trace
}

witness() {
	python3 "$cli/witness.py" "$pid"
}

# untouched ARGUMENTS…: a run of the tool with them changes nothing in the process
untouched() {
	witness >"$before"
	"$ARENAINSPECT" "$@" "$pid" >/dev/null
	witness >"$after"
	diff -u "$before" "$after" || fail "the visit ($*) changed the process"
}

@test "the witness sees a read that maps the zero page, and one of a file's absent page" {
	start_truthful quiet
	witness >"$before"
	witness >"$after"
	diff "$before" "$after" || fail "the process does not rest"
	python3 - "$pid" <<-'END'
		import sys
		def read_one(mem, line):
		    mem.seek(int(line.split("-")[0], 16))
		    mem.read(1)
		with open(f"/proc/{sys.argv[1]}/maps") as maps:
		    lines = list(maps)
		with open(f"/proc/{sys.argv[1]}/mem", "rb") as mem:
		    read_one(mem, next(l for l in lines if "libc.so" in l))
		    # the mapping of 1024 pages of which the first was given back
		    for line in lines:
		        start, end = (int(x, 16) for x in line.split()[0].split("-"))
		        if " rw-p " in line and "/" not in line and "[" not in line:
		            mem.seek(end - 4096)
		            mem.read(1)
	END
	witness >"$after"
	diff "$before" "$after" | grep -q '^> VmRSS' || fail "a file's page is not seen"
	diff "$before" "$after" | grep '^[<>]   pages' | sed 's/^. //' | sort -u | wc -l | {
		read -r changed
		((changed >= 4)) || fail "an untouched page is not seen"
	}
}

@test "arenas: VmRSS, VmPTE, VmSwap, smaps and the present pages are the same after as before" {
	start_truthful quiet
	untouched --depth arenas arenas
	untouched --depth arenas --json arenas
}

@test "report, arenas, heaps, threads and doctor leave the present pages as they are" {
	start_truthful quiet
	untouched report
	untouched arenas
	untouched heaps
	untouched threads
	untouched doctor
}

@test "every chunk is walked, by one worker or more, and no page comes or goes" {
	start_truthful quiet
	untouched --json arenas
	untouched --json --jobs 1 arenas
	untouched --json --jobs 8 arenas
	untouched bins
	untouched bins --sizes
	untouched --json bins --sizes
	untouched map
}

@test "what was seen without touching is the truth all the same" {
	start_truthful quiet
	"$ARENAINSPECT" --json --depth arenas arenas "$pid" >"$BATS_TEST_TMPDIR/ours.json"
	"$cli/compare.py" "$info" "$truth" "$BATS_TEST_TMPDIR/ours.json"
	"$ARENAINSPECT" --json bins --sizes "$pid" >"$BATS_TEST_TMPDIR/ours.json"
	"$cli/compare.py" --chunks "$info" "$truth" "$BATS_TEST_TMPDIR/ours.json"
}

# traced ARGUMENTS…: every call of a run, paths of descriptors included, in $trace
traced() {
	ASAN_OPTIONS=${ASAN_OPTIONS:-}:detect_leaks=0 strace -f -qq -y -o "$trace" "$ARENAINSPECT" "$@" "$pid" >/dev/null
}

no_call() {
	if grep -nE "$2" "$trace"; then
		fail "$1"
	fi
}

@test "strace shows no ptrace, no signal and nothing written to the process" {
	need strace strace
	start_truthful quiet
	local arguments
	for arguments in report 'arenas --depth arenas' heaps 'bins --sizes' doctor; do
		# shellcheck disable=SC2086 # words of a command line
		traced $arguments
		grep -qE "process_vm_readv\($pid,|/proc/$pid/mem" "$trace" || fail "strace saw no read of $pid"
		no_call ptrace '(^|[^_[:alnum:]])ptrace\('
		no_call "a signal" "(kill|tkill|tgkill|pidfd_send_signal|rt_sigqueueinfo|rt_tgsigqueueinfo)\("
		no_call "memory written" 'process_vm_writev\(|process_madvise\(|process_mrelease\('
		no_call "a descriptor taken" 'pidfd_getfd\(|kcmp\('
		no_call "limits or priority changed" "(prlimit64|sched_set[a-z]*|setpriority|ioprio_set|migrate_pages|move_pages)\($pid,"
		no_call "a file below /proc/$pid opened for writing" "open.*/proc/$pid.*O_(WRONLY|RDWR|CREAT|TRUNC)"
		no_call "a file below /proc/$pid opened for writing" "open(at|at2)?\(.*</proc/${pid}[^>]*>.*O_(WRONLY|RDWR|CREAT|TRUNC)"
		no_call "a file written below /proc/$pid" "(write|writev|pwrite64|pwritev2?|sendfile|splice)\([0-9]+</proc/$pid"
	done
}
