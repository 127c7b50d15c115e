# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # the tests use what is set here, and helper.bash sets what is used
# SPDX-License-Identifier: Apache-2.0
# Processes that grow in one way, or in none (tests/targets/growing.c), and what diff must
# say of them.

setup() {
	json=$BATS_TEST_TMPDIR/diff.json
	before=$BATS_TEST_TMPDIR/before.json
	export LC_ALL=C.UTF-8
}

ways='in-use free arenas mmapped outside rest frees trims few'

# The verdicts, of which the last four have none.
verdict_of() {
	case $1 in
	rest | frees | trims | few) echo '' ;;
	*) echo "GROWING-${1^^}" ;;
	esac
}

# before WAY SEED: a process of that kind, and $before, a snapshot
before() {
	start_target growing "$@"
	"$ARENAINSPECT" snapshot --write "$before" "$pid"
}

grow() {
	echo grow >&"$in"
	await_line grown
}

# said WORD: what the target says of it
said() {
	sed -n "s/^$1 //p" "$out"
}

# The size class that the target has allocated from is the one that is named.
# shellcheck disable=SC2016 # an expression of jq
names_size() {
	local size
	size=$(said size)
	[ -n "$size" ] || fail 'the target did not say its size'
	holds "$json" ".findings[0] | .evidence.size_from_bytes <= $size and (.evidence.size_to_bytes // infinite) >= $size" \
		'.findings[0] | .evidence.size_grown_bytes >= .evidence.grown_bytes / 2' \
		'.findings[0] | .evidence.size_from_bytes as $from | .message | test("chunks of \($from)\\b")'
}

names_kind() {
	local kind
	kind=$(said kind)
	holds "$json" ".findings[0] | .evidence.$kind >= .evidence.grown_bytes / 2 and (.message | endswith(\"$kind\"))"
}

# is_named WAY: by $json, it alone
is_named() {
	local found verdict
	found=$(jq -r '.findings | map(.id) | join(" ")' "$json")
	verdict=$(verdict_of "$1")
	[ "$found" = "$verdict" ] || fail "'$found' instead of '$verdict'" "$(jq -c .findings "$json")"
	case $1 in
	in-use) names_size ;;
	outside) names_kind ;;
	esac
}

# every_way N: each with N seeds
every_way() {
	local way seed wrong=()
	for way in $ways; do
		for seed in ${SEEDS:-$(od -An -N$((4 * $1)) -w80 -tu4 /dev/urandom)}; do
			before "$way" "$seed"
			grow
			"$ARENAINSPECT" diff --json "$before" "$pid" >"$json"
			(is_named "$way") || wrong+=("$way $seed")
			stop
		done
	done
	valid "$json"
	((${#wrong[@]} == 0)) || fail "wrong: ${wrong[*]}"
}
