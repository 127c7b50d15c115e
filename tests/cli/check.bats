#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# check by the monitoring plugins' guidelines, held against their own programs.

load helper
load plugin

setup() {
	checker=("$ARENAINSPECT" check)
	state=$BATS_TEST_TMPDIR/state
	json=$BATS_TEST_TMPDIR/json
}

teardown() {
	end_all
	rm -rf "${public:-}"
}

# A process of that name, $growing, which grows by 200 blocks of 50,000 bytes in the main
# arena with every line that it reads.
start_growing() {
	growing=ari-grow$$
	start python3 -uc 'if True:
		import sys
		open("/proc/self/comm", "w").write(sys.argv[1])
		print("ready")
		blocks = []
		for line in sys.stdin:
		    blocks += [bytearray(50000) for _ in range(200)]
		    print("grown")' "$growing"
}

grow() {
	echo grow >&"$in"
	await_line grown "$1"
}

@test "a state is an exit code and a line: OK, WARNING, CRITICAL" {
	start_truthful history 11
	run "$ARENAINSPECT" check "$pid" -m arenas -w 100 -c 200
	((status == 0))
	says 0 "arenas [0-9]+ \(history, pid $pid\) \| 'arenas'=[0-9]+;100;200;0$" -- "$pid" -m arenas -w 100 -c 200
	says 1 'arenas [0-9]+ \(WARNING: not in 1\)' -- "$pid" -m arenas -w 1 -c 200
	says 2 'arenas [0-9]+ \(CRITICAL: not in 1\)' -- "$pid" -m arenas -w 0 -c 1
	says 2 'CRITICAL: in 0:' -- "$pid" -m arenas -c @0:
	says 2 'in_use .*, arenas .*CRITICAL' -- "$pid" -m in_use -w 1 -m arenas -c 1
	says 1 'in_use .*WARNING.*, arenas' -- -m in_use -w 1 "$pid" -m arenas -c 1000
	says 0 'free_ratio 0\.[0-9]+' -- "$pid" -m free_ratio -c 100%
	says 0 'rss [0-9.]+ MiB' -- "$pid" -m rss -w 1K:1G -c 1KiB:1TiB
	says 0 'rss [0-9]+ bytes' -- "$pid" -m rss -b
}

@test "installed as check_arenainspect it is check" {
	start_target nomalloc
	ln -s "$ARENAINSPECT" "$BATS_TEST_TMPDIR/check_arenainspect"
	checker=("$BATS_TEST_TMPDIR/check_arenainspect")
	says 0 rss -- "$pid" -m rss
	says 3 'which process' -- -m rss
	says 3 "no option" -- --no-such-option
	run "${checker[@]}" --version
	((status == 3))
	[[ $output == arenainspect\ * ]]
}

@test "help and version are no state, and -v adds lines" {
	start_target nomalloc
	run "$ARENAINSPECT" check --help
	((status == 3))
	grep -q '^ *trimmable *bytes' <<<"$output"
	run "$ARENAINSPECT" check -V
	((status == 3))
	run --separate-stderr "$ARENAINSPECT" check "$pid" -m rss -w 1 -v
	((status == 1 && ${#lines[@]} == 2)) || fail "$output"
	[[ ${lines[1]} == "WARNING: rss "* ]]
	[ -z "$stderr" ]
}

@test "every metric is the document's number" {
	start_truthful history 11
	"$ARENAINSPECT" --json "$pid" >"$json"
	local name expression text asked=()
	for name in $("$ARENAINSPECT" check --help | sed -n '/^Metrics:/,/^$/s/^  \([a-z_]*\) .*/\1/p'); do
		asked+=(-m "$name")
	done
	((${#asked[@]} >= 2 * 18))
	run "$ARENAINSPECT" check "$pid" "${asked[@]}"
	while IFS=$'\t' read -r name expression; do
		text=$(jq -r "if ($expression) == null then \"U\" else ($expression) * 1000000 | round end" "$json")
		[ "$text" = U ] || text=$(jq -n "$text / 1000000")
		grep -qE "'$name'=$text(B|;)" <<<"$output" || fail "$name is not $text: $output"
	done <<-'END'
		trimmable	.totals.trimmable_bytes
		retained_top	.totals.resident.retained_top_bytes
		pinned_free	.totals.resident.pinned_free_bytes
		arenas	.totals.arenas
		idle_arenas	.totals.idle_arenas
		arena_limit	.settings.arena_limit
		limit_ratio	.process.cgroup | if .memory_max_bytes == null then null else .memory_current_bytes / .memory_max_bytes end
		in_use	.totals.in_use_bytes
		free	.totals | .free_bytes + .fast_bytes + .top_bytes + (.tcache_bytes // 0)
		free_ratio	.totals | (.free_bytes + .fast_bytes + .top_bytes + (.tcache_bytes // 0)) / .system_bytes
		overhead	.totals.overhead_bytes
		unread	.totals.unread_bytes
		unwalked	.totals.unwalked_bytes
		system	.totals.system_bytes
		mmapped	.totals.mmapped_bytes
		resident	.totals.resident.total_bytes
		attached_threads	[.arenas[].attached_threads] | add
	END
}

@test "ranges mean what Monitoring::Plugin::Range says, and the perfdata has the same" {
	start_truthful history 11
	local arenas i texts=() theirs ours=()
	arenas=$("$ARENAINSPECT" check "$pid" -m arenas | sed 's/.*=\([0-9]*\);.*/\1/')
	for i in '' . : ~ @ 1e a 0x10 5,0 1:2:3 '~:' '~:10' '~:-1' '10:~' '@~:4' '@~:' @: \
		0 1 :0 0: :10 10:5 -5 -10:-5 -10:100 +1 1e3 .5 0.5:1.5 0:0 @0:0 @:100 \
		"$arenas" "$arenas:" "~:$arenas" ":$arenas" "@$arenas" "$arenas:$arenas" "@$arenas:$arenas" \
		"$((arenas + 1)):" "@$((arenas + 1)):" "$((arenas - 1))" "@$((arenas - 1))" "$arenas.5" "$arenas.5:"; do
		texts+=("$i")
	done
	mapfile -t theirs < <(perl_plugin alerts "$arenas" "${texts[@]}")
	((${#theirs[@]} == ${#texts[@]}))
	for i in "${!texts[@]}"; do
		run "$ARENAINSPECT" check "$pid" -m arenas -c "${texts[i]}"
		case $status,${theirs[i]} in
		0,no | 2,yes) ours+=("$(sed 's/.*=[0-9]*;;\([^;]*\);0$/\1/' <<<"$output")") ;;
		3,bad) ours+=("${texts[i]}") ;;
		*) fail "'${texts[i]}' of $arenas: exit $status, and theirs is ${theirs[i]}" ;;
		esac
	done
	diff <(printf '%s\n' "${theirs[@]}") <(perl_plugin alerts "$arenas" "${ours[@]}")
	grep -qx yes <(printf '%s\n' "${theirs[@]}")
	(($(grep -cx no <(printf '%s\n' "${theirs[@]}")) > 10))
}

@test "Monitoring::Plugin reads the perfdata as it was meant" {
	start_truthful history 11
	local in_use rss
	says 1 in_use -- "$pid" -m in_use -w 1K -c 1T -m free_ratio -w 0.2:0.99999 -m rss -c '~:2.5G' -m arenas
	in_use=$(sed "s/.*'in_use'=\([0-9]*\)B.*/\1/" <<<"$output")
	rss=$(sed "s/.*'rss'=\([0-9]*\)B.*/\1/" <<<"$output")
	diff <(perfdata | sed -E 's/^((arenas|free_ratio)\|)[0-9.]+/\1N/') - <<-END
		in_use|$in_use|B|1024|1099511627776|0|
		free_ratio|N||0.2:0.99999||0|1
		rss|$rss|B||~:2684354560|0|
		arenas|N||||0|
	END
}

@test "negate turns its states around" {
	local negate=/usr/lib/nagios/plugins/negate
	[ -x "$negate" ] || skip "negate is missing (package monitoring-plugins-basic)"
	start_target nomalloc
	checker=("$negate" -s)
	says 2 rss -- "$ARENAINSPECT" check "$pid" -m rss
	checker=("$negate" -s -w CRITICAL -c WARNING)
	says 2 rss -- "$ARENAINSPECT" check "$pid" -m rss -w 1
	says 1 rss -- "$ARENAINSPECT" check "$pid" -m rss -c 1
	checker=("$negate" -s -u OK)
	says 0 'no process' -- "$ARENAINSPECT" check --comm no-such-program -m rss
}

@test "UNKNOWN: usage" {
	says 3 'which process' -- -m rss
	says 3 'check what' -- $$
	says 3 "no metric 'leaks'; there are trimmable" -- $$ -m leaks
	says 3 'no metric' -- $$ -m free_ratio_growth
	says 3 'needs --state' -- $$ -m rss_growth
	says 3 'given twice' -- $$ -m rss -m rss
	says 3 'of which metric' -- $$ -w 1 -m rss
	says 3 'has one already' -- $$ -m rss -w 1 -w 2
	says 3 'not a range' -- $$ -m rss -w many
	says 3 'not a range' -- $$ -m arenas -w 1M
	says 3 'not a range' -- $$ -m rss -w 50%
	says 3 'no option' -- $$ -m rss --no-such-option
	says 3 'needs an argument' -- $$ -m
	says 3 'neither a process id' -- nonsense -m rss
	says 3 'does not go with it' -- $$ -m rss --json
	says 3 'does not go with it' -- $$ -m rss -o index
	says 3 'judges no process' -- $$ -m rss --exit-code
	says 3 'no option --per-arena' -- $$ -m rss --per-arena
	says 3 'no --write' -- $$ -m rss --write "$json"
	says 3 'is not a time above 0' -- $$ -m rss -t 0
	# Nor when it is the argument of an option that is called as a command is.
	says 3 'is not a time above 0' -- $$ -m arenas -t 0
	says 3 'no option' -- --comm watch -m rss --no-such-option
	checker=("$ARENAINSPECT")
	says 3 'no option' -- --no-such-option check
}

@test "UNKNOWN: no such process, and nobody of that name" {
	local gone
	true &
	gone=$!
	wait "$gone"
	says 3 "$gone" -- "$gone" -m rss
	says 3 'no-such-program' -- --comm no-such-program -m rss
}

@test "UNKNOWN: not permitted, and the missing right is named" {
	need_root "to be somebody else"
	start_target nomalloc
	copy_for_nobody "$ARENAINSPECT"
	checker=(as_nobody "$public/arenainspect" check)
	says 3 CAP_SYS_PTRACE -- "$pid" -m rss
}

@test "UNKNOWN: not glibc" {
	need musl-gcc musl-tools
	musl-gcc -O1 -o "$BATS_TEST_TMPDIR/musl" "$cli/foreign/musl.c"
	start "$BATS_TEST_TMPDIR/musl"
	says 3 musl -- "$pid" -m rss
}

@test "UNKNOWN: the time is over" {
	need strace strace
	start_target nomalloc
	checker=(env ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=0"
		strace -f -qq -o "$BATS_TEST_TMPDIR/trace" -e trace=process_vm_readv
		-e inject=process_vm_readv:delay_enter=1500000:when=1 "$ARENAINSPECT" check)
	says 3 'time' -- "$pid" -m rss -t 1
}

@test "UNKNOWN: what hangs beyond all that ends by the alarm" {
	start_target nomalloc
	touch "$state"
	local target=$pid begun
	start python3 -c 'if True:
		import fcntl, sys
		file = open(sys.argv[1], "r+")
		fcntl.lockf(file, fcntl.LOCK_EX)
		print("ready", flush=True)
		sys.stdin.read()' "$state"
	begun=$SECONDS
	says 3 'time ran out' -- "$target" -m rss_growth --state "$state" -t 1
	((SECONDS - begun < 30))
}

@test "torn: decided where both bounds give the same, UNKNOWN where not" {
	local known range
	start_truthful damaged chunk-zero
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '[.arenas[] | select(.state == "torn")] | length == 1'
	known=$(jq .totals.in_use_bytes "$json")
	range="in_use between .* and [^ ]+ MiB"
	says 0 "$range \(damaged.*'in_use'=U;" -- "$pid" -m in_use -w 1G
	says 1 "$range \(WARNING" -- "$pid" -m in_use -w 1M
	says 3 "$range \(its range cannot be decided" -- "$pid" -m in_use -w "$((known + 1))"
	says 3 "$range" -- "$pid" -m in_use -w 1M -c "$((known + 1))"
	says 2 "$range \(CRITICAL" -- "$pid" -m in_use -w "$((known + 1))" -c 1M
	says 0 "'system'=[0-9]+B" -- "$pid" -m system -w 1G
}

@test "growth per second, from one run to the next" {
	start_growing
	says 0 "in_use_growth not known yet .*'in_use_growth'=U;;1000" -- "$pid" -m in_use_growth -c 1000 --state "$state"
	[ "$(stat -c %U "$state")" = "$(id -un)" ]
	says 0 "in_use_growth [+-][0-9.]+ [KB]" -- "$pid" -m in_use_growth -c 1000000 --state "$state"
	local before=$EPOCHREALTIME rate least
	grow 1
	says 2 "CRITICAL: not in 1K" -- "$pid" -m in_use_growth -w 1 -c 1K --state "$state"
	rate=$(sed "s/.*'in_use_growth'=\([0-9]*\).*/\1/" <<<"$output")
	# 10 MB in a time that is at least the second that every run waits for.
	least=$(awk -v a="$before" -v b="$EPOCHREALTIME" 'BEGIN { printf "%d", 10000000 / (b - a + 3) }')
	((rate >= least && rate <= 10500000)) || fail "$rate bytes/s is not within $least and 10500000"
	says 0 'arenas_growth not known yet' -- "$pid" -m arenas_growth --state "$state"
	says 0 "arenas_growth \+0/s" -- "$pid" -m arenas_growth -c 0:0 --state "$state"
}

@test "growth survives a restart of the process" {
	start_growing
	says 0 'not known yet' -- --comm "$growing" -m in_use_growth -c 0:0 --state "$state"
	stop
	says 3 "$growing" -- --comm "$growing" -m in_use_growth -c 0:0 --state "$state"
	start_growing
	says 0 'not known yet' -- "$pid" -m in_use_growth -c 0:0 --state "$state"
	says 0 'in_use_growth [+-]0 B/s' -- "$pid" -m in_use_growth -c -1000:1000 --state "$state"
	grow 1
	says 2 'in_use_growth \+' -- "$pid" -m in_use_growth -c 0:0 --state "$state"
}

@test "a sample of another process of that pid, boot or time is none" {
	start_target nomalloc
	local good edit
	says 0 'not known yet' -- "$pid" -m rss_growth --state "$state"
	# Ten seconds older, so that no run waits.
	good=$(awk 'NR > 1 { $5 = sprintf("%.0f", $5 - 10000000000) } 1' "$state")
	echo "$good" >"$state"
	says 0 'rss_growth \+' -- "$pid" -m rss_growth --state "$state"
	# boot, pid, start, metric, time, value
	for edit in 's/^./g/;s/^g/f/;s/^f\(.*\)/0\1/' 's/^\([^ ]* [0-9]* \)/\19/' 's/ rss / rest /' 's/ rss / rss 9/'; do
		sed "2{$edit}" <<<"$good" >"$state"
		says 0 'not known yet' -- "$pid" -m rss_growth --state "$state"
	done
}

refuses_state() {
	start_target nomalloc
	says 3 "$1" -- "$pid" -m rss_growth --state "$state"
}

@test "state: of many processes that came and went the oldest make room" {
	local boot now
	boot=$(cat /proc/sys/kernel/random/boot_id)
	now=$(awk '{ printf "%d", $1 }' /proc/uptime)
	start_target nomalloc
	# The last of them is what grows from one check to the next.
	{
		echo 'arenainspect-state 1'
		awk -v boot="$boot" -v now="$now" 'BEGIN {
			for (i = 0; i < 10000; i++)
				printf "%s %d 1 rss %d%09d 1\n", boot, 5000000 + i, now - 9, i
		}'
	} >"$state"
	says 0 'rss_growth not known yet' -- "$pid" -m rss_growth --state "$state"
	says 0 'rss_growth \+0' -- "$pid" -m rss_growth --state "$state"
	(($(wc -l <"$state") == 10001))
	! grep -q ' 5000000 ' "$state" || fail 'the oldest one is still there'
	grep -q ' 5000001 ' "$state" || fail 'another one is gone'
}

@test "state: a file is no archive, however it is called" {
	start_target nomalloc
	state=$state.zst
	says 0 'rss_growth not known yet' -- "$pid" -m rss_growth --state "$state"
	says 0 'rss_growth \+0' -- "$pid" -m rss_growth --state "$state"
}

@test "state: refuses a symbolic link" {
	ln -s "$BATS_TEST_TMPDIR/elsewhere" "$state"
	refuses_state 'symbolic link'
	[ ! -e "$BATS_TEST_TMPDIR/elsewhere" ]
}

@test "state: refuses what is not its own, and leaves it as it is" {
	echo 'root:x:0:0' >"$state"
	refuses_state "not one of arenainspect's"
	[ "$(cat "$state")" = root:x:0:0 ]
	printf 'arenainspect-state 1\nnonsense\n' >"$state"
	refuses_state damaged
	(($(wc -l <"$state") == 2))
}

@test "state: refuses what others may write to, or that has another name, or is no file" {
	touch "$state"
	chmod 664 "$state"
	refuses_state 'others may write'
	chmod 644 "$state"
	ln "$state" "$state.2"
	refuses_state 'hard link'
	rm "$state" "$state.2"
	mkdir "$state"
	refuses_state 'state file'
	rmdir "$state"
	mkfifo "$state"
	refuses_state 'not a regular file'
	state=$BATS_TEST_TMPDIR/no/such/folder
	refuses_state 'No such file'
}

@test "state: refuses another user's file" {
	need_root "to give a file away"
	touch "$state"
	chown 65534 "$state"
	refuses_state 'another user'
}

@test "state: checks at the same time wait for each other and lose nothing" {
	local pids=() checks=() each
	for _ in 1 2 3; do
		start_target nomalloc
		pids+=("$pid")
	done
	for each in "${pids[@]}"; do
		"$ARENAINSPECT" check "$each" -m rss_growth --state "$state" -t 60 3>&- &
		checks+=($!)
	done
	for each in "${checks[@]}"; do
		wait "$each"
	done
	for each in "${pids[@]}"; do
		grep -qE "^[0-9a-f-]+ $each [0-9]+ rss [0-9]+ [0-9]+$" "$state" || fail "$each is lost:" "$(cat "$state")"
	done
	(($(wc -l <"$state") == 4))
}

@test "several of a name: the worst state wins, and labels are unique" {
	local first name=ari-sev$$
	start_named "$name"
	first=$pid
	start_named "$name"
	says 0 "2 processes \| '$name.rss'=.* '$name#2.rss'=" -- --comm "$name" -m rss
	[ "$(perfdata | cut -d'|' -f1 | sort | uniq -d)" = "" ]
	(($(perfdata | wc -l) == 2))
	says 2 "2 of 2 processes: rss .* \($name, pid $first\); rss .*pid $pid" -- --comm "$name" -m rss -c 1
	start_growing
	grow 1
	says 2 "1 of 2 processes: in_use .*CRITICAL.*pid $pid" -- "$first" "$pid" -m in_use -c 5M
	true &
	wait $!
	says 3 "1 of 3 processes: pid $!: .*'$name.rss'=" -- "$first" "$pid" $! -m rss -w 1G
	says 1 "2 of 3 processes: rss" -- "$first" "$pid" $! -m rss -w 1
}

# Places that a visit tries and cannot read are no failure of it.
@test "a program without libc's file is judged as any other" {
	local static
	start_target static
	static=$pid
	says 0 'arenas [0-9]+ \(static' -- "$static" -m arenas
	start_target nomalloc
	says 0 "2 processes \| 'static.arenas'=[0-9]+;;;0 'nomalloc.arenas'=1" -- "$static" "$pid" -m arenas
	says 2 "1 of 2 processes: arenas .*static" -- "$static" "$pid" -m arenas -c @2:
}

@test "a hostile name stays within the text and its label" {
	local name=$'a|\'=#;\n'$$
	start_named "$name"
	says 0 "pid $pid\) \| 'a\\\\x7c\\\\x27\\\\x3d\\\\x23\\\\x3b\\\\x0a$$.rss'=[0-9]+B;;;0$" -- --comm "$name" -m rss
	[ "$(tr -cd '|' <<<"$output")" = '|' ]
	[[ $(perfdata) == "a\\x7c\\x27\\x3d\\x23\\x3b\\x0a$$.rss|"* ]]
}

@test "what cannot be written is UNKNOWN" {
	start_target nomalloc
	local status=0
	"$ARENAINSPECT" check "$pid" -m rss >/dev/full 2>"$json" || status=$?
	((status == 3)) || fail "exit $status"
}
