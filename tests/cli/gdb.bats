#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real programs, held still by a debugger: what gdb reads of main_arena and its ring,
# by glibc's debug information, is what arenainspect says at that very moment.

load helper
load postgres

setup() {
	need gdb gdb
	need python3 python3
	out_gdb=$BATS_TEST_TMPDIR/gdb.json
	out_ours=$BATS_TEST_TMPDIR/ours.json
}

teardown() {
	stop_postgres
	end_all
	remove_postgres
}

# agrees PID: arenainspect runs while gdb holds the process stopped
agrees() {
	local log=$BATS_TEST_TMPDIR/gdb.log
	GDB_ARENAS_OUT=$out_gdb \
		GDB_ARENAS_SHELL="'$ARENAINSPECT' --json --depth arenas arenas $1 >'$out_ours'" \
		gdb -nx -batch -iex 'set debuginfod enabled off' -iex 'set auto-load off' \
		-p "$1" -x "$cli/gdb_arenas.py" >"$log" 2>&1 3>&- || :
	if ! [ -s "$out_gdb" ]; then
		grep -qE 'No symbol "(main_arena|mp_)"|No symbol table' "$log" &&
			skip "gdb has no debug information of libc (package libc6-dbg)"
		fail "gdb failed:" "$(tail -5 "$log")"
	fi
	[ -s "$out_ours" ] || fail "arenainspect said nothing:" "$(tail -5 "$log")"
	"$cli/compare.py" --gdb "$out_gdb" "$out_ours"
}

@test "gdb and arenainspect agree on a process of random history" {
	start_truthful history 7
	agrees "$pid"
}

@test "gdb and arenainspect agree on a JVM of 40 threads" {
	need javac default-jdk-headless
	cat >"$BATS_TEST_TMPDIR/Busy.java" <<-'END'
		import java.nio.ByteBuffer;
		import java.util.concurrent.CountDownLatch;
		import java.util.zip.Deflater;

		public class Busy {
		    public static void main(String[] args) throws Exception {
		        CountDownLatch allocated = new CountDownLatch(40);
		        for (int i = 0; i < 40; i++) {
		            int size = 1000 * (i + 1);
		            Thread thread = new Thread(() -> {
		                ByteBuffer buffer = ByteBuffer.allocateDirect(size);
		                Deflater deflater = new Deflater(); // zlib mallocs
		                deflater.setInput(new byte[size]);
		                deflater.finish();
		                deflater.deflate(new byte[size]);
		                allocated.countDown();
		                try {
		                    Thread.sleep(Long.MAX_VALUE);
		                } catch (InterruptedException e) {
		                    buffer.clear();
		                }
		            });
		            thread.setDaemon(true);
		            thread.start();
		        }
		        allocated.await();
		        System.out.println("ready");
		        System.in.read();
		    }
		}
	END
	javac -d "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/Busy.java"
	start java -Xmx64m -XX:-UsePerfData -cp "$BATS_TEST_TMPDIR" Busy
	agrees "$pid"
	holds "$out_ours" '.process.tasks >= 40' '.totals.arenas > 1'
}

@test "gdb and arenainspect agree on a PostgreSQL backend" {
	start_postgres
	# The session stays open, and its backend keeps what these allocated.
	cat >&"$in" <<-'END'
		create temp table t as select g, repeat('x', g % 3000) s from generate_series(1, 20000) g;
		prepare p as select count(*) from (select s from t order by s) sorted;
		execute p;
		select 'backend ' || pg_backend_pid();
		\echo ready
	END
	await_line ready
	agrees "$(sed -n 's/^backend //p' "$out")"
	holds "$out_ours" '.process.comm == "postgres"' '.arenas[0].system_bytes > 0'
}

@test "gdb and arenainspect agree on a Python process of many threads" {
	cat >"$BATS_TEST_TMPDIR/many.py" <<-'END'
		import sys, threading

		filled = threading.Barrier(13)
		held = []

		def fill(n):
		    blocks = [bytearray(600 + 977 * i % 70000) for i in range(400)]
		    held.append(blocks[::3])
		    del blocks
		    filled.wait()
		    threading.Event().wait()

		for n in range(12):
		    threading.Thread(target=fill, args=(n,), daemon=True).start()
		filled.wait()
		print("ready", flush=True)
		sys.stdin.read()
	END
	start "$(python3 -c 'import sys; print(sys.executable)')" "$BATS_TEST_TMPDIR/many.py"
	agrees "$pid"
	holds "$out_ours" '.process.tasks == 13' '.totals.arenas > 1'
}
