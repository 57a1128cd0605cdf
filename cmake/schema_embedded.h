/* schema_embedded - the migrations of schema/NNNN_name.sql, built in by cmake/embed.cmake. */
#ifndef FERRY_SCHEMA_EMBEDDED_H
#define FERRY_SCHEMA_EMBEDDED_H

#include <stddef.h>

struct schema_migration {
	int number; /* 1, 2, 3 ...: PRAGMA user_version once it has been applied */
	const char *name;
	const char *sql;
};

extern const struct schema_migration schema_migrations[]; /* ascending by number */
extern const size_t schema_migration_count;

#endif
