# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # cli, BATS_TEST_TMPDIR

# stubborn COMMAND…: of the tool, as by a kernel under which $HANGS and $REFUSES are such
stubborn() {
	local library=$BATS_TEST_TMPDIR/stubborn.so
	[ -e "$library" ] || "${CC:-cc}" -shared -fPIC -O1 -D_GNU_SOURCE -o "$library" "$cli/foreign/stubborn.c" -ldl
	LD_PRELOAD=$library ASAN_OPTIONS=${ASAN_OPTIONS:-}:verify_asan_link_order=0:detect_leaks=0 \
		"$ARENAINSPECT" "$@"
}
