#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Processes in containers: namespaces of their own and another release of Debian as their
# root, looked at from outside and from beside them; units, ids and quotas of groups.

load helper
load oracle
load suites

setup_file() {
	fetch_suites
}

setup() {
	json=$BATS_TEST_TMPDIR/ours.json
	text=$BATS_TEST_TMPDIR/text
}

teardown() {
	end_all
	rm -rf "${public:-}"
	remove_groups
}

# Another release than that of this system.
other_suite() {
	local here
	here=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	if [ "$here" = trixie ]; then echo bookworm; else echo trixie; fi
}

only_child() {
	local child
	child=$(tr -d ' ' <"/proc/$1/task/$1/children")
	[ -n "$child" ] && echo "$child"
}

# start_contained TARGET ARGUMENTS…: in pid, mount and user namespaces of its own, in a
# root folder that this test may spoil; $pid is the process as this system sees it
start_contained() {
	need_root 'namespaces'
	suite "$(other_suite)"
	copy_root
	unshare "${contained[@]}" true 2>/dev/null || skip 'no such namespaces can be made here'
	namespace=(unshare "${contained[@]}")
	start_truthful_in_root "$@"
	await only_child "$pid" >/dev/null
	pid=$(only_child "$pid")
}

contained=(--user --map-root-user --pid --fork --kill-child --mount)

# The document's own pid is ours; the process only knows the one in its namespace.
as_inside() {
	jq '.process.pid = .process.ns_pid' "$1" >"$1.inside"
}

# to_the_last_row [COMMAND…]: what the tool, run by the command, says is malloc_info's
to_the_last_row() {
	cp "$info" "$info.before"
	"$@" "$ARENAINSPECT" --json "$seen_as" >"$json" || fail "exit $?: $*"
	ask_info
	cmp "$info.before" "$info" || fail 'the target did not rest'
	as_inside "$json"
	"$cli/compare.py" --heaps 3 --chunks "$info" "$truth" "$json.inside" || fail 'they differ'
	holds "$json" '.process.ns_pid == 1' '.quality.consistent' '.allocator.malloc_provider == "glibc"' \
		'.libc.version as $version | "'"$(cat "$suites/$(other_suite)-amd64.version")"'" | startswith($version)'
}

replace_libc() {
	cp /bin/true "$libc.new"
	mv "$libc.new" "$libc"
	grep -q 'libc.* (deleted)$' "/proc/$pid/maps"
}

@test "from outside: another release in its own namespaces, its libc replaced, then deleted" {
	start_contained history "${SEEDS:-$RANDOM}"
	seen_as=$pid
	[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ]
	[ "$(readlink "/proc/$pid/ns/pid")" != "$(readlink /proc/self/ns/pid)" ]
	to_the_last_row
	holds "$json" ".process.pid == $pid"
	"$ARENAINSPECT" doctor "$pid" >"$text"
	grep -qxE "namespace +process $pid is 1 in a pid namespace of its own" "$text" || fail "$(cat "$text")"
	replace_libc
	to_the_last_row
	rm "$libc"
	to_the_last_row
}

@test "debug files are found below the root of the process" {
	start_contained history "${SEEDS:-$RANDOM}"
	seen_as=$pid
	mkdir -p "$root/usr/lib"
	cp -a "$suites/$(other_suite)-amd64-dbg/usr/lib/debug" "$root/usr/lib/debug"
	"$ARENAINSPECT" --json --symbols debuginfo "$pid" >"$json"
	holds "$json" '.libc.symbol_source == "debuginfo"' '.libc.layout_source == "dwarf"'
	[[ $(jq -r .libc.debug_file "$json") = */root/usr/lib/debug/.build-id/* ]]
}

# ---- from a container beside it ----

# with_rights CAPABILITIES COMMAND…: as a user who owns nothing, with these alone, in the
# pid namespace of the process and with a /proc of that
with_rights() {
	local caps=-all,$1
	shift
	# shellcheck disable=SC2016 # for the other shell
	nsenter --pid="/proc/$pid/ns/pid" unshare "${beside[@]}" sh -c 'mount -t proc proc /proc && exec "$@"' - \
		setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps="$caps" --ambient-caps="$caps" \
		--bounding-set="$caps" "$@"
}

# Its pid namespace alone is its own: that of the users must be ours, as a container's
# mostly is, for capabilities of the host to count.
start_beside() {
	local probe=$BATS_TEST_TMPDIR/probe
	contained=(--pid --fork --kill-child --mount)
	beside=(--mount)
	mkdir -p "$probe"
	if ! unshare --mount true 2>/dev/null; then
		contained+=(--propagation unchanged)
		beside+=(--propagation unchanged)
	fi
	# shellcheck disable=SC2016 # for the other shell
	unshare --pid --fork "${beside[@]}" sh -c 'mount -t proc proc "$1"' - "$probe" 2>/dev/null ||
		skip 'no /proc can be mounted for a namespace here'
	! mountpoint -q "$probe" || { umount "$probe" && skip 'mounts do not stay in their namespace here'; }
	copy_for_nobody "$ARENAINSPECT"
	ARENAINSPECT=$public/arenainspect
	start_contained "$@"
	seen_as=1
}

rights=+sys_ptrace,+dac_read_search

@test "from beside: with the rights that the manual names, and no others" {
	start_beside history "${SEEDS:-$RANDOM}"
	to_the_last_row with_rights "$rights"
	holds "$json" '.process.pid == 1' '.process.rss_bytes > 0' '.totals.trimmable_bytes != null'
}

@test "from beside: a libc that was replaced wants one right more, which is named" {
	start_beside history "${SEEDS:-$RANDOM}"
	replace_libc
	run --separate-stderr with_rights "$rights" "$ARENAINSPECT" 1
	((status == 4)) || fail "exit $status" "$stderr"
	grep -q CAP_CHECKPOINT_RESTORE <<<"$stderr" || fail "$stderr"
	to_the_last_row with_rights "$rights,+checkpoint_restore"
	rm "$libc"
	to_the_last_row with_rights "$rights,+checkpoint_restore"
}

@test "from beside: without them it is refused, or knows less, and they are named" {
	start_beside history "${SEEDS:-$RANDOM}"
	local caps
	for caps in +net_raw +dac_read_search; do
		run --separate-stderr with_rights "$caps" "$ARENAINSPECT" 1
		((status == 4)) || fail "$caps: exit $status" "$stderr"
		grep -q 'CAP_DAC_READ_SEARCH' <<<"$stderr" || fail "$caps: $stderr"
		grep -q 'CAP_SYS_PTRACE' <<<"$stderr" || fail "$caps: $stderr"
	done
	# Memory may be read, and what is resident not be looked up.
	with_rights +sys_ptrace "$ARENAINSPECT" --json 1 >"$json"
	holds "$json" '.totals.trimmable_bytes == null' '.totals.arenas > 1' \
		'[.quality.notes[] | select(test("CAP_DAC_READ_SEARCH"))] | length > 0'
	with_rights +sys_ptrace "$ARENAINSPECT" doctor -r -n -o check,ok 1 | grep -qx 'pagemap no'
	# and no part of a sum is given for the whole
	with_rights +sys_ptrace "$ARENAINSPECT" bins -r -n -o chunks 1 >"$text"
	! grep -qE '[0-9]' "$text" || fail "$(cat "$text")"
	with_rights +sys_ptrace "$ARENAINSPECT" scan >"$text"
	head -1 "$text" | grep -qE 'give back an unknown amount|give back at least' || fail "$(cat "$text")"
}

# ---- groups ----

groups_made=()

remove_groups() {
	local each
	for each in "${groups_made[@]}"; do
		await rmdir "$each" 2>/dev/null
	done
	[ -z "${hierarchy:-}" ] || umount "$hierarchy"
}

# hierarchy_of CONTROLLER: where groups with it, of version 1 or 2, can be made, into $top;
# mounted if need be.  "-": any.
hierarchy_of() {
	local type options
	while read -r top type options; do
		can_limit "$1" && return
	done < <(awk '$3 ~ /^cgroup2?$/ && $2 ~ "^/sys/" { print $2, $3, $4 }' /proc/mounts)
	hierarchy=$BATS_TEST_TMPDIR/hierarchy
	mkdir "$hierarchy"
	top=$hierarchy
	for options in '-t cgroup2' "-t cgroup -o ${1/-/none,name=arenainspect}"; do
		# shellcheck disable=SC2086 # two words or more
		mount $options none "$hierarchy" 2>/dev/null || continue
		can_limit "$1" && return
		umount "$hierarchy"
	done
	hierarchy=
	skip "no control group can be made here ($1)"
}

# Whether a group below $top has the controller's file.
can_limit() {
	local probe=$top/arenainspect-probe-$$ file=cgroup.procs found=0
	mkdir "$probe" 2>/dev/null || return 1
	if [ "$1" = cpu ]; then
		[ -e "$probe/cpu.max" ] || [ -e "$probe/cpu.cfs_quota_us" ] || found=1
	fi
	[ -e "$probe/$file" ] || found=1
	rmdir "$probe"
	return $found
}

# make_group PATH: below $top, into $group
make_group() {
	local part
	group=$top
	for part in ${1//\// }; do
		group=$group/$part
		[ ! -d "$group" ] || continue
		mkdir "$group"
		groups_made=("$group" "${groups_made[@]}")
	done
}

# start_in_group COMMAND…
start_in_group() {
	# shellcheck disable=SC2016 # for the other shell
	start bash -c 'echo $$ >"$1/cgroup.procs" && exec "${@:2}"' - "$group" "$@"
}

@test "--unit: the one process of a unit; several are listed; none is none" {
	local unit=arenainspect-test-$$.service first
	need_root 'a control group'
	hierarchy_of -
	make_group "arenainspect-$$.slice/$unit"
	start_in_group "$TARGETS/nomalloc"
	first=$pid
	"$ARENAINSPECT" --json --unit "$unit" >"$json"
	holds "$json" ".process.pid == $pid" ".process.cgroup.unit == \"$unit\"" '.process.cgroup.container == null'
	"$ARENAINSPECT" --unit "${unit%.service}" >"$text"
	grep -qE "^runs in +unit $unit \(" "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" scan --unit "$unit" | grep -qE "^ *$pid .* nomalloc +$unit "
	"$ARENAINSPECT" watch --unit "$unit" -n 0.1 2 >"$text"
	(($(wc -l <"$text") == 2)) || fail "$(cat "$text")"
	"$ARENAINSPECT" check --unit "$unit" -m arenas -w 1 | grep -q "^ARENAINSPECT OK - arenas 1 (nomalloc, pid $pid) | 'nomalloc.arenas'=1;1;;0$"
	"$ARENAINSPECT" metrics --unit "$unit" >"$text"
	grep -qF "arenainspect_processes{comm=\"nomalloc\",unit=\"$unit\"} 1" "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" doctor --unit "$unit" | grep -qE "^runs in +unit $unit \("
	start_in_group "$TARGETS/nomalloc"
	run "$ARENAINSPECT" --unit "$unit"
	((status == 2)) || fail "exit $status" "$output"
	grep -qw "$first" <<<"$output"
	"$ARENAINSPECT" metrics --unit "$unit" >"$text"
	grep -qF "arenainspect_processes{comm=\"nomalloc\",unit=\"$unit\"} 2" "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" check --unit "$unit" -m arenas | grep -q '^ARENAINSPECT OK - 2 processes'
	grep -qw "$pid" <<<"$output"
	run "$ARENAINSPECT" --unit "arenainspect-test"
	((status == 3)) || fail "exit $status" "$output"
	run "$ARENAINSPECT" --unit "$unit" --comm nomalloc
	((status == 2))
}

@test "a container's id is in the document whole, and as its runtime shortens it in text" {
	local id
	id=$(printf '%s' "$$" | sha256sum | cut -d' ' -f1)
	need_root 'a control group'
	hierarchy_of -
	make_group "arenainspect-$$.slice/docker-$id.scope"
	start_in_group "$TARGETS/nomalloc"
	"$ARENAINSPECT" --json "$pid" >"$json"
	valid "$json"
	holds "$json" ".process.cgroup.container == \"$id\"" ".process.cgroup.unit == \"docker-$id.scope\""
	"$ARENAINSPECT" "$pid" >"$text"
	grep -qE "^runs in +unit docker-$id.scope, container ${id:0:12} \(" "$text" || fail "$(cat "$text")"
	"$ARENAINSPECT" scan --unit "docker-$id.scope" >"$text"
	grep -qE "^ *$pid .* nomalloc +${id:0:12} " "$text" || fail "$(cat "$text")"
	(($(sed -n 3,4p "$text" | wc -L) <= 100)) || fail "$(cat "$text")"
	[ "$("$ARENAINSPECT" scan --unit "docker-$id.scope" -r -n -o pid,unit,container)" = "$pid $id $id" ]
	"$ARENAINSPECT" scan --unit "docker-$id.scope" --json >"$json"
	holds "$json" ".processes[0].unit == \"docker-$id.scope\"" ".processes[0].container == \"$id\""
}

@test "the limit of arenas from the host's processors, and what the container may use" {
	local limit
	need_root 'a control group'
	hierarchy_of cpu
	make_group "arenainspect-$$"
	if [ -e "$group/cpu.max" ]; then
		echo '50000 100000' >"$group/cpu.max"
	else
		echo 100000 >"$group/cpu.cfs_period_us"
		echo 50000 >"$group/cpu.cfs_quota_us"
	fi
	start_in_group "$TARGETS/demo"
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.process.cgroup.cpu_quota == 0.5' '.settings.arena_limit == 8 * .settings.arena_limit_processors'
	limit=$(jq .settings.arena_limit "$json")
	"$ARENAINSPECT" "$pid" >"$text"
	grep -qE "^arena limit +$limit \(.*\) from $((limit / 8)) processors?; the container may use 0.5$" "$text" ||
		fail "$(grep '^arena limit' "$text")"
	# A limit that somebody chose has nothing to do with processors.
	start_in_group env MALLOC_ARENA_MAX=16 "$TARGETS/demo"
	"$ARENAINSPECT" "$pid" >"$text"
	grep -qE '^arena limit +16 \([^)]*\)$' "$text" || fail "$(grep '^arena limit' "$text")"
}
