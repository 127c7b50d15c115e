// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "analyse/say.h"
#include "analyse/verdicts.h"
#include "base/list.h"

/* Of any process so much is worth a word. */
#define MUCH ((uint64_t)1 << 30)

/* Both known and not 0. */
static bool is_share(uint64_t part, uint64_t whole, unsigned int percent)
{
	return part != ARI_UNKNOWN && whole != ARI_UNKNOWN && whole != 0 &&
	       (double)part * 100.0 >= (double)whole * percent;
}

static bool is_at_stake(const struct verdict *verdict, const struct ari_model *model)
{
	uint64_t stake = number_of(model, verdict->stake).value;
	uint64_t whole = number_of(model, verdict->whole).value;

	if (stake == ARI_UNKNOWN || whole == ARI_UNKNOWN || stake < verdict->least_bytes)
		return false;
	return is_share(stake, whole, verdict->least_percent) ||
	       (verdict->whole == RSS && verdict->least_percent < 50 && stake >= MUCH);
}

static bool is_found(const struct verdict *verdict, const struct ari_model *model)
{
	if (verdict->of_diff)
		return false;
	if (verdict->stake != NO_NUMBER && !is_at_stake(verdict, model))
		return false;
	return verdict->holds == NULL || verdict->holds(model);
}

static enum ari_severity severity_of(const struct verdict *verdict,
				     const struct ari_model *model)
{
	uint64_t stake;

	if (verdict->graver != NULL && verdict->graver(model))
		return verdict->severity + 1;
	if (verdict->grave_bytes == 0)
		return verdict->severity;
	stake = number_of(model, verdict->stake).value;
	return stake >= verdict->grave_bytes &&
			       is_share(stake, number_of(model, verdict->whole).value,
					verdict->grave_percent)
		       ? ARI_SEVERITY_WARNING
		       : verdict->severity;
}

static bool add_evidence(struct ari_finding *finding, const struct verdict *verdict,
			 const struct ari_model *model, struct ari_error *err)
{
	finding->evidence.known = true;
	for (size_t i = 0; i < VERDICT_EVIDENCE && verdict->evidence[i] != NO_NUMBER;
	     i++) {
		struct ari_evidence *evidence = list_add(&finding->evidence, err);

		if (evidence == NULL)
			return false;
		evidence->name = number_name(verdict->evidence[i]);
		evidence->value = number_of(model, verdict->evidence[i]).value;
	}
	return true;
}

static bool add_finding(struct ari_model *model, const struct verdict *verdict,
			struct ari_error *err)
{
	struct ari_finding *finding = list_add(&model->findings, err);

	if (finding == NULL)
		return false;
	finding->id = verdict->id;
	finding->severity = severity_of(verdict, model);
	return say(verdict->message, model, &finding->message, err) &&
	       say(verdict->advice, model, &finding->advice, err) &&
	       add_evidence(finding, verdict, model, err);
}

/* ---- the most important first ---- */

static uint64_t weight_of(const struct ari_finding *finding)
{
	const struct verdict *verdict = verdict_find(finding->id);

	if (verdict->stake == NO_NUMBER || verdict->last)
		return 0;
	return finding->evidence.at[0].value; /* its stake */
}

static int by_importance(const void *a, const void *b)
{
	const struct ari_finding *one = a, *other = b;
	uint64_t weight = weight_of(one), than = weight_of(other);

	if (one->severity != other->severity)
		return one->severity > other->severity ? -1 : 1;
	if (weight != than)
		return weight > than ? -1 : 1;
	return verdict_find(one->id) < verdict_find(other->id) ? -1 : 1;
}

static void clear(struct ari_model *model)
{
	for (size_t i = 0; i < model->findings.count; i++) {
		struct ari_finding *finding = &model->findings.at[i];

		free(finding->message);
		free(finding->advice);
		list_done(&finding->evidence);
	}
	list_done(&model->findings);
}

bool ari_judge(struct ari_model *model, struct ari_error *err)
{
	const struct verdict *verdict;

	clear(model);
	model->findings.known = true;
	for (size_t i = 0; (verdict = verdict_at(i)) != NULL; i++)
		if (is_found(verdict, model) && !add_finding(model, verdict, err))
			return false;
	if (model->findings.count > 0)
		qsort(model->findings.at, model->findings.count,
		      sizeof(*model->findings.at), by_importance);
	return true;
}

bool ari_warns(const struct ari_model *model)
{
	for (size_t i = 0; i < model->findings.count; i++)
		if (model->findings.at[i].severity == ARI_SEVERITY_WARNING)
			return true;
	return false;
}
