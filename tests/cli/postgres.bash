# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A PostgreSQL server of the test's own, without a network.

# As the owner of the cluster: the server refuses to run as root.
as_owner() {
	if ((EUID == 0)); then
		setpriv --reuid=postgres --regid=postgres --clear-groups env -C / "$@"
	else
		"$@"
	fi
}

# start_postgres [SETTINGS]: the server, in $cluster, and psql as the process last
# started; $postgres has its programs.  SETTINGS are words of postgres' command line.
start_postgres() {
	local each
	for each in /usr/lib/postgresql/*/bin; do
		[ -x "$each/initdb" ] && postgres=$each
	done
	[ -n "${postgres:-}" ] || skip 'no PostgreSQL server (package postgresql)'
	((EUID != 0)) || id postgres >/dev/null 2>&1 || skip 'no user postgres'
	cluster=$(mktemp -d /tmp/arenainspect-pg.XXXXXX)
	((EUID != 0)) || chown postgres "$cluster"
	as_owner "$postgres/initdb" -D "$cluster/data" -A trust -U postgres -N >/dev/null
	as_owner "$postgres/pg_ctl" start -w -D "$cluster/data" -l "$cluster/log" \
		-o "-c listen_addresses= -k $cluster -c fsync=off ${1:-}" >/dev/null 3>&-
	launch as_owner "$postgres/psql" -XqAt -h "$cluster" -U postgres
}

# stop_postgres: for every teardown, before end_all
stop_postgres() {
	[ -z "${cluster:-}" ] ||
		as_owner "$postgres/pg_ctl" stop -D "$cluster/data" -m immediate >/dev/null 2>&1 || :
}

# remove_postgres: after end_all
remove_postgres() {
	rm -rf "${cluster:-}"
}
