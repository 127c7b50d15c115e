# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A control group with a limit to its memory, for the time of a test.

# The system's own hierarchies; what another run of the tests has mounted goes with it.
mounted_hierarchies() {
	awk '($3 == "cgroup" && $4 ~ /(^|,)memory(,|$)/ || $3 == "cgroup2") && $2 ~ "^/sys/" { print $2 }' /proc/mounts
}

# make_group BYTES HIERARCHY…: a control group with that limit to its memory, of version 1
# or 2, into $group, and the name of its use into $usage
make_group() {
	local root limit name=arenainspect-test-$$
	for root in "${@:2}"; do
		group=$root/$name
		mkdir "$group" 2>/dev/null || continue
		for usage in memory.usage_in_bytes memory.current; do
			limit=${usage/usage/limit} limit=${limit/current/max}
			if [ -e "$group/$limit" ] && echo "$1" 2>/dev/null >"$group/$limit"; then
				return 0
			fi
		done
		rmdir "$group"
	done
	group=
	return 1
}

# limited_group BYTES: the same, with a hierarchy mounted for it where there is none;
# skips where that is not to be had
limited_group() {
	local options
	need_root 'a control group'
	# shellcheck disable=SC2046 # one word each
	make_group "$1" $(mounted_hierarchies) && return
	hierarchy=$BATS_TEST_TMPDIR/hierarchy
	mkdir "$hierarchy"
	for options in '-t cgroup -o memory' '-t cgroup2'; do
		# shellcheck disable=SC2086 # two words or more
		mount $options none "$hierarchy" 2>/dev/null || continue
		make_group "$1" "$hierarchy" && return
		umount "$hierarchy"
	done
	rmdir "$hierarchy"
	hierarchy=
	skip 'no control group with a limit can be made here'
}

# After end_all.
remove_group() {
	if [ -n "${group:-}" ]; then
		await rmdir "$group" 2>/dev/null
	fi
	if [ -n "${hierarchy:-}" ]; then
		umount "$hierarchy"
	fi
}

# start_in_group COMMAND…
start_in_group() {
	# shellcheck disable=SC2016 # for the other shell
	start bash -c 'echo $$ >"$1/cgroup.procs" && exec "${@:2}"' - "$group" "$@"
}
