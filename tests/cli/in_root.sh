#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs a command in a root folder: its /tmp and /mnt are folders of this system.
#   usage: unshare --mount tests/cli/in_root.sh ROOT TMP MNT COMMAND…
# What is mounted is mounted in the namespace of the command alone and ends with it.
set -euo pipefail

root=$1 tmp=$2 mnt=$3
shift 3
PATH=$PATH:/usr/sbin:/sbin
mount --rbind /proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --bind "$tmp" "$root/tmp"
mount --bind "$mnt" "$root/mnt"
exec chroot "$root" "$@"
