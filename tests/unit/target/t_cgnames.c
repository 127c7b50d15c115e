// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "target/cgnames.h"
#include "unit.h"

#define ID    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"

static void expect_text(const char *found, const char *expected, const char *of)
{
	if (expected == NULL)
		ck_assert_msg(found == NULL, "%s: %s", of, found);
	else
		ck_assert_msg(found != NULL && strcmp(found, expected) == 0,
			      "%s: %s, not %s", of, found == NULL ? "nothing" : found,
			      expected);
}

static void expect(const char *text, const char *unit, const char *container)
{
	char *found_unit, *found_container;
	struct ari_error err;

	ck_works(cgnames_read(text, &found_unit, &found_container, &err), &err);
	expect_text(found_unit, unit, text);
	expect_text(found_container, container, text);
	free(found_unit);
	free(found_container);
}

TEST(unit_is_the_innermost_that_is_no_slice)
{
	expect("0::/system.slice/nginx.service\n", "nginx.service", NULL);
	expect("0::/system.slice/system-getty.slice/getty@tty1.service\n",
	       "getty@tty1.service", NULL);
	expect("0::/user.slice/user-1000.slice/session-3.scope\n", "session-3.scope",
	       NULL);
	expect("0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
	       "app-org.x\\x2dy.service\n",
	       "app-org.x\\x2dy.service", NULL);
	expect("0::/system.slice/docker.service/workers/7\n", "docker.service", NULL);
	expect("0::/system.slice/_cpu.service\n", "cpu.service", NULL);
	expect("0::/init.scope\n", "init.scope", NULL);
}

TEST(no_unit_in_slices_roots_and_names_that_look_alike)
{
	expect("", NULL, NULL);
	expect("0::/\n", NULL, NULL);
	expect("0::/system.slice\n", NULL, NULL);
	expect("0::/a/service/b\n", NULL, NULL);
	expect("0::/.service\n", NULL, NULL);
	expect("0::/nginx.service.d\n", NULL, NULL);
	expect("0::/../../x\n", NULL, NULL);
	expect("nonsense", NULL, NULL);
	expect("0:\n::\n\n", NULL, NULL);
}

TEST(container_is_known_by_its_id_whoever_runs_it)
{
	expect("0::/docker/" ID "\n", NULL, ID);
	expect("0::/system.slice/docker-" ID ".scope\n", "docker-" ID ".scope", ID);
	expect("0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/"
	       "cri-containerd-" ID ".scope\n",
	       "cri-containerd-" ID ".scope", ID);
	expect("0::/kubepods.slice/pod1.slice/crio-" ID ".scope\n", "crio-" ID ".scope",
	       ID);
	expect("0::/kubepods/besteffort/pod2f/" ID "\n", NULL, ID);
	expect("0::/machine.slice/libpod-" ID ".scope/container\n", "libpod-" ID ".scope",
	       ID);
	expect("0::/k8s.io/system.slice:docker:" ID "\n", NULL, ID);
	expect("0::/ecs/task/" ID "\n", NULL, ID);
	expect("0::/lxc.payload.web-1/system.slice/cron.service\n", "cron.service",
	       "web-1");
	expect("0::/lxc/web-1\n", NULL, "web-1");
}

TEST(container_in_a_container_is_the_inner_one)
{
	expect("0::/docker/" ID "/docker/" OTHER "\n", NULL, OTHER);
	expect("0::/system.slice/docker-" ID ".scope/system.slice/nginx.service\n",
	       "nginx.service", ID);
}

TEST(what_only_resembles_an_id_is_none)
{
	expect("0::/process/59849bc970bff464ef79a5a7ed13ff76\n", NULL, NULL);
	expect("0::/docker/x" ID "\n", NULL, NULL);
	expect("0::/docker/" ID "0\n", NULL, NULL);
	expect("0::/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef"
	       "0123456789abcdef\n",
	       NULL, NULL);
	expect("0::/machine.slice/libpod-conmon-" ID ".scope\n",
	       "libpod-conmon-" ID ".scope", NULL);
	expect("0::/crio-conmon-" ID ".scope\n", "crio-conmon-" ID ".scope", NULL);
}

TEST(every_hierarchy_may_tell_and_systemds_is_asked_first)
{
	expect("4:memory:/docker/" ID "\n1:name=systemd:/system.slice/a.service\n0::/\n",
	       "a.service", ID);
	expect("4:memory:/x/b.service\n1:name=systemd:/system.slice/a.service\n",
	       "a.service", NULL);
	expect("4:memory:/x/b.service\n1:name=systemd:/\n0::/\n", "b.service", NULL);
	expect("4:cpu,cpuacct:/x:y/b.service\n", "b.service", NULL);
}

UNIT_MAIN("target/cgnames", unit_is_the_innermost_that_is_no_slice,
	  no_unit_in_slices_roots_and_names_that_look_alike,
	  container_is_known_by_its_id_whoever_runs_it,
	  container_in_a_container_is_the_inner_one, what_only_resembles_an_id_is_none,
	  every_hierarchy_may_tell_and_systemds_is_asked_first)
