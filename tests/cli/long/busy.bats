#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A process that never rests, visited often enough to meet what is rare.

load ../helper
load ../oracle

@test "200 visits to a process that never rests end well, and its quiet arenas are exact" {
	visit_busy 200 95
}
