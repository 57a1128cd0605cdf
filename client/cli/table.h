/* client/cli/table - rows of texts in columns that line up. */
#ifndef FERRY_CLI_TABLE_H
#define FERRY_CLI_TABLE_H

#include "core/text.h"

#define TABLE_COLUMNS_MAX 10
#define TABLE_BYTES_MAX (16u * 1024u * 1024u) /* of all cells together, and of the rendered text */

struct table_column {
	const char *title;
	bool right;    /* numbers */
	bool flexible; /* gives way when the table is wider than it may be; at most one column */
};
struct table {
	const struct table_column *columns;
	unsigned column_count;
	unsigned widths[TABLE_COLUMNS_MAX];
	unsigned at;         /* the next cell's column */
	struct buffer cells; /* terminated texts, row by row */
	enum result result;  /* the first failure sticks */
};

/* `columns` is borrowed. */
void table_begin(struct table *table, const struct table_column *columns, unsigned column_count);
void table_cell(struct table *table, const char *text);
void table_done(struct table *table);
static inline void table_cleanup(struct table *table)
{
	table_done(table);
}
/* Append the table, a line each row, to `to`; at most `width` columns wide (0: as wide as it is). */
enum result table_render(struct table *table, unsigned width, struct buffer *to) MUST_CHECK;

#endif
