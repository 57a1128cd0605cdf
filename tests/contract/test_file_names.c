/* Names: beyond ASCII, beyond 260 characters, not simple, in use. */
#include "contract/file_scene.h"

/* Create, rename to `name`, find it under that name, remove it: all through the contract. */
static void round_trip(struct scene *scene, struct folder *folder, const char *name)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char tag[FILE_TAG_BYTES_MAX], at[FILE_TAG_BYTES_MAX];
	uint64_t bytes = 0;
	assert_int_equal(file_create(folder, "part", &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_tag(file, tag, &scene->fault), RESULT_OK);
	assert_int_equal(file_rename(folder, file, "part", name, &scene->fault), RESULT_OK);
	assert_int_equal(file_tag_at(folder, name, at, &bytes, &scene->fault), RESULT_OK);
	assert_string_equal(at, tag);
	assert_int_equal(file_remove(folder, file, name, &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_int_equal(file_tag_at(folder, name, at, &bytes, &scene->fault), RESULT_PATH_NOT_FOUND);
}

static void file__name_beyond_ascii__is_kept(void **state)
{
	struct scene *scene = *state;
	round_trip(scene, scene->folder, "f\xc3\xa4hre");
	round_trip(scene, scene->folder, "\xe6\xb8\xa1\xe3\x81\x97\xe8\x88\xb9.zip");
	round_trip(scene, scene->folder, "\xf0\x9f\x9a\xa2 and a blank");
}

static void file__name_that_is_not_utf8__is_refused_where_names_are_text(void **state)
{
	struct scene *scene = *state;
	struct file_handle *file = NULL;
	struct folder *folder = NULL;
	char path[GROUND_PATH_BYTES_MAX];
	if (file_path_style != PATH_WINDOWS)
		GROUND_SKIP("a name that is no UTF-8 is refused (names are bytes here)");
	assert_int_equal(file_create(scene->folder, "a\xff", &file, &scene->fault), RESULT_NOT_UTF8);
	assert_null(file);
	ground_path(path, scene->path, "a\xed\xa0\x80");
	assert_int_equal(folder_open(path, &folder, &scene->fault), RESULT_NOT_UTF8);
	assert_null(folder);
}

static void file__name_that_is_not_simple__is_refused(void **state)
{
	struct scene *scene = *state;
	struct file_handle *file = NULL;
	char tag[FILE_TAG_BYTES_MAX], inside[GROUND_PATH_BYTES_MAX];
	uint64_t bytes;
	/* Where names are bytes, the last three are simple ones. */
	static const char *const names[] = { "",      ".",         "..",       "sub/file",   "../file",
		                                 "/file", "sub\\file", "..\\file", "file:stream" };
	const size_t count = sizeof(names) / sizeof(names[0]) - (file_path_style == PATH_WINDOWS ? 0 : 3);
	ground_path(inside, scene->path, "sub");
	ground_make_folder(inside);
	AUTO(file_handle) struct file_handle *part = NULL;
	assert_int_equal(file_create(scene->folder, "part", &part, &scene->fault), RESULT_OK);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(file_create(scene->folder, names[i], &file, &scene->fault), RESULT_BAD_DESTINATION);
		assert_int_equal(file_reopen(scene->folder, names[i], "", &file, &scene->fault), RESULT_BAD_DESTINATION);
		assert_int_equal(file_tag_at(scene->folder, names[i], tag, &bytes, &scene->fault), RESULT_BAD_DESTINATION);
		assert_int_equal(file_rename(scene->folder, part, "part", names[i], &scene->fault), RESULT_BAD_DESTINATION);
	}
	assert_null(file);
}

/* What the handle resolves to must be found as well: Windows' own functions stumble at 260 characters. */
static void folder__path_beyond_260_characters__works_and_is_known(void **state)
{
	struct scene *scene = *state;
	char segment[121], path[GROUND_PATH_BYTES_MAX * 4], ancestor[GROUND_PATH_BYTES_MAX];
	memset(segment, 'd', 120);
	segment[120] = '\0';
	const char *separator = file_path_style == PATH_WINDOWS ? "\\" : "/";
	ground_path(ancestor, scene->path, segment);
	assert_int_equal(text_format(path, sizeof(path), "%s", ancestor), RESULT_OK);
	for (int i = 0; i < 3; i++) {
		AUTO(folder) struct folder *folder = NULL;
		bool below = false;
		/* A private folder is a folder, and this makes it without the limits of the ground's helpers. */
		assert_int_equal(file_make_private_folder(path, &scene->fault), RESULT_OK);
		assert_int_equal(folder_open(path, &folder, &scene->fault), RESULT_OK);
		round_trip(scene, folder, "whole");
		assert_int_equal(folder_is_below(folder, ancestor, &below, &scene->fault), RESULT_OK);
		assert_true(below);
		size_t length = strlen(path);
		assert_int_equal(text_format(path + length, sizeof(path) - length, "%s%s", separator, segment), RESULT_OK);
	}
	/* Taken down here by moving the deep end up: the ground's tear-down has the limit too. */
	for (int i = 2; i > 0; i--) {
		char from[GROUND_PATH_BYTES_MAX * 4], to[GROUND_PATH_BYTES_MAX];
		char *last = strrchr(path, separator[0]);
		*last = '\0';
		assert_int_equal(text_format(from, sizeof(from), "%s", path), RESULT_OK);
		assert_int_equal(text_format(to, sizeof(to), "%s%s%d", scene->path, separator, i), RESULT_OK);
		assert_int_equal(file_move(from, to, &scene->fault), RESULT_OK);
	}
}

static void file__renamed_onto_a_file_in_use__is_locked_where_that_counts(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *part = NULL;
	AUTO(file_handle) struct file_handle *used = NULL;
	assert_int_equal(file_create(scene->folder, "part", &part, &scene->fault), RESULT_OK);
	assert_int_equal(file_create(scene->folder, "final", &used, &scene->fault), RESULT_OK);
	enum result result = file_rename(scene->folder, part, "part", "final", &scene->fault);
	assert_int_equal(result, file_path_style == PATH_WINDOWS ? RESULT_LOCKED : RESULT_OK);
}

#define NAME_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NAME_TEST(file__name_beyond_ascii__is_kept),
		NAME_TEST(file__name_that_is_not_utf8__is_refused_where_names_are_text),
		NAME_TEST(file__name_that_is_not_simple__is_refused),
		NAME_TEST(folder__path_beyond_260_characters__works_and_is_known),
		NAME_TEST(file__renamed_onto_a_file_in_use__is_locked_where_that_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
