# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2154 # what bats and helper.bash set
# What the tests of metrics share.

# parsed FILE: what Prometheus' own Python client reads in it, one sample a line
parsed() {
	python_with python3-prometheus-client "$cli/openmetrics.py" "$1"
}

# gather ARGUMENTS…: metrics into $text, and what is in them into $samples
gather() {
	"$ARENAINSPECT" metrics "$@" >"$text" 2>"$text.err" || fail "exit $?" "$(cat "$text.err")"
	parsed "$text" >"$samples" || fail "not well-formed" "$(head -c 2000 "$text")"
}

# value NAME [LABEL=VALUE]: of its only sample that has the label
value() {
	# Not with -v, which takes a backslash for the begin of something else.
	name=arenainspect_$1 label=${2:-} awk -F '\t' '
		$1 == ENVIRON["name"] && (ENVIRON["label"] == "" ||
			index("," $2 ",", "," ENVIRON["label"] ",")) { print $3 }' "$samples"
}

# total: of the numbers on stdin
total() {
	awk '{ sum += $1 } END { printf "%d\n", sum }'
}
