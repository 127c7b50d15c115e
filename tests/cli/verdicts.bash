# shellcheck shell=bash
# shellcheck disable=SC2154 # helper.bash and oracle.bash set what is used here
# SPDX-License-Identifier: Apache-2.0
# Whether a verdict is found in a process that shows it, and not in one that comes near.

# Those that any user's process can show, as targets/verdicts.c names them.
# shellcheck disable=SC2034 # for the tests
plain=(trimmable pinned-free retained-top pinned-by-one idle-arenas mmap-limit arena-limit application-holds-it
	outside-malloc already-returned)

# judge: visits process $pid, into $json
judge() {
	"$ARENAINSPECT" --json "$pid" >"$json"
}

# names: of what was found
names() {
	jq -r '.findings[].id' "$json"
}

# is_found ID: and says so in numbers that are those of the document
is_found() {
	names | grep -qx "$1" || fail "$1 is not found, but: $(names | paste -sd ' ')"
	jq -e --arg id "$1" '.findings[] | select(.id == $id) | (.message | test("[0-9]")) and
		(.advice | length) > 20 and (.evidence | length) > 0 and all(.evidence[]; . != null)' "$json" >/dev/null ||
		fail "$(jq .findings "$json")"
}

is_not_found() {
	! names | grep -qx "$1" || fail "$1 is found: $(jq -c .findings "$json")"
}

# start_scenario NAME SEED
start_scenario() {
	start_target verdicts "$1" "$2"
}

# both START NAME SEED: the verdict is found where it is shown, and not where it comes
# near, today and the next time
both() {
	local id=${2^^} first
	"$1" "$2" "$3"
	judge
	is_found "$id"
	first=$(names)
	judge
	[ "$first" = "$(names)" ] || fail "$2 $3: first $first, then $(names)"
	[ "$3" != "${list%% *}" ] || valid "$json" # one of a kind will do
	stop
	"$1" "$2-not" "$3"
	judge
	is_not_found "$id"
	stop
}

# each_of START NAME…: with the seeds of $list
each_of() {
	local start=$1 name
	shift
	for seed in $list; do
		for name; do
			both "$start" "$name" "$seed" || fail "$name, seed $seed"
		done
	done
}

# beside NAME SEED: with $library preloaded; of the near miss its file is only looked into
beside() {
	if [[ $1 = *-not ]]; then
		start env LIBRARY="$library" "$TARGETS/verdicts" "$1" "$2"
	else
		start env LD_PRELOAD="$library" "$TARGETS/verdicts" "$1" "$2"
	fi
	grep -q "$library" "/proc/$pid/maps" || fail "$library is not mapped"
}

# in_group NAME SEED: in the control group $group
in_group() {
	# shellcheck disable=SC2016 # for the other shell
	start bash -c 'echo $$ >"$1/cgroup.procs" && exec "${@:2}"' - "$group" "$TARGETS/verdicts" "$1" "$2"
}
