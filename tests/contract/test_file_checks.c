/* What a folder can be asked before anything is made in it. */
#include "contract/file_scene.h"
#include "platform/thread.h"

static void create(struct scene *scene, const char *name)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	assert_int_equal(file_create(scene->folder, name, &file, &scene->fault), RESULT_OK);
}

/* --- names --- */

struct names {
	unsigned count, count_max;
	char last[256];
	unsigned char seen[1000]; /* of names that end in a number: how often */
};

static bool visit(void *context, const char *name)
{
	struct names *names = context;
	const char *digits = name + strcspn(name, "0123456789");
	if (*digits)
		names->seen[strtoul(digits, NULL, 10) % sizeof(names->seen)]++;
	text_display(names->last, sizeof(names->last), "%s", name);
	return ++names->count < names->count_max;
}

static struct names list(struct scene *scene, const char *prefix, unsigned count_max)
{
	struct names names = { .count_max = count_max };
	assert_int_equal(folder_names(scene->folder, prefix, visit, &names, &scene->fault), RESULT_OK);
	return names;
}

static void folder__names__are_those_with_the_prefix(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(list(scene, "", 9).count, 0); /* not the dots */
	assert_int_equal(list(scene, ".", 9).count, 0);
	create(scene, ".ferry-a");
	create(scene, "ferry-b");
	static const char beyond_ascii[] = "f\xc3\xa4hre-\xf0\x9f\x9a\xa2";
	AUTO(file_handle) struct file_handle *file = NULL;
	assert_int_equal(file_create(scene->folder, beyond_ascii, &file, &scene->fault), RESULT_OK);
	ground_make_folder(in(scene, ".ferry-folder"));
	assert_int_equal(list(scene, ".ferry-", 9).count, 2);
	assert_int_equal(list(scene, ".ferry-a", 9).count, 1);
	assert_int_equal(list(scene, ".ferry-abc", 9).count, 0);
	assert_int_equal(list(scene, "", 9).count, 4);
	assert_string_equal(list(scene, "f\xc3\xa4", 9).last, beyond_ascii);
	assert_int_equal(file_remove(scene->folder, file, beyond_ascii, &scene->fault), RESULT_OK);
}

/* More than the system gives in one piece; each comes once, and again when asked again. */
static void folder__many_names__come_once_each_until_enough(void **state)
{
	struct scene *scene = *state;
	char name[64];
	for (unsigned i = 0; i < 1000; i++) {
		assert_int_equal(text_format(name, sizeof(name), "a-name-of-some-length-%03u", i), RESULT_OK);
		create(scene, name);
	}
	for (int again = 0; again < 2; again++) {
		struct names names = list(scene, "a-name-", 5000);
		assert_int_equal(names.count, 1000);
		for (unsigned i = 0; i < 1000; i++)
			assert_int_equal(names.seen[i], 1);
	}
	assert_int_equal(list(scene, "a-name-", 7).count, 7);
}

static void folder__name_that_is_not_unicode__is_left_out(void **state)
{
	struct scene *scene = *state;
	if (file_path_style == PATH_WINDOWS)
		GROUND_SKIP("names that are not Unicode are left out (none can be made here through Ferry)");
	create(scene, "part-\xff");
	create(scene, "part-\xed\xa0\x80");
	create(scene, "part-good");
	struct names names = list(scene, "part-", 9);
	assert_int_equal(names.count, 1);
	assert_string_equal(names.last, "part-good");
}

/* --- a name that is to be replaced --- */

static enum result check(struct scene *scene, const char *name)
{
	enum result result = folder_check_name(scene->folder, name, &scene->fault);
	assert_true(!result || (scene->fault.result == result && scene->fault.what[0] != '\0'));
	return result;
}

static void folder__name_checked__says_what_a_rename_would(void **state)
{
	struct scene *scene = *state;
	create(scene, "file");
	ground_make_folder(in(scene, "folder"));
	assert_int_equal(check(scene, "nothing"), RESULT_OK);
	assert_int_equal(check(scene, "file"), RESULT_OK);
	assert_int_equal(check(scene, "folder"), RESULT_IS_FOLDER);
	assert_int_equal(check(scene, ".."), RESULT_BAD_DESTINATION);
	assert_int_equal(check(scene, "folder/below"), RESULT_BAD_DESTINATION);
	assert_false(ground_exists(in(scene, "nothing")));
	if (!ground_soft_link(in(scene, "link"), in(scene, "file"), false)) {
		GROUND_CANNOT("a link is looked at itself, not what it points at (no links can be made here)");
		return;
	}
	/* A rename replaces the link; whether its target could be is beside the question. */
	assert_true(ground_soft_link(in(scene, "dangling"), in(scene, "nowhere"), false));
	assert_int_equal(check(scene, "link"), RESULT_OK);
	assert_int_equal(check(scene, "dangling"), RESULT_OK);
	/* On Windows a link to a folder is itself one. */
	assert_true(ground_soft_link(in(scene, "to-folder"), in(scene, "folder"), true));
	assert_int_equal(check(scene, "to-folder"), file_path_style == PATH_WINDOWS ? RESULT_IS_FOLDER : RESULT_OK);
}

static void folder__name_of_a_file_in_use__is_locked_where_that_counts(void **state)
{
	struct scene *scene = *state;
	struct file_handle *used = NULL;
	assert_int_equal(file_create(scene->folder, "used", &used, &scene->fault), RESULT_OK);
	enum result result = check(scene, "used");
	file_handle_free(used);
	assert_int_equal(result, file_path_style == PATH_WINDOWS ? RESULT_LOCKED : RESULT_OK);
	assert_int_equal(check(scene, "used"), RESULT_OK);
}

static void folder__name_of_a_read_only_file__is_denied(void **state)
{
	struct scene *scene = *state;
	create(scene, "file");
	ground_set_read_only(in(scene, "file"), true);
	enum result result = check(scene, "file");
	ground_set_read_only(in(scene, "file"), false);
	if (result == RESULT_OK && file_path_style == PATH_POSIX)
		GROUND_SKIP(
			"a read-only file is not replaced (nothing is read-only for root; see the test with two identities)");
	assert_int_equal(result, RESULT_DENIED);
	assert_int_equal(check(scene, "file"), RESULT_OK);
}

/* --- who asks --- */

static void folder__writable_for_oneself__and_nothing_is_made(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(folder_check_writable(scene->folder, &scene->fault), RESULT_OK);
	assert_int_equal(list(scene, "", 9).count, 0);
}

/* In a thread of its own, since an identity is never taken off. */
struct errand {
	struct identity *wear;
	const char *open, *closed;
	enum result worn, in_open, in_closed, own, own_read_only, foreign, nothing;
	struct fault fault;
};

static void run_errand(void *argument)
{
	struct errand *errand = argument;
	struct fault *fault = &errand->fault;
	AUTO(folder) struct folder *open = NULL;
	AUTO(folder) struct folder *closed = NULL;
	AUTO(file_handle) struct file_handle *own = NULL;
	char path[GROUND_PATH_BYTES_MAX];
	errand->worn = identity_wear(errand->wear, fault);
	if (errand->worn != RESULT_OK || folder_open(errand->open, &open, fault) != RESULT_OK ||
	    folder_open(errand->closed, &closed, fault) != RESULT_OK || file_create(open, "own", &own, fault) != RESULT_OK)
		return;
	errand->in_open = folder_check_writable(open, fault);
	errand->in_closed = folder_check_writable(closed, fault);
	errand->own = folder_check_name(open, "own", fault);
	ground_path(path, errand->open, "own");
	ground_set_read_only(path, true);
	errand->own_read_only = folder_check_name(open, "own", fault);
	errand->foreign = folder_check_name(open, "foreign", fault);
	errand->nothing = folder_check_name(open, "nothing", fault);
}

static void folder__asked_by_two_identities__answers_each_for_itself(void **state)
{
	struct scene *scene = *state;
	char open[GROUND_PATH_BYTES_MAX], closed[GROUND_PATH_BYTES_MAX], foreign[GROUND_PATH_BYTES_MAX];
	AUTO(folder) struct folder *folder = NULL;
	struct thread *thread = NULL;
	if (!ground_enforces_identities())
		GROUND_SKIP("a folder is writable for one and not for another (" GROUND_NEEDS ")");
	AUTO(identity) struct identity *one = ground_identity(1);
	ground_path(open, scene->path, "open");
	ground_path(closed, scene->path, "closed");
	ground_path(foreign, open, "foreign");
	ground_make_folder(open);
	ground_open_folder(open);
	ground_write(foreign, "the process's");
	ground_make_folder(closed); /* to be looked into by everybody, written by its owner */
	struct errand errand = { .wear = one, .open = open, .closed = closed, .in_open = RESULT_SYSTEM };
	assert_int_equal(thread_start("errand", run_errand, &errand, &thread, &scene->fault), RESULT_OK);
	thread_join(thread);
	if (errand.worn != RESULT_OK)
		fail_msg("%s", errand.fault.what);
	assert_int_equal(errand.in_open, RESULT_OK);
	assert_int_equal(errand.in_closed, RESULT_DENIED);
	assert_int_equal(errand.own, RESULT_OK);
	assert_int_equal(errand.own_read_only, RESULT_DENIED);
	assert_int_equal(errand.foreign, RESULT_DENIED);
	assert_int_equal(errand.nothing, RESULT_OK);
	/* This thread still asks for itself. */
	assert_int_equal(folder_open(closed, &folder, &scene->fault), RESULT_OK);
	assert_int_equal(folder_check_writable(folder, &scene->fault), RESULT_OK);
}

#define CHECK_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK_TEST(folder__names__are_those_with_the_prefix),
		CHECK_TEST(folder__many_names__come_once_each_until_enough),
		CHECK_TEST(folder__name_that_is_not_unicode__is_left_out),
		CHECK_TEST(folder__name_checked__says_what_a_rename_would),
		CHECK_TEST(folder__name_of_a_file_in_use__is_locked_where_that_counts),
		CHECK_TEST(folder__name_of_a_read_only_file__is_denied),
		CHECK_TEST(folder__writable_for_oneself__and_nothing_is_made),
		CHECK_TEST(folder__asked_by_two_identities__answers_each_for_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
