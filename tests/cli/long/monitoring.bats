#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The kit with the real servers: what they show is what the tool printed.  All of them
# listen on 127.0.0.1 only, at a port that is free, and end with the test.

load ../helper
load ../metrics

setup() {
	kit=$cli/../../scripts/kit
	dir=$BATS_TEST_TMPDIR
	text=$dir/text
	samples=$dir/samples
}

# Nagios' workers see by themselves that it has gone.
teardown() {
	end_all
	await no_workers
}

no_workers() {
	! pgrep -f "^nagios4 .*$BATS_TEST_TMPDIR/" >/dev/null
}

# free_port: one that nobody listens at
free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# get URL: its text, on stdout; false as long as nobody answers
get() {
	python3 -c 'if True:
		import sys, urllib.request
		try:
		    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
		    with opener.open(sys.argv[1], timeout=10) as answer:
		        sys.stdout.write(answer.read().decode())
		except OSError:
		    sys.exit(1)' "$1"
}

answers() {
	get "$1" >"$dir/answer"
}

# start_exporter DIRECTORY: node_exporter's textfile collector on that folder, at $exporter
start_exporter() {
	need prometheus-node-exporter prometheus-node-exporter
	exporter=127.0.0.1:$(free_port)
	launch prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory "$1" --web.listen-address "$exporter" --web.max-requests 2
	await answers "http://$exporter/metrics"
}

# start_prometheus: one that scrapes the exporter each second and has the kit's rules, at
# $prometheus
start_prometheus() {
	need prometheus prometheus
	prometheus=127.0.0.1:$(free_port)
	cat >"$dir/prometheus.yml" <<-END
		global: { scrape_interval: 1s, evaluation_interval: 1s }
		rule_files: [ $kit/prometheus-rules.yml ]
		scrape_configs:
		  - job_name: node
		    static_configs: [ { targets: [ "$exporter" ] } ]
	END
	launch prometheus --config.file "$dir/prometheus.yml" --storage.tsdb.path "$dir/tsdb" \
		--web.listen-address "$prometheus"
	await answers "http://$prometheus/-/ready"
}

# query EXPRESSION: its one value
query() {
	get "http://$prometheus/api/v1/query?query=$(jq -rn --arg q "$1" '$q | @uri')" |
		jq -er '.data.result | if length == 1 then .[0].value[1] else empty end'
}

@test "promtool finds nothing to complain of in the metrics" {
	need promtool prometheus
	start_truthful history 11
	"$ARENAINSPECT" metrics --per-arena --write "$text" "$pid"
	promtool check metrics <"$text" >"$text.said" 2>&1 || fail "$(cat "$text.said")"
	[ ! -s "$text.said" ] || fail "$(cat "$text.said")"
	"$ARENAINSPECT" metrics --all --write "$text" -q
	promtool check metrics <"$text"
	# It would complain.
	! sed 's/^# HELP.*//' "$text" | promtool check metrics >/dev/null 2>&1
}

@test "promtool tests the rules" {
	need promtool prometheus
	promtool check rules "$kit/prometheus-rules.yml"
	cp "$kit"/prometheus-rules*.yml "$dir"
	cd "$dir"
	promtool test rules prometheus-rules.test.yml
	# They would fail, each for its own.
	local alert
	for alert in $(sed -n 's/^ *- alert: //p' prometheus-rules.yml); do
		sed "s/alert: $alert\$/alert: Another/" "$kit/prometheus-rules.yml" >prometheus-rules.yml
		! promtool test rules prometheus-rules.test.yml >/dev/null 2>&1 || fail "$alert is not tested"
	done
}

@test "node_exporter serves the file, Prometheus scrapes it and answers with the same values" {
	local name=ari-prom$$ metric selector='{comm="history"}'
	mkdir "$dir/textfile"
	start_truthful history 11
	local first=$pid
	start_truthful history 11
	local second=$pid
	start_named "$name"
	"$ARENAINSPECT" metrics --per-arena --write "$dir/textfile/arenainspect.prom" "$first" "$second" "$pid"
	parsed "$dir/textfile/arenainspect.prom" >"$samples"
	start_exporter "$dir/textfile"
	await answers "http://$exporter/metrics"
	grep -qx 'node_textfile_scrape_error 0' "$dir/answer" || fail "$(grep textfile "$dir/answer")"
	diff <(grep -c '^arenainspect_' "$dir/answer") <(wc -l <"$samples")

	start_prometheus
	await query "arenainspect_processes$selector"
	[ "$(query "arenainspect_processes$selector")" = 2 ]
	[ "$(query "arenainspect_processes{comm=\"$name\"}")" = 1 ]
	for metric in trimmable_bytes retained_top_bytes in_use_bytes free_bytes system_bytes arenas idle_arenas; do
		[ "$(query "arenainspect_$metric$selector")" = "$(value "$metric" comm=history)" ] ||
			fail "$metric: $(query "arenainspect_$metric$selector")"
	done
	[ "$(query "sum(arenainspect_arena_system_bytes$selector)")" = "$(value system_bytes comm=history)" ]
	[ "$(query 'arenainspect_skipped_processes{reason="gone"}')" = 0 ]
	await query "arenainspect:trimmable:ratio$selector"
	jq -en "$(query "arenainspect:trimmable:ratio$selector") - $(value trimmable_bytes comm=history) /
		$(value rss_bytes comm=history) | fabs < 1e-9"
	# The file is replaced between two scrapes.
	"$ARENAINSPECT" metrics --write "$dir/textfile/arenainspect.prom" "$first" "$pid"
	only_one() { [ "$(query "arenainspect_processes$selector")" = 1 ]; }
	await only_one
}

# serve RIGHTS…: runs the service's command with no more than these rights of root's
serve() {
	local command
	command=$(sed -n 's/^ExecStart=//p' "$kit/arenainspect-metrics.service" |
		sed "s,^/usr/local/bin/arenainspect,$ARENAINSPECT,; s,/var/lib/prometheus/node-exporter,$dir/textfile,")
	# shellcheck disable=SC2086 # words of a command line
	setpriv --bounding-set "-all$*" --inh-caps -all --no-new-privs $command
	parsed "$dir/textfile/arenainspect.prom" >"$samples"
}

@test "the service needs its two rights, and no more" {
	need_root "to give rights away"
	grep -qx 'CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH' "$kit/arenainspect-metrics.service"
	local name=ari-serv$$ denied
	mkdir "$dir/textfile"
	# shellcheck disable=SC2016 # for the inner shell
	start as_nobody sh -c 'printf %s "$1" >/proc/$$/comm; echo ready; read -r line' sh "$name"
	serve ,+sys_ptrace,+dac_read_search
	[ "$(value processes "comm=$name")" = 1 ]
	[ -n "$(value trimmable_bytes "comm=$name")" ]
	denied=$(value skipped_processes reason=denied)
	serve ,+dac_read_search
	[ -z "$(value processes "comm=$name")" ]
	(($(value skipped_processes reason=denied) > denied))
}

@test "systemd finds nothing to complain of in the units" {
	need systemd-analyze systemd
	mkdir "$dir/units"
	sed "s,/usr/local/bin/arenainspect,$ARENAINSPECT," "$kit/arenainspect-metrics.service" \
		>"$dir/units/arenainspect-metrics.service"
	cp "$kit/arenainspect-metrics.timer" "$dir/units"
	run systemd-analyze verify --man=no "$dir/units/arenainspect-metrics.service" "$dir/units/arenainspect-metrics.timer"
	((status == 0)) || fail "$output"
	[ -z "$output" ] || fail "$output"
	run systemd-analyze security --offline=true --no-pager --threshold=20 "$dir/units/arenainspect-metrics.service"
	((status == 0)) || fail "$output"
	# It would complain, of both.
	echo 'NoSuchSetting=yes' >>"$dir/units/arenainspect-metrics.service"
	run systemd-analyze verify --man=no "$dir/units/arenainspect-metrics.service"
	[ -n "$output" ]
	sed -i '/^SystemCallFilter/d; /^Protect/d' "$dir/units/arenainspect-metrics.service"
	run systemd-analyze security --offline=true --no-pager --threshold=20 "$dir/units/arenainspect-metrics.service"
	((status != 0))
}

# nagios_service NAME COMMAND
nagios_service() {
	cat <<-END
		define service {
			host_name              here
			service_description    $1
			check_command          $2
			check_interval         1
			retry_interval         1
			max_check_attempts     1
			check_period           always
			notifications_enabled  0
		}
	END
}

# A Nagios with the kit's commands, all of whose files are in $dir.
start_nagios() {
	need nagios4 nagios4-core
	local user
	user=$(id -un)
	mkdir -p "$dir/plugins" "$dir/results" "$dir/var"
	ln -s "$ARENAINSPECT" "$dir/plugins/check_arenainspect"
	printf '$USER1$=%s\n' "$dir/plugins" >"$dir/resource.cfg"
	sed "s,/var/lib/nagios/,$dir/var/," "$kit/nagios.cfg" >"$dir/commands.cfg"
	{
		echo 'define timeperiod {
			timeperiod_name always
			alias           always
			sunday 00:00-24:00
			monday 00:00-24:00
			tuesday 00:00-24:00
			wednesday 00:00-24:00
			thursday 00:00-24:00
			friday 00:00-24:00
			saturday 00:00-24:00
		}
		define command {
			command_name host-is-up
			command_line /bin/true
		}
		define contact {
			contact_name                  nobody
			host_notification_period      always
			service_notification_period   always
			host_notification_commands    host-is-up
			service_notification_commands host-is-up
		}
		define host {
			contacts              nobody
			host_name             here
			address               127.0.0.1
			check_command         host-is-up
			check_period          always
			max_check_attempts    1
			notifications_enabled 0
		}'
		cat
	} >"$dir/objects.cfg"
	cat >"$dir/nagios.cfg" <<-END
		cfg_file=$dir/objects.cfg
		cfg_file=$dir/commands.cfg
		resource_file=$dir/resource.cfg
		log_file=$dir/nagios.log
		object_cache_file=$dir/objects.cache
		precached_object_file=$dir/objects.precache
		status_file=$dir/status.dat
		state_retention_file=$dir/retention.dat
		command_file=$dir/nagios.cmd
		lock_file=$dir/nagios.lock
		temp_file=$dir/nagios.tmp
		temp_path=$dir
		check_result_path=$dir/results
		query_socket=$dir/nagios.qh
		log_archive_path=$dir
		nagios_user=$user
		nagios_group=$(id -gn)
		status_update_interval=1
		interval_length=1
		max_service_check_spread=1
		use_syslog=0
		check_for_updates=0
		enable_notifications=0
		execute_host_checks=1
		illegal_macro_output_chars=\`~\$&|'"<>
	END
	nagios4 -v "$dir/nagios.cfg" >"$dir/verify" 2>&1 || fail "$(cat "$dir/verify")"
	launch nagios4 "$dir/nagios.cfg"
}

# status_of SERVICE: state|output|perfdata|has been checked, as Nagios shows them
status_of() {
	awk -v service="$1" '
		/^servicestatus/ { split("", at) }
		match($0, /^\t[a-z_]+=/) { at[substr($0, 2, RLENGTH - 2)] = substr($0, RLENGTH + 1) }
		/^\t}/ && at["service_description"] == service {
			print at["current_state"] "|" at["plugin_output"] "|" at["performance_data"] "|" at["has_been_checked"]
			exit
		}' "$dir/status.dat" 2>/dev/null
}

was_checked() {
	[[ $(status_of "$1") == *'|1' ]]
}

# nagios_shows SERVICE STATE WORDS
nagios_shows() {
	await was_checked "$1"
	local shown
	shown=$(status_of "$1")
	[[ $shown == "$2|ARENAINSPECT "* ]] || fail "$1: $shown"
	grep -qE -- "$3" <<<"$shown" || fail "$1 does not say '$3': $shown"
}

@test "Nagios runs the check by the kit's commands and shows its states" {
	local name=ari-nag$$
	start_named "$name"
	local named=$pid
	start_nagios < <(
		nagios_service fine "check_arenainspect!$name!in_use!1G!2G"
		nagios_service warned "check_arenainspect!$name!in_use!1K!2G"
		nagios_service critical "check_arenainspect!$name!in_use!1K!2K"
		nagios_service absent "check_arenainspect!no-such-program!in_use!1G!2G"
		nagios_service unit "check_arenainspect_unit!no-such.service!in_use!1G!2G"
		nagios_service growth "check_arenainspect_growth!$name!in_use!@~:-1K!1M"
	)
	nagios_shows fine 0 "OK - in_use .*\($name, pid $named\)\|'$name.in_use'=[0-9]+B;1073741824;2147483648;0\|"
	nagios_shows warned 1 'WARNING - in_use .*not in 1K'
	nagios_shows critical 2 'CRITICAL - in_use .*not in 2K'
	nagios_shows absent 3 'UNKNOWN - no process has the name .no-such-program'
	nagios_shows unit 3 'UNKNOWN - no process has the unit .no-such.service'
	known() { [[ $(status_of growth) == *"in_use_growth'=0;"* ]]; }
	await known
	nagios_shows growth 0 'OK - in_use_growth \+0 B/s'
	# It goes, and Nagios sees it.
	kill "$named"
	gone() { [[ $(status_of fine) == '3|ARENAINSPECT UNKNOWN - no process'* ]]; }
	await gone
}

@test "Icinga 2 accepts the kit's command" {
	need icinga2 icinga2-bin
	mkdir "$dir/cache"
	cp "$kit/icinga2.conf" "$dir/kit.conf"
	cat >"$dir/icinga2.conf" <<-END
		include <itl>
		const PluginDir = "$dir"
		object Endpoint NodeName { }
		object Zone "here" { endpoints = [ NodeName ] }
		include "$dir/kit.conf"
		object Host "here" { check_command = "dummy" }
		object Service "malloc" {
			host_name = "here"
			check_command = "arenainspect"
			vars.arenainspect_comm = "postgres"
			vars.arenainspect_warning = "500M"
		}
		object Service "unit" {
			host_name = "here"
			check_command = "arenainspect"
			vars.arenainspect_unit = "postgresql@15-main.service"
			vars.arenainspect_critical = "2G"
		}
	END
	validate() {
		ICINGA2_USER=$(id -un) ICINGA2_GROUP=$(id -gn) icinga2 daemon -C -c "$dir/icinga2.conf" -D CacheDir="$dir/cache" -D VarsPath="$dir/cache/vars" >"$dir/said" 2>&1
	}
	validate || fail "$(tail -n 20 "$dir/said")"
	grep -q 'Instantiated 2 Services' "$dir/said"
	sed -i 's/CheckCommand "arenainspect"/CheckCommand "another"/' "$dir/kit.conf"
	! validate
}
