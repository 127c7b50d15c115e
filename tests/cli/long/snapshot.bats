#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Snapshots of large processes, and many that lie.

load ../helper
load ../snapshot

setup() {
	snapshot=$BATS_TEST_TMPDIR/snapshot.json
	export LC_ALL=C.UTF-8
}

# measured COMMAND…: the best of three runs, into $us, and the largest peak, into $kib
measured() {
	local each peak code
	us=999999999 kib=0
	for _ in 1 2 3; do
		read -r each peak code < <("$TARGETS/../bench/measure" "$@")
		((code == 0)) || fail "exit $code: $*"
		((us < each)) || us=$each
		((kib > peak)) || kib=$peak
	done
}

@test "1,000 arenas and 100,000 mmapped chunks: under 64 MiB, and a second besides the visit" {
	local visit_us file
	start_target crowd 1000 100100 # a few come from the top
	measured "$ARENAINSPECT" heaps --pins --write "$snapshot.text" "$pid"
	visit_us=$us
	for file in "$snapshot" "$snapshot.zst"; do
		measured "$ARENAINSPECT" snapshot --write "$file" "$pid"
		echo "# written: $((us - visit_us)) us besides $visit_us of the visit, $kib KiB" >&3
		((us - visit_us < 1000000)) || fail "written in $us us, the visit alone takes $visit_us"
		((kib < 64 << 10)) || fail "writing takes $kib KiB"
		measured "$ARENAINSPECT" report "$file"
		echo "# read: $us us, $kib KiB" >&3
		((us < 1000000)) || fail "read in $us us"
		((kib < 64 << 10)) || fail "reading takes $kib KiB"
	done
	holds "$snapshot" '.totals.arenas == 1000' '.totals.mmapped_chunks >= 100000'
	says_the_same "$snapshot" report
	says_the_same "$snapshot.zst" arenas
}

@test "50 well-formed lies are said or refused, and crash nothing" {
	taken history 18
	lies 50
}
