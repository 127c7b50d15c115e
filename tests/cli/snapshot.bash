# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Snapshots, and what the commands say of them; $snapshot is the file.
# shellcheck disable=SC2154 # what helper.bash and the tests set

# taken TARGET ARGUMENTS…: a target at rest, and its snapshot
taken() {
	start_truthful "$@"
	"$ARENAINSPECT" snapshot --write "$snapshot" "$pid"
}

# The commands that read a process, with the options that change what they say; map needs
# snapshots of its own, and has them in map.bats.
readings() {
	printf '%s\n' '' report 'report -v -b' arenas 'arenas -r -o +address,damage' \
		'arenas -o +names' 'threads --group' \
		'arenas -P --sort trimmable --top 3' heaps 'heaps -r' 'heaps --pins' \
		'heaps --pins -P' bins 'bins --arena all' 'bins --sizes -r' 'bins --sizes --arena 1'
	local name
	while read -r name; do
		# those that others write, if a PID is all they want
		"$ARENAINSPECT" "$name" --help | grep -qx "Usage: arenainspect $name \[OPTIONS\] PID" || continue
		[[ $name =~ ^(report|arenas|heaps|bins|snapshot|map)$ ]] || echo "$name"
	done < <(sed -n 's/^COMMAND(\([a-z]*\))$/\1/p' "$cli/../../cmd/commands.def")
}

# says_the_same FILE ARGUMENTS…: of the process and of the file; notes, too
says_the_same() {
	local file=$1 live=0 later=0
	shift
	"$ARENAINSPECT" "$@" "$pid" >"$snapshot.live" 2>"$snapshot.live.err" || live=$?
	"$ARENAINSPECT" "$@" "$file" >"$snapshot.later" 2>"$snapshot.later.err" || later=$?
	((live == later)) || fail "$*: exit $live live, $later from the snapshot" "$(cat "$snapshot.later.err")"
	diff "$snapshot.live" "$snapshot.later" || fail "$* says something else of a snapshot"
	[[ " $* " == *' -v '* ]] || diff "$snapshot.live.err" "$snapshot.later.err"
	[ -s "$snapshot.live" ] || fail "$* says nothing"
}

# lies COUNT: well-formed snapshots that lie, made of $snapshot, are said or refused by
# every command, diff too, and crash none
lies() {
	need python3 python3
	local reading file code taken=0
	mkdir "$snapshot.lies"
	python3 "$cli/spoil.py" "$snapshot" "$1" "$snapshot.lies"
	for file in "$snapshot.lies"/*.json; do
		while read -r reading; do
			code=0
			# shellcheck disable=SC2086 # words
			"$ARENAINSPECT" $reading "$file" >"$snapshot.text" 2>&1 || code=$?
			case $code in
			0) taken=$((taken + 1)) ;;
			2 | 6 | 7) ;;
			*) fail "exit $code: $reading ${file##*/}" "$(tail -n 40 "$snapshot.text")" ;;
			esac
		done < <(readings | grep -vE -- '^$|-[rPb]')
		code=0
		"$ARENAINSPECT" diff --force "$snapshot" "$file" >"$snapshot.text" 2>&1 || code=$?
		[[ $code =~ ^[0267]$ ]] || fail "exit $code: diff ${file##*/}" "$(tail -n 40 "$snapshot.text")"
	done
	# most are taken: it is the commands that are tried
	((taken > $1 * 4)) || fail "only $taken of the lies were taken"
}
