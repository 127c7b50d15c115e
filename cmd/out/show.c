// SPDX-License-Identifier: Apache-2.0
#include "out/refuse.h"
#include "out/show.h"
#include "out/sink.h"

const struct table *document_main(const struct document *document)
{
	for (size_t i = 0; i < document->count; i++)
		if (document->blocks[i].kind == BLOCK_TABLE &&
		    !document->blocks[i].table.aside)
			return &document->blocks[i].table;
	return NULL;
}

bool show(const struct document *document, const struct format *format,
	  const struct style *style, const char *path, struct ari_error *err)
{
	struct sink sink;

	if (document->failed)
		return refuse_memory(err);
	if (!sink_open(&sink, path, err))
		return false;
	sink.private_file = style->private_file;
	if (!format->write(document, style, sink.out, err) && !ferror(sink.out)) {
		sink_drop(&sink);
		return false;
	}
	/* Of a stream that failed the sink says more: it knows the name and errno. */
	return sink_finish(&sink, err);
}
