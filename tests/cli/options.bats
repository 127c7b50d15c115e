#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What every command's output looks like under the options they share.

load helper
load terminal

setup() {
	text=$BATS_TEST_TMPDIR/text
	unset NO_COLOR
	export LC_ALL=C.UTF-8 TERM=xterm
	start_truthful history 11
}

visit() {
	"$ARENAINSPECT" "$@" "$pid" >"$text"
}

visit_on_terminal() {
	on_terminal "'$ARENAINSPECT' $* $pid" | tr -d '\r' >"$text"
}

every_line() {
	local odd
	odd=$(grep -vE -m 3 -- "$1" "$text") || return 0
	fail "lines that do not match $1:" "$odd"
}

no_line() {
	local odd
	odd=$(grep -m 3 "$@" "$text") || return 0
	fail "lines that match $*:" "$(cat -v <<<"$odd")"
}

arenas_of_the_process() {
	grep -c '<heap ' "$info"
}

@test "a bare PID is a report, and the answer is its first sentence, or behind the verdict" {
	visit
	sed '/^[A-Z-]*: /,+1d; 3q' "$text" | head -1 | grep -qE '^Of .+ RSS the application holds .+; malloc_trim\(0\) would give back .+\.$'
	cp "$text" "$text.bare"
	visit report
	# what moves between two runs is numbers, and the width that they take
	diff <(sed 's/[0-9.]\+/N/g; s/  \+/ /g' "$text") <(sed 's/[0-9.]\+/N/g; s/  \+/ /g' "$text.bare")
}

@test "arenas has one row for each, heaps one for each heap" {
	visit -n arenas
	(($(wc -l <"$text") == $(arenas_of_the_process)))
	visit -n heaps
	(($(wc -l <"$text") >= $(sed -n 's/.*subheaps" size="\([0-9]*\)".*/\1/p' "$info" | awk '{ n += $1 } END { print n }')))
}

@test "-o chooses columns and +COL adds one; help lists them" {
	"$ARENAINSPECT" arenas --help >"$text"
	grep -qiw address "$text"
	grep -qiw system "$text"
	visit -o address arenas
	(($(head -1 "$text" | wc -w) == 1))
	visit -o address,system arenas
	(($(head -1 "$text" | wc -w) == 2))
	visit arenas
	local columns
	columns=$(head -1 "$text" | wc -w)
	visit -o +address arenas
	(($(head -1 "$text" | wc -w) == columns + 1))
	head -1 "$text" | grep -qw ADDRESS
}

@test "the help of a command has no option that it refuses" {
	local command refused
	for command in check metrics watch doctor; do
		"$ARENAINSPECT" "$command" --help >"$text" || :
		for refused in --core --exe; do
			! grep -qw -- "$refused" "$text" || fail "$command: $refused"
		done
	done
	for command in check metrics; do
		"$ARENAINSPECT" "$command" --help >"$text" || :
		for refused in --json --raw --pairs --noheadings --output --sort --top --exit-code; do
			! grep -qw -- "$refused" "$text" || fail "$command: $refused"
		done
	done
	"$ARENAINSPECT" watch --help >"$text"
	! grep -qwE -- '--(sort|top|exit-code)' "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" snapshot --help >"$text"
	! grep -qwE -- '--(raw|pairs|noheadings|output|sort|top)' "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" explain --help >"$text"
	! grep -qwE -- '--(json|comm|unit|core|exe|depth|timeout|exit-code)' "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" check --help >"$text" || :
	! grep -qw -- --write "$text" || fail "$(cat "$text")"
}

@test "-n leaves the headings out" {
	visit -r -o address arenas
	local rows
	rows=$(wc -l <"$text")
	visit -n -r -o address arenas
	(($(wc -l <"$text") == rows - 1))
	no_line -i address
}

@test "-b and -r give plain bytes, text gives units" {
	visit -n -o system arenas
	grep -qE '[KMG]iB' "$text"
	visit -b -n -o system arenas
	every_line '^ *[0-9]+ *$'
	visit -r -n -o system arenas
	every_line '^[0-9]+$'
	diff <(sed -n 's/<system type="current" size="\([0-9]*\)".*/\1/p' "$info" | head -n "$(arenas_of_the_process)") "$text"
}

@test "-P gives pairs that a shell can read" {
	visit -P -o address,system arenas
	every_line '^[A-Z_]+="0x[0-9a-f]+" [A-Z_]+="[0-9]+"$'
	(($(wc -l <"$text") == $(arenas_of_the_process)))
}

@test "--sort orders by a column, --top cuts" {
	visit -r -n -o system --sort -system arenas
	sort -n -c "$text"
	visit -r -n -o system --sort system arenas
	sort -rn -c "$text"
	cp "$text" "$text.all"
	visit -r -n -o system --sort system --top 2 arenas
	diff <(head -2 "$text.all") "$text"
}

@test "--json is one document for jq, and the same shape for every command" {
	need jq jq
	local command
	for command in report arenas heaps; do
		visit --json "$command"
		holds "$text" '.schema == "arenainspect/1"' '.tool.name == "arenainspect"' \
			".process.pid == $pid" '.arenas | length > 0'
		jq -r 'keys_unsorted | join(" ")' "$text" >"$text.keys.$command"
		diff "$text.keys.report" "$text.keys.$command"
	done
	"$ARENAINSPECT" -J "$pid" | jq -e .schema
}

@test "--json is what the JSON Schema says" {
	local depth
	for depth in arenas chunks pages; do
		visit --json --depth "$depth"
		valid "$text"
	done
}

@test "the JSON Schema lets nothing else pass: a key renamed, a number as text" {
	local spoil
	need jq jq
	visit --json --depth arenas
	jq . "$text" >"$text.spoiled"
	valid "$text.spoiled"
	for spoil in 'del(.arenas)' '.schema = "arenainspect/2"' '.arenas[0].system_bytes = "1"' \
		'.arenas[0].address = 1' '.arenas[0].kind = "other"' 'del(.totals.system_bytes)'; do
		jq "$spoil" "$text" >"$text.spoiled"
		run valid "$text.spoiled"
		((status == 1)) || fail "the schema lets it pass: $spoil"
		[[ $output == "$text.spoiled: ["* ]] || fail "$output"
	done
}

@test "--write makes the file whole or not at all, 0644" {
	umask 022
	"$ARENAINSPECT" --json --write "$text" arenas "$pid" >"$text.out"
	[ ! -s "$text.out" ]
	holds "$text" '.schema == "arenainspect/1"'
	[ "$(stat -c %a "$text")" = 644 ]
	echo old >"$text"
	run -3 "$ARENAINSPECT" --json --write "$text" arenas 999999999
	[ "$(cat "$text")" = old ]
	(($(find "$BATS_TEST_TMPDIR" -maxdepth 1 -name '*text*' | wc -l) == 2))
}

@test "--comm finds the one process of that name" {
	cp "$TARGETS/nomalloc" "$BATS_TEST_TMPDIR/only-one-$$"
	start "$BATS_TEST_TMPDIR/only-one-$$"
	"$ARENAINSPECT" --json --comm "$(cat "/proc/$pid/comm")" >"$text"
	holds "$text" ".process.pid == $pid"
}

@test "a name with control characters is escaped" {
	local name=$'e\e[31mvil\n"x'
	cp "$TARGETS/nomalloc" "$BATS_TEST_TMPDIR/$name"
	start "$BATS_TEST_TMPDIR/$name"
	visit
	no_line $'\e'
	visit --json
	jq -e --arg name "$name" '.process.comm == $name' "$text"
}

@test "-q says nothing besides the result, -v says more, neither on stdout" {
	run --separate-stderr "$ARENAINSPECT" -q arenas "$pid"
	((status == 0))
	[ -z "$stderr" ]
	run --separate-stderr "$ARENAINSPECT" -v arenas -n -r -o address "$pid"
	((status == 0))
	[ -n "$stderr" ]
	((${#lines[@]} == $(arenas_of_the_process)))
	run --separate-stderr "$ARENAINSPECT" -q 999999999
	((status == 3))
}

@test "--help and --version answer on stdout" {
	local option
	for option in --help -h; do
		run --separate-stderr "$ARENAINSPECT" "$option"
		((status == 0))
		grep -q 'arenas' <<<"$output"
		[ -z "$stderr" ]
	done
	for option in --version -V; do
		run --separate-stderr "$ARENAINSPECT" "$option"
		((status == 0))
		[[ $output =~ ^arenainspect\ [0-9]+\.[0-9]+ ]]
	done
}

@test "colour on a terminal only, and never against NO_COLOR or TERM=dumb" {
	visit report
	no_line $'\e\['
	visit_on_terminal --color always arenas
	grep -q $'\e\[' "$text"
	visit --color always arenas
	grep -q $'\e\[' "$text"
	visit_on_terminal --color never arenas
	no_line $'\e\['
	NO_COLOR=1 visit_on_terminal arenas
	no_line $'\e\['
	TERM=dumb visit_on_terminal arenas
	no_line $'\e\['
}

@test "ASCII only where the locale is not UTF-8" {
	local command
	for command in report arenas heaps 'heaps --pins' doctor; do
		# shellcheck disable=SC2086 # words
		LC_ALL=C "$ARENAINSPECT" $command "$pid" >"$text"
		LC_ALL=C no_line -P '[^\x00-\x7f]'
	done
}

@test "doctor tells where symbols and layout came from, and of a process that cannot be read too" {
	visit doctor
	grep -qi 'libc' "$text"
	grep -qE '^layout +symbols from (debuginfo|symtab|search), structs from (dwarf|table)' "$text"
	run "$ARENAINSPECT" doctor
	((status == 0))
}
