#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Each way to grow is named, and no other, over twenty seeds of each.

load ../helper
load ../growing

@test "each way to grow is named, and no other; what is no growth is not" {
	every_way 20
}
