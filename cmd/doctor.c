// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include "command.h"
#include "facts.h"
#include "open.h"

static const char *check_id(const void *row)
{
	return ((const struct ari_step *)row)->id;
}

static const char *check_needed(const void *row)
{
	return ((const struct ari_step *)row)->needed;
}

static const char *check_result(const void *row)
{
	enum ari_yesno ok = ((const struct ari_step *)row)->ok;

	return ok == ARI_YES ? "yes" : ok == ARI_NO ? "no" : "untried";
}

static const char *check_detail(const void *row)
{
	const char *detail = ((const struct ari_step *)row)->detail;

	return detail == NULL ? "" : detail;
}

static enum shade check_shade(const void *row)
{
	enum ari_yesno ok = ((const struct ari_step *)row)->ok;

	return ok == ARI_YES ? SHADE_NONE : ok == ARI_NO ? SHADE_BAD : SHADE_QUIET;
}

// clang-format off
static const struct column columns[] = {
	{ "check", "CHECK", UNIT_TEXT, BY_DEFAULT,
	  "what was tried", .text = check_id },
	{ "ok", "OK", UNIT_TEXT, BY_DEFAULT,
	  "yes, no or untried", .text = check_result },
	{ "needed", "NEEDED FOR", UNIT_TEXT, BY_DEFAULT,
	  "what it is for", .text = check_needed },
	{ "detail", "DETAIL", UNIT_TEXT, BY_DEFAULT,
	  "what was found, or what is missing and the way out", .text = check_detail },
};
// clang-format on

static const struct table_kind doctor_table = {
	.name = "doctor",
	.columns = columns,
	.count = sizeof(columns) / sizeof(columns[0]),
	.shade = check_shade,
};

/* Without a process: what this machine lets us do, tried on ourselves. */
static bool nobody(const struct options *options)
{
	return !subject_given(&options->subject) && options->comm == NULL &&
	       options->unit == NULL;
}

static void build_doctor(const struct ari_diagnosis *diagnosis,
			 const struct options *options, struct document *document)
{
	const struct ari_model *model = diagnosis->model;

	if (nobody(options))
		document_paragraph(document, "No process was named: this is what this "
					     "machine allows, tried on arenainspect "
					     "itself.");
	document_table(document, (struct table){
					 .kind = &doctor_table,
					 .rows = diagnosis->steps.at,
					 .row_size = sizeof(diagnosis->steps.at[0]),
					 .count = diagnosis->steps.count,
				 });
	facts_namespace(document, model);
	facts_cgroup(document, model);
	facts_libc(document, model);
	facts_allocator(document, model);
	facts_proof(document, model);
	if (diagnosis->error.code == ARI_OK) {
		facts_arena_limit(document, model);
		facts_settings(document, model);
	}
}

static bool show_diagnosis(const struct ari_diagnosis *diagnosis,
			   const struct options *options, struct ari_error *err)
{
	struct document document;
	bool shown;

	document_init(&document, diagnosis->model, options->style.plain_bytes);
	build_doctor(diagnosis, options, &document);
	shown = run_show(options, diagnosis->model, &document, err);
	document_done(&document);
	if (shown && diagnosis->error.code != ARI_OK) {
		*err = diagnosis->error;
		return false;
	}
	return shown;
}

static bool run_doctor(const struct options *options, struct ari_error *err)
{
	struct ari_options visit = open_options(options);
	struct ari_diagnosis *diagnosis;
	pid_t pid = getpid();
	bool well;

	if (!nobody(options) && !open_pid(options, &pid, err))
		return false;
	if (!ari_diagnose(pid, &visit, &diagnosis, err))
		return false;
	well = show_diagnosis(diagnosis, options, err);
	ari_diagnosis_free(diagnosis);
	return well;
}

const struct command command_doctor = {
	.name = "doctor",
	.arguments = "[PID]",
	.help = "what can be seen of a process and why not; without PID, on this machine",
	.pid_optional = true,
	.live_only = true,
	.table = &doctor_table,
	.run = run_doctor,
};
