# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# A terminal of the test's own.

# on_terminal COMMAND: for a shell, on a terminal of 24 lines and 200 columns; what it
# shows goes to stdout, with the terminal's line ends, and $? is the command's.  A chroot
# often has no devpts; then root mounts one that nobody else sees.
on_terminal() {
	local script=(script -qec "stty rows 24 cols 200; $1" /dev/null)
	need script bsdutils
	if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
		need_root "there is no pseudo-terminal"
		# shellcheck disable=SC2016 # for the inner shell
		script=(unshare -m --propagation unchanged sh -ec '
			mount --make-rprivate /dev
			mount -t devpts devpts /dev/pts
			exec "$@"' sh "${script[@]}")
	fi
	"${script[@]}" </dev/null
}
