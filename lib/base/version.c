// SPDX-License-Identifier: Apache-2.0
#include "arenainspect.h"

const char *ari_version(void)
{
	return ARI_VERSION;
}
