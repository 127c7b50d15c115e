#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Real programs: the search finds main_arena and mp_ where debug information has them,
# and nothing else, at the program's start, under load and at rest.  A program is under
# load while the file $busy is there; it says "ready" when it has come to rest.

load ../helper
load ../postgres
load ../trim

setup() {
	json=$BATS_TEST_TMPDIR/json
	busy=$BATS_TEST_TMPDIR/busy
	visits=0
	touch "$busy"
}

teardown() {
	rm -f "$busy"
	stop_postgres
	end_all
	remove_postgres
}

# found DOCUMENT: main_arena's and mp_'s addresses; a blank mp_ is not told
found() {
	jq -r '(.arenas[0].address), ([.libc.proof[] | capture("^mp_ is at (?<at>0x[0-9a-f]+)").at][0] // "none")' "$1"
}

# visit_by WAY: into $json.WAY and ${place[@]}
visit_by() {
	local status=0
	"$ARENAINSPECT" --json --symbols "$1" "$pid" >"$json.$1" 2>"$json.err" || status=$?
	if ((status == 5)) && [ "$1" = debuginfo ] && grep -q 'install its debug information' "$json.err"; then
		skip "libc has no debug information (package libc6-dbg)"
	fi
	((status == 0)) || fail "$1: exit $status" "$(cat "$json.err")"
	holds "$json.$1" ".libc.symbol_source == \"$1\""
	mapfile -t place < <(found "$json.$1")
	visits=$((visits + 1))
}

# right: by search, and by debug information
right() {
	local searched
	visit_by search
	searched=("${place[@]}")
	visit_by debuginfo
	[ "${searched[0]}" = "${place[0]}" ] ||
		fail "main_arena: found at ${searched[0]}, is at ${place[0]}"
	[ "${searched[1]}" = none ] || [ "${searched[1]}" = "${place[1]}" ] ||
		fail "mp_: found at ${searched[1]}, is at ${place[1]}"
}

# Until the exec it is a fork of this shell, command line and libc included.
has_libc() {
	! cmp -s "/proc/$pid/cmdline" "/proc/$$/cmdline" &&
		grep -q '/libc[.-].*so' "/proc/$pid/maps" 2>/dev/null
}

# at_start COMMAND…: launches it, and visits it as soon as it has a libc
at_start() {
	launch "$@"
	await has_libc
	right
}

under_load() {
	local i
	for ((i = 0; i < 8; i++)); do
		visit_by search
	done
	right
	rm "$busy"
}

is_stopped() {
	grep -q '^State:	T' "/proc/$pid/status"
}

# Held still, every resident byte has its place, in malloc's books and in the process's.
in_balance() {
	local rss
	kill -STOP "$pid"
	await is_stopped
	"$ARENAINSPECT" --json "$pid" >"$json"
	rss=$(awk '$1 == "Rss:" { sum += $2 * 1024 } END { print sum }' "/proc/$pid/smaps")
	kill -CONT "$pid"
	books_balance "$json"
	holds "$json" "([.memory[].resident_bytes] | add) == $rss" \
		'.totals.resident.total_bytes ==
			([.memory[] | select(.kind == "malloc-heaps").resident_bytes] | add)'
}

at_rest() {
	right
	in_balance
	[ "${place[1]}" != none ]
	echo "# $BATS_TEST_DESCRIPTION: $visits visits, main_arena ${place[0]}, mp_ ${place[1]}," \
		"$(jq '.totals.arenas' "$json.debuginfo") arenas, $(jq '.process.tasks' "$json.debuginfo") threads" >&3
}

# has_grown SIZE: the program's output, or there is no more to wait for
has_grown() {
	[ ! -e "$busy" ] || (($(stat -c %s "$out") > $1))
}

# feed TEXT: to the program's stdin, again each time that it has answered with something,
# as long as it is to be busy
feed() {
	while [ -e "$busy" ]; do
		size=$(stat -c %s "$out")
		printf '%s\n' "$1" >&"$in"
		await has_grown "$size"
	done 3>&- &
	feeder=$!
	started+=("$feeder")
}

# fed: feeding has ended; then the text that makes the program say "ready"
fed() {
	wait "$feeder" || :
	printf '%s\n' "$1" >&"$in"
}

@test "python3" {
	need python3 python3
	cat >"$BATS_TEST_TMPDIR/load.py" <<-'END'
		import os, sys, threading

		def work():
		    held = []
		    while os.path.exists(sys.argv[1]):
		        held = [bytearray(600 + 977 * i % 70000) for i in range(400)][::3]

		threads = [threading.Thread(target=work) for _ in range(6)]
		for thread in threads:
		    thread.start()
		print("loaded", flush=True)
		for thread in threads:
		    thread.join()
		print("ready", flush=True)
		sys.stdin.read()
	END
	at_start "$(python3 -c 'import sys; print(sys.executable)')" "$BATS_TEST_TMPDIR/load.py" "$busy"
	await_line loaded
	under_load
	await_line ready
	at_rest
}

@test "perl" {
	need perl perl
	at_start perl -e '$| = 1; print "loaded\n"; my %held;
		while (-e $ARGV[0]) { $held{$_ % 5000} = "x" x ($_ * 37 % 9000) for 1 .. 20000 }
		print "ready\n"; <STDIN>' "$busy"
	await_line loaded
	under_load
	await_line ready
	at_rest
}

@test "bash" {
	# shellcheck disable=SC2016 # for the bash that is visited
	at_start bash -c 'echo loaded; n=0
		while [ -e "$0" ]; do
			for ((i = 0; i < 2000; i++)); do held[i % 300]=$(printf "%*s" 5 x)${held[i % 7]:0:2000}$i; done
		done
		echo ready; read -r' "$busy"
	await_line loaded
	under_load
	await_line ready
	at_rest
}

@test "node" {
	need node nodejs
	at_start "$(readlink -f "$(command -v node)")" -e 'const fs = require("fs"), zlib = require("zlib");
		console.log("loaded");
		let pending = 0;
		function work() {
			if (!fs.existsSync(process.argv[1])) { if (pending == 0) console.log("ready"); return }
			for (let i = 1; i <= 8; i++) {
				pending++;
				zlib.deflate(Buffer.alloc(i * 9000, i), () => { if (--pending == 0) work() });
			}
		}
		work(); process.stdin.resume()' "$busy"
	await_line loaded
	under_load
	await_line ready
	at_rest
}

@test "java" {
	need javac default-jdk-headless
	cat >"$BATS_TEST_TMPDIR/Load.java" <<-'END'
		import java.nio.ByteBuffer;
		import java.nio.file.*;
		import java.util.zip.Deflater;

		public class Load {
		    public static void main(String[] args) throws Exception {
		        Thread[] threads = new Thread[16];
		        for (int i = 0; i < threads.length; i++) {
		            int size = 1000 * (i + 1);
		            threads[i] = new Thread(() -> {
		                while (Files.exists(Path.of(args[0]))) {
		                    Deflater deflater = new Deflater(); // zlib mallocs
		                    deflater.setInput(new byte[size]);
		                    deflater.finish();
		                    deflater.deflate(new byte[size]);
		                    deflater.end();
		                    ByteBuffer.allocateDirect(size);
		                }
		            });
		            threads[i].start();
		        }
		        System.out.println("loaded");
		        for (Thread thread : threads)
		            thread.join();
		        System.out.println("ready");
		        System.in.read();
		    }
		}
	END
	javac -d "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/Load.java"
	at_start "$(readlink -f "$(command -v java)")" -Xmx64m -XX:-UsePerfData -cp "$BATS_TEST_TMPDIR" Load "$busy"
	await_line loaded
	under_load
	await_line ready
	at_rest
}

@test "git" {
	need git git
	local repository=$BATS_TEST_TMPDIR/repository i
	git init -q "$repository"
	for ((i = 0; i < 40; i++)); do
		head -c $((i * 3000)) /dev/urandom | base64 >"$repository/$i"
	done
	git -C "$repository" add .
	git -C "$repository" -c user.name=test -c user.email=test@localhost commit -qm test
	at_start "$(git --exec-path)/git" -C "$repository" cat-file --batch
	feed "$(git -C "$repository" ls-files -s | cut -d' ' -f2)"
	await test -s "$out"
	under_load
	fed ready
	await grep -aqx 'ready missing' "$out"
	at_rest
}

@test "gdb" {
	need gdb gdb
	at_start gdb -nx -q -iex 'set debuginfod enabled off' -iex 'set confirm off'
	feed "$(printf 'file %s\ninfo functions walk\ninfo types .\nfile\necho loaded\\n' "$ARENAINSPECT")"
	await grep -q loaded "$out"
	under_load
	fed 'echo ready\n'
	await grep -q ready "$out"
	at_rest
}

@test "sqlite3" {
	need sqlite3 sqlite3
	local flush='select hex(zeroblob(5000));' # its output has a buffer
	at_start sqlite3
	echo 'create table t (n integer primary key, s text);' >&"$in"
	feed "insert or replace into t with recursive c(n) as (select 1 union all select n + 1 from c limit 3000)
		select n, hex(randomblob(n % 700)) from c;
		select count(*) from (select s from t order by s); delete from t where n % 3 = 0;
		$flush"
	await test -s "$out"
	under_load
	fed "$(printf '.print ready\n%s' "$flush")"
	await grep -qx ready "$out"
	at_rest
}

@test "nginx" {
	need nginx nginx
	need python3 python3
	local prefix=$BATS_TEST_TMPDIR/nginx
	mkdir -p "$prefix"
	cat >"$prefix/nginx.conf" <<-END
		daemon off; master_process off; pid $prefix/pid; error_log $prefix/error;
		events { }
		http {
			access_log off; client_body_temp_path $prefix/body; proxy_temp_path $prefix/proxy;
			fastcgi_temp_path $prefix/fastcgi; uwsgi_temp_path $prefix/uwsgi; scgi_temp_path $prefix/scgi;
			gzip on; gzip_types *; gzip_min_length 1;
			server { listen unix:$prefix/socket; root $prefix; }
		}
	END
	head -c 200000 /dev/urandom | base64 >"$prefix/file"
	at_start "$(command -v nginx || echo /usr/sbin/nginx)" -p "$prefix" -c "$prefix/nginx.conf"
	await test -S "$prefix/socket"
	python3 - "$busy" "$prefix/socket" <<-'END' 3>&- &
		import os, socket, sys

		while os.path.exists(sys.argv[1]):
		    clients = [socket.socket(socket.AF_UNIX) for _ in range(30)]
		    for client in clients:
		        client.connect(sys.argv[2])
		        client.sendall(b"GET /file HTTP/1.0\r\nAccept-Encoding: gzip\r\n\r\n")
		    for client in clients:
		        while client.recv(65536):
		            pass
	END
	feeder=$!
	started+=("$feeder")
	under_load
	wait "$feeder"
	at_rest
}

@test "postgres" {
	local psql
	start_postgres
	echo "select 'backend ' || pg_backend_pid();" >&"$in"
	await grep -q '^backend' "$out"
	psql=$pid
	pid=$(sed -n 's/^backend //p' "$out")
	right
	feed "create temp table t as select g, repeat('x', g % 3000) s from generate_series(1, 5000) g;
		select count(*) from (select s from t order by s) sorted; drop table t;"
	await grep -qx 5000 "$out"
	under_load
	fed '\echo ready'
	await grep -qx ready "$out"
	at_rest
	pid=$psql
}
