#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# As ../trim.bats, with four releases of glibc and 20 new seeds for each, printed; with
# pages in swap and in the kernel's pool of huge pages; and a JVM, told to trim by jcmd.

load ../helper
load ../oracle
load ../suites
load ../swap
load ../trim

setup_file() {
	fetch_suites
}

teardown() {
	end_all
	remove_swap
	[ -z "${pool:-}" ] || echo "$pool" >/proc/sys/vm/nr_hugepages
}

# release SUITE: trim is built with it
release() {
	suite "$1"
	build trim trim.c
}

# ---- each release ----

random_histories() {
	release "$1"
	histories_trimmed start_in_root trim "$much"
}

@test "bullseye: random histories give back what was forecast, 30 MB and more" { random_histories bullseye; }
@test "bookworm: random histories give back what was forecast, 30 MB and more" { random_histories bookworm; }
@test "trixie: random histories give back what was forecast, 30 MB and more" { random_histories trixie; }
@test "forky: random histories give back what was forecast, 30 MB and more" { random_histories forky; }

# scenarios SUITE NAME…
scenarios() {
	local name
	release "$1"
	for name in "${@:2}"; do
		scenario start_in_root "$name"
		stop
	done
}

@test "bullseye: nothing comes back of fragments, of tops of threads, and of what was trimmed" { scenarios bullseye checkerboard tops trimmed; }
@test "bookworm: nothing comes back of fragments, of tops of threads, and of what was trimmed" { scenarios bookworm checkerboard tops trimmed; }
@test "trixie: nothing comes back of fragments, of tops of threads, and of what was trimmed" { scenarios trixie checkerboard tops trimmed; }
@test "forky: nothing comes back of fragments, of tops of threads, and of what was trimmed" { scenarios forky checkerboard tops trimmed; }

@test "bullseye: fast chunks merge first, with free ones and with top" { scenarios bullseye fastbins fast-tops; }
@test "bookworm: fast chunks merge first, with free ones and with top" { scenarios bookworm fastbins fast-tops; }
@test "trixie: fast chunks merge first, with free ones and with top" { scenarios trixie fastbins fast-tops; }
@test "forky: fast chunks merge first, with free ones and with top" { scenarios forky fastbins fast-tops; }

@test "bullseye: pages that a child shares with its parent come back as its own do" { scenarios bullseye fork fork fork; }
@test "bookworm: pages that a child shares with its parent come back as its own do" { scenarios bookworm fork fork fork; }
@test "trixie: pages that a child shares with its parent come back as its own do" { scenarios trixie fork fork fork; }
@test "forky: pages that a child shares with its parent come back as its own do" { scenarios forky fork fork fork; }

locked() {
	need_root 'locking more than a user may'
	scenarios "$1" locked locked locked-parts locked-parts locked-parts locked-parts locked-parts
}

@test "bullseye: what is locked does not come back, and ends what comes back of a chunk" { locked bullseye; }
@test "bookworm: what is locked does not come back, and ends what comes back of a chunk" { locked bookworm; }
@test "trixie: what is locked does not come back, and ends what comes back of a chunk" { locked trixie; }
@test "forky: what is locked does not come back, and ends what comes back of a chunk" { locked forky; }

# hugetlb SUITE N: as the tunable has it
hugetlb() {
	release "$1"
	tunables=glibc.malloc.hugetlb=$2
	histories_trimmed start_in_root trim ".settings.environment.GLIBC_TUNABLES == \"$tunables\"" "${@:3}"
}

@test "bookworm: transparent huge pages asked for" { hugetlb bookworm 1 "$much"; }
@test "trixie: transparent huge pages asked for" { hugetlb trixie 1 "$much"; }
@test "forky: transparent huge pages asked for" { hugetlb forky 1 "$much"; }

@test "bookworm: huge pages asked for, and none there" { hugetlb bookworm 2 "$much"; }
@test "trixie: huge pages asked for, and none there" { hugetlb trixie 2 "$much"; }
@test "forky: huge pages asked for, and none there" { hugetlb forky 2 "$much"; }

# Huge pages are no part of the resident set; what glibc got when there were no more is.
hugetlb_pool() {
	need_root 'a pool of huge pages'
	pool=$(cat /proc/sys/vm/nr_hugepages)
	{ echo $((pool + 25)) >/proc/sys/vm/nr_hugepages; } 2>/dev/null || :
	(($(cat /proc/sys/vm/nr_hugepages) > pool)) || skip 'the kernel gives no huge pages'
	hugetlb "$1" 2 '[.arenas[].heaps[].huge_page_bytes > 0] | any'
}

@test "bookworm: huge pages asked for, and some there" { hugetlb_pool bookworm; }
@test "trixie: huge pages asked for, and some there" { hugetlb_pool trixie; }
@test "forky: huge pages asked for, and some there" { hugetlb_pool forky; }

# ---- pages in swap ----

pages_in_swap() {
	add_swap
	scenarios "$1" swapped swapped swapped swapped
}

@test "bullseye: pages in swap come back, and are told from those that are resident" { pages_in_swap bullseye; }
@test "bookworm: pages in swap come back, and are told from those that are resident" { pages_in_swap bookworm; }
@test "trixie: pages in swap come back, and are told from those that are resident" { pages_in_swap trixie; }
@test "forky: pages in swap come back, and are told from those that are resident" { pages_in_swap forky; }

# ---- a JVM ----

# Its threads hold much native memory, free most of it, and rest.
write_program() {
	cat >"$BATS_TEST_TMPDIR/Native.java" <<-'END'
		import java.lang.reflect.Field;
		import java.util.Random;
		import java.util.concurrent.CountDownLatch;
		import sun.misc.Unsafe;

		public class Native {
		    static final int THREADS = 12, BLOCKS = 4000;

		    static void work(Unsafe unsafe, Random random) {
		        long[] blocks = new long[BLOCKS];
		        for (int i = 0; i < BLOCKS; i++) {
		            int bytes = 1 + random.nextInt(random.nextInt(10) == 0 ? 50000 : 2000);
		            blocks[i] = unsafe.allocateMemory(bytes);
		            unsafe.setMemory(blocks[i], bytes, (byte) 1);
		        }
		        for (int i = 0, keep = 0; i < BLOCKS - 1; i++) {
		            if (keep == 0 && random.nextInt(60) == 0)
		                keep = random.nextInt(10);
		            if (keep > 0)
		                keep--;
		            else
		                unsafe.freeMemory(blocks[i]);
		        }
		    }

		    public static void main(String[] args) throws Exception {
		        Field field = Unsafe.class.getDeclaredField("theUnsafe");
		        field.setAccessible(true);
		        Unsafe unsafe = (Unsafe) field.get(null);
		        System.out.println("warm");
		        System.in.read();
		        CountDownLatch done = new CountDownLatch(THREADS), never = new CountDownLatch(1);
		        for (int i = 0; i < THREADS; i++) {
		            Random random = new Random(Long.parseLong(args[0]) + i);
		            Thread thread = new Thread(() -> {
		                work(unsafe, random);
		                done.countDown();
		                try {
		                    never.await();
		                } catch (InterruptedException e) {
		                }
		            });
		            thread.setDaemon(true);
		            thread.start();
		        }
		        done.await();
		        System.out.println("ready");
		        System.in.read();
		    }
		}
	END
	javac -d "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/Native.java" 2>/dev/null
}

rss_and_swap() {
	awk '$1 == "Rss:" || $1 == "Swap:" { sum += $2 * 1024 } END { print sum }' "/proc/$pid/smaps_rollup"
}

@test "java: what jcmd has the JVM give back is what was forecast, within 3 %" {
	local before after forecast said from to
	need javac default-jdk-headless
	seed
	write_program
	launch "$(readlink -f "$(command -v java)")" -Xmx64m -XX:+UseSerialGC -cp "$BATS_TEST_TMPDIR" Native "$seed"
	await_line warm
	jcmd "$pid" help | grep -qx System.trim_native_heap || skip 'this JVM has no System.trim_native_heap'
	jcmd "$pid" System.trim_native_heap # so that nothing is new to it
	echo >&"$in"
	await_line ready
	"$ARENAINSPECT" --json "$pid" >"$json"
	books_balance "$json"
	holds "$json" '.totals.trimmable_bytes > 50000000' '.process.runtime == "jvm"' \
		"any(.findings[]; .id == \"TRIMMABLE\" and (.advice | contains(\"jcmd $pid System.trim_native_heap\")))"
	before=$(rss_and_swap)
	said=$(jcmd "$pid" System.trim_native_heap)
	after=$(rss_and_swap)
	forecast=$(jq '.totals.trimmable_bytes + .totals.trimmable_swapped_bytes' "$json")
	echo "# forecast $forecast, dropped by $((before - after)); ${said##*heap: }" >&3
	within "$forecast" $((before - after)) $((forecast * 3 / 100)) || fail 'that is not what the kernel counts'
	# Its own words are rounded to a megabyte at most.
	read -r from to < <(sed -n 's/.*RSS+Swap: \([0-9]*[KM]\)->\([0-9]*[KM]\).*/\1 \2/p' <<<"$said" | numfmt --from=iec --field=1-)
	within "$forecast" $((from - to)) $((forecast * 3 / 100)) || fail "that is not what the JVM says: $said"
}
