#!/bin/busybox sh
# SPDX-License-Identifier: Apache-2.0
# The first process of the machine that tests/aarch64/run boots.  For every release of
# glibc below /suites: processes at rest are visited in every way, a noisy one often,
# damaged ones, and some that are told to trim.  What arenainspect said and what the
# processes say of themselves goes out over the console, to be judged by
# tests/cli/long/aarch64.bats.
# shellcheck shell=dash

export PATH=/bin
busybox mount -t proc proc /proc
busybox --install -s /bin
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev 2>/dev/null
ulimit -c 0
# What it did in the background would look like our doing.
echo 86400000 >/sys/kernel/mm/transparent_hugepage/khugepaged/scan_sleep_millisecs

# launch CASE TARGET ARGUMENTS…: in its root, until it says "ready"; its results go to $case
launch() {
	local target=$2 tries=0
	case=/out/$suite/$1
	echo "$(cut -d. -f1 /proc/uptime) s: $suite: $1"
	shift 2
	mkdir -p "$case"
	rm -f /tmp/in /tmp/said "/suites/$suite/tmp/"*
	mkfifo /tmp/in
	chroot "/suites/$suite" "/mnt/$target" "$@" </tmp/in >/tmp/said 2>"$case/target.err" &
	pid=$!
	# To write alone would wait for the reader, and any orphan that ends interrupts that.
	exec 4<>/tmp/in
	until grep -qx ready /tmp/said; do
		tries=$((tries + 1))
		if [ "$tries" -gt 600 ] || has_ended; then
			echo "not ready: $target $*" >"$case/failed"
			echo "guest: $case: $(cat "$case/failed" "$case/target.err")"
			return 1
		fi
		sleep 0.1
	done
	cat "/proc/$pid/maps" >"$case/maps"
}

# A process whose main thread alone has ended is a zombie, too.
has_ended() {
	! [ -d "/proc/$pid/task" ] || [ "$(find "/proc/$pid/task" -maxdepth 1 2>/dev/null | wc -l)" -le 2 ] &&
		! grep -q '^State:[[:space:]]*[^ZX]' "/proc/$pid/status" 2>/dev/null
}

end() {
	exec 4>&-
	kill -9 "$pid" 2>/dev/null
	wait "$pid" 2>/dev/null
	cp "/suites/$suite/tmp/"* /tmp/said "$case" 2>/dev/null
}

# visit NAME ARGUMENTS…: a document, what was said on stderr, and the exit status
with=arenainspect
visit() {
	local name=$1 status=0
	shift
	timeout 120 "$with" "$@" "$pid" >"$case/$name" 2>"$case/$name.err" || status=$?
	echo "$status" >"$case/$name.status"
}

visit_all_ways() {
	visit default.json --json
	visit search.json --json --symbols search
	visit debuginfo.json --json --symbols debuginfo --debug-dir "/debug/$suite"
	visit beside.json --json --debug-dir "/debug/$suite"
}

# What must not change: the process's own numbers, and every mapping's.
kernel_says() {
	grep -E '^(Vm|Rss)' "/proc/$pid/task/$1/status" >"$case/status.$2"
	cat "/proc/$pid/task/$1/smaps" >"$case/smaps.$2"
}

# The process writes malloc_info anew, for us to see that it rested.
rested() {
	cp "/suites/$suite/tmp/info.xml" "$case/info.before.xml"
	echo info >&4
	local tries=0
	until grep -qx info /tmp/said || [ "$tries" -gt 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
}

history() {
	launch "history-$1" history "$1" /tmp/info.xml /tmp/truth.json || return
	kernel_says "$pid" before
	visit_all_ways
	kernel_says "$pid" after
	visit arenas.json --json --depth arenas
	rested
	end
}

# What people read, once for each release.
texts() {
	local command
	launch texts history 3 /tmp/info.xml /tmp/truth.json || return
	visit json --json
	for command in report bins heaps doctor; do
		visit "$command.txt" "$command"
	done
	end
}

main_exits() {
	local task
	launch main-exits main-exits /tmp/info.xml /tmp/truth.json || return
	for task in "/proc/$pid/task"/*; do
		task=${task##*/}
	done
	kernel_says "$task" before
	visit_all_ways
	kernel_says "$task" after
	rested
	end
}

# Threads that others took the place of; and where the kernel does not lead to them.
threads() {
	launch threads threads raw /tmp/info.xml /tmp/truth.json || return
	visit_all_ways
	with=refuse
	visit refused.json /bin/arenainspect --json
	visit refused.search.json /bin/arenainspect --json --symbols search
	with=arenainspect
	visit threads.txt threads --group
	rested
	end
}

# What its threads cache, which the target knows.
cached() {
	launch cached cached "${seed:-1}" /tmp/info.xml /tmp/truth.json || return
	visit_all_ways
	rested
	end
}

nomalloc() {
	launch nomalloc nomalloc || return
	visit_all_ways
	end
}

busy() {
	local i=0
	launch busy busy /tmp/info.xml /tmp/truth.json || return
	while [ "$i" -lt 10 ]; do
		visit "$i.json" --json
		i=$((i + 1))
	done
	end
}

damaged() {
	launch "damaged-$1" damaged "$1" /tmp/info.xml /tmp/truth.json || return
	visit default.json --json
	end
}

# trim SCENARIO SEED: a child that shares its pages with its parent stands for it
trim() {
	local child tries=0
	launch "trim-$1-$2" trim "$1" "$2" || return
	child=$(sed -n 's/^child //p' /tmp/said)
	pid=${child:-$pid}
	cat "/proc/$pid/smaps_rollup" >"$case/rollup.before"
	visit default.json --json
	cat "/proc/$pid/smaps_rollup" >"$case/rollup.visited"
	echo trim >&4
	until grep -qx trimmed /tmp/said || [ "$tries" -gt 600 ]; do
		tries=$((tries + 1))
		sleep 0.1
	done
	cat "/proc/$pid/smaps_rollup" >"$case/rollup.after"
	visit trimmed.json --json
	end
}

seeds() {
	seeds=$(cat /seeds)
	[ -n "$seeds" ] || seeds=$(od -An -N8 -w8 -tu4 /dev/urandom)
}

uname -srm
echo "$(grep -c ^processor /proc/cpuinfo) processors"
mkdir -p /out
uname -r >/out/kernel
if ! arenainspect --version; then
	sleep 1
	poweroff -f
fi
arenainspect doctor >/out/doctor.txt 2>&1
for suite in /suites/*; do
	suite=${suite##*/}
	mount --bind /proc "/suites/$suite/proc"
	mount --bind /sys "/suites/$suite/sys"
	seeds
	echo "$suite: seeds:$seeds"
	for seed in $seeds; do
		history "$seed"
		trim history "$seed"
	done
	for scenario in fork fork-zeros checkerboard tops trimmed fastbins fast-tops locked locked-parts; do
		trim "$scenario" "${seed:-1}"
	done
	texts
	main_exits
	threads
	cached
	nomalloc
	for kind in chunk-zero unsorted-loops ring-wild foreign-sbrk main-pieces main-never-brk; do
		damaged "$kind"
	done
	busy
done
cd /out && tar -cz . | base64 >/tmp/results
echo 'begin-base64'
cat /tmp/results
echo '===='
echo 'guest: done'
sync
sleep 1
poweroff -f
