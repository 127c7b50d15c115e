# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A swap file for the time of a test.

# add_swap: of 64 MB; skips where none can be had
add_swap() {
	need_root 'a swap file'
	need swapon mount
	need mkswap util-linux
	swap=$BATS_TEST_TMPDIR/swap
	dd if=/dev/zero of="$swap" bs=1M count=64 status=none # it must not have holes
	chmod 600 "$swap"
	mkswap "$swap" >/dev/null
	# Not every filesystem takes one.
	swapon "$swap" 2>"$swap.err" || skip "swapon does not work here: $(cat "$swap.err")"
}

# remove_swap: for every teardown, after end_all
remove_swap() {
	if [ -n "${swap:-}" ]; then
		! grep -qF "$swap" /proc/swaps || swapoff "$swap"
		rm -f "$swap"
	fi
}
