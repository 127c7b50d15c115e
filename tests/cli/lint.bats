#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# scripts/layers: the tree passes, and each kind of offence is found.

setup() {
	layers=$BATS_TEST_DIRNAME/../../scripts/layers
	tree=$BATS_TEST_TMPDIR/tree
}

# file PATH LINE…: a source of the made-up tree
file() {
	mkdir -p "$tree/$(dirname "$1")"
	printf '%s\n' "${@:2}" >"$tree/$1"
}

# A small tree that breaks no rule.
good_tree() {
	file arch/arch.h 'struct arch;'
	file arch/x86_64.c '#include <elf.h>' '#include "arch/arch.h"'
	file lib/arenainspect.h '#include <stdint.h>'
	file lib/base/error.h '#include "arenainspect.h"'
	file lib/target/maps.h '#include "base/error.h"'
	file lib/walk/walk.h '#include "target/maps.h"' '#include "arch/arch.h"'
	file lib/walk/heaps.c '#include "walk.h"' 'x = "printf(1)"; // never exit(1)' \
		'/* puts(x); */ snprintf(p, 1, "%d", 1); w->exit(1);'
	file lib/snapshot/write.c '#include "walk/walk.h"' 'fprintf(stream, "{");'
	file cmd/command.h '#include "arenainspect.h"' '#include "out/table.h"'
	file cmd/out/table.h '#include "arenainspect.h"'
	file cmd/main.c '#include "command.h"' 'printf("x"); exit(1);'
}

# finds PATH:LINE: one complaint, and it is about that line
finds() {
	run "$layers" "$tree"
	echo "$output"
	[ "$status" -eq 1 ]
	[ "${#lines[@]}" -eq 1 ]
	[[ ${lines[0]} == "$1: "* ]]
}

@test "layers: this tree keeps to them" {
	run "$layers"
	echo "$output"
	[ "$status" -eq 0 ]
}

@test "layers: a tree that breaks no rule passes" {
	good_tree
	run "$layers" "$tree"
	echo "$output"
	[ "$status" -eq 0 ]
	[ -z "$output" ]
}

@test "layers: an include of a later layer is found" {
	good_tree
	file lib/base/list.c '' '#include "walk/walk.h"'
	finds lib/base/list.c:2
}

@test "layers: nothing below arch/ is included there" {
	good_tree
	file arch/find.c '#include "lib/base/error.h"'
	finds arch/find.c:1
}

@test "layers: the public header stands on no other" {
	good_tree
	file lib/arenainspect.h '#include "base/error.h"'
	finds lib/arenainspect.h:1
}

@test "layers: the way there does not matter" {
	good_tree
	file lib/base/list.c '#include "../walk/walk.h"'
	finds lib/base/list.c:1
	file lib/base/list.c '#include <walk/walk.h>'
	finds lib/base/list.c:1
}

@test "layers: a command that includes an internal header is found" {
	good_tree
	file cmd/report.c '#include "base/error.h"'
	finds cmd/report.c:1
	file cmd/report.c '#include "../arch/arch.h"'
	finds cmd/report.c:1
}

@test "layers: the tables of cmd/out/ know no command and no internal header" {
	good_tree
	file cmd/out/text.c '#include "../command.h"'
	finds cmd/out/text.c:1
	file cmd/out/text.c '#include "walk/walk.h"'
	finds cmd/out/text.c:1
}

@test "layers: a file in no layer is found" {
	good_tree
	file lib/util/strings.c 'int x;'
	finds lib/util/strings.c:1
}

@test "layers: an include that is not there is found" {
	good_tree
	file lib/base/list.c '#include "base/lists.h"'
	finds lib/base/list.c:1
}

@test "layers: printing and exiting in lib/ are found" {
	good_tree
	for call in 'printf("x");' 'puts(x);' 'exit(1);' 'abort();' 'perror(x);' \
		'fprintf(f, "x");' 'f(stderr);'; do
		file lib/walk/bins.c 'int x; /* two' 'lines */' "$call"
		finds lib/walk/bins.c:3
	done
}

@test "layers: a snapshot is written to the stream it was given, not to stdout" {
	good_tree
	file lib/snapshot/json.c 'fputs("x", stdout);'
	finds lib/snapshot/json.c:1
}
