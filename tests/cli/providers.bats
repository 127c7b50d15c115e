#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Who provides malloc, by the dynamic linker's own word where there is one: the
# distribution's allocators, preloaded and kept to a library; programs that have their
# malloc in them; programs without glibc.  What can be read is read, whoever provides it.

load helper

setup() {
	json=$BATS_TEST_TMPDIR/ours.json
	text=$BATS_TEST_TMPDIR/text
	made=$BATS_TEST_TMPDIR/made
}

teardown() {
	end_all
	rm -rf "${public:-}"
}

# Of glibc's own malloc the targets have 3000 blocks of 1000 bytes.
glibc_blocks=3000
glibc_bytes=$((glibc_blocks * 1008))

# provided_by WORD: the process says so itself, glibc's arenas are read to the block, and
# each of document, report and doctor tells; the document is left in $json
provided_by() {
	local said path
	said=$(sed -n 's/^malloc //p' "$out")
	path=$(realpath "$said")
	"$ARENAINSPECT" --json "$pid" >"$json"
	valid "$json"
	holds "$json" ".allocator.malloc_provider == \"$1\"" ".allocator.provider_path == \"$path\"" \
		".totals.in_use_bytes >= $glibc_bytes" '.libc.kind == "glibc"'
	"$ARENAINSPECT" "$pid" >"$text"
	if [ "$1" = glibc ]; then
		grep -qE '^allocator +glibc provides malloc; glibc.s part is ' "$text" || fail "$(cat "$text")"
	elif [ "$1" = own ]; then
		grep -qF "$path has a malloc of its own" "$text" || fail "$(cat "$text")"
		grep -qF "OTHER-ALLOCATOR: malloc is that of ${path##*/}; glibc's malloc has " "$text" || fail "$(cat "$text")"
	else
		grep -qE "^allocator +$1 provides malloc \($path\); glibc.s part is " "$text" || fail "$(cat "$text")"
	fi
	"$ARENAINSPECT" doctor "$pid" >"$text"
	grep -qE "^allocator +yes .*  $1, $path" "$text" || fail "$(cat "$text")"
	grep -qE '^allocator  .*provides malloc|has a malloc of its own' "$text" || fail "$(cat "$text")"
}

# Only what the target asked of glibc itself is in its arenas.
only_those_blocks() {
	holds "$json" ".totals.in_use_bytes < $glibc_bytes + 300000"
}

# preloaded WORD SONAME PACKAGE
preloaded() {
	library "$2" "$3"
	start env LD_PRELOAD="$library" "$TARGETS/provider" 20000 "$glibc_blocks"
	provided_by "$1"
	only_those_blocks
	holds "$json" '.allocator.others == []'
}

@test "glibc alone" {
	start_target provider 20000 "$glibc_blocks"
	provided_by glibc
	holds "$json" '.allocator.others == []' ".totals.in_use_bytes >= 20000 * 1008 + $glibc_bytes"
}

@test "jemalloc, preloaded" {
	preloaded jemalloc libjemalloc.so.2 libjemalloc2
}

@test "tcmalloc, preloaded" {
	preloaded tcmalloc libtcmalloc.so.4 libgoogle-perftools4
}

@test "tcmalloc's minimal one, preloaded" {
	preloaded tcmalloc libtcmalloc_minimal.so.4 libtcmalloc-minimal4
}

@test "mimalloc, preloaded" {
	local name
	name=$(ldconfig -p | awk '$1 ~ /^libmimalloc\.so\.[0-9.]+$/ { print $1; exit }')
	preloaded mimalloc "${name:-libmimalloc.so.2}" libmimalloc
}

@test "glibc's share of the anonymous memory is what smaps has, beside another allocator" {
	local share
	library libjemalloc.so.2 libjemalloc2
	start env LD_PRELOAD="$library" "$TARGETS/provider" 20000 "$glibc_blocks"
	"$ARENAINSPECT" -b "$pid" >"$text"
	share=$(sed -nE "s/^allocator .*glibc's part is ([0-9]+) bytes of ([0-9]+) bytes of anonymous memory, ([0-9]+) %/\1 \2 \3/p" "$text")
	read -r bytes whole percent <<<"$share"
	# The heap is all of glibc's: no block is large enough for a mapping of its own.
	heap=$(awk '$NF == "[heap]" { on = 1 } on && $1 == "Rss:" { print $2 * 1024; exit }' "/proc/$pid/smaps")
	((bytes == heap)) || fail "$bytes of $heap bytes" "$(cat "$text")"
	((whole > 20000 * 1000 && percent == (bytes * 200 + whole) / 2 / whole)) || fail "$share"
}

@test "libc_malloc_debug is named, and that it may serve from an arena of its own" {
	library libc_malloc_debug.so.0 libc6
	start env LD_PRELOAD="$library" MALLOC_CHECK_=3 "$TARGETS/provider" 2000 "$glibc_blocks"
	provided_by libc_malloc_debug
	holds "$json" '.quality.notes | any(test("main arena of its own"))'
}

@test "a sanitizer's runtime" {
	library libasan.so.8 libasan8
	start env ASAN_OPTIONS=detect_leaks=0 LD_PRELOAD="$library" "$TARGETS/provider" 2000 "$glibc_blocks"
	provided_by asan
}

# ---- not the process's malloc ----

@test "a jemalloc that only a library inside uses is among the others" {
	library libjemalloc.so.2 libjemalloc2
	gcc -shared -fPIC -O1 -o "$made.so" "$cli/foreign/inside.c" "$library" -ldl
	# Debian's wants more room for its thread-local variables than is left for latecomers.
	start env GLIBC_TUNABLES=glibc.rtld.optional_static_tls=16384 \
		"$TARGETS/provider" 20000 "$glibc_blocks" load "$made.so"
	[ "$(realpath "$(sed -n 's/^inside //p' "$out")")" = "$library" ]
	provided_by glibc
	holds "$json" '.allocator.others == [{ name: "jemalloc", path: "'"$library"'" }]'
	"$ARENAINSPECT" "$pid" >"$text"
	grep -qxE "allocator +jemalloc is loaded, too \($library\)" "$text" || fail "$(cat "$text")"
}

@test "an allocator under a prefix of its own, in a library and stripped of other names" {
	printf '%s\n' 'void *je_malloc(unsigned long n) { return (void *)n; }' \
		'int je_mallctl(const char *name) { return name != 0; }' \
		'const char *use_inside(void) { return je_mallctl("") ? "je" : ""; }' >"$made.c"
	gcc -shared -fPIC -s -O1 -o "$made.so" "$made.c"
	start_target provider 100 "$glibc_blocks" load "$made.so"
	provided_by glibc
	holds "$json" '.allocator.others | map(.name) == ["jemalloc"]'
}

@test "a library that brings a malloc too late is named, and glibc's goes on" {
	gcc -shared -fPIC -O1 -fno-builtin -o "$made.so" "$cli/foreign/own.c"
	start_target provider 100 "$glibc_blocks" load "$made.so"
	provided_by glibc
	holds "$json" '.allocator.others == [{ name: "own", path: "'"$made.so"'" }]'
}

@test "a file that is only looked into is not loaded: jemalloc as data" {
	library libjemalloc.so.2 libjemalloc2
	start_target provider 100 "$glibc_blocks" map "$library"
	grep -q "$library" "/proc/$pid/maps"
	provided_by glibc
	holds "$json" '.allocator.others == []'
}

# ---- a malloc of its own ----

@test "a program that has a malloc of its own" {
	gcc -O1 -fno-builtin -D_GNU_SOURCE= -o "$made" "$cli/../targets/provider.c" "$cli/foreign/own.c" -ldl
	start "$made" 20000 "$glibc_blocks"
	provided_by own
	only_those_blocks
	strip "$made" -o "$made-stripped"
	start "$made-stripped" 20000 "$glibc_blocks"
	provided_by own
}

@test "a library that nobody knows, preloaded" {
	gcc -shared -fPIC -O1 -fno-builtin -o "$made.so" "$cli/foreign/own.c"
	start env LD_PRELOAD="$made.so" "$TARGETS/provider" 20000 "$glibc_blocks"
	provided_by own
	only_those_blocks
}

@test "the dynamic linker as the program, and what it preloads" {
	local loader
	library libjemalloc.so.2 libjemalloc2
	loader=$(readelf -lW "$TARGETS/provider" | sed -n 's/.*interpreter: \(.*\)\]/\1/p')
	start "$loader" --preload "$library" "$TARGETS/provider" 20000 "$glibc_blocks"
	provided_by jemalloc
}

# For start: the process itself, not a shell that waits for it.
exec_as_nobody() {
	exec setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

# Without CAP_CHECKPOINT_RESTORE nobody can see what a deleted file exports.
@test "a library that is asked first and cannot be read leaves it open" {
	need_root 'another user'
	copy_for_nobody "$ARENAINSPECT" "$TARGETS/provider"
	gcc -shared -fPIC -O1 -fno-builtin -o "$public/libown.so" "$cli/foreign/own.c"
	chmod -R go+rX "$public"
	start exec_as_nobody env LD_PRELOAD="$public/libown.so" "$public/provider" 100 "$glibc_blocks"
	rm "$public/libown.so"
	as_nobody "$public/arenainspect" --json "$pid" >"$json"
	holds "$json" '.allocator.malloc_provider == null' '.totals.in_use_bytes >= '"$glibc_bytes" \
		'.quality.notes | any(test("libown.so.*CAP_CHECKPOINT_RESTORE"))'
	as_nobody "$public/arenainspect" "$pid" >"$text"
	grep -q '^allocator  *who provides malloc is not known' "$text" || fail "$(cat "$text")"
	# The same with the right to: it is found.
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.allocator.malloc_provider == "own"'
}

# Half of the time they are empty: any look into one may find what it looks at gone.
@test "libraries that are cut while they are read end no visit" {
	local i status seen=0
	gcc -shared -fPIC -s -O1 -fno-builtin -o "$made.so" "$cli/foreign/own.c"
	start python3 "$cli/foreign/cutting.py" "$made.so" "$BATS_TEST_TMPDIR"
	for ((i = 0; i < 300 && seen < 3; i++)); do
		status=0
		"$ARENAINSPECT" --json "$pid" >"$json" 2>"$text" || status=$?
		((status == 0)) || fail "exit $status" "$(cat "$text")"
		holds "$json" '.libc.kind == "glibc"' '.totals.in_use_bytes > 0'
		! grep -q 'was cut while it was read' "$text" || seen=$((seen + 1))
	done
	((seen == 3)) || fail "only $seen were cut"
}

# ---- without glibc, or with nothing else ----

# refused WORDS: exit 5, and why; doctor names it, too
refused() {
	run --separate-stderr "$ARENAINSPECT" "$pid"
	((status == 5)) || fail "exit $status" "$output" "$stderr"
	[ -z "$output" ] || fail "not only on stderr: $output"
	grep -qE "$1" <<<"$stderr" || fail "stderr does not say '$1': $stderr"
	run --separate-stderr "$ARENAINSPECT" doctor --json "$pid"
	((status == 5)) || fail "doctor: exit $status" "$stderr"
	echo "$output" >"$json"
	valid "$json"
}

@test "a static program of glibc, stripped or not" {
	start_target static
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.allocator.malloc_provider == "glibc"' '.allocator.others == []' '.totals.arenas == 2'
	strip "$TARGETS/static" -o "$made"
	start "$made"
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.allocator.malloc_provider == "glibc"' ".allocator.provider_path == \"$made\"" '.totals.arenas == 2'
}

@test "a static program of glibc whose file was replaced" {
	cp "$TARGETS/static" "$made"
	start "$made"
	rm "$made"
	cp /bin/true "$made"
	"$ARENAINSPECT" --json "$pid" >"$json"
	holds "$json" '.allocator.malloc_provider == "glibc"' '.totals.arenas == 2'
}

@test "musl, with a linker or in the program" {
	need musl-gcc musl-tools
	musl-gcc -O1 -o "$made" "$cli/foreign/musl.c"
	start "$made"
	refused 'musl'
	holds "$json" '.allocator.malloc_provider == "musl"' '.totals.arenas == null'
	musl-gcc -static -O1 -o "$made-static" "$cli/foreign/musl.c"
	start "$made-static"
	refused 'musl'
	holds "$json" '.allocator.malloc_provider == "musl"'
}

# build_bare NAME FLAGS…
build_bare() {
	local name=$1
	shift
	gcc -nostdlib -static -O1 -fno-builtin -fno-stack-protector -o "$made-$name" "$cli/foreign/bare.c" "$@"
}

@test "a program of Go's kind, also without section headers" {
	build_bare go "$cli/foreign/golike.s"
	start "$made-go"
	refused 'Go without a C library'
	holds "$json" '.allocator.malloc_provider == "Go"'
	python3 - "$made-go" "$made-cut" <<-'END'
		import sys

		image = bytearray(open(sys.argv[1], "rb").read())
		image[0x28:0x30] = bytes(8)  # e_shoff
		image[0x3A:0x40] = bytes(6)  # e_shentsize, e_shnum, e_shstrndx
		open(sys.argv[2], "wb").write(image)
	END
	chmod +x "$made-cut"
	start "$made-cut"
	refused 'Go without a C library'
}

@test "a program of Go's kind that uses glibc, too, is read, and Go is among the others" {
	gcc -O1 -D_GNU_SOURCE= -o "$made" "$cli/../targets/provider.c" "$cli/foreign/golike.s" -ldl
	start "$made" 100 "$glibc_blocks"
	provided_by glibc
	holds "$json" '.allocator.others == [{ name: "Go", path: "'"$made"'" }]'
}

@test "a program without any libc, and one with a malloc of its own" {
	build_bare bare
	start "$made-bare"
	refused 'no C library'
	holds "$json" '.allocator.malloc_provider == null' '.libc.kind == null'
	build_bare own -DOWN_MALLOC
	start "$made-own"
	refused 'its malloc is its own'
	holds "$json" '.allocator.malloc_provider == "own"'
}

# A libc.so.6 that is only looked into is not the one that the process runs on.
@test "a program without any libc that has glibc's file mapped as data" {
	local libc
	need musl-gcc musl-tools
	libc=$(ldd "$TARGETS/nomalloc" | awk '$1 == "libc.so.6" { print $3 }')
	printf '%s\n' '#include <fcntl.h>' '#include <sys/mman.h>' '#include <unistd.h>' \
		'int main(int argc, char **argv) {' \
		'	volatile char *at = mmap(0, 65536, PROT_READ, MAP_PRIVATE, open(argv[1], O_RDONLY), 0);' \
		'	char c = at[argc - 1];' \
		'	write(1, "ready\n", 6);' \
		'	while (read(0, &c, 1) > 0) ;' \
		'	return 0; }' >"$made.c"
	musl-gcc -O1 -o "$made" "$made.c"
	start "$made" "$libc"
	grep -q "$(realpath "$libc")" "/proc/$pid/maps"
	refused 'musl'
}
