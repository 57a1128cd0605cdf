#include "cli/table.h"

#include <assert.h>
#include <string.h>

#include "cli/format.h"

#define GAP 2 /* columns between two columns */
#define FLEXIBLE_WIDTH_MIN 8
#define CELL_BYTES_MAX 4096 /* what is longer is cut: no terminal shows it */

void table_begin(struct table *table, const struct table_column *columns, unsigned column_count)
{
	assert(column_count > 0 && column_count <= TABLE_COLUMNS_MAX);
	*table = (struct table){ .columns = columns, .column_count = column_count, .cells = BUFFER(TABLE_BYTES_MAX) };
	for (unsigned i = 0; i < column_count; i++)
		table->widths[i] = format_columns(columns[i].title);
}

void table_cell(struct table *table, const char *text)
{
	char harmless[CELL_BYTES_MAX];

	format_fit(text, CELL_BYTES_MAX, harmless, sizeof(harmless));
	if (table->result == RESULT_OK)
		table->result = buffer_append(&table->cells, harmless, strlen(harmless) + 1);
	unsigned width = format_columns(harmless);
	if (width > table->widths[table->at])
		table->widths[table->at] = width;
	table->at = (table->at + 1) % table->column_count;
}

void table_done(struct table *table)
{
	buffer_done(&table->cells);
}

static void shrink(struct table *table, unsigned width)
{
	unsigned whole = GAP * (table->column_count - 1);

	for (unsigned i = 0; i < table->column_count; i++)
		whole += table->widths[i];
	for (unsigned i = 0; i < table->column_count && width > 0 && whole > width; i++) {
		unsigned *own = &table->widths[i];
		if (!table->columns[i].flexible || *own <= FLEXIBLE_WIDTH_MIN)
			continue;
		unsigned too_much = whole - width, spare = *own - FLEXIBLE_WIDTH_MIN;
		*own -= too_much < spare ? too_much : spare;
	}
}

/* One cell, filled up with spaces; the last one only if it stands to the right. */
static enum result render_cell(const struct table *table, unsigned column, const char *text, struct buffer *to)
{
	char fitted[CELL_BYTES_MAX];
	bool last = column + 1 == table->column_count, right = table->columns[column].right;

	format_fit(text, table->widths[column], fitted, sizeof(fitted));
	int fill = (int)(table->widths[column] - format_columns(fitted));
	while (last && fitted[0] == '\0' && to->length > 0 && to->bytes[to->length - 1] == ' ')
		to->length--; /* nothing follows what was filled up for it */
	if (right)
		return buffer_print(to, "%*s%s%s", fill, "", fitted, last ? "\n" : "  ");
	return buffer_print(to, "%s%*s%s", fitted, last ? 0 : fill, "", last ? "\n" : "  ");
}

enum result table_render(struct table *table, unsigned width, struct buffer *to)
{
	enum result result = table->result;
	const char *cell = table->cells.bytes, *end = cell != NULL ? cell + table->cells.length : NULL;

	assert(table->at == 0);
	shrink(table, width);
	for (unsigned i = 0; i < table->column_count && result == RESULT_OK; i++)
		result = render_cell(table, i, table->columns[i].title, to);
	for (unsigned i = 0; cell != end && result == RESULT_OK; cell += strlen(cell) + 1) {
		result = render_cell(table, i, cell, to);
		i = (i + 1) % table->column_count;
	}
	return result;
}
