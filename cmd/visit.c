// SPDX-License-Identifier: Apache-2.0
#include "command.h"
#include "findings.h"
#include "open.h"
#include "out/show.h"
#include "tell.h"

/* Notes on how far the numbers go, unless the output has them. */
static void tell_notes(const struct options *options, const struct ari_model *model)
{
	const struct format *format = options->format;
	bool inside = format->whole_model ||
		      (options->command->tells_notes && !format->for_machines);

	if (options->quiet || inside)
		return;
	for (size_t i = 0; i < model->quality.notes.count; i++)
		tell("%s", model->quality.notes.at[i]);
}

bool run_show(const struct options *options, const struct ari_model *model,
	      const struct document *document, struct ari_error *err)
{
	if (!show(document, options->format, &options->style, options->write, err))
		return false;
	/* After the result: where nobody reads that, the closed pipe has ended us. */
	tell_notes(options, model);
	return true;
}

static bool build_and_show(const struct options *options, const struct ari_model *model,
			   struct ari_error *err)
{
	struct document document;
	bool done;

	document_init(&document, model, options->style.plain_bytes);
	done = (options->format->whole_model ||
		options->command->build(model, options, &document, err)) &&
	       run_show(options, model, &document, err);
	document_done(&document);
	return done;
}

bool run_found(struct ari_error *err)
{
	*err = (struct ari_error){ .code = ARI_OK };
	return false;
}

bool run_visit(const struct options *options, struct ari_error *err)
{
	struct ari_model *model = NULL;
	bool shown, whole, found;

	if (!open_model(options, &model, err))
		return false;
	shown = build_and_show(options, model, err);
	/* What was read is given, and then why it is not all. */
	whole = model->stopped.code == ARI_OK;
	if (shown && !whole)
		*err = model->stopped;
	found = options->exit_code && ari_warns(model);
	ari_model_free(model);
	return shown && whole && (!found || run_found(err));
}
