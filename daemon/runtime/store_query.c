/* runtime/store, the lowest floor: one prepared statement's run. */
#include "runtime/store_private.h"

#include <assert.h>
#include <string.h>

/* --- the border --- */

static enum result result_from_constraint(int code)
{
	switch (code) {
	case SQLITE_CONSTRAINT_UNIQUE:
	case SQLITE_CONSTRAINT_PRIMARYKEY:
	case SQLITE_CONSTRAINT_ROWID:
		return RESULT_EXISTS;
	case SQLITE_CONSTRAINT_FOREIGNKEY:
		return RESULT_NOT_FOUND;
	default: /* CHECK, NOT NULL, or a sum that 64 bits cannot hold */
		return RESULT_INVALID_ARGUMENT;
	}
}

enum result result_from_sqlite(int code)
{
	if (code == SQLITE_IOERR_NOMEM)
		return RESULT_NO_MEMORY;

	switch (code & 0xFF) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return RESULT_OK;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return RESULT_STORE_BUSY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return RESULT_STORE_DAMAGED;
	case SQLITE_FULL:
		return RESULT_DISK_FULL;
	case SQLITE_IOERR:
		return RESULT_IO_FAILED;
	case SQLITE_NOMEM:
		return RESULT_NO_MEMORY;
	case SQLITE_INTERRUPT: /* store_check's alone */
		return RESULT_CANCELLED;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
	case SQLITE_AUTH:
		return RESULT_DENIED;
	case SQLITE_TOOBIG:
		return RESULT_TOO_LONG;
	case SQLITE_CONSTRAINT:
		return result_from_constraint(code);
	default:
		return RESULT_SYSTEM;
	}
}

enum result store_fault(sqlite3 *db, int code, const char *doing, struct fault *fault)
{
	/* SQLite's message names tables and columns, never what is in them. */
	return fault_set(fault, result_from_sqlite(code), FAULT_SQLITE, code, "%s: %s", doing, sqlite3_errmsg(db));
}

/* --- a run --- */

struct query query_start(struct store *store, enum statement which, const char *doing)
{
	sqlite3_stmt *statement = store->statements[which];

	assert(!sqlite3_stmt_busy(statement));                   /* a visitor must not start what it is visited by */
	assert(store->turn || sqlite3_stmt_readonly(statement)); /* changes happen inside a turn */
	if (!sqlite3_stmt_readonly(statement))
		store->lasting = true;
	return (struct query){ .store = store, .statement = statement, .doing = doing };
}

void query_cleanup(struct query *query)
{
	(void)sqlite3_reset(query->statement); /* repeats the step's code, which has been told */
	(void)sqlite3_clear_bindings(query->statement);
}

/* --- arguments --- */

static void put(struct query *query, int code)
{
	if (query->code == SQLITE_OK)
		query->code = code;
}

void put_i64(struct query *query, int64_t number)
{
	put(query, sqlite3_bind_int64(query->statement, ++query->arguments, number));
}

void put_u64(struct query *query, const char *name, uint64_t number)
{
	if (number > INT64_MAX) {
		if (!query->unfit)
			query->unfit = name;
		number = 0;
	}
	put_i64(query, (int64_t)number);
}

void put_size(struct query *query, const char *name, uint64_t bytes)
{
	if (bytes == SIZE_UNKNOWN)
		put(query, sqlite3_bind_null(query->statement, ++query->arguments));
	else
		put_u64(query, name, bytes);
}

void put_text(struct query *query, const char *text)
{
	put(query, sqlite3_bind_text(query->statement, ++query->arguments, text, -1, SQLITE_STATIC));
}

void put_octets(struct query *query, const char *text)
{
	put(query, sqlite3_bind_blob64(query->statement, ++query->arguments, text, strlen(text), SQLITE_STATIC));
}

void put_sealed(struct query *query, const void *bytes, size_t size)
{
	put(query, sqlite3_bind_blob64(query->statement, ++query->arguments, bytes, size, SQLITE_STATIC));
}

void put_fault(struct query *query, const struct fault *fault)
{
	put_text(query, result_name(fault->result));
	put_text(query, fault_source_name(fault->source));
	put_i64(query, fault->raw);
	put_text(query, fault->what);
}

/* --- steps --- */

enum result query_step(struct query *query, bool *ret_row, struct fault *fault)
{
	struct store *store = query->store;

	assert(query->arguments == sqlite3_bind_parameter_count(query->statement));
	if (query->unfit)
		return fault_set(fault, RESULT_INVALID_ARGUMENT, FAULT_FERRY, 0, "%s: %s is beyond 63 bits", query->doing,
		                 query->unfit);
	if (query->code != SQLITE_OK)
		return store_fault(store->db, query->code, query->doing, fault);
	/* After a failed write SQLite may have rolled back on its own.  Going on would commit each change by itself. */
	if (store->turn && sqlite3_get_autocommit(store->db))
		return fault_set(fault, RESULT_STORE_BUSY, FAULT_FERRY, 0, "%s: an earlier failure ended the transaction",
		                 query->doing);

	int code = sqlite3_step(query->statement);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return store_fault(store->db, code, query->doing, fault);
	*ret_row = code == SQLITE_ROW;
	query->columns = 0;
	return RESULT_OK;
}

enum result query_run(struct query *query, uint32_t *ret_changes, struct fault *fault)
{
	bool row = false;
	enum result result = query_step(query, &row, fault);

	assert(!row);
	if (result == RESULT_OK && ret_changes)
		*ret_changes = (uint32_t)sqlite3_changes(query->store->db);
	return result;
}

/* --- columns --- */

int64_t take_i64(struct query *query, int64_t minimum, int64_t maximum)
{
	int column = query->columns++;
	int64_t number = sqlite3_column_int64(query->statement, column);

	if (sqlite3_column_type(query->statement, column) != SQLITE_INTEGER || number < minimum || number > maximum) {
		query->damaged = true;
		return minimum;
	}
	return number;
}

uint64_t take_u64(struct query *query)
{
	return (uint64_t)take_i64(query, 0, INT64_MAX);
}

uint32_t take_u32(struct query *query)
{
	return (uint32_t)take_i64(query, 0, UINT32_MAX);
}

uint64_t take_size(struct query *query)
{
	if (sqlite3_column_type(query->statement, query->columns) != SQLITE_NULL)
		return take_u64(query);
	query->columns++;
	return SIZE_UNKNOWN;
}

bool take_null(struct query *query)
{
	bool is_null = sqlite3_column_type(query->statement, query->columns) == SQLITE_NULL;

	query->columns += is_null;
	return is_null;
}

void take_text(struct query *query, char *to, size_t size)
{
	int column = query->columns++;
	/* As a blob, whatever its type: no conversion, and NULL for a text of no bytes. */
	const char *bytes = sqlite3_column_blob(query->statement, column);
	struct text_view text = { bytes, (size_t)sqlite3_column_bytes(query->statement, column) };

	to[0] = '\0';
	if ((text.length > 0 && (!bytes || memchr(bytes, '\0', text.length))) || text_copy(to, size, text) != RESULT_OK)
		query->damaged = true;
}

void take_fault(struct query *query, struct fault *ret_fault)
{
	char name[65];

	take_text(query, name, sizeof(name));
	if (!result_from_name(name, &ret_fault->result))
		ret_fault->result = RESULT_SYSTEM;
	take_text(query, name, sizeof(name));
	if (!fault_source_from_name(name, &ret_fault->source))
		ret_fault->source = FAULT_FERRY;
	ret_fault->raw = take_i64(query, INT64_MIN, INT64_MAX);
	take_text(query, ret_fault->what, sizeof(ret_fault->what));
}

enum result take_long_octets(struct query *query, struct buffer *to)
{
	int column = query->columns++;
	const char *bytes = sqlite3_column_blob(query->statement, column);
	size_t length = (size_t)sqlite3_column_bytes(query->statement, column);

	if (length == 0 || !bytes || length > to->length_max) {
		query->damaged = true;
		return RESULT_OK;
	}
	buffer_clear(to);
	return buffer_append(to, bytes, length);
}

enum result take_long_text(struct query *query, struct buffer *to)
{
	enum result result = take_long_octets(query, to);

	if (to->length > 0 && memchr(to->bytes, '\0', to->length))
		query->damaged = true;
	return result;
}

enum result query_taken(struct query *query, struct fault *fault)
{
	assert(query->columns == sqlite3_column_count(query->statement));
	if (query->damaged)
		return fault_set(fault, RESULT_STORE_DAMAGED, FAULT_FERRY, 0, "%s: a row holds what Ferry never writes",
		                 query->doing);
	return RESULT_OK;
}

enum result query_number(struct query *query, int64_t otherwise, int64_t *ret_number, struct fault *fault)
{
	bool row = false;
	enum result result = query_step(query, &row, fault);

	if (result != RESULT_OK)
		return result;
	int64_t number = row ? take_i64(query, 0, INT64_MAX) : otherwise;
	result = row ? query_taken(query, fault) : RESULT_OK;
	if (result == RESULT_OK)
		*ret_number = number;
	return result;
}
