#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As ../verdicts.bats, with 20 new seeds, printed; and with swap.

load ../helper
load ../oracle
load ../group
load ../swap
load ../verdicts

setup() {
	need jq jq
	json=$BATS_TEST_TMPDIR/ours.json
	read -r list <<<"$(seeds)"
	echo "# $BATS_TEST_DESCRIPTION: seeds: $list" >&3
}

teardown() {
	end_all
	remove_group
	remove_swap
}

@test "20 seeds: each verdict is found where it is shown, and not where something comes near it" {
	each_of start_scenario "${plain[@]}"
}

@test "20 seeds: free memory that is locked" {
	need_root 'locking more than a user may'
	each_of start_scenario locked
}

@test "20 seeds: free memory on huge pages" {
	grep -qE '\[(always|madvise)\]' /sys/kernel/mm/transparent_hugepage/enabled || skip 'this kernel has no huge pages for us'
	each_of start_scenario thp-inflated
}

@test "20 seeds: a container near its limit" {
	limited_group $((128 << 20))
	each_of in_group near-limit
}

@test "20 seeds: another allocator, and a file that is only looked into" {
	library libjemalloc.so.2 libjemalloc2
	each_of beside other-allocator
}

@test "20 seeds: free memory in swap, and memory in use that is there" {
	add_swap
	each_of start_scenario swapped-free
}
