// SPDX-License-Identifier: Apache-2.0
/* Why the kernel says no: ptrace(2), "Ptrace access mode checking". */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "target/procfs.h"
#include "target/target.h"

struct rights {
	const struct target *target;
	uint64_t our_caps, their_caps, uid, seccomp;
	uint64_t yama;
	bool same_namespace;
};

static bool has_cap(uint64_t caps, int cap)
{
	return caps != ARI_UNKNOWN && (caps >> cap & 1) != 0;
}

static bool other_user(const struct rights *rights)
{
	return rights->target->status.uid != rights->uid;
}

static bool lacks_ptrace(const struct rights *rights)
{
	return other_user(rights) && !has_cap(rights->our_caps, CAP_SYS_PTRACE);
}

static bool lacks_dac(const struct rights *rights)
{
	return other_user(rights) && !has_cap(rights->our_caps, CAP_DAC_READ_SEARCH) &&
	       !has_cap(rights->our_caps, CAP_DAC_OVERRIDE);
}

static bool other_namespace(const struct rights *rights)
{
	return !rights->same_namespace;
}

static bool stopped_by_yama(const struct rights *rights)
{
	return rights->yama != ARI_UNKNOWN && rights->yama > 0 &&
	       !has_cap(rights->our_caps, CAP_SYS_PTRACE);
}

static bool in_seccomp(const struct rights *rights)
{
	return rights->seccomp != ARI_UNKNOWN && rights->seccomp != 0;
}

static bool fewer_caps(const struct rights *rights)
{
	return rights->their_caps != ARI_UNKNOWN && rights->our_caps != ARI_UNKNOWN &&
	       (rights->their_caps & ~rights->our_caps) != 0;
}

/* The first that holds is named. */
static const struct reason {
	bool (*holds)(const struct rights *rights);
	const char *text;
} reasons[] = {
	{ lacks_ptrace, "it belongs to another user: needs that user, or CAP_SYS_PTRACE "
			"together with CAP_DAC_READ_SEARCH (root has both)" },
	{ lacks_dac, "it belongs to another user: CAP_SYS_PTRACE is there, "
		     "CAP_DAC_READ_SEARCH is missing" },
	{ other_namespace,
	  "it is in another user namespace, where CAP_SYS_PTRACE of this "
	  "one is needed: run as root of the namespace's parent" },
	{ stopped_by_yama, "kernel.yama.ptrace_scope forbids it: needs CAP_SYS_PTRACE" },
	{ fewer_caps, "it has capabilities that this user lacks: needs CAP_SYS_PTRACE" },
	{ in_seccomp, "a seccomp filter bars the system call here: run outside of the "
		      "container, or allow process_vm_readv in its profile" },
};

static const char fallback[] =
	"the process is not dumpable (it changed its user, or called prctl), or a security "
	"module forbids it: needs CAP_SYS_PTRACE";

static uint64_t read_yama(void)
{
	autoclose int dir =
		open("/proc/sys/kernel/yama", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *text = NULL;

	if (dir < 0 || !procfs_read(dir, "ptrace_scope", &text, NULL, NULL))
		return ARI_UNKNOWN;
	return strtoull(text, NULL, 10);
}

/* Without the right to see the other's namespace, believe that it is ours. */
static bool same_namespace(const struct target *target)
{
	struct stat ours, theirs;

	if (stat("/proc/self/ns/user", &ours) != 0 ||
	    fstatat(target->dir, "ns/user", &theirs, 0) != 0)
		return true;
	return ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static struct rights read_rights(const struct target *target)
{
	autoclose int self = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *ours = NULL, *theirs = NULL;
	struct rights rights = { .target = target, .uid = geteuid() };

	rights.our_caps = rights.their_caps = rights.seccomp = ARI_UNKNOWN;
	if (self >= 0 && procfs_read(self, "status", &ours, NULL, NULL)) {
		rights.our_caps = procfs_number(ours, "CapEff:", 16);
		rights.seccomp = procfs_number(ours, "Seccomp:", 10);
	}
	if (procfs_read(target->dir, "status", &theirs, NULL, NULL))
		rights.their_caps = procfs_number(theirs, "CapPrm:", 16);
	rights.yama = read_yama();
	rights.same_namespace = same_namespace(target);
	return rights;
}

bool target_denied(const struct target *target, const char *what, struct ari_error *err)
{
	const char *text = fallback;
	struct rights rights;

	if (err == NULL || err->code != ARI_DENIED)
		return false;
	rights = read_rights(target);
	for (size_t i = sizeof(reasons) / sizeof(*reasons); i-- > 0;)
		if (reasons[i].holds(&rights))
			text = reasons[i].text;
	return fail(err, ARI_DENIED, "cannot read the %s of process %d (%s): %s", what,
		    (int)target->pid, target->status.comm, text);
}
