#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Core files in place of a process: what they say is malloc_info's, what they cannot say is
# null, and what is no core, or not all of one, gets a clear answer.

load helper
load oracle
load cores

setup_file() {
	need gcore gdb
	# shellcheck disable=SC2030 # of this function alone
	BATS_TEST_TMPDIR=$BATS_FILE_TMPDIR
	start_truthful quiet
	dump
	mv "$core" "$BATS_FILE_TMPDIR/quiet"
	end_all
}

# shellcheck disable=SC2031
setup() {
	json=$BATS_TEST_TMPDIR/ours.json
	quiet=$BATS_FILE_TMPDIR/quiet
}

teardown() {
	end_all
	rm -f "$BATS_TEST_TMPDIR"/core.*
}

# ---- the truth ----

@test "a core of a random history is its malloc_info, and a live visit's answer" {
	local seed=${SEEDS:-$(od -An -N4 -tu4 /dev/urandom)}
	echo "# seed: $seed" >&3
	start_truthful history "$seed"
	"$ARENAINSPECT" --json "$pid" >"$json.live"
	dump
	read_core
	"$cli/compare.py" --heaps 3 --chunks "$info" "$truth" "$json"
	same_as_live
	valid "$json"
	holds "$json" "[$untold] | all(. == null)" ".process.pid == $pid" '.process.comm == "history"' \
		'.process.tasks > 1' '.arenas | all(.attached_threads != null and .idle != null)' \
		'.quality.notes == []' '.totals.unread_bytes == 0'
	jq -e --arg exe "$(readlink "/proc/$pid/exe")" '.process.exe == $exe' "$json"
}

# crash: kills the process last started so that the kernel dumps it, into $core; 1 where
# that goes elsewhere
crash() {
	local pattern
	pattern=$(cat /proc/sys/kernel/core_pattern)
	[[ $pattern != *[\|/]* ]] || return 1
	kill -ABRT "$pid"
	wait "$pid" 2>/dev/null || :
	core=$(find "$BATS_TEST_TMPDIR/crash" -type f -size +0 | head -n 1)
	[ -n "$core" ]
}

@test "a core by a crash is what malloc_info said before" {
	mkdir "$BATS_TEST_TMPDIR/crash"
	info=$BATS_TEST_TMPDIR/info.xml truth=$BATS_TEST_TMPDIR/truth.json
	# shellcheck disable=SC2016 # for the other shell
	start bash -c 'cd "$1" && ulimit -c unlimited && exec "${@:2}"' - "$BATS_TEST_TMPDIR/crash" \
		"$(readlink -f "$TARGETS/history")" 4711 "$info" "$truth"
	"$ARENAINSPECT" --json "$pid" >"$json.live"
	if ! crash; then
		echo '# the kernel gives cores to another program here: gcore instead' >&3
		dump
	fi
	read_core
	rm -r "$BATS_TEST_TMPDIR/crash"
	"$cli/compare.py" --chunks "$info" "$truth" "$json"
	same_as_live
}

@test "every command reads a core, in every format" {
	local command format
	for command in report arenas heaps bins 'bins --sizes'; do
		for format in '' --raw --pairs --json; do
			# shellcheck disable=SC2086 # words
			run --separate-stderr "$ARENAINSPECT" $command $format --core "$quiet"
			((status == 0)) || fail "$command $format: exit $status" "$stderr"
			[ -n "$output" ] || fail "$command $format says nothing"
			[ -z "$stderr" ] || fail "$command $format: $stderr"
		done
	done
	"$ARENAINSPECT" heaps --raw -n -o resident,swapped --core "$quiet" >"$BATS_TEST_TMPDIR/raw"
	run ! grep -vx -- '- -' "$BATS_TEST_TMPDIR/raw"
	"$ARENAINSPECT" arenas --depth arenas --core "$quiet" | grep -q main
}

@test "a core stands alone in place of a process" {
	ends 2 core -- doctor --core "$quiet"
	ends 2 core -- --core "$quiet" $$
	ends 2 core -- --core "$quiet" --comm bats
	ends 2 exe -- --exe /bin/true $$
}

# ---- programs and libraries ----

@test "a static program is found by its name in the core, or by --exe" {
	cp "$TARGETS/static" "$BATS_TEST_TMPDIR/program"
	start "$BATS_TEST_TMPDIR/program"
	"$ARENAINSPECT" --json "$pid" >"$json.live"
	dump
	read_core
	same_as_live
	mv "$BATS_TEST_TMPDIR/program" "$BATS_TEST_TMPDIR/elsewhere"
	ends 5 "$BATS_TEST_TMPDIR/program.*--exe" -- --core "$core"
	read_core --exe "$BATS_TEST_TMPDIR/elsewhere"
	same_as_live
	ends 7 build-id -- --core "$core" --exe /bin/true
	ends 7 'No such file' -- --core "$core" --exe "$BATS_TEST_TMPDIR/none"
}

@test "the library is looked for below --debug-dir, and must be the one that ran" {
	local libc=$BATS_TEST_TMPDIR/lib/libc.so.6 root=$BATS_TEST_TMPDIR/root
	mkdir "$BATS_TEST_TMPDIR/lib"
	cp "$(ldd "$TARGETS/quiet" | awk '$1 == "libc.so.6" { print $3 }')" "$libc"
	LD_LIBRARY_PATH=${libc%/*} start_truthful quiet
	"$ARENAINSPECT" --json "$pid" >"$json.live"
	dump
	mkdir -p "$root${libc%/*}"
	mv "$libc" "$root$libc"
	ends 5 "$libc.*--debug-dir" -- --core "$core"
	read_core --debug-dir "$root"
	same_as_live

	python3 - "$root$libc" <<-'END'
		import sys
		with open(sys.argv[1], "r+b") as file:
		    note = file.read().index(b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0")
		    file.seek(note + 16)
		    file.write(bytes(20))
	END
	ends 5 'build-id' -- --core "$core" --debug-dir "$root"
	cp "$root$libc" "$libc"
	ends 5 'build-id' -- --core "$core"
}

@test "a core that does not name its files is read through the list of the dynamic linker" {
	local nameless=$BATS_TEST_TMPDIR/core.nameless
	core=$quiet read_core
	mv "$json" "$json.live"
	"$cli/cores.py" unname "$quiet" "$nameless"
	core=$nameless read_core
	same_as_live
}

# ---- not all of it ----

@test "the kernel left out by coredump_filter: said, and nothing is invented" {
	start_truthful quiet
	"$ARENAINSPECT" --json "$pid" >"$json.live"
	echo 0x23 >"/proc/$pid/coredump_filter" # no ELF headers
	dump
	read_core
	same_as_live
	echo 0x32 >"/proc/$pid/coredump_filter" # no anonymous memory
	dump
	run --separate-stderr "$ARENAINSPECT" --core "$core"
	[[ $status = [56] ]] || fail "exit $status" "$stderr"
	echo 0 >"/proc/$pid/coredump_filter"
	dump
	run --separate-stderr "$ARENAINSPECT" --core "$core"
	[[ $status = [56] ]] || fail "exit $status" "$stderr"
	grep -qE 'arenainspect: .*(core|read)' <<<"$stderr" || fail "$stderr"
	[ -z "$output" ]
}

@test "a part of an arena that was left out is unread, and all else is as it was" {
	start_truthful quiet
	dump
	read_core
	local middle
	middle=$(jq -r '.arenas[2].heaps[0] | "\(.address) \(.bytes)"' "$json" |
		(read -r address bytes && echo $((address + bytes / 8192 * 4096))))
	"$cli/cores.py" cut "$core" "$middle" "$BATS_TEST_TMPDIR/core.cut"
	core=$BATS_TEST_TMPDIR/core.cut read_core
	holds "$json" '.arenas[2].unread_bytes > 0' '.arenas[2].damage == []' '.totals.unread_bytes > 0'
	"$cli/compare.py" --chunks --damaged 2 "$info" "$truth" "$json"
}

@test "a core that is cut is read as far as it goes, or refused" {
	local length size
	size=$(stat -c %s "$quiet")
	cp "$quiet" "$BATS_TEST_TMPDIR/core.cut"
	for length in $((size - 4096)) $((size - 200000)) $((size - 3000000)) $((size / 10 * 7)) \
		$((size / 3)) 100000 9000 4097 4096 1000 120 65 64 63 16 4 1; do
		truncate -s "$length" "$BATS_TEST_TMPDIR/core.cut"
		run --separate-stderr timeout 60 "$ARENAINSPECT" --json --core "$BATS_TEST_TMPDIR/core.cut"
		case $status in
		0) jq -e '.quality.notes | any(test("cut"))' <<<"$output" >/dev/null || fail "$length: not a word" ;;
		[567]) [[ $stderr = arenainspect:* ]] && [ -z "$output" ] || fail "$length: $stderr" ;;
		*) fail "$length: exit $status" "$stderr" ;;
		esac
	done
}

# ---- not a core ----

@test "a core that is compressed is named so, with the command that unpacks it" {
	local packer
	for packer in zstd xz lz4 gzip; do
		need "$packer" "$packer"
		head -c 100000 "$quiet" | "$packer" -c >"$BATS_TEST_TMPDIR/packed"
		ends 7 "compressed.*$packer -d" -- --core "$BATS_TEST_TMPDIR/packed"
	done
}

@test "what is no core is refused" {
	local each
	echo 'not a core' >"$BATS_TEST_TMPDIR/text"
	: >"$BATS_TEST_TMPDIR/empty"
	mkfifo "$BATS_TEST_TMPDIR/pipe"
	for each in /bin/true "$BATS_TEST_TMPDIR"/{text,empty,pipe,none} "$BATS_TEST_TMPDIR" /dev/null /dev/zero; do
		ends 7 "$each" -- --core "$each"
	done
}

@test "a part of a core that ends within a page is read to its end" {
	local way main_arena
	main_arena=$("$ARENAINSPECT" arenas -rn -o address --core "$quiet" | head -1)
	"$cli/cores.py" shrink "$quiet" "$main_arena" "$BATS_TEST_TMPDIR/core.odd"
	for way in auto search; do
		"$ARENAINSPECT" --json --symbols "$way" --core "$BATS_TEST_TMPDIR/core.odd" >"$json"
		holds "$json" '.totals.arenas > 0'
	done
}

@test "hostile cores end in an answer" {
	local seed=${SEEDS:-$(od -An -N4 -tu4 /dev/urandom)} seconds=12 way
	for way in auto search; do
		"$cli/cores.py" hostile "$quiet" "$seed$way" 150 "$seconds" \
			"$ARENAINSPECT" --json --symbols "$way" --core "$quiet" >"$BATS_TEST_TMPDIR/said" || {
			cat "$BATS_TEST_TMPDIR/said"
			fail "seed $seed$way"
		}
		echo "# seed $seed$way: $(cat "$BATS_TEST_TMPDIR/said")" >&3
	done
}
