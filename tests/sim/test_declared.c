/* Declared jobs: their moments, what is repaired and what is asked for anew, over crashes, bad files and turns that are undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "helped.h"
#include "world_private.h"

#define SHA "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FILE_OF(n, more) "{\"url\": \"http://server/" n WORLD_QUERY "\"" more "}"
#define JOB(name, files, more) "{\"name\": \"" name "\", \"destination\": \"/sim\", \"files\": [" files "]" more "}"
#define HOUR_S 3600

static const char two[] = JOB("app", FILE_OF("0", ", \"digest\": \"" SHA "\"") "," FILE_OF("1", ""), "");

static void begin(struct world *world, uint64_t seed, const char *text)
{
	helped_begin(world, seed);
	world->settings.identity_service_file_roots.count = 1;
	text_display(world->settings.identity_service_file_roots.items[0], sizeof(world->settings.identity_service_file_roots.items[0]),
	             "/sim");
	world->wanted = world->settings;
	world->declared[0] = text;
	for (unsigned i = 0; i < 8; i++)
		world->files[i].size = 3000 + i;
}

/* Somebody takes it away, or writes into it. */
static void damage(struct world *world, unsigned file, bool remove)
{
	world->files[file].written = world->files[file].synced = 0;
	world->files[file].removed = remove;
	world->files[file].altered = !remove;
}

static void expect(struct world *world, bool act, enum declare_act wanted)
{
	world_declare(world, act);
	assert_int_equal(world->declare_result, RESULT_OK);
	assert_int_equal(world->step_count, 1);
	assert_int_equal(world->steps[0].fault.result, RESULT_OK);
	if (world->steps[0].action.act != wanted)
		fail_msg("%s instead of %s: %s", declare_act_name(world->steps[0].action.act), declare_act_name(wanted),
		         world->steps[0].action.reason);
}

static unsigned asked(const struct world *world, unsigned first, unsigned count)
{
	unsigned sum = 0;

	for (unsigned i = first; i < first + count; i++)
		sum += world->files[i].asked;
	return sum;
}

static void once__is_fetched_and_then_left_alone__until_it_is_damaged(void **state)
{
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, two);
		expect(&world, false, DECLARE_CREATE);
		assert_int_equal(world_declared_job(&world, "app"), -1);
		expect(&world, true, DECLARE_CREATE);
		world_settle(&world);
		helped_check_published(&world, 0, 2);
		expect(&world, true, DECLARE_NOTHING);
		expect(&world, false, DECLARE_NOTHING);
		world_wait(&world, 30 * 24 * HOUR_S);
		assert_int_equal(asked(&world, 0, 2), 2);
		damage(&world, (unsigned)(seed % 2), seed % 3 == 0);
		expect(&world, false, DECLARE_REPAIR);
		assert_int_equal(asked(&world, 0, 2), 2);
		expect(&world, true, DECLARE_REPAIR);
		world_settle(&world);
		assert_int_equal(world.files[seed % 2].published, 2);
		assert_int_equal(asked(&world, 0, 2), 3);
		expect(&world, true, DECLARE_NOTHING);
		assert_int_equal(world_events(&world, EVENT_DECLARED_REPAIRED), 1);
		assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
		world_check_rest(&world);
		helped_end(&world);
	}
}

/* At every step the power may go; in the end it is as declared, and what was right was not fetched again for that. */
static void crashes__anywhere__it_ends_as_declared(void **state)
{
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 2; seed++) {
		begin(&world, seed, two);
		world_reload(&world);
		for (unsigned crashes = 0; crashes < 3; crashes++) {
			for (uint64_t steps = world_random(&world, 12); steps > 0 && world_step(&world); steps--)
				;
			world_crash(&world);
		}
		world_settle(&world);
		assert_true(world.files[0].published > 0 && world.files[1].published > 0);

		unsigned before = asked(&world, 0, 2);

		world_crash(&world);
		world_settle(&world);
		expect(&world, true, DECLARE_NOTHING);
		assert_int_equal(asked(&world, 0, 2), before);
		world_check_rest(&world);
		helped_end(&world);
	}
}

static void turn__that_is_undone__is_begun_anew(void **state)
{
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, two);
		world_reload(&world);
		for (uint64_t steps = world_random(&world, 8); steps > 0 && world_step(&world); steps--)
			;
		world.break_turn = true;
		(void)world_step(&world);
		world_wait(&world, 60);
		world_settle(&world);
		helped_check_published(&world, 0, 2);
		expect(&world, true, DECLARE_NOTHING);
		helped_end(&world);
	}
}

static void bad_file__at_a_reload_and_over_a_start__changes_nothing(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 1, two);
	world_reload(&world);
	world_settle(&world);
	world.declared[0] = "{ \"name\": \"app\" }";
	world_reload(&world);
	world_settle(&world);
	assert_int_equal(world_events(&world, EVENT_DECLARED_REFUSED), 1);
	world_declare(&world, true);
	assert_int_equal(world.declare_result, RESULT_BAD_SETTING);
	/* What was applied goes on, also where something is to be repaired. */
	damage(&world, 1, true);
	world_crash(&world);
	world_settle(&world);
	assert_int_equal(world.files[1].published, 2);
	assert_true(world_events(&world, EVENT_DECLARED_REFUSED) >= 3);
	/* That there is no jobs.d any more says nothing of them; that it is empty does. */
	world.declared_lost = true;
	world_declare(&world, true);
	assert_int_equal(world.declare_result, RESULT_BAD_SETTING);
	world.declared_lost = false;
	world.declared[0] = NULL;
	expect(&world, true, DECLARE_DROP);
	world_declare(&world, true);
	assert_int_equal(world.step_count, 0);
	helped_end(&world);
}

static void every__asks_at_its_moments_alone__and_fetches_what_is_new(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("0", ", \"digest\": \"" SHA "\"") "," FILE_OF("1", ""),
	                                ", \"when\": {\"every\": \"24h\"}, \"spread\": \"2h\"");
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, daily);
		world_reload(&world);
		world_wait(&world, 2 * HOUR_S);
		helped_check_published(&world, 0, 2);
		assert_int_equal(asked(&world, 0, 2), 2);
		/* A day later the server has the same, and another day later something new. */
		world.files[1].sources[0].unchanged = world.files[1].there = true;
		world_wait(&world, 24 * HOUR_S);
		assert_int_equal(asked(&world, 0, 1), 1); /* what has a digest is there and right */
		assert_int_equal(asked(&world, 1, 1), 2);
		assert_int_equal(world.files[1].published, 1);
		world.files[1].sources[0].unchanged = false;
		world.files[1].sources[0].version = 1;
		world.files[1].written = world.files[1].synced = 0;
		world_wait(&world, 24 * HOUR_S);
		assert_int_equal(asked(&world, 1, 1), 3);
		assert_int_equal(world.files[1].published, 2);
		assert_int_equal(world.files[1].landed, 1);
		assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
		helped_end(&world);
	}
}

/* What lies there when its job is over is not what landed: neither right behind its name, nor where the server has nothing new. */
static void altered__while_its_job_is_under_way__is_not_taken_for_what_landed(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("1", "") "," FILE_OF("2", ""), ", \"when\": {\"every\": \"24h\"}");
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, daily);
		world_reload(&world);
		while (world.files[1].published == 0)
			assert_true(world_step(&world));
		damage(&world, 1, false);
		world_settle(&world);
		expect(&world, true, DECLARE_REPAIR);
		world_settle(&world);
		assert_int_equal(world.files[1].published, 2);
		expect(&world, true, DECLARE_NOTHING);
		world.files[1].sources[0].unchanged = world.files[1].there = true;
		world.files[2].sources[0].unchanged = world.files[2].there = true;
		world.files[1].stuck = true;
		world_wait(&world, 24 * HOUR_S);
		damage(&world, 1, false);
		world.files[1].stuck = false;
		world_settle(&world);
		assert_int_equal(asked(&world, 1, 2), 5);
		world.files[1].sources[0].unchanged = false;
		expect(&world, true, DECLARE_REPAIR);
		world_settle(&world);
		assert_int_equal(world.files[1].published, 3);
		assert_int_equal(world.files[2].published, 1);
		expect(&world, true, DECLARE_NOTHING);
		helped_end(&world);
	}
}

/* Somebody lays a file there that can never be read to its end: what has landed has a size, and where none is known, jobs.d may
 * change meanwhile, and an hour is enough. */
static void vast__is_not_read_or_given_up__and_keeps_nobody_else_waiting(void **state)
{
	static const char other[] = JOB("other", FILE_OF("2", ""), "");
	struct world world;

	(void)state;
	begin(&world, 1, two);
	world.files[0].there = true;
	world.files[0].vast = UINT64_C(1) << 45;
	world_reload(&world);
	world_settle(&world);
	assert_int_equal(asked(&world, 0, 3), 0);
	world.declared[0] = other;
	world_reload(&world);
	world_settle(&world);
	assert_int_equal(world.files[2].published, 1);
	world.declared[1] = two;
	world_reload(&world);
	world_wait(&world, HOUR_S + 60);
	helped_check_published(&world, 0, 3);
	for (unsigned i = 0; i < 3; i++)
		world.files[i].vast = UINT64_C(1) << 45;
	world_declare(&world, true);
	assert_int_equal(world.step_count, 2);
	world_settle(&world);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(world.files[i].published, 2);
	helped_end(&world);
}

/* Somebody has a file open when it is about to get its name, or right after: nothing is fetched again for that. */
static void held__when_its_job_ends__is_not_fetched_again(void **state)
{
	static const char three[] = JOB("app", FILE_OF("0", "") "," FILE_OF("1", "") "," FILE_OF("2", ""), "");
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, three);
		world_reload(&world);
		if (seed % 2 == 0)
			while (world.files[0].published == 0)
				assert_true(world_step(&world));
		else
			world_wait(&world, 0);
		world.files[0].look_fails = RESULT_LOCKED;
		world_wait(&world, 60);
		world.files[0].look_fails = RESULT_OK;
		world_wait(&world, HOUR_S);
		helped_check_published(&world, 0, 3);
		assert_int_equal(asked(&world, 0, 3), 3);
		assert_int_equal(world_events(&world, EVENT_DECLARED_REPAIRED), 0);
		expect(&world, true, DECLARE_NOTHING);
		helped_end(&world);
	}
}

/* Three days off: it is made up for once, within the spread, and then it is where it was. */
static void missed__while_the_machine_was_off__is_made_up_for_once(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("1", ""), ", \"when\": {\"every\": \"24h\"}, \"spread\": \"1h\"");
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, daily);
		world_reload(&world);
		world_wait(&world, HOUR_S);
		assert_int_equal(world.files[1].asked, 1);
		world.files[1].sources[0].unchanged = world.files[1].there = true;
		world.wall_ms += INT64_C(3) * 24 * HOUR_S * 1000;
		world_crash(&world);
		world_wait(&world, HOUR_S + 60);
		assert_int_equal(world.files[1].asked, 2);
		world_wait(&world, 20 * HOUR_S);
		assert_int_equal(world.files[1].asked, 2);
		world_wait(&world, 5 * HOUR_S);
		assert_int_equal(world.files[1].asked, 3);
		helped_end(&world);
	}
}

/* `once` is made up for within the spread, too; and nobody who says `apply` meanwhile loses what was put off. */
static void missed__once_or_beside_an_apply__is_made_up_for_within_the_spread(void **state)
{
	static const char once[] = JOB("app", FILE_OF("1", ""), ", \"spread\": \"4h\"");
	static const char daily[] = JOB("app", FILE_OF("1", ""), ", \"when\": {\"every\": \"24h\"}, \"spread\": \"1h\"");
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, once);
		world_reload(&world);
		world_wait(&world, 1);
		world.wall_ms += INT64_C(5) * HOUR_S * 1000;
		world_crash(&world);
		world_wait(&world, 1);
		assert_int_equal(world.files[1].asked, 0);
		world_wait(&world, 4 * HOUR_S);
		assert_int_equal(world.files[1].published, 1);
		helped_end(&world);
		begin(&world, seed, daily);
		world_reload(&world);
		world_wait(&world, HOUR_S);
		world.files[1].sources[0].unchanged = world.files[1].there = true;
		world.wall_ms += INT64_C(3) * 24 * HOUR_S * 1000;
		world_crash(&world);
		world_wait(&world, 1);
		assert_int_equal(world.files[1].asked, 1);
		expect(&world, true, DECLARE_NOTHING);
		world_wait(&world, HOUR_S + 60);
		assert_int_equal(world.files[1].asked, 2);
		helped_end(&world);
	}
}

/* The clock was a month ahead when the job was declared, or at a later moment, and is set right. */
static void clock__that_was_ahead__does_not_keep_its_moments_there(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("1", ""), ", \"when\": {\"every\": \"24h\"}, \"spread\": \"1h\"");
	struct world world;

	(void)state;
	for (unsigned declared = 0; declared < 2; declared++) {
		begin(&world, 1, daily);
		if (declared == 0)
			world.wall_ms += INT64_C(30) * 24 * HOUR_S * 1000;
		world_reload(&world);
		world_wait(&world, HOUR_S);
		assert_int_equal(world.files[1].asked, 1);
		world.files[1].sources[0].unchanged = world.files[1].there = true;
		if (declared == 1) {
			world.wall_ms += INT64_C(30) * 24 * HOUR_S * 1000;
			world_wait(&world, HOUR_S);
			assert_int_equal(world.files[1].asked, 2);
		}
		world.wall_ms -= INT64_C(30) * 24 * HOUR_S * 1000;
		unsigned before = world.files[1].asked;
		world_wait(&world, 27 * HOUR_S);
		assert_in_range(world.files[1].asked, before + 1, before + 2);
		before = world.files[1].asked;
		world_wait(&world, 48 * HOUR_S);
		assert_int_equal(world.files[1].asked, before + 2);
		helped_end(&world);
	}
}

static void window__opens__nothing_is_fetched_before(void **state)
{
	char text[512];
	struct world world;

	(void)state;
	helped_begin(&world, 1);
	unsigned minute = world.parts.clock.local_minute(&world, world.wall_ms) % 1440;
	helped_end(&world);
	unsigned from = (minute + 120) % 1440, to = (minute + 240) % 1440;
	snprintf(text, sizeof(text), JOB("app", FILE_OF("1", ""), ", \"when\": {\"window\": \"%02u:%02u-%02u:%02u\"}, \"spread\": \"1h\""),
	         from / 60, from % 60, to / 60, to % 60);
	begin(&world, 2, text);
	world_reload(&world);
	world_wait(&world, 118 * 60);
	assert_int_equal(world.files[1].asked, 0);
	world_wait(&world, 63 * 60);
	assert_int_equal(world.files[1].asked, 1);
	assert_int_equal(world.files[1].published, 1);
	/* Missing before the next one: it waits until then, unless somebody says so. */
	damage(&world, 1, true);
	world_wait(&world, 10 * HOUR_S);
	assert_int_equal(world.files[1].asked, 1);
	expect(&world, true, DECLARE_REPAIR);
	world_wait(&world, 60);
	assert_int_equal(world.files[1].published, 2);
	helped_end(&world);
}

static void update__of_one_under_way__goes_on__and_a_replacement_is_cancelled(void **state)
{
	static const char high[] = JOB("app", FILE_OF("1", ""), ", \"priority\": \"high\""), low[] = JOB("app", FILE_OF("1", ""), ", \"priority\": \"low\"");
	static const char other[] = JOB("app", FILE_OF("2", ""), "");
	struct world world;
	int64_t row;

	(void)state;
	begin(&world, 1, high);
	world.files[1].stuck = true;
	world_reload(&world);
	world_wait(&world, 1);
	row = world_declared_job(&world, "app");
	assert_true(row > 0 && job_state_is_active(world_state(&world, row)));
	world.declared[0] = low;
	expect(&world, true, DECLARE_UPDATE);
	assert_int_equal(world_declared_job(&world, "app"), row);
	assert_int_equal(helped_status(&world, row).job.properties.priority, JOB_LOW);
	expect(&world, true, DECLARE_NOTHING);
	world.declared[0] = other;
	expect(&world, true, DECLARE_REPLACE);
	world_wait(&world, 1);
	helped_check_cancelled(&world, row);
	assert_true(world_declared_job(&world, "app") != row);
	assert_int_equal(world.files[2].published, 1);
	helped_end(&world);
}

static void dropped__while_it_is_under_way__is_cancelled_and_swept(void **state)
{
	struct world world;
	int64_t row;

	(void)state;
	begin(&world, 1, two);
	world.files[1].stuck = true;
	world_reload(&world);
	world_wait(&world, 1);
	row = world_declared_job(&world, "app");
	world.declared[0] = NULL;
	world_reload(&world);
	world_wait(&world, 1);
	helped_check_cancelled(&world, row);
	helped_end(&world);
}

static void error__is_tried_again_within_the_hour__or_at_once_where_somebody_says_so(void **state)
{
	static const char one[] = JOB("app", FILE_OF("1", ""), "");
	struct world world;

	(void)state;
	begin(&world, 1, one);
	world.files[1].fail_next_fetch = RESULT_SOURCE_NOT_FOUND;
	world_reload(&world);
	world_wait(&world, 60);
	assert_int_equal(world_state(&world, world_declared_job(&world, "app")), JOB_ERROR);
	world_wait(&world, HOUR_S);
	assert_int_equal(world.files[1].published, 1);
	damage(&world, 1, true);
	world.files[1].fail_next_fetch = RESULT_SOURCE_NOT_FOUND;
	expect(&world, true, DECLARE_REPAIR);
	world_wait(&world, 60);
	assert_int_equal(world_state(&world, world_declared_job(&world, "app")), JOB_ERROR);
	expect(&world, true, DECLARE_REPAIR);
	world_wait(&world, 60);
	assert_int_equal(world.files[1].published, 2);
	helped_end(&world);
}

/* As at a start, before the system can open secrets: it is compared a little later, and nobody else waits for that. */
static void secrets__that_cannot_be_opened_yet_or_any_more__keep_nobody_else_waiting(void **state)
{
	struct world world;

	(void)state;
	begin(&world, 1, two);
	world_reload(&world);
	world_settle(&world);
	damage(&world, 1, true);
	world.secrets_busy = true;
	world_crash(&world);
	world_wait(&world, 10);
	world_declare(&world, true);
	assert_int_equal(world.declare_result, RESULT_SECRET_BUSY);
	world.secrets_busy = false;
	world_wait(&world, 120);
	assert_int_equal(world.files[1].published, 2);
	/* Their key is lost: it is as if nothing had been applied, and what is declared is applied anew. */
	world.secrets_lost = true;
	world_crash(&world);
	world_settle(&world);
	world.secrets_lost = false; /* a new key */
	expect(&world, true, DECLARE_REPAIR); /* the job that began meanwhile could not open its URL */
	world_settle(&world);
	expect(&world, true, DECLARE_NOTHING);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	helped_end(&world);
}

/* Somebody has one file open, or what is declared cannot be sealed: the rest is done, and that within the hour. */
static void change__part_of_which_fails_for_a_moment__is_made_up_for(void **state)
{
	static const char other[] = JOB("app", FILE_OF("0", ", \"digest\": \"" SHA "\"") "," FILE_OF("2", ""), "");
	struct world world;

	(void)state;
	begin(&world, 1, two);
	world.seal_fails = true;
	world_reload(&world);
	world_settle(&world);
	assert_int_equal(world_events(&world, EVENT_DECLARED_FAILED), 1);
	assert_int_equal(asked(&world, 0, 2), 0);
	world.seal_fails = false;
	world_wait(&world, HOUR_S + 60);
	helped_check_published(&world, 0, 2);
	/* A change is made all the same, but for the file that cannot be looked at. */
	damage(&world, 0, false);
	world.files[0].look_fails = RESULT_LOCKED;
	world.declared[0] = other;
	world.files[2].stuck = true; /* for longer than that */
	world_reload(&world);
	world_wait(&world, HOUR_S + 60);
	world.files[2].stuck = false;
	world.files[0].look_fails = RESULT_OK;
	world_wait(&world, 60);
	assert_int_equal(world.files[2].published, 1);
	assert_int_equal(world.files[0].published, 1);
	world_wait(&world, HOUR_S);
	assert_int_equal(world.files[0].published, 2);
	expect(&world, true, DECLARE_NOTHING);
	/* So is one that cannot be kept; what was declared before goes on meanwhile, and is not fetched anew. */
	world.seal_fails = true;
	world.declared[0] = two;
	damage(&world, 1, true);
	world_reload(&world);
	world_settle(&world);
	world.seal_fails = false;
	world_wait(&world, HOUR_S + 60);
	assert_int_equal(world.files[1].published, 2);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	helped_end(&world);
}

/* What was applied cannot be opened any more, nor is what is declared any good: it is read again from hour to hour. */
static void words__that_cannot_be_opened__do_not_keep_the_engine_busy(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("1", ""), ", \"when\": {\"every\": \"24h\"}");
	static const char plain[] = JOB("plain", "{\"url\": \"http://server/2\"}", "");
	struct world world;

	(void)state;
	begin(&world, 1, daily);
	world_reload(&world);
	world_settle(&world);
	world.secrets_lost = true;
	world.declared[0] = "{ \"name\": \"app\" }";
	world.mono_ms += INT64_C(25) * HOUR_S * 1000;
	world.wall_ms += INT64_C(25) * HOUR_S * 1000;
	for (unsigned turns = 0; turns < 10; turns++)
		(void)engine_turn(world.engine);
	assert_true(engine_turn(world.engine) > world.mono_ms);
	/* One without secrets needs no key. */
	world.secrets_lost = world.plain = true;
	world.seal_fails = true;
	world.declared[0] = plain;
	world_declare(&world, true);
	assert_int_equal(world.declare_result, RESULT_OK);
	world_settle(&world);
	assert_int_equal(world.files[2].published, 1);
	expect(&world, true, DECLARE_NOTHING);
	helped_end(&world);
}

/* One that cannot be is said, and keeps nobody else from anything. */
static void forbidden__by_policy_or_by_its_folder__is_one_job_s_trouble(void **state)
{
	static const char elsewhere[] = "{\"name\": \"out\", \"destination\": \"/etc\", \"files\": [" FILE_OF("2", "") "]}";
	struct world world;

	(void)state;
	begin(&world, 1, elsewhere);
	world.declared[1] = two;
	world.declared[2] = "{\"name\": \"zz\", \"destination\": \"/sim\", \"files\": [{\"url\": \"http://other/3\"}]}";
	world.settings.allow_hosts.count = 1;
	text_display(world.settings.allow_hosts.items[0], sizeof(world.settings.allow_hosts.items[0]), "server");
	world.wanted = world.settings;
	world_declare(&world, true);
	assert_int_equal(world.step_count, 3);
	assert_int_equal(world.steps[0].fault.result, RESULT_OK); /* app */
	assert_int_equal(world.steps[1].fault.result, RESULT_BAD_DESTINATION);
	assert_int_equal(world.steps[2].fault.result, RESULT_BLOCKED_BY_POLICY);
	world_settle(&world);
	helped_check_published(&world, 0, 2);
	assert_int_equal(world_events(&world, EVENT_DECLARED_FAILED), 2);
	assert_int_equal(world_events(&world, EVENT_STORE_TROUBLE), 0);
	/* The folder is allowed now: it is made up for within the hour. */
	world.settings.identity_service_file_roots.count = 2;
	text_display(world.settings.identity_service_file_roots.items[1], sizeof(world.settings.identity_service_file_roots.items[1]), "/etc");
	world_wait(&world, HOUR_S);
	assert_int_equal(world.files[2].published, 1);
	helped_end(&world);
}

static void helper__the_job_waits_until_its_holder_attaches(void **state)
{
	static const char helped[] = JOB("app", FILE_OF("1", ""), ", \"identity\": {\"helper\": \"S-1-5-21-1-1-1-2001\"}");
	const struct world_loan attaching = { .helper = HELPER, .connection = 1, .attached = true };
	struct world world;
	int64_t row;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, helped);
		world_reload(&world);
		world_settle(&world);
		row = world_declared_job(&world, "app");
		assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
		assert_string_equal(helped_status(&world, row).job.properties.pinned_helper, "S-1-5-21-1-1-1-2001");
		world.files[1].job = row;
		world_crash(&world); /* it still waits */
		world_settle(&world);
		assert_int_equal(world_declared_job(&world, "app"), row);
		assert_int_equal(world_lend(&world, row, &(struct world_loan){ .helper = NEIGHBOUR, .connection = 2, .attached = true }),
		                 RESULT_ACCESS_REFUSED);
		assert_int_equal(world_lend(&world, row, &attaching), RESULT_OK);
		world_settle(&world);
		assert_int_equal(world.files[1].published, 1);
		assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
		expect(&world, true, DECLARE_NOTHING);
		helped_end(&world);
	}
}

/* Whatever becomes of his job, or of the moment when it was to be made, one is made of what is declared now. */
static void helper__what_is_replaced_forbidden_or_ended__is_fetched_all_the_same(void **state)
{
#define HELPED(n) JOB("app", FILE_OF(n, ""), ", \"identity\": {\"helper\": \"S-1-5-21-1-1-1-2001\"}")
	static const char first[] = HELPED("1"), second[] = HELPED("2");
	struct world world;
	int64_t row;

	(void)state;
	begin(&world, 1, first);
	world.settings.allow_hosts.count = 1;
	text_display(world.settings.allow_hosts.items[0], sizeof(world.settings.allow_hosts.items[0]), "elsewhere");
	world.wanted = world.settings;
	world_reload(&world);
	world_settle(&world);
	assert_int_equal(world_events(&world, EVENT_DECLARED_FAILED), 1);
	world.wanted.allow_hosts.count = world.settings.allow_hosts.count = 0;
	world_reload(&world);
	world_declare(&world, true);
	row = world_declared_job(&world, "app");
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
	world.declared[0] = second;
	expect(&world, true, DECLARE_REPLACE);
	helped_check_cancelled(&world, row);
	assert_true(world_declared_job(&world, "app") > row);
	/* Nobody came before its lease ended. */
	row = world_declared_job(&world, "app");
	while (world_declared_job(&world, "app") == row && !job_state_is_final(world_state(&world, row)))
		world_wait(&world, HOUR_S / 2);
	world_declare(&world, true);
	assert_true(world_declared_job(&world, "app") > row);
	row = world_declared_job(&world, "app");
	assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
	helped_end(&world);
}

/* As nobody can look before he comes, his job is made each time that it is due; what is there and right is not fetched. */
static void helper__what_he_has_is_looked_at_when_he_is_here__and_only_the_rest_fetched(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("1", ", \"digest\": \"" SHA "\"") "," FILE_OF("2", ", \"digest\": \"" SHA "\""),
	                                ", \"identity\": {\"helper\": \"S-1-5-21-1-1-1-2001\"}, \"when\": {\"every\": \"24h\"}");
	const struct world_loan attaching = { .helper = HELPER, .connection = 1, .attached = true };
	struct world world;

	(void)state;
	for (unsigned seed = 1; seed <= SEEDS / 6; seed++) {
		begin(&world, seed, daily);
		for (unsigned day = 0; day < 3; day++) {
			if (day == 0)
				world_reload(&world);
			else
				world_wait(&world, 24 * HOUR_S);
			int64_t row = world_declared_job(&world, "app");
			world.files[1].job = world.files[2].job = row;
			assert_int_equal(helped_status(&world, row).wait, JOB_WAIT_TOKEN);
			if (day == 2)
				damage(&world, 2, seed % 2 == 0);
			assert_int_equal(world_lend(&world, row, &attaching), RESULT_OK);
			world_wait(&world, 60);
			assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
		}
		assert_int_equal(world.files[1].asked, 1);
		assert_int_equal(world.files[1].published, 1);
		assert_int_equal(world.files[2].asked, 2);
		assert_int_equal(world.files[2].published, 2);
		helped_end(&world);
	}
}

/* The user makes the file while the job waits, or its bytes come: his stays, and that is the end of it. */
static void keep__what_somebody_made_meanwhile__stays(void **state)
{
	static const char kept[] = JOB("app", FILE_OF("1", ""), ", \"on_change\": \"keep\", \"when\": {\"every\": \"24h\"}");
	struct world world;

	(void)state;
	for (unsigned late = 0; late < 2; late++) {
		begin(&world, 1 + late, kept);
		world.files[1].stuck = late == 1;
		world_declare(&world, true);
		if (late == 1)
			world_wait(&world, 1);
		world.files[1].there = true;
		world.files[1].stuck = false;
		world_wait(&world, 60);
		assert_int_equal(world.files[1].published, 0);
		assert_int_equal(world.files[1].asked, late);
		assert_true(world.files[1].abandoned);
		assert_int_equal(world_events(&world, EVENT_FILE_NOT_MODIFIED), 1);
		world_wait(&world, 3 * 24 * HOUR_S);
		expect(&world, true, DECLARE_NOTHING);
		assert_int_equal(world.files[1].asked, late);
		/* What he made never landed: where it may be replaced, it is. */
		world.declared[0] = JOB("app", FILE_OF("1", ""), ", \"when\": {\"every\": \"24h\"}");
		expect(&world, true, DECLARE_UPDATE);
		world_wait(&world, 60);
		assert_int_equal(world.files[1].published, 1);
		helped_end(&world);
	}
}

/* All files go into his job, as nobody can look before he comes; what is there is not fetched, whatever it holds. */
static void keep__as_a_helper__nothing_that_is_there_is_fetched(void **state)
{
	static const char daily[] = JOB("app", FILE_OF("1", ", \"digest\": \"" SHA "\"") "," FILE_OF("2", "") "," FILE_OF("3", ""),
	                                ", \"on_change\": \"keep\", \"identity\": {\"helper\": \"S-1-5-21-1-1-1-2001\"}, \"when\": {\"every\": \"24h\"}");
	const struct world_loan attaching = { .helper = HELPER, .connection = 1, .attached = true };
	struct world world;

	(void)state;
	begin(&world, 1, daily);
	world.files[1].there = world.files[2].there = true;
	for (unsigned day = 0; day < 3; day++) {
		if (day == 0)
			world_reload(&world);
		else
			world_wait(&world, 24 * HOUR_S);
		int64_t row = world_declared_job(&world, "app");
		world.files[1].job = world.files[2].job = world.files[3].job = row;
		if (day == 2)
			damage(&world, 3, false);
		assert_int_equal(world_lend(&world, row, &attaching), RESULT_OK);
		world_wait(&world, 60);
		assert_int_equal(world_state(&world, row), JOB_ACKNOWLEDGED);
	}
	assert_int_equal(asked(&world, 1, 2), 0);
	assert_int_equal(world.files[1].published + world.files[2].published, 0);
	assert_int_equal(world.files[3].asked, 1);
	assert_int_equal(world.files[3].published, 1);
	helped_end(&world);
}

/* What lies under the old name is nobody's any more, and is found before the next one is made. */
static void partial__that_is_lost_when_it_was_to_get_its_name__is_swept(void **state)
{
	static const char one[] = JOB("app", FILE_OF("1", ""), "");
	struct world world;

	(void)state;
	begin(&world, 1, one);
	world.files[1].exchanged_late = true;
	world_reload(&world);
	world_wait(&world, 60);
	assert_int_equal(world_state(&world, world_declared_job(&world, "app")), JOB_ERROR);
	text_display(world.lying[world.lying_count++], sizeof(world.lying[0]), "%s", ".ferry-5ea5ea5ea5ea5ea5-00112233445566778899aabbccddeeff.part");
	world_wait(&world, HOUR_S);
	assert_int_equal(world.files[1].published, 1);
	assert_int_equal(world.lying_count, 0);
	helped_end(&world);
}

/* Another owner may neither see nor touch it, NetworkService neither; an administrator looks. */
static void others__have_no_rights__over_a_declared_job(void **state)
{
	struct world world;
	struct fault fault;
	unsigned rights;

	(void)state;
	begin(&world, 1, two);
	world.files[1].stuck = true;
	world_reload(&world);
	world_wait(&world, 1);
	struct job_status status = helped_status(&world, world_declared_job(&world, "app"));
	static const enum person nobody[] = { OWNER, NEIGHBOUR, AGENT, HELPER, HELPER_SERVICE, SERVICE };

	for (size_t i = 0; i < sizeof(nobody) / sizeof(nobody[0]); i++)
		assert_int_equal(access_open(identity_caller(world.people[nobody[i]]), &status.job, &rights, &fault), RESULT_NOT_FOUND);
	assert_int_equal(access_open(identity_caller(world.people[ADMINISTRATOR]), &status.job, &rights, &fault), RESULT_OK);
	assert_int_equal(rights, ACCESS_QUERY | ACCESS_SUBSCRIBE);
	assert_int_equal(world_take(&world, status.job.row, ADMINISTRATOR), RESULT_ACCESS_REFUSED);
	helped_end(&world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(once__is_fetched_and_then_left_alone__until_it_is_damaged),
		cmocka_unit_test(crashes__anywhere__it_ends_as_declared),
		cmocka_unit_test(turn__that_is_undone__is_begun_anew),
		cmocka_unit_test(bad_file__at_a_reload_and_over_a_start__changes_nothing),
		cmocka_unit_test(every__asks_at_its_moments_alone__and_fetches_what_is_new),
		cmocka_unit_test(altered__while_its_job_is_under_way__is_not_taken_for_what_landed),
		cmocka_unit_test(vast__is_not_read_or_given_up__and_keeps_nobody_else_waiting),
		cmocka_unit_test(held__when_its_job_ends__is_not_fetched_again),
		cmocka_unit_test(missed__while_the_machine_was_off__is_made_up_for_once),
		cmocka_unit_test(missed__once_or_beside_an_apply__is_made_up_for_within_the_spread),
		cmocka_unit_test(clock__that_was_ahead__does_not_keep_its_moments_there),
		cmocka_unit_test(window__opens__nothing_is_fetched_before),
		cmocka_unit_test(update__of_one_under_way__goes_on__and_a_replacement_is_cancelled),
		cmocka_unit_test(dropped__while_it_is_under_way__is_cancelled_and_swept),
		cmocka_unit_test(error__is_tried_again_within_the_hour__or_at_once_where_somebody_says_so),
		cmocka_unit_test(secrets__that_cannot_be_opened_yet_or_any_more__keep_nobody_else_waiting),
		cmocka_unit_test(words__that_cannot_be_opened__do_not_keep_the_engine_busy),
		cmocka_unit_test(change__part_of_which_fails_for_a_moment__is_made_up_for),
		cmocka_unit_test(forbidden__by_policy_or_by_its_folder__is_one_job_s_trouble),
		cmocka_unit_test(helper__the_job_waits_until_its_holder_attaches),
		cmocka_unit_test(helper__what_is_replaced_forbidden_or_ended__is_fetched_all_the_same),
		cmocka_unit_test(helper__what_he_has_is_looked_at_when_he_is_here__and_only_the_rest_fetched),
		cmocka_unit_test(keep__what_somebody_made_meanwhile__stays),
		cmocka_unit_test(keep__as_a_helper__nothing_that_is_there_is_fetched),
		cmocka_unit_test(partial__that_is_lost_when_it_was_to_get_its_name__is_swept),
		cmocka_unit_test(others__have_no_rights__over_a_declared_job),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
