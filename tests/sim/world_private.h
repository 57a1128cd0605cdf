/* Inside tests/sim/world.
 *
 *   world.c         clock, chance, beginning, crashing, the passing of things
 *   world_worker.c  made-up workers, and whether they wear what they should
 *   world_client.c  what clients would do
 */
#ifndef FERRY_TESTS_SIM_WORLD_PRIVATE_H
#define FERRY_TESTS_SIM_WORLD_PRIVATE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runtime/engine_private.h"
#include "world.h"

struct worker_ops world_workers(struct world *world);
/* The file that a URL or a path ends with. */
struct world_file *world_file(struct world *world, const char *path);
/* A letter that keeps the turn it comes in from being committed; once, where the world is to break one. */
void world_break_turn(struct world *world);

#endif
