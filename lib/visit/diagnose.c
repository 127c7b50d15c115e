// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "model/model.h"
#include "visit/visit.h"

static bool add_step(struct ari_diagnosis *diagnosis, const struct visit_step *step,
		     enum ari_yesno ok, const char *detail, struct ari_error *err)
{
	struct ari_step *told = list_add(&diagnosis->steps, err);

	if (told == NULL)
		return false;
	told->id = step->id;
	told->needed = step->needed;
	told->ok = ok;
	return model_set_string(&told->detail, detail, err);
}

/*
 * The steps in order; behind the first that fails nothing is tried.  One that had to go
 * without what it is for does not end a visit, and is no success.
 */
static bool tell_steps(struct visit *visit, struct ari_diagnosis *diagnosis,
		       struct ari_error *err)
{
	bool going = true;

	for (size_t i = 0; i < visit_steps_count; i++) {
		const struct visit_step *step = &visit_steps[i];
		const char *detail = NULL;
		enum ari_yesno ok = ARI_MAYBE;

		if (going) {
			visit->lacks = false;
			going = step->run(visit, &diagnosis->error);
			ok = going && !visit->lacks ? ARI_YES : ARI_NO;
			detail = going ? visit->detail : diagnosis->error.message;
		}
		if (!add_step(diagnosis, step, ok, detail, err))
			return false;
	}
	if (!going)
		return true;
	diagnosis->error.code = ARI_OK;
	return visit_conclude(visit, err);
}

bool ari_diagnose(pid_t pid, const struct ari_options *options,
		  struct ari_diagnosis **ret, struct ari_error *err)
{
	struct ari_diagnosis *diagnosis = calloc(1, sizeof(*diagnosis));
	struct visit visit;
	bool done;

	if (diagnosis == NULL)
		return fail_memory(err);
	if (!visit_init(&visit, pid, options, deadline_in(options->timeout_ns), err)) {
		free(diagnosis);
		return false;
	}
	done = tell_steps(&visit, diagnosis, err);
	diagnosis->model = visit_take_model(&visit);
	visit_done(&visit);
	if (done)
		*ret = diagnosis;
	else
		ari_diagnosis_free(diagnosis);
	return done;
}

void ari_diagnosis_free(struct ari_diagnosis *diagnosis)
{
	if (diagnosis == NULL)
		return;
	for (size_t i = 0; i < diagnosis->steps.count; i++)
		free(diagnosis->steps.at[i].detail);
	list_done(&diagnosis->steps);
	ari_model_free(diagnosis->model);
	free(diagnosis);
}
