# shellcheck shell=bash
# shellcheck disable=SC2154 # helper.bash and oracle.bash set what is used here
# SPDX-License-Identifier: Apache-2.0
# What was forecast of malloc_trim(0), against what it gives back when the process calls
# it: resident and swapped bytes before and after, as the kernel counts them.

# rollup FIELD FILE: bytes of one line of smaps_rollup
rollup() {
	awk -v name="$1:" '$1 == name { print $2 * 1024 }' "$2"
}

# counts ROLLUP: what of it must not change while a process rests.  Its share of pages that
# others map as well is theirs to change.
counts() {
	grep -E '^(Rss|Anonymous|Swap):' "$1"
}

# within A B LIMIT
within() {
	local apart=$(($1 - $2))
	((${apart#-} <= $3))
}

# books_balance DOCUMENT: every byte of an arena's present pages is in one class, and the
# totals are the sums.
books_balance() {
	local wrong
	wrong=$(jq -r '
		def say(what): if . then empty else what end;
		(.arenas[] | "arena \(.index): " as $it | .resident |
			(.[] | (type == "number" and . >= 0) | say($it + "a class is unknown")),
			(.total_bytes == .in_use_bytes + .tcache_bytes + .trimmable_bytes + .retained_top_bytes +
				.pinned_free_bytes + .metadata_bytes + .unwalked_bytes | say($it + "not the sum of its classes"))),
		(.arenas[] | .resident.total_bytes == ([.heaps[].resident_bytes] | add) |
			say("an arena is not the sum of its heaps")),
		([.arenas[].resident] as $all | .totals.resident | to_entries[] | .key as $class |
			.value == ($all | map(.[$class]) | if any(. == null) then null else add end) |
			say("\($class) of totals is not the sum of the arenas")),
		(.totals | .trimmable_bytes == .resident.trimmable_bytes | say("two totals of trimmable_bytes")),
		(.totals.trimmable_swapped_bytes | type == "number" | say("trimmable_swapped_bytes is unknown"))' "$1") || return
	[ -z "$wrong" ] || fail "the books do not balance: $1" "$wrong"
}

# What a forecast may be off by: one page for each arena.
tolerance() {
	jq '.totals.arenas * .process.page_bytes' "$1"
}

# forecast_holds DOCUMENT BEFORE AFTER: says what is different, if anything is.  Anonymous,
# not Rss: to run its code a process may bring in pages of its libc.
forecast_holds() {
	local limit resident swapped drop swap
	limit=$(tolerance "$1")
	resident=$(jq .totals.trimmable_bytes "$1")
	swapped=$(jq .totals.trimmable_swapped_bytes "$1")
	drop=$(($(rollup Anonymous "$2") - $(rollup Anonymous "$3")))
	swap=$(($(rollup Swap "$2") - $(rollup Swap "$3")))
	echo "resident: forecast $resident, dropped by $drop; swapped: forecast $swapped, dropped by $swap"
	within "$resident" "$drop" "$limit" && within "$swapped" "$swap" "$limit"
}

# trims_as_forecast EXPRESSION…: visits process $pid, into $json, where the expressions
# are true; has it call malloc_trim(0); and then there is nothing more to give back
trims_as_forecast() {
	local rollup=/proc/$pid/smaps_rollup said
	counts "$rollup" >"$json.before"
	"$ARENAINSPECT" --json "$pid" >"$json"
	books_balance "$json"
	holds "$json" "$@"
	counts "$rollup" | diff "$json.before" - || fail 'the target did not rest'
	echo trim >&"$in"
	await_line trimmed
	counts "$rollup" >"$json.after"
	said=$(forecast_holds "$json" "$json.before" "$json.after") || fail "$said"
	echo "$said"
	"$ARENAINSPECT" --json "$pid" >"$json.trimmed"
	books_balance "$json.trimmed"
	holds "$json.trimmed" '.totals.trimmable_bytes == 0' '.totals.trimmable_swapped_bytes == 0'
}

# seed: a new one, or the first of $SEEDS
seed() {
	read -r seed _ <<<"$(seeds)"
	echo "# $BATS_TEST_DESCRIPTION: seed $seed" >&3
}

# histories_trimmed START TARGET EXPRESSION…: of random seeds; START runs the target, with
# glibc's tunables in $tunables
histories_trimmed() {
	local start=$1 target=$2 list
	shift 2
	list=$(seeds)
	echo "# $BATS_TEST_DESCRIPTION: seeds:$list" >&3
	for seed in $list; do
		echo "seed $seed:"
		"$start" "$target" history "$seed" ${tunables:+"$tunables"}
		trims_as_forecast "$@"
		stop
	done
}

# child: that of the process last started is $pid from here on
child() {
	pid=$(sed -n 's/^child //p' "$out")
	[ -n "$pid" ] || fail 'there is no child'
}

# Which of a child's pages are the kernel's page of zeros, a kernel of before 6.7 cannot say.
# shellcheck disable=SC2034 # for the tests
unknown='.totals | .trimmable_bytes == null and .trimmable_swapped_bytes == null'
much='.totals.trimmable_bytes >= 30000000'
none='.totals.trimmable_bytes == 0'
much_free='.totals.free_bytes >= 30000000'
only_main='.totals.trimmable_bytes == .arenas[0].resident.trimmable_bytes'

# Only brk takes locked pages away, from main's top, in steps of its own.
# shellcheck disable=SC2016 # an expression of jq
whole_top='([.process.page_bytes, .settings.thp_page_bytes] | max) as $step | .arenas[0] |
	.resident.trimmable_bytes == ([(.top.bytes - 33) / $step | floor, 0] | max) * $step'

# expected SCENARIO: what is true of a document of that scenario of targets/trim.c
expected() {
	case $1 in
	history | fork | fork-zeros | fastbins) set -- "$much" ;;
	trimmed | checkerboard) set -- "$none" "$much_free" ;;
	tops) set -- "$none" '.totals.top_bytes >= 30000000' '.totals.resident.retained_top_bytes >= 30000000' ;;
	fast-tops) set -- "$only_main" '.totals.trimmable_bytes >= 5000000' \
		'.totals.resident.retained_top_bytes >= 20000000' ;;
	locked) set -- "$only_main" "$whole_top" "$much_free" ;;
	locked-parts) set -- '.totals.trimmable_bytes >= 5000000' ;;
	swapped) set -- '.totals.trimmable_bytes >= 5000000' '.totals.trimmable_swapped_bytes >= 5000000' ;;
	esac
	printf '%s\n' "${@//$'\n'/ }"
}

# scenario START NAME: what comes back is what was forecast; START runs the target
scenario() {
	local expressions
	mapfile -t expressions < <(expected "$2")
	seed
	"$1" trim "$2" "$seed"
	[[ $2 != fork* ]] || child
	trims_as_forecast "${expressions[@]}"
}
