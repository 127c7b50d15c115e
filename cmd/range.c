// SPDX-License-Identifier: Apache-2.0
/* "Threshold and Ranges" of the Monitoring Plugins Development Guidelines. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "out/refuse.h"
#include "range.h"

#define MOST_WORD 64

struct suffix {
	enum ari_unit unit;
	const char *word;
	double factor;
};

#define KIB 1024.0

static const struct suffix suffixes[] = {
	{ ARI_UNIT_BYTES, "K", KIB },
	{ ARI_UNIT_BYTES, "M", KIB *KIB },
	{ ARI_UNIT_BYTES, "G", KIB *KIB *KIB },
	{ ARI_UNIT_BYTES, "T", KIB *KIB *KIB *KIB },
	{ ARI_UNIT_BYTES, "P", KIB *KIB *KIB *KIB *KIB },
	{ ARI_UNIT_SHARE, "%", 0.01 },
};

static bool suffix_fits(const struct suffix *suffix, enum ari_unit unit, const char *text)
{
	size_t length = strlen(suffix->word);

	if (suffix->unit != unit || strncmp(text, suffix->word, length) != 0)
		return false;
	return text[length] == '\0' ||
	       (unit == ARI_UNIT_BYTES && strcmp(text + length, "iB") == 0);
}

/* What a number is to be multiplied by; NaN: its suffix is none of that unit. */
static double factor_of(enum ari_unit unit, const char *text)
{
	if (*text == '\0' || (unit == ARI_UNIT_BYTES && strcmp(text, "B") == 0))
		return 1;
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (suffix_fits(&suffixes[i], unit, text))
			return suffixes[i].factor;
	return NAN;
}

/* The length of digits with a point and an exponent at most: strtod() takes more. */
static size_t digits_length(const char *digits)
{
	static const char decimal[] = "0123456789";
	size_t length = strspn(digits, "0123456789.");
	const char *exponent = digits + length;

	if (length == 0 || (*exponent != 'e' && *exponent != 'E'))
		return length;
	exponent += 1 + (exponent[1] == '-' || exponent[1] == '+');
	return strspn(exponent, decimal) == 0
		       ? length
		       : (size_t)(exponent - digits) + strspn(exponent, decimal);
}

static bool number(const char *text, enum ari_unit unit, double *ret)
{
	const char *digits = text + (*text == '-' || *text == '+');
	char *end;
	double value = strtod(text, &end);

	if (end == text || end != digits + digits_length(digits))
		return false;
	*ret = value * factor_of(unit, end);
	return isfinite(*ret);
}

/* What stands before the colon; it may be missing, as in `:5`. */
static bool start_of(const char *text, enum ari_unit unit, struct range *range)
{
	if (strcmp(text, "~") == 0)
		range->start = -INFINITY;
	return isinf(range->start) || *text == '\0' || number(text, unit, &range->start);
}

static bool ends_of(char *text, enum ari_unit unit, struct range *range)
{
	char *colon = strchr(text, ':');

	if (colon == NULL)
		return number(text, unit, &range->end);
	if (strcmp(text, ":") == 0)
		return false;
	*colon++ = '\0';
	return start_of(text, unit, range) &&
	       (*colon == '\0' || number(colon, unit, &range->end));
}

bool range_parse(const char *text, enum ari_unit unit, struct range *ret,
		 struct ari_error *err)
{
	struct range range = { 0, INFINITY, *text == '@' };
	char copy[MOST_WORD];

	if (strlen(text) < sizeof(copy) &&
	    ends_of(strcpy(copy, text + range.inside), unit, &range) &&
	    range.start <= range.end) {
		*ret = range;
		return true;
	}
	return refuse(err, ARI_USAGE,
		      "'%s' is not a range: [@]start:end with start <= end, start may be "
		      "~; %s",
		      text,
		      unit == ARI_UNIT_BYTES   ? "numbers of bytes, as 512M"
		      : unit == ARI_UNIT_SHARE ? "shares, as 0.8 or 80%"
					       : "numbers");
}

enum ari_yesno range_alerts(const struct range *range, double least, double most)
{
	bool all_in = least >= range->start && most <= range->end;
	bool all_out = most < range->start || least > range->end;

	if (!all_in && !all_out)
		return ARI_MAYBE;
	return all_in == range->inside ? ARI_YES : ARI_NO;
}

void range_number(FILE *out, double number)
{
	char text[400]; /* DBL_MAX has 309 digits */
	size_t length;

	snprintf(text, sizeof(text), "%.6f", number);
	length = strlen(text);
	while (text[length - 1] == '0')
		length--;
	if (text[length - 1] == '.')
		length--;
	text[length] = '\0';
	fputs(strcmp(text, "-0") == 0 ? "0" : text, out);
}

void range_write(FILE *out, const struct range *range)
{
	if (range->inside)
		putc('@', out);
	if (isinf(range->start))
		fputs("~:", out);
	else if (range->start != 0 || isinf(range->end)) {
		range_number(out, range->start);
		putc(':', out);
	}
	if (!isinf(range->end))
		range_number(out, range->end);
}
