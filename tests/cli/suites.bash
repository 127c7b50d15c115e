# shellcheck shell=bash
# shellcheck disable=SC2154 # helper.bash and oracle.bash set what is used here
# SPDX-License-Identifier: Apache-2.0
# Processes of other releases' glibc: scripts/suites fetches them, targets are built with
# their headers and libraries and run in their root folders.

top=$(cd "$cli/../.." && pwd)
suites=$top/build/suites
PROBES=${PROBES:-$top/build/probes}

# For setup_file: prints what each suite serves.
fetch_suites() {
	"$top/scripts/suites" >"$BATS_FILE_TMPDIR/suites" 2>&1 || :
	sed 's/^/# /' "$BATS_FILE_TMPDIR/suites" >&3
}

# served SUITE ARCH: skips where it is not there
served() {
	local said=$BATS_FILE_TMPDIR/suites
	if grep -qx "SUITE-NOT-SERVED: $1" "$said"; then
		skip "SUITE-NOT-SERVED: $1"
	fi
	grep -q "^$1 $2: " "$said" || skip "$1 could not be fetched: $(tail -n 1 "$said")"
}

# How to make a mount namespace, into $namespace.  In a chroot that is no mount point
# unshare cannot make / private; then it must do without, if mounts stay inside all the
# same.
find_namespace() {
	local probe=$BATS_TEST_TMPDIR/probe
	namespace=(unshare --mount)
	((EUID == 0)) || namespace+=(--map-root-user)
	"${namespace[@]}" true 2>/dev/null && return
	namespace+=(--propagation unchanged)
	mkdir -p "$probe"
	"${namespace[@]}" mount -t tmpfs none "$probe" 2>/dev/null || return
	! mountpoint -q "$probe" || { umount "$probe" && return 1; }
}

# suite NAME: its root in $root, its debug files in $debug, its targets in $built; skips
# where there are none
suite() {
	served "$1" amd64
	[ "$(uname -m)" = x86_64 ] || skip 'the programs of the suites are for x86_64'
	need unshare util-linux
	find_namespace || skip 'no mount namespace can be made here'
	root=$suites/$1-amd64
	debug=$suites/$1-amd64-dbg/usr/lib/debug
	built=$top/build/targets-$1
	build_targets
}

# build NAME SOURCE FLAGS…: with the suite's headers and libraries
build() {
	local program=$built/$1 source=$top/tests/targets/$2
	shift 2
	if [ "$program" -nt "$source" ] && [ "$program" -nt "$top/tests/targets/truth.h" ] &&
		[ "$program" -nt "$top/tests/targets/target.h" ] && [ "$program" -nt "$root.version" ]; then
		return 0
	fi
	# Another run may be about it, too: whole or not at all.
	gcc --sysroot="$root" -B"$root/usr/lib/x86_64-linux-gnu" -L"$root/usr/lib/x86_64-linux-gnu" -std=gnu11 -D_GNU_SOURCE= -O1 -g -pthread -o "$program.$$" "$source" "$@"
	mv "$program.$$" "$program"
}

# This gcc's libgcc_eh.a wants a function of glibc 2.35 when it unwinds, which no static
# target does: it may stay unresolved.
build_targets() {
	local static=(-static '-Wl,--unresolved-symbols=ignore-all')
	mkdir -p "$built"
	build history history.c
	build main-exits main-exits.c
	build threads threads.c
	build nomalloc nomalloc.c
	build cached cached.c
	build remapped remapped.c
	build single remapped.c -Wl,--as-needed -lc # without libpthread
	build second-libc second-libc.c -ldl
	build history-static history.c "${static[@]}"
	build threads-static threads.c "${static[@]}"
	build cached-static cached.c "${static[@]}"
	strip --strip-all -o "$built/history-stripped.$$" "$built/history-static"
	mv "$built/history-stripped.$$" "$built/history-stripped"
}

# in_root COMMAND…: for launch; its /tmp is this test's, its /mnt has the targets
in_root() {
	exec "${namespace[@]}" "$cli/in_root.sh" "$root" "$BATS_TEST_TMPDIR" "$built" "$@"
}

# start_in_root TARGET ARGUMENTS…
start_in_root() {
	local name=$1
	shift
	start in_root "/mnt/$name" "$@"
}

# start_truthful_in_root TARGET ARGUMENTS…: it tells the truth, into $info and $truth
start_truthful_in_root() {
	info=$BATS_TEST_TMPDIR/info.xml
	truth=$BATS_TEST_TMPDIR/truth.json
	rm -f "$info" "$truth"
	start_in_root "$@" /tmp/info.xml /tmp/truth.json
}

# copy_root: a copy of the suite's libraries in $root, which a test may spoil
copy_root() {
	local copy=$BATS_TEST_TMPDIR/root libraries=usr/lib/x86_64-linux-gnu
	mkdir -p "$copy"/{proc,sys,tmp,mnt,usr/lib64,"$libraries"}
	ln -s usr/lib usr/lib64 "$copy"
	cp -a "$root/$libraries"/*.so* "$copy/$libraries"
	cp -a "$root"/usr/lib64/* "$copy/usr/lib64"
	root=$copy
	libc=$(readlink -f "$root/$libraries/libc.so.6")
}

without_section_headers() {
	python3 - "$1" <<-'END'
		import sys

		with open(sys.argv[1], "r+b") as file:
		    file.seek(0x28)  # e_shoff
		    file.write(bytes(8))
		    file.seek(0x3A)  # e_shentsize, e_shnum, e_shstrndx
		    file.write(bytes(6))
	END
}

# The ways in which symbols and layout are found; the last two have debug files.
declare -gA ways=(
	[default]=''
	[search]='--symbols search'
	[debuginfo]='--symbols debuginfo --debug-dir'
	[beside]='--debug-dir'
)

# visit_by WAY…: a document each, into $json.WAY; the process must not have moved
visit_by() {
	local way options wrong=0
	cp "$info" "$info.before"
	for way; do
		read -ra options <<<"${ways[$way]}"
		[[ ${ways[$way]} != *--debug-dir ]] || options+=("$debug")
		"$ARENAINSPECT" --json "${options[@]}" "$pid" >"$json.$way" ||
			fail "$way: exit $?: arenainspect --json ${options[*]} $pid" || wrong=1
	done
	((wrong == 0)) || return 1
	ask_info
	cmp "$info.before" "$info" || fail 'the target did not rest'
}

# What may differ between documents of one process at rest: the moment, and what says
# where the symbols and the layout came from, on which the limit of arenas rests.
document() {
	jq -S 'del(.taken, .quality, .process.cgroup.memory_current_bytes, .process.cgroup.memory_inactive_file_bytes, .settings.arena_limit_source,
		.libc.symbol_source, .libc.layout_source, .libc.debug_file, .libc.proof,
		(.findings[]? | select(.id == "ARENA-LIMIT")))' "$1"
}

# agree COMPARE-ARGUMENTS -- WAY…: each is what the process says of itself, and all are one
agree() {
	local compare=() way wrong=0
	while [ "$1" != -- ]; do
		compare+=("$1")
		shift
	done
	shift
	visit_by "$@" || return 1
	document "$json.$1" >"$json.first"
	for way; do
		"$cli/compare.py" "${compare[@]}" "$info" "$truth" "$json.$way" >"$json.said" || {
			wrong=1
			sed "s/^/$way: /" "$json.said"
		}
		document "$json.$way" >"$json.this"
		diff "$json.first" "$json.this" >"$json.said" || {
			wrong=1
			sed "s/^/$way is not $1: /" "$json.said"
		}
	done
	((wrong == 0)) || fail 'they differ'
}

# histories_of TARGET WAY…: of random seeds
histories_of() {
	local name=$1 seed list wrong=()
	shift
	list=$(seeds)
	echo "# $BATS_TEST_DESCRIPTION: seeds:$list" >&3
	for seed in $list; do
		start_truthful_in_root "$name" "$seed"
		(agree --heaps 3 --chunks -- "$@") || wrong+=("$seed")
		stop
	done
	((${#wrong[@]} == 0)) || fail "seeds that differ: ${wrong[*]}"
}

# sources WAY SYMBOLS LAYOUT: what a document says of where these came from
sources() {
	holds "$json.$1" ".libc.symbol_source == \"$2\"" ".libc.layout_source == \"$3\""
}

# histories_by_all_ways SUITE
# shellcheck disable=SC2016 # expressions of jq
histories_by_all_ways() {
	suite "$1"
	histories_of history default search debuginfo beside
	sources default search table
	sources search search table
	sources beside search table
	sources debuginfo debuginfo dwarf
	holds "$json.debuginfo" '.libc | .build_id[2:] as $id | .debug_file | endswith("/" + $id + ".debug")'
	grep -q "^$(jq -r .libc.version "$json.default")\b" "$root.version"
}

# layouts SUITE: debug information of both machines against the table
layouts() {
	local libc architecture
	for architecture in amd64 arm64; do
		served "$1" "$architecture"
		libc=$(readlink -f "$suites/$1-$architecture"/usr/lib/*-linux-gnu/libc.so.6)
		"$PROBES/layouts" "$libc" "$suites/$1-$architecture-dbg/usr/lib/debug" \
			"$(cat "$suites/$1-$architecture.version")"
	done
}
