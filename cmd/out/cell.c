// SPDX-License-Identifier: Apache-2.0
#include <inttypes.h>

#include "out/cell.h"

const char *bytes_text(uint64_t bytes, char room[CELL_ROOM])
{
	return ari_bytes_text(bytes, room);
}

const char *cell_exact(const struct column *column, const struct value *value,
		       char room[CELL_ROOM])
{
	if (!value->known)
		return NULL;
	if (column->unit == UNIT_WORD || column->unit == UNIT_TEXT)
		return value->text;
	if (column->unit == UNIT_YESNO)
		return value->number == ARI_NO ? "no" : "yes";
	snprintf(room, CELL_ROOM,
		 column->unit == UNIT_ADDRESS ? "0x%" PRIx64 : "%" PRIu64, value->number);
	return room;
}

const char *cell_rounded(const struct column *column, const struct value *value,
			 char room[CELL_ROOM])
{
	if (value->known && column->unit == UNIT_BYTES)
		return bytes_text(value->number, room);
	if (value->known && column->unit == UNIT_ADDRESS && value->number == 0)
		return "none";
	return cell_exact(column, value, room);
}
