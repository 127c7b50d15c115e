// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>
#include <string.h>

#include "out/cell.h"

#define ID_DIGITS	64
#define ID_DIGITS_SHOWN 12

const char *id_text(const char *id, char room[CELL_ROOM])
{
	if (strlen(id) != ID_DIGITS || strspn(id, "0123456789abcdef") != ID_DIGITS)
		return id;
	snprintf(room, CELL_ROOM, "%.*s", ID_DIGITS_SHOWN, id);
	return room;
}

const char *bytes_text(uint64_t bytes, char room[CELL_ROOM])
{
	return ari_bytes_text(bytes, room);
}

const char *more_text(int64_t bytes, char room[CELL_ROOM])
{
	char size[CELL_ROOM];
	uint64_t amount = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;

	if (bytes == INT64_MIN)
		return "unknown";
	if (bytes == 0)
		return "0";
	snprintf(room, CELL_ROOM, "%c%s", bytes < 0 ? '-' : '+',
		 bytes_text(amount, size));
	return room;
}

const char *seconds_text(double seconds, char room[CELL_ROOM])
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
	uint64_t whole;
	size_t unit = 0;

	if (!(seconds >= 0 && seconds < 1e12))
		return "unknown";
	whole = (uint64_t)(seconds + 0.5);
	if (whole < 10) {
		snprintf(room, CELL_ROOM, "%.1f s", seconds);
		return room;
	}
	while (whole < units[unit].seconds)
		unit++;
	if (whole % units[unit].seconds < (unit < 3 ? units[unit + 1].seconds : 1))
		snprintf(room, CELL_ROOM, "%" PRIu64 " %s", whole / units[unit].seconds,
			 units[unit].name);
	else
		snprintf(room, CELL_ROOM, "%" PRIu64 " %s %" PRIu64 " %s",
			 whole / units[unit].seconds, units[unit].name,
			 whole % units[unit].seconds / units[unit + 1].seconds,
			 units[unit + 1].name);
	return room;
}

const char *cell_exact(const struct column *column, const struct value *value,
		       char room[CELL_ROOM])
{
	if (!value->known)
		return NULL;
	if (column->unit == UNIT_WORD || unit_is_text(column->unit))
		return value->text;
	if (column->unit == UNIT_YESNO)
		return value->number == ARI_NO ? "no" : "yes";
	if (unit_is_change(column->unit)) {
		snprintf(room, CELL_ROOM, "%" PRId64, (int64_t)value->number);
		return room;
	}
	snprintf(room, CELL_ROOM,
		 column->unit == UNIT_ADDRESS ? "0x%" PRIx64 : "%" PRIu64, value->number);
	return room;
}

const char *cell_rounded(const struct column *column, const struct value *value,
			 char room[CELL_ROOM])
{
	if (value->known && column->unit == UNIT_BYTES)
		return bytes_text(value->number, room);
	if (value->known && column->unit == UNIT_ID)
		return id_text(value->text, room);
	if (value->known && column->unit == UNIT_MORE_BYTES)
		return more_text((int64_t)value->number, room);
	if (value->known && column->unit == UNIT_MORE && value->number != 0) {
		snprintf(room, CELL_ROOM, "%+" PRId64, (int64_t)value->number);
		return room;
	}
	if (value->known && column->unit == UNIT_ADDRESS && value->number == 0)
		return "none";
	return cell_exact(column, value, room);
}
