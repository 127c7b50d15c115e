#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As ../suites.bats, with 20 new seeds for each release.

load ../helper
load ../oracle
load ../suites

setup_file() {
	fetch_suites
}

@test "bullseye: random histories are malloc_info's, by every way" {
	histories_by_all_ways bullseye
}

@test "bookworm: random histories are malloc_info's, by every way" {
	histories_by_all_ways bookworm
}

@test "trixie: random histories are malloc_info's, by every way" {
	histories_by_all_ways trixie
}

@test "forky: random histories are malloc_info's, by every way" {
	histories_by_all_ways forky
}
