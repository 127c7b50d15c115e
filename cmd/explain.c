// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "command.h"
#include "out/refuse.h"
#include "out/show.h"

#define VERDICTS_MOST 64

static const char *verdict_id(const void *row)
{
	return ((const struct ari_verdict *)row)->id;
}

static const char *verdict_of(const void *row)
{
	return ((const struct ari_verdict *)row)->of_diff ? "diff" : "process";
}

static const char *verdict_says(const void *row)
{
	return ((const struct ari_verdict *)row)->says;
}

// clang-format off
static const struct column columns[] = {
	{ "verdict", "VERDICT", UNIT_TEXT, BY_DEFAULT,
	  "its name", .text = verdict_id },
	{ "severity", "SEVERITY", UNIT_WORD, BY_DEFAULT,
	  "info, notice or warning: the least that it is found with",
	  .offset = offsetof(struct ari_verdict, severity), .word = ari_severity_name },
	{ "of", "OF", UNIT_TEXT, BY_DEFAULT,
	  "what it is found in: a process, or a diff", .text = verdict_of },
	{ "says", "SAYS", UNIT_TEXT, BY_DEFAULT,
	  "what it says, in short", .text = verdict_says },
};
// clang-format on

static const struct table_kind explain_table = {
	.name = "explain",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
};

struct verdicts {
	struct ari_verdict at[VERDICTS_MOST];
	size_t count;
};

static void list_verdicts(struct verdicts *ret)
{
	ret->count = 0;
	while (ret->count < VERDICTS_MOST &&
	       ari_verdict_describe(ret->count, &ret->at[ret->count]))
		ret->count++;
}

static const struct ari_verdict *find(const struct verdicts *verdicts, const char *id)
{
	for (size_t i = 0; i < verdicts->count; i++)
		if (strcasecmp(verdicts->at[i].id, id) == 0)
			return &verdicts->at[i];
	return NULL;
}

/* Paragraph by paragraph, as they will be broken into lines. */
static void add_text(struct document *document, const char *text)
{
	const char *end;

	while ((end = strstr(text, "\n\n")) != NULL) {
		document_paragraph(document, document_format(document, "%.*s",
							     (int)(end - text), text));
		text = end + 2;
	}
	document_paragraph(document, text);
}

static bool build_one(struct document *document, const struct verdicts *verdicts,
		      const struct ari_verdict *verdict, struct ari_error *err)
{
	char *advice;

	if (!ari_verdict_advice((size_t)(verdict - verdicts->at), &advice, err))
		return false;
	document_paragraph(document, document_format(document, "%s (%s): %s", verdict->id,
						     ari_severity_name(verdict->severity),
						     verdict->says));
	add_text(document, verdict->text);
	document_fact(document, "what to do", document_format(document, "%s", advice));
	document_fact(document, "would not help", verdict->no_help);
	document_fact(document, "against it", verdict->against);
	free(advice);
	return true;
}

/* People read the text of one, formats for machines have its row. */
static bool build_explain(struct document *document, const struct verdicts *verdicts,
			  const struct options *options, struct ari_error *err)
{
	const char *id = options->operands_count == 0 ? NULL : options->operands[0];
	const struct ari_verdict *one = id == NULL ? NULL : find(verdicts, id);

	if (id != NULL && one == NULL)
		return refuse(err, ARI_USAGE,
			      "there is no verdict '%s'; arenainspect explain lists them",
			      id);
	if (one != NULL && !options->format->for_machines)
		return build_one(document, verdicts, one, err);
	document_table(document, (struct table){
					 .kind = &explain_table,
					 .rows = one != NULL ? one : verdicts->at,
					 .row_size = sizeof(verdicts->at[0]),
					 .count = one != NULL ? 1 : verdicts->count,
				 });
	return true;
}

static bool take_verdict(struct options *options, struct ari_error *err)
{
	if (options->operands_count > 1)
		return refuse(err, ARI_USAGE, "one verdict at a time: '%s' is too much",
			      options->operands[1]);
	if (options->comm != NULL || options->unit != NULL || options->core != NULL)
		return refuse(err, ARI_USAGE, "explain is about no process");
	return true;
}

static bool run_explain(const struct options *options, struct ari_error *err)
{
	struct verdicts verdicts;
	struct document document;
	bool done;

	if (options->format->whole_model)
		return refuse(err, ARI_USAGE,
			      "explain is about no process, and has no --%s",
			      options->format->name);
	list_verdicts(&verdicts);
	document_init(&document, NULL, options->style.plain_bytes);
	done = build_explain(&document, &verdicts, options, err) &&
	       show(&document, options->format, &options->style, options->write, err);
	document_done(&document);
	return done;
}

const struct command command_explain = {
	.name = "explain",
	.arguments = "[VERDICT]",
	.help = "the long text of a verdict; without one, all verdicts there are",
	.pid_optional = true,
	.no_process = true,
	.no_findings = true,
	.table = &explain_table,
	.take_operands = take_verdict,
	.run = run_explain,
};
