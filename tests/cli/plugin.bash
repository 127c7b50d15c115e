# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # what bats and helper.bash set
# What the tests of check share.

# says CODE WORDS -- ARGUMENTS…: check exits so, with one line on stdout that matches the
# words, and nothing on stderr
says() {
	local code=$1 words=$2
	local states=(OK WARNING CRITICAL UNKNOWN)
	shift 3
	run --separate-stderr "${checker[@]}" "$@"
	((status == code)) || fail "exit $status instead of $code: $*" "$output" "$stderr"
	((${#lines[@]} == 1)) || fail "${#lines[@]} lines: $*" "$output"
	[[ $output == "ARENAINSPECT ${states[code]} - "* ]] || fail "not the line of a plugin: $output"
	[ -z "$stderr" ] || fail "on stderr: $stderr"
	grep -qEi -- "$words" <<<"$output" || fail "does not say '$words': $output"
}

# perl_plugin ARGUMENTS…: plugin.pl; skips where its module is missing
perl_plugin() {
	local status=0
	"$cli/plugin.pl" "$@" 2>/dev/null || status=$?
	((status != 77)) || skip "Monitoring::Plugin is missing (package libmonitoring-plugin-perl)"
	return "$status"
}

# perfdata: label|value|unit|warning|critical|min|max of each datum of $output
perfdata() {
	perl_plugin perfdata <<<"${lines[0]}"
}
