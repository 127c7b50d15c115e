#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every command has a manual page and a test, and the manual has what --help has.
# Each check prints what it misses; the last test gives it something to miss.

load helper

setup() {
	top=$cli/../..
	list=$top/cmd/commands.def
	man=$top/man
	help=$BATS_TEST_TMPDIR/help
}

# commands [LIST]: their names
commands() {
	sed -n 's/^COMMAND(\([a-z]*\))$/\1/p' "${1:-$list}"
}

# A line of a test that calls the tool, or one of the functions that do, with the command.
tested() {
	local runs='"\$ARENAINSPECT"|visit(_on_terminal)?|untouched|traced|ends|histories'
	find "$cli" -name '*.bats' ! -name docs.bats -exec \
		grep -qE "^[^#]*($runs)( .*)? $1( |\$)" {} +
}

# without_page_or_test LIST
without_page_or_test() {
	local name
	for name in $(commands "$1"); do
		[ -e "$man/arenainspect-$name.1" ] || echo "$name: no manual page man/arenainspect-$name.1"
		tested "$name" || echo "$name: no test in tests/cli runs it"
		grep -q "^\.It Cm $name " "$man/arenainspect.1" || echo "$name: not among the commands of man/arenainspect.1"
		grep -q "^\.Xr arenainspect-$name 1" "$man/arenainspect.1" || echo "$name: man/arenainspect.1 does not point to its page"
		grep -q "arenainspect $name " "$top/README.md" || echo "$name: README.md does not show it"
	done
}

# section TITLE HELP: the lines of one section of a help text
section() {
	awk -v title="$1" '/^[A-Z].*:$/ { on = index($0, title) == 1; next } on && NF' "$2"
}

# options_of TITLE HELP: "-J --json" or "--sort", as the page writes them: "J , -json", "-sort"
options_of() {
	section "$1" "$2" | sed -n 's/^  -\(.\), -\(-[a-z-]*\) .*/\1 , \2/p; s/^      -\(-[a-z-]*\) .*/\1/p'
}

options_in() {
	sed -n 's/^\.It Fl \(. , \)\{0,1\}\(-[a-z-]*\).*/\1\2/p' "$1"
}

# other_options TITLE HELP PAGE: those that only the help, or only the page has
other_options() {
	local page=${3##*/}
	diff <(options_of "$1" "$2" | sort) <(options_in "$3" | sort) |
		sed -n "s/^< /$page lacks the option /p; s/^> /$page has an option that --help lacks: /p"
}

# help_of COMMAND: its help, into $help; that of a plugin is no state, which is 3
help_of() {
	local status=0
	"$ARENAINSPECT" "$1" --help >"$help" || status=$?
	((status == 0)) || [ "$1,$status" = check,3 ]
}

# columns_of HELP: name, blank, description; of metrics, too
columns_of() {
	{ section 'Columns of' "$1" && section Metrics "$1"; } |
		sed -nE 's/^[ *] ([a-z_]+) +(bytes|size|share|count|index|address|yes or no|word|text)  +(.*)$/\1 \3/p'
}

# columns_in PAGE: the same; "Bytes, with -o only:" is left out, and the full stop
columns_in() {
	sed -n '/^\.Sh \(COLUMNS\|METRICS\)/,/^\.Sh [^CM]/p' "$1" | awk '
		/^\./ { if (name != "" && !/^\.Fl/) { print name text; name = "" } }
		/^\.It Cm / { name = $3; text = "" }
		/^[^.]/ { text = text " " $0 }' |
		sed -E 's/^([a-z_]+) [A-Z][a-z ]*(, with only)?: (.*)\.$/\1 \3/'
}

# columns_page PAGE: the page that lists its columns: its own, or the one it names
columns_page() {
	local other
	other=$(sed -n '/^\.Sh \(COLUMNS\|METRICS\)/,/^\.Sh [^CM]/s/^\.Xr \(arenainspect-[a-z]*\) 1 \.$/\1/p' "$1" | head -n 1)
	if [ -n "$other" ] && ! grep -q '^\.It Cm' <(sed -n '/^\.Sh \(COLUMNS\|METRICS\)/,/^\.Sh [^CM]/p' "$1"); then
		echo "$man/$other.1"
	else
		echo "$1"
	fi
}

# other_columns HELP PAGE: as other_options
other_columns() {
	local page
	page=$(columns_page "$2")
	diff <(columns_of "$1" | sort) <(columns_in "$page" | sort) |
		sed -n "s/^< /${page##*/} lacks the column /p; s/^> /${page##*/} has a column that --help lacks: /p"
}

nothing() {
	[ -z "$1" ] || fail "$1"
}

@test "every command has a manual page, a test, and its place in arenainspect(1) and the README" {
	(($(commands | wc -l) >= 5))
	nothing "$(without_page_or_test "$list")"
}

@test "every page of the manual is one of a command" {
	local page name
	for page in "$man"/arenainspect-*.1; do
		name=${page##*/arenainspect-} name=${name%.1}
		commands | grep -qx "$name" || fail "$page: there is no command $name"
	done
}

@test "arenainspect(1) has the options of --help, and no others" {
	"$ARENAINSPECT" --help >"$help"
	(($(options_of Options: "$help" | wc -l) >= 15))
	nothing "$(other_options Options: "$help" "$man/arenainspect.1")"
}

@test "the page of a command has its own options, and no others" {
	local name
	for name in $(commands); do
		help_of "$name"
		nothing "$(other_options 'Options of this command:' "$help" "$man/arenainspect-$name.1")"
	done
}

@test "the page of a command has its columns, in the words of --help" {
	local name
	for name in $(commands); do
		help_of "$name"
		! grep -q '^Columns of' "$help" || (($(columns_of "$help" | wc -l) >= 4)) || fail "$name: no columns in its help"
		nothing "$(other_columns "$help" "$man/arenainspect-$name.1")"
	done
}

@test "what is missing is named: a command, an option, a column" {
	local said
	{
		cat "$list"
		echo 'COMMAND(nonesuch)'
	} >"$BATS_TEST_TMPDIR/commands.def"
	said=$(without_page_or_test "$BATS_TEST_TMPDIR/commands.def")
	(($(grep -c '^nonesuch: ' <<<"$said") == 5)) || fail "$said"

	"$ARENAINSPECT" bins --help | sed \
		-e 's/^      --sizes /      --halves /' \
		-e 's/^  -J, --json/  -j, --json/' \
		-e 's/^\* chunks .*/* lumps              count      lumps in it/' \
		-e 's/their sizes added up/their weights added up/' >"$help"
	diff <(other_options 'Options of this command:' "$help" "$man/arenainspect-bins.1" | sort) <(
		echo 'arenainspect-bins.1 has an option that --help lacks: -sizes'
		echo 'arenainspect-bins.1 lacks the option -halves'
	)
	diff <(other_options Options: "$help" "$man/arenainspect.1" | sort) <(
		echo 'arenainspect.1 has an option that --help lacks: J , -json'
		echo 'arenainspect.1 lacks the option j , -json'
	)
	said=$(other_columns "$help" "$man/arenainspect-bins.1")
	grep -qx 'arenainspect-bins.1 lacks the column lumps lumps in it' <<<"$said"
	grep -qx 'arenainspect-bins.1 has a column that --help lacks: chunks chunks in it' <<<"$said"
	grep -qx 'arenainspect-bins.1 lacks the column bytes their weights added up' <<<"$said"
}
