// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "out/refuse.h"
#include "out/table.h"

static const struct {
	const char *name;
	bool right;	    /* aligned */
	bool largest_first; /* in --sort */
	bool text;	    /* compared as such */
} units[] = {
	[UNIT_BYTES] = { "bytes", true, true, false },
	[UNIT_SIZE] = { "size", true, false, false },
	[UNIT_COUNT] = { "count", true, true, false },
	[UNIT_MORE_BYTES] = { "bytes", true, true, false },
	[UNIT_MORE] = { "count", true, true, false },
	[UNIT_INDEX] = { "index", true, false, false },
	[UNIT_ADDRESS] = { "address", true, false, false },
	[UNIT_YESNO] = { "yes or no", false, true, false },
	[UNIT_WORD] = { "word", false, false, true },
	[UNIT_TEXT] = { "text", false, false, true },
	[UNIT_ID] = { "text", false, false, true },
};

const char *unit_name(enum unit unit)
{
	return units[unit].name;
}

bool unit_is_number(enum unit unit)
{
	return units[unit].right;
}

bool unit_is_change(enum unit unit)
{
	return unit == UNIT_MORE_BYTES || unit == UNIT_MORE;
}

bool unit_is_text(enum unit unit)
{
	return unit == UNIT_TEXT || unit == UNIT_ID;
}

/* ---- values ---- */

static uint64_t yesno_number(enum ari_yesno yesno)
{
	return yesno == ARI_MAYBE ? ARI_UNKNOWN : (uint64_t)yesno;
}

static uint64_t column_number(const struct column *column, const void *row)
{
	const void *member = (const char *)row + column->offset;

	if (column->number != NULL)
		return column->number(row);
	if (column->unit == UNIT_YESNO)
		return yesno_number(*(const enum ari_yesno *)member);
	return *(const uint64_t *)member;
}

static const char *column_text(const struct column *column, const void *row)
{
	if (column->text != NULL)
		return column->text(row);
	return *(char *const *)((const char *)row + column->offset);
}

struct value column_value(const struct column *column, const void *row)
{
	struct value value = { 0 };

	if (unit_is_text(column->unit)) {
		value.text = column_text(column, row);
		value.known = value.text != NULL;
		return value;
	}
	value.number = column_number(column, row);
	value.known = value.number !=
		      (unit_is_change(column->unit) ? (uint64_t)INT64_MIN : ARI_UNKNOWN);
	if (column->unit == UNIT_WORD && value.known) {
		value.text = column->word(value.number);
		value.known = value.text != NULL;
	}
	return value;
}

/* ---- what was asked for ---- */

static const struct column *find_column(const struct table_kind *kind, const char *name,
					size_t length)
{
	for (size_t i = 0; i < kind->count; i++) {
		const char *known = kind->columns[i].name;

		if (strlen(known) == length && strncasecmp(known, name, length) == 0)
			return &kind->columns[i];
	}
	return NULL;
}

static bool no_column(const struct table_kind *kind, const char *name, size_t length,
		      struct ari_error *err)
{
	return refuse(err, ARI_USAGE, "%s has no column '%.*s'", kind->name, (int)length,
		      name);
}

static bool pick_columns(struct selection *ret, const struct table_kind *kind,
			 const char *output, struct ari_error *err)
{
	ret->add = *output == '+';
	output += ret->add;
	ret->columns = calloc(strlen(output) + 1, sizeof(*ret->columns));
	if (ret->columns == NULL)
		return refuse_memory(err);
	for (;;) {
		size_t length = strcspn(output, ",");
		const struct column *column = find_column(kind, output, length);

		if (column == NULL)
			return no_column(kind, output, length, err);
		ret->columns[ret->count++] = column;
		if (output[length] == '\0')
			return true;
		output += length + 1;
	}
}

static bool pick_sort(struct selection *ret, const struct table_kind *kind,
		      const char *sort, struct ari_error *err)
{
	ret->backwards = *sort == '-';
	sort += ret->backwards;
	ret->sort = find_column(kind, sort, strlen(sort));
	return ret->sort != NULL || no_column(kind, sort, strlen(sort), err);
}

bool selection_init(struct selection *ret, const struct table_kind *kind,
		    const char *output, const char *sort, struct ari_error *err)
{
	struct selection selection = { 0 };

	if ((output != NULL && !pick_columns(&selection, kind, output, err)) ||
	    (sort != NULL && !pick_sort(&selection, kind, sort, err))) {
		selection_done(&selection);
		return false;
	}
	*ret = selection;
	return true;
}

void selection_done(struct selection *selection)
{
	free(selection->columns);
	*selection = (struct selection){ 0 };
}

/* ---- what will be shown ---- */

static bool says_something(const struct column *column, const struct table *table)
{
	if (column->shown == BY_DEFAULT && table->count == 0)
		return true;
	for (size_t i = 0; i < table->count; i++) {
		const void *row = (const char *)table->rows + i * table->row_size;
		struct value value = column_value(column, row);

		if (value.known && (column->shown == BY_DEFAULT || value.number != 0 ||
				    (unit_is_text(column->unit) && *value.text != '\0')))
			return true;
	}
	return false;
}

static void choose_columns(struct table_view *view, const struct table *table,
			   const struct selection *selection)
{
	const struct table_kind *kind = table->kind;
	bool defaults = selection->columns == NULL || selection->add;

	for (size_t i = 0; defaults && i < kind->count; i++) {
		const struct column *column = &kind->columns[i];

		if (column->shown != ON_REQUEST && says_something(column, table))
			view->columns[view->columns_count++] = column;
	}
	for (size_t i = 0; i < selection->count; i++)
		view->columns[view->columns_count++] = selection->columns[i];
}

struct order {
	const struct column *column;
	bool backwards;
};

static int compare_values(const struct column *column, const struct value *a,
			  const struct value *b)
{
	bool less;

	if (units[column->unit].text)
		return strcmp(a->text, b->text);
	if (a->number == b->number)
		return 0;
	less = unit_is_change(column->unit) ? (int64_t)a->number < (int64_t)b->number
					    : a->number < b->number;
	return less != units[column->unit].largest_first ? -1 : 1;
}

/* What is not known comes last, whichever way round. */
static int compare_rows(const void *a, const void *b, void *data)
{
	const struct order *order = data;
	const char *row[] = { *(const char *const *)a, *(const char *const *)b };
	struct value left = column_value(order->column, row[0]);
	struct value right = column_value(order->column, row[1]);
	int way = 0;

	if (left.known != right.known)
		return left.known ? -1 : 1;
	if (left.known)
		way = compare_values(order->column, &left, &right);
	if (way == 0) /* equals stay as they stood: the rows are one array */
		return row[0] < row[1] ? -1 : 1;
	return order->backwards ? -way : way;
}

static void choose_rows(struct table_view *view, const struct table *table,
			const struct selection *selection, bool screen)
{
	const char *rank = table->kind->rank;
	size_t most = selection->top;
	struct order order = { selection->sort, selection->backwards };

	for (size_t i = 0; i < table->count; i++)
		view->rows[i] = (const char *)table->rows + i * table->row_size;
	view->rows_count = table->count;
	if (most == 0 && screen)
		most = table->screenful;
	if (most == 0 || most > table->count)
		most = table->count;
	if (order.column == NULL && rank != NULL &&
	    (most < table->count || selection->top > 0))
		order.column = find_column(table->kind, rank, strlen(rank));
	if (order.column != NULL)
		qsort_r(view->rows, table->count, sizeof(view->rows[0]), compare_rows,
			&order);
	view->rows_count = most;
}

struct table_view *view_new(const struct table *table, const struct selection *selection,
			    bool screen)
{
	struct table_view *view = calloc(1, sizeof(*view));

	if (view == NULL)
		return NULL;
	view->columns =
		calloc(table->kind->count + selection->count, sizeof(view->columns[0]));
	view->rows = calloc(table->count + 1, sizeof(view->rows[0]));
	if (view->columns == NULL || view->rows == NULL) {
		view_free(view);
		return NULL;
	}
	choose_columns(view, table, selection);
	choose_rows(view, table, selection, screen);
	return view;
}

void view_free(struct table_view *view)
{
	if (view == NULL)
		return;
	free(view->columns);
	free(view->rows);
	free(view);
}
