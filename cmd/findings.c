// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "findings.h"

/* Advice is given for so many, unless all is asked for: the rest is in `explain`. */
#define ADVISED 3

static bool verdict_of(const char *id, struct ari_verdict *ret)
{
	for (size_t i = 0; ari_verdict_describe(i, ret); i++)
		if (strcmp(ret->id, id) == 0)
			return true;
	return false;
}

static const char *named(struct document *document, const struct ari_finding *finding,
			 const char *text)
{
	return document_format(document, "%s: %s", finding->id, text == NULL ? "" : text);
}

void findings_open(struct document *document, const struct ari_model *model)
{
	const struct ari_finding *first = model->findings.at;

	if (model->findings.count > 0)
		document_paragraph(document, named(document, first, first->message));
}

static const char *number_text(struct document *document,
			       const struct ari_evidence *evidence)
{
	if (evidence->value == ARI_UNKNOWN)
		return document_format(document, "%s unknown", evidence->name);
	return document_format(document, "%s %" PRIu64, evidence->name, evidence->value);
}

/* Messages are rounded; this is what -b asks for. */
static void add_evidence(struct document *document, const struct ari_finding *finding)
{
	const char *list = "";

	for (size_t i = 0; i < finding->evidence.count; i++)
		list = document_format(document, "%s%s%s", list, i == 0 ? "" : ", ",
				       number_text(document, &finding->evidence.at[i]));
	document_fact(document, "evidence", named(document, finding, list));
}

void findings_also(struct document *document, const struct ari_model *model)
{
	for (size_t i = 1; i < model->findings.count; i++) {
		const struct ari_finding *finding = &model->findings.at[i];

		document_fact(document, "also",
			      named(document, finding, finding->message));
	}
	for (size_t i = 0; document->plain_bytes && i < model->findings.count; i++)
		add_evidence(document, &model->findings.at[i]);
}

/* The first, and of the others those that are more than a remark. */
static bool is_advised(const struct ari_finding *findings, size_t index, bool all)
{
	return all || index == 0 ||
	       (index < ADVISED && findings[index].severity > ARI_SEVERITY_INFO);
}

static void advise(struct document *document, const struct ari_finding *finding)
{
	struct ari_verdict verdict;

	document_fact(document, "what to do", named(document, finding, finding->advice));
	/* A snapshot may have one of a later version. */
	if (!verdict_of(finding->id, &verdict))
		return;
	document_fact(document, "would not help", verdict.no_help);
	document_fact(document, "against it", verdict.against);
}

void findings_advice(struct document *document, const struct ari_finding *findings,
		     size_t count, bool all)
{
	for (size_t i = 0; i < count; i++)
		if (is_advised(findings, i, all))
			advise(document, &findings[i]);
	if (count > 0)
		document_fact(document, "more",
			      document_format(document, "arenainspect explain %s",
					      findings[0].id));
}
