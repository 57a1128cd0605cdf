#include "ground.h"

#include <string.h>

#include "platform/file.h"
#include "platform/thread.h"

static struct identity *self(void)
{
	struct identity *identity = NULL;
	struct fault fault;
	assert_int_equal(identity_self(&identity, &fault), RESULT_OK);
	return identity;
}

static bool same(const struct identity *a, const struct identity *b)
{
	return memcmp(identity_digest(a), identity_digest(b), IDENTITY_DIGEST_BYTES) == 0;
}

static void identity__self__is_one_that_may_own_and_be_worn(void **state)
{
	(void)state;
	AUTO(identity) struct identity *identity = self();
	const struct caller *caller = identity_caller(identity);
	assert_true(strlen(caller->owner) > 4);
	assert_true(caller->integrity >= INTEGRITY_MEDIUM);
	assert_true(caller->impersonation);
	assert_false(caller->restricted);
	assert_false(caller->app_container);
}

static void identity__captured_twice__has_equal_digests(void **state)
{
	(void)state;
	AUTO(identity) struct identity *one = self();
	AUTO(identity) struct identity *two = self();
	assert_true(same(one, two));
	assert_string_equal(identity_caller(one)->owner, identity_caller(two)->owner);
}

static void identity__held__outlives_the_first_free(void **state)
{
	(void)state;
	struct identity *identity = self();
	AUTO(identity) struct identity *again = identity_hold(identity);
	assert_ptr_equal(again, identity);
	identity_free(identity);
	assert_true(strlen(identity_caller(again)->owner) > 0);
	identity_free(NULL);
}

static void identity__made_up_ones__are_told_apart(void **state)
{
	(void)state;
	AUTO(identity) struct identity *one = ground_identity(1);
	if (!one)
		GROUND_SKIP("made-up identities have different digests (" GROUND_NEEDS ")");
	AUTO(identity) struct identity *two = ground_identity(2);
	AUTO(identity) struct identity *one_again = ground_identity(1);
	AUTO(identity) struct identity *own = self();
	assert_false(same(one, two));
	assert_false(same(one, own));
	assert_true(same(one, one_again));
	assert_true(identity_caller(one)->impersonation);
	if (!ground_enforces_identities()) {
		GROUND_CANNOT("made-up identities are owners of their own (" GROUND_NEEDS ")");
		return;
	}
	assert_string_not_equal(identity_caller(one)->owner, identity_caller(two)->owner);
	assert_false(identity_caller(one)->administrator);
	assert_int_equal(identity_caller(one)->integrity, INTEGRITY_MEDIUM);
}

static void identity__random__fills_exactly_and_differs(void **state)
{
	(void)state;
	unsigned char one[66] = { 0 }, two[66] = { 0 };
	struct fault fault;
	one[65] = two[65] = 0xA5;
	assert_int_equal(identity_random(one, 65, &fault), RESULT_OK);
	assert_int_equal(identity_random(two, 65, &fault), RESULT_OK);
	assert_true(memcmp(one, two, 65) != 0);
	assert_true(one[65] == 0xA5 && two[65] == 0xA5);
	assert_int_equal(identity_random(one, 0, &fault), RESULT_OK);
}

/* --- wearing: each in a thread of its own, whose findings are judged after the join --- */

struct errand {
	struct identity *wear, *wear_then;
	const char *folder, *closed_folder;
	enum result worn, worn_then, created, opened_closed;
	bool looks_worn, has_powers;
	struct fault fault;
};

static enum result create_in(const char *path, struct fault *fault)
{
	AUTO(folder) struct folder *folder = NULL;
	AUTO(file_handle) struct file_handle *file = NULL;
	enum result result = folder_open(path, &folder, fault);
	return result == RESULT_OK ? file_create(folder, "made", &file, fault) : result;
}

static void run_errand(void *argument)
{
	struct errand *errand = argument;
	AUTO(identity) struct identity *now = NULL;
	errand->worn = identity_wear(errand->wear, &errand->fault);
	if (errand->worn != RESULT_OK)
		return;
	errand->has_powers = ground_thread_has_powers();
	errand->looks_worn = identity_self(&now, &errand->fault) == RESULT_OK && same(now, errand->wear);
	if (errand->folder)
		errand->created = create_in(errand->folder, &errand->fault);
	if (errand->closed_folder)
		errand->opened_closed = create_in(errand->closed_folder, NULL);
	if (errand->wear_then)
		errand->worn_then = identity_wear(errand->wear_then, &errand->fault);
}

static struct thread *send(struct errand *errand)
{
	struct thread *thread = NULL;
	assert_int_equal(thread_start("errand", run_errand, errand, &thread, &errand->fault), RESULT_OK);
	return thread;
}

static void identity__own_one_worn__works_and_leaves_no_powers(void **state)
{
	(void)state;
	AUTO(identity) struct identity *own = self();
	struct errand errand = { .wear = own };
	thread_join(send(&errand));
	assert_int_equal(errand.worn, RESULT_OK);
	assert_false(errand.has_powers);
}

static void identity__worn__is_the_threads_alone(void **state)
{
	(void)state;
	char root[GROUND_PATH_BYTES_MAX], shared[GROUND_PATH_BYTES_MAX], closed[GROUND_PATH_BYTES_MAX];
	char made[GROUND_PATH_BYTES_MAX], owner[JOB_OWNER_BYTES_MAX];
	if (!ground_enforces_identities())
		GROUND_SKIP("a worn identity owns what it makes and is refused what it may not (" GROUND_NEEDS ")");
	AUTO(identity) struct identity *own = self();
	AUTO(identity) struct identity *one = ground_identity(1);
	AUTO(identity) struct identity *two = ground_identity(2);
	ground_set_up(root);
	ground_path(shared, root, "shared");
	ground_make_folder(shared);
	ground_open_folder(shared);
	ground_path(closed, root, "closed");
	ground_make_folder(closed);
	ground_close_folder(closed);

	struct errand errand = { .wear = one, .wear_then = two, .folder = shared, .closed_folder = closed };
	thread_join(send(&errand));
	assert_int_equal(errand.worn, RESULT_OK);
	assert_true(errand.looks_worn);
	assert_false(errand.has_powers);
	assert_int_equal(errand.created, RESULT_OK);
	assert_int_equal(errand.opened_closed, RESULT_DENIED);
	assert_int_equal(errand.worn_then, RESULT_IDENTITY_LOST); /* no way back and none sideways */
	ground_path(made, shared, "made");
	assert_true(ground_file_owner(made, owner));
	assert_string_equal(owner, identity_caller(one)->owner);

	/* This thread is what it was. */
	struct fault fault;
	AUTO(identity) struct identity *now = self();
	assert_true(same(now, own));
	assert_int_equal(create_in(closed, &fault), RESULT_OK);
	ground_tear_down(root);
}

#define AT_ONCE 6

static void identity__several_worn_at_once__do_not_mix(void **state)
{
	(void)state;
	char root[GROUND_PATH_BYTES_MAX], folders[AT_ONCE][GROUND_PATH_BYTES_MAX];
	char made[GROUND_PATH_BYTES_MAX], owner[JOB_OWNER_BYTES_MAX];
	struct errand errands[AT_ONCE] = { { 0 } };
	struct thread *threads[AT_ONCE];
	if (!ground_enforces_identities())
		GROUND_SKIP("identities worn at the same time do not mix (" GROUND_NEEDS ")");
	ground_set_up(root);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		char name[16];
		assert_int_equal(text_format(name, sizeof(name), "folder%u", i), RESULT_OK);
		ground_path(folders[i], root, name);
		ground_make_folder(folders[i]);
		ground_open_folder(folders[i]);
		errands[i] = (struct errand){ .wear = ground_identity(i), .folder = folders[i] };
	}
	for (unsigned i = 0; i < AT_ONCE; i++)
		threads[i] = send(&errands[i]);
	for (unsigned i = 0; i < AT_ONCE; i++)
		thread_join(threads[i]);
	for (unsigned i = 0; i < AT_ONCE; i++) {
		assert_int_equal(errands[i].worn, RESULT_OK);
		assert_true(errands[i].looks_worn);
		assert_int_equal(errands[i].created, RESULT_OK);
		ground_path(made, folders[i], "made");
		assert_true(ground_file_owner(made, owner));
		assert_string_equal(owner, identity_caller(errands[i].wear)->owner);
		identity_free(errands[i].wear);
	}
	ground_tear_down(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(identity__self__is_one_that_may_own_and_be_worn),
		cmocka_unit_test(identity__captured_twice__has_equal_digests),
		cmocka_unit_test(identity__held__outlives_the_first_free),
		cmocka_unit_test(identity__made_up_ones__are_told_apart),
		cmocka_unit_test(identity__random__fills_exactly_and_differs),
		cmocka_unit_test(identity__own_one_worn__works_and_leaves_no_powers),
		cmocka_unit_test(identity__worn__is_the_threads_alone),
		cmocka_unit_test(identity__several_worn_at_once__do_not_mix),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
