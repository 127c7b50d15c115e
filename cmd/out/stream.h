/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OUT_STREAM_H
#define OUT_STREAM_H

#include "out/format.h"
#include "out/sink.h"

/*
 * A table whose rows come one by one, each written and flushed when it comes.  Its
 * columns are settled at the beginning, and so are their widths in text, where a
 * mark behind a number says that it is more (+) or less (-) than in the row before,
 * and the headings come again with every screenful.
 */
struct stream {
	const struct table_kind *kind;
	const struct format *format;
	struct style style; /* its selection is the stream's own */
	struct sink sink;
	size_t rows;	/* so far */
	size_t on_page; /* in text, below the last headings */
};

/* path: as in show().  Errors: ARI_IO, ARI_NO_MEMORY. */
bool stream_open(struct stream *ret, const struct table_kind *kind,
		 const struct format *format, const struct style *style, const char *path,
		 struct ari_error *err) __attribute__((warn_unused_result));

/*
 * before  the row before this one; NULL: there is none
 * model   what a format writes that needs the whole model
 */
bool stream_row(struct stream *stream, const void *row, const void *before,
		const struct ari_model *model, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Ends the output, and finds out whether all of it arrived. */
bool stream_finish(struct stream *stream, struct ari_error *err)
	__attribute__((warn_unused_result));

/* Ends it without making a file; after stream_finish() it does nothing. */
void stream_drop(struct stream *stream);

#endif
