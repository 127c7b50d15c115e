#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What `make install` puts where, below a folder of the test's own.

load helper

setup() {
	top=$(cd "$cli/../.." && pwd)
	dest=$BATS_TEST_TMPDIR/dest
	# The program is taken as it is: tests make none anew.
	MAKEFLAGS='' make -s -C "$top" SAN="${SAN:-}" -o "${ARENAINSPECT#"$top"/}" install DESTDIR="$dest" PREFIX=/usr
}

# same WHERE FILE…: each of the files is there as it is here
same() {
	local where=$dest/usr/$1 each
	shift
	for each; do
		cmp "$each" "$where/${each##*/}"
		[ "$(stat -c %a "$where/${each##*/}")" = 644 ] || fail "$where/${each##*/}: not 644"
	done
	diff <(ls "$where") <(printf '%s\n' "${@##*/}" | sort)
}

@test "the program, which is a plugin, too" {
	cmp "$ARENAINSPECT" "$dest/usr/bin/arenainspect"
	[ "$(stat -c %a "$dest/usr/bin/arenainspect")" = 755 ]
	run -3 "$dest/usr/lib/nagios/plugins/check_arenainspect" -m rss
	[[ $output == 'ARENAINSPECT UNKNOWN - which process?'* ]] || fail "$output"
}

@test "manual pages, schemas, completion" {
	local each
	same share/man/man1 "$top"/man/*.1
	same share/man/man7 "$top"/man/*.7
	for each in "$top"/lib/snapshot/*.schema.json; do
		cmp "$each" "$dest/usr/share/arenainspect/${each##*/}"
	done
	cmp "$top/scripts/completion" "$dest/usr/share/bash-completion/completions/arenainspect"
}

# offers WORDS EXPECTED…: what the completion makes of the last of the words of the line
offers() {
	local line
	read -ra line <<<"$1."
	shift
	COMP_WORDS=("$ARENAINSPECT" "${line[@]}")
	COMP_CWORD=${#line[@]}
	COMP_WORDS[COMP_CWORD]=${line[-1]%.}
	COMPREPLY=() offered=
	_arenainspect
	diff <(printf '%s\n' "$@") <(printf '%s\n' "${COMPREPLY[@]}") || fail "${COMP_WORDS[*]}"
}

@test "the completion offers what the program takes" {
	# shellcheck source=scripts/completion
	. "$dest/usr/share/bash-completion/completions/arenainspect"
	compopt() { offered=$*; }
	offers 'sn' snapshot
	offers 'report --dep' --depth
	offers 'report --depth ' arenas chunks pages
	offers 'report --symbols d' debuginfo
	offers '--color ' auto always never
	offers 'threads -o tid,tcache_' tid,tcache_chunks
	offers 'threads --sort ns' ns_tid
	offers 'check -m limit_' limit_ratio
	offers 'explain RETAINED-' RETAINED-TOP
	offers 'diff --after 1h' 1h
	offers 'report --jobs ' ''
	offers 'check -m rss -w ' ''
	offers 'report -t 9' ''
	[ -z "$offered" ]
	offers 'report --write ' ''
	[ "$offered" = '-o default' ]
	offers 'report --debug-dir ' ''
	[ "$offered" = '-o dirnames' ]
}

@test "the kit, whose service runs the program that was installed" {
	local kit=$dest/usr/share/arenainspect/kit
	diff <(ls "$top/scripts/kit") <(ls "$kit")
	grep -q '^ExecStart=/usr/bin/arenainspect metrics ' "$kit/arenainspect-metrics.service"
	diff "$top/scripts/kit/arenainspect-metrics.service" "$kit/arenainspect-metrics.service" >"$BATS_TEST_TMPDIR/said" || :
	(($(grep -c '^>' "$BATS_TEST_TMPDIR/said") == 1)) || fail "$(cat "$BATS_TEST_TMPDIR/said")"
}
