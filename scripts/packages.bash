# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Packages of any release of Debian, for any machine: found, downloaded and unpacked in
# folders below build/.  Nothing that this system has installed, or knows of, is touched.
#
#   configure, update      which release and machine it is about, and what it has
#   download, unpack       packages of it

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

fail() {
	echo "${0##*/}: $*" >&2
	return 1
}

for command in apt-get dpkg-deb flock; do
	command -v "$command" >/dev/null || fail "$command is missing" || exit 1
done
[ -r "$keyring" ] || fail "$keyring is missing (package debian-archive-keyring)" || exit 1

# The archive of releases: not security's, nor another vendor's.
find_mirror() {
	# shellcheck disable=SC2016 # apt's own variables
	apt-get indextargets --format '$(SITE)' 'Origin: Debian' |
		sed 's,/*$,,' | sort -u | grep -v -- '-security$' | head -n 1
}

mirror=$(find_mirror)
[ -n "$mirror" ] || fail 'apt is not set up for an archive of Debian' || exit 1

# configure FOLDER SUITE ARCH: an apt of its own there, which knows this suite alone
configure() {
	own=$1
	mkdir -p "$own"/{lists,cache/archives/partial,debs}
	: >"$own/status"
	echo "deb [signed-by=$keyring] $mirror $2 main" >"$own/sources.list"
	cat >"$own/apt.conf" <<-END
		#clear APT::Update;
		#clear DPkg;
		APT::Architecture "$3";
		APT::Architectures { "$3"; };
		APT::Sandbox::User "$(id -un)";
		Acquire::Languages "none";
		Acquire::Retries "2";
		Dir::Etc::SourceList "$own/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::Etc::PreferencesParts "/dev/null";
		Dir::State "$own";
		Dir::State::Lists "$own/lists";
		Dir::State::Status "$own/status";
		Dir::Cache "$own/cache";
		Dir::Cache::pkgcache "pkgcache.bin";
	END
}

apt_of_suite() {
	apt-get -q -c "$own/apt.conf" "$@"
}

# update: the list of its packages; 2 where the mirror has no such suite
update() {
	local log=$own/log
	if apt_of_suite -o APT::Update::Error-Mode=any update >"$log" 2>&1; then
		return 0
	elif grep -q "does not have a Release file" "$log"; then
		return 2
	else
		tail -n 5 "$log" >&2
		return 1
	fi
}

# download PACKAGE…: the newest of each, into $own/debs, and no other
download() {
	local log=$own/log wanted each
	# Not in debs: of what is there already, apt says nothing.
	wanted=$(cd "$own" && apt_of_suite --print-uris download "$@" | awk '{ print $2 }')
	[ -n "$wanted" ] || fail "no packages: $*"
	for each in "$own"/debs/*.deb; do
		grep -qxF "${each##*/}" <<<"$wanted" || rm -f "$each"
	done
	for each in $wanted; do
		[ -e "$own/debs/$each" ] && continue
		(cd "$own/debs" && apt_of_suite download "$@") >"$log" 2>&1 && break
		tail -n 5 "$log" >&2
		return 1
	done
}

# Links within a root must stay there, also for a linker that does not chroot.
make_links_relative() {
	local link target
	find "$1" -type l -lname '/*' | while read -r link; do
		target=$1$(readlink "$link")
		ln -sfnr "$target" "$link"
	done
}

# unpack DIRECTORY PACKAGE…: anew, with /usr merged as the packages expect it
unpack() {
	local root=$1 package deb
	shift
	rm -rf "$root" "$root.new"
	mkdir -p "$root.new"/{usr/bin,usr/sbin,usr/lib,usr/lib64,proc,sys,tmp,mnt}
	for package in bin sbin lib lib64; do
		ln -s "usr/$package" "$root.new/$package"
	done
	for package in "$@"; do
		for deb in "$own/debs/${package}"_*.deb; do
			dpkg-deb --fsys-tarfile "$deb" |
				tar -x --no-same-owner --keep-directory-symlink -C "$root.new"
		done
	done
	make_links_relative "$root.new"
	mv "$root.new" "$root"
}
