// SPDX-License-Identifier: Apache-2.0
#include "out/format.h"

static bool json_write(const struct document *document, const struct style *style,
		       FILE *out, struct ari_error *err)
{
	(void)style;
	if (document->json != NULL)
		return document->json(document->whole, out, err);
	return ari_model_write(document->model, out, err);
}

const struct format format_json = {
	.name = "json",
	.whole_model = true,
	.for_machines = true,
	.write = json_write,
};
