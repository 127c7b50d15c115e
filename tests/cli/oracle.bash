# shellcheck shell=bash
# shellcheck disable=SC2154 # helper.bash sets what start_truthful leaves
# SPDX-License-Identifier: Apache-2.0
# What the comparisons with the truth share.

setup() {
	json=$BATS_TEST_TMPDIR/ours.json
}

seeds() {
	if [ -n "${SEEDS:-}" ]; then
		echo "$SEEDS"
	else
		od -An -N80 -w80 -tu4 /dev/urandom
	fi
}

# visit ARGUMENTS…: into $json; the process must not have moved meanwhile
visit() {
	cp "$info" "$info.before"
	"$ARENAINSPECT" --json "$@" "$pid" >"$json"
	ask_info
	cmp "$info.before" "$info" || fail "the target did not rest"
}

# histories COMPARE-ARGUMENTS -- VISIT-ARGUMENTS
histories() {
	local compare=() seed list failed=()
	while [ "$1" != -- ]; do
		compare+=("$1")
		shift
	done
	shift
	list=$(seeds)
	echo "# seeds:$list" >&3
	for seed in $list; do
		start_truthful history "$seed"
		visit "$@"
		echo "seed $seed:"
		"$cli/compare.py" "${compare[@]}" "$info" "$truth" "$json" || failed+=("$seed")
		stop
	done
	((${#failed[@]} == 0)) || fail "seeds that differ: ${failed[*]}"
}

# visit_busy N LEAST: N visits to a process that never rests.  Each ends well and is valid;
# quiet arenas in the midst of it are exact every time; at least LEAST per cent of all
# arenas visited are walked from end to end.  The rates are printed.
visit_busy() {
	local i status unreadable=0 documents=$BATS_TEST_TMPDIR/busy
	mkdir "$documents"
	start_truthful busy
	for ((i = 0; i < $1; i++)); do
		status=0
		json=$documents/$i.json
		timeout 60 "$ARENAINSPECT" --json "$pid" >"$json" || status=$?
		if ((status == 6)); then
			unreadable=$((unreadable + 1))
			rm "$json"
			continue
		fi
		((status == 0)) || fail "visit $i: exit $status"
		"$cli/compare.py" --last 3 --chunks "$info" "$truth" "$json" >"$json.said" ||
			fail "visit $i" "$(cat "$json.said")"
	done
	valid "$documents"/*.json
	echo "# $1 visits, $unreadable unreadable; $(busy_rates "$documents"/*.json)" >&3
	jq -en --argjson least "$2" \
		'[inputs.arenas[]] | (map(select('"$whole"')) | length) * 100 >= length * $least' \
		"$documents"/*.json || fail "too few arenas were walked from end to end"
	((unreadable * 100 <= $1 * (100 - $2))) || fail "$unreadable visits told nothing"
}

whole='.state != "torn" and .unwalked_bytes == 0'

# busy_rates DOCUMENT…: what became of all arenas in them, as one line
busy_rates() {
	jq -rn '[inputs.arenas[]] | length as $all | map(select('"$whole"')) as $whole |
		"\($all) arenas, \(($whole | length) * 1000 / $all | floor / 10) % walked whole, " +
		"\(map(select(.state == "busy")) | length) with their lock held; damage: " +
		"\([.[].damage[].id] | group_by(.) | map("\(.[0]) \(length)") | join(", "))"' "$@"
}
