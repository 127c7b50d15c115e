#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Cores of other releases' glibc, and of another machine: a folder with that system's files
# is all that is needed, and what they say is malloc_info's.

load ../helper
load ../oracle
load ../suites
load ../cores

setup_file() {
	fetch_suites
}

teardown() {
	end_all
	rm -rf "$BATS_TEST_TMPDIR"/core.* "$BATS_TEST_TMPDIR/crash"
}

seeds() {
	echo "${SEEDS:-$(od -An -N12 -w12 -tu4 /dev/urandom)}"
}

# dumped_histories SUITE [COMPARE-ARGUMENTS…]
dumped_histories() {
	local seed list
	suite "$1"
	list=$(seeds)
	echo "# $1: seeds:$list" >&3
	for seed in $list; do
		start_truthful_in_root history "$seed"
		dump
		stop
		read_core --debug-dir "$root"
		"$cli/compare.py" --heaps 3 --chunks "${@:2}" "$info" "$truth" "$json" || fail "seed $seed"
		holds "$json" ".libc.build_id == \"$(build_id "$root/usr/lib/x86_64-linux-gnu/libc.so.6")\""
		rm "$core"
	done
}

build_id() {
	readelf -n "$1" | sed -n 's/.*Build ID: //p'
}

@test "bullseye: cores of random histories are malloc_info's" {
	dumped_histories bullseye
}

@test "bookworm: cores of random histories are malloc_info's" {
	dumped_histories bookworm
}

@test "trixie: cores of random histories are malloc_info's" {
	dumped_histories trixie
}

# Since 2.42 a stack's guard is a part of its mapping that cannot be read: gcore leaves
# the whole mapping out, and with it struct pthread.
@test "forky: cores of random histories are malloc_info's" {
	dumped_histories forky --untold
}

# ---- aarch64: qemu-user writes a core when what it runs crashes ----

# Of threads these cores tell little: not where their thread pointers are.

# cross_build SUITE NAME FLAGS…: $program
cross_build() {
	local source=$top/tests/targets/history.c
	program=$BATS_TEST_TMPDIR/$2
	sysroot=$suites/$1-arm64
	aarch64-linux-gnu-gcc --sysroot="$sysroot" -B"$sysroot/usr/lib/aarch64-linux-gnu" \
		-L"$sysroot/usr/lib/aarch64-linux-gnu" -std=gnu11 -D_GNU_SOURCE= -O1 -g -pthread \
		-o "$program" "$source" "${@:3}"
}

# crash_abroad SEED: a history of aarch64 crashes, and its core is in $core
crash_abroad() {
	info=$BATS_TEST_TMPDIR/info.xml truth=$BATS_TEST_TMPDIR/truth.json
	rm -rf "$BATS_TEST_TMPDIR/crash"
	mkdir "$BATS_TEST_TMPDIR/crash"
	# shellcheck disable=SC2016 # for the other shell
	start bash -c 'cd "$1" && ulimit -c unlimited && exec "${@:2}"' - "$BATS_TEST_TMPDIR/crash" \
		qemu-aarch64 -L "$sysroot" "$program" "$1" "$info" "$truth"
	kill -ABRT "$pid"
	wait "$pid" 2>/dev/null || :
	core=$(find "$BATS_TEST_TMPDIR/crash" -name 'qemu_*.core')
	[ -s "$core" ] || fail "qemu-user left no core: $(ls "$BATS_TEST_TMPDIR/crash")"
}

# dumped_abroad SUITE
dumped_abroad() {
	local seed
	served "$1" arm64
	need qemu-aarch64 qemu-user
	need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
	cross_build "$1" history
	for seed in $(seeds); do
		echo "# $1: seed $seed" >&3
		crash_abroad "$seed"
		read_core --debug-dir "$sysroot" --exe "$program"
		"$cli/compare.py" --chunks --untold "$info" "$truth" "$json" || fail "seed $seed"
		holds "$json" '.process.arch == "aarch64"' '.process.page_bytes == 4096' \
			'.libc.path == "/lib/aarch64-linux-gnu/libc.so.6"'
	done
	ends 5 '--exe' -- --core "$core" --debug-dir "$sysroot"
}

@test "bullseye: aarch64 cores of qemu-user are malloc_info's" {
	dumped_abroad bullseye
}

@test "bookworm: aarch64 cores of qemu-user are malloc_info's" {
	dumped_abroad bookworm
}

@test "trixie: aarch64 cores of qemu-user are malloc_info's" {
	dumped_abroad trixie
}

@test "forky: aarch64 cores of qemu-user are malloc_info's" {
	dumped_abroad forky
}

@test "an aarch64 core of a static program is its malloc_info" {
	served bookworm arm64
	need qemu-aarch64 qemu-user
	need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
	cross_build bookworm history-static -static
	crash_abroad 4711
	read_core --exe "$program"
	"$cli/compare.py" --chunks --untold "$info" "$truth" "$json"
}
