/* tests/sim/helped - jobs with helper tokens in the made-up world, for the tests of these. */
#ifndef FERRY_TESTS_SIM_HELPED_H
#define FERRY_TESTS_SIM_HELPED_H

#include <stdlib.h>

#include "world.h"

#define SEEDS (getenv("FERRY_LONG") != NULL ? 60u : 12u) /* ./check --long: more */
#define FILES 6

extern const struct world_loan from_helper;

void helped_begin(struct world *world, uint64_t seed); /* the owner is here */
void helped_end(struct world *world);                  /* and nothing was wrong */
/* A job with flags and, but for NULL, a token; not resumed. */
int64_t helped_job(struct world *world, const struct world_order *order, unsigned flags, const struct world_loan *loan);
/* A job of one file that completes by itself, resumed; `stuck`: its server is never done. */
int64_t helped_submit(struct world *world, enum person person, enum job_priority priority, bool stuck);
void helped_resume(struct world *world, int64_t row); /* it is granted */
void helped_run_to(struct world *world, int64_t row, enum job_state state);
struct job_status helped_status(struct world *world, int64_t row);
/* Files of the world that are whole and have their names. */
void helped_check_published(const struct world *world, uint32_t first, uint32_t count);
/* No file of the job has a partial file by its record. */
void helped_check_no_partial(struct world *world, int64_t row);
/* The same of a job that is CANCELLED and done with. */
void helped_check_cancelled(struct world *world, int64_t row);

#endif
