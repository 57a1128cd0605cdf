#include <sys/stat.h>

#include "contract/file_scene.h"

static struct file_handle *create(struct scene *scene, const char *name, const char *text)
{
	struct file_handle *file = NULL;
	assert_int_equal(file_create(scene->folder, name, &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_write(file, 0, text, strlen(text), &scene->fault), RESULT_OK);
	return file;
}

/* What re-opening says; the handle is closed again. */
static enum result reopen(struct scene *scene, const char *name, const char *tag)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	return file_reopen(scene->folder, name, tag, &file, &scene->fault);
}

static enum result open_folder(struct scene *scene, const char *path)
{
	AUTO(folder) struct folder *folder = NULL;
	return folder_open(path, &folder, &scene->fault);
}

/* --- folders --- */

static void folder__that_is_not_there__is_path_not_found(void **state)
{
	struct scene *scene = *state;
	assert_int_equal(open_folder(scene, in(scene, "nowhere")), RESULT_PATH_NOT_FOUND);
	assert_int_equal(scene->fault.result, RESULT_PATH_NOT_FOUND);
	assert_true(scene->fault.what[0] != '\0');
	ground_write(in(scene, "file"), "text");
	assert_int_equal(open_folder(scene, in(scene, "file")), RESULT_PATH_NOT_FOUND);
}

static void folder__that_is_a_link__is_a_reparse_point(void **state)
{
	struct scene *scene = *state;
	char below[GROUND_PATH_BYTES_MAX];
	ground_make_folder(in(scene, "real"));
	if (!ground_soft_link(in(scene, "link"), in(scene, "real"), true))
		GROUND_SKIP("a linked folder is refused (no links can be made here; shown by Linux)");
	assert_int_equal(open_folder(scene, in(scene, "real")), RESULT_OK);
	assert_int_equal(open_folder(scene, in(scene, "link")), RESULT_REPARSE_POINT);
	ground_path(below, in(scene, "real"), "below");
	ground_make_folder(below);
	ground_path(below, in(scene, "link"), "below");
	assert_int_equal(open_folder(scene, below), RESULT_REPARSE_POINT);
}

static bool is_below(struct scene *scene, const char *path, const char *ancestor)
{
	AUTO(folder) struct folder *folder = NULL;
	bool below = false;
	assert_int_equal(folder_open(path, &folder, &scene->fault), RESULT_OK);
	assert_int_equal(folder_is_below(folder, ancestor, &below, &scene->fault), RESULT_OK);
	return below;
}

static void folder__below__is_judged_by_what_it_is(void **state)
{
	struct scene *scene = *state;
	char deep[GROUND_PATH_BYTES_MAX];
	ground_make_folder(in(scene, "a"));
	ground_make_folder(in(scene, "ab"));
	ground_path(deep, in(scene, "a"), "deep");
	ground_make_folder(deep);
	assert_true(is_below(scene, in(scene, "a"), in(scene, "a")));
	assert_true(is_below(scene, deep, in(scene, "a")));
	assert_true(is_below(scene, deep, scene->path));
	assert_false(is_below(scene, in(scene, "ab"), in(scene, "a")));
	assert_false(is_below(scene, in(scene, "a"), deep));
	assert_false(is_below(scene, in(scene, "a"), in(scene, "nowhere")));
	if (!ground_soft_link(in(scene, "alias"), in(scene, "a"), true)) {
		GROUND_CANNOT("an ancestor given by a link is known again (no links can be made here; shown by Linux)");
		return;
	}
	assert_true(is_below(scene, deep, in(scene, "alias")));
}

static void folder__sync__works(void **state)
{
	struct scene *scene = *state;
	file_handle_free(create(scene, "new", ""));
	assert_int_equal(folder_sync(scene->folder, &scene->fault), RESULT_OK);
	folder_free(NULL);
}

/* --- making and finding again --- */

/* For a look at a file that others use meanwhile: nothing can be written through it, and nobody is kept out. */
static void file__reopened_to_read__any_plain_file_and_nobody_is_kept_out(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *mine = NULL;
	AUTO(file_handle) struct file_handle *other = NULL;
	AUTO(file_handle) struct file_handle *none = NULL;
	char text[16] = "";
	size_t length = 0;
	file_handle_free(create(scene, "one", "hello"));
	assert_int_equal(file_reopen(scene->folder, "one", NULL, &mine, &scene->fault), RESULT_OK);
	assert_int_equal(file_reopen(scene->folder, "one", NULL, &other, &scene->fault), RESULT_OK);
	assert_int_equal(file_read(mine, 0, text, sizeof(text), &length, &scene->fault), RESULT_OK);
	assert_int_equal(length, 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_not_equal(file_write(mine, 0, "x", 1, &scene->fault), RESULT_OK);
	assert_int_equal(file_reopen(scene->folder, "none", NULL, &none, &scene->fault), RESULT_PATH_NOT_FOUND);
	ground_make_folder(in(scene, "folder"));
	assert_int_equal(file_reopen(scene->folder, "folder", NULL, &none, &scene->fault), RESULT_FILE_CHANGED);
	if (!ground_soft_link(in(scene, "link"), in(scene, "one"), false)) {
		GROUND_CANNOT("a link is no plain file (no links can be made here; shown by Linux)");
		return;
	}
	assert_int_equal(file_reopen(scene->folder, "link", NULL, &none, &scene->fault), RESULT_FILE_CHANGED);
}

static void file__created__has_what_was_written(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "one", "hello");
	char text[16] = "";
	size_t length = 0;
	uint64_t bytes = 0;
	assert_int_equal(file_write(file, 7, "world", 5, &scene->fault), RESULT_OK);
	assert_int_equal(file_sync(file, &scene->fault), RESULT_OK);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_int_equal(bytes, 12);
	assert_int_equal(file_read(file, 0, text, sizeof(text), &length, &scene->fault), RESULT_OK);
	assert_int_equal(length, 12);
	assert_memory_equal(text, "hello\0\0world", 12);
	assert_int_equal(file_read(file, 12, text, sizeof(text), &length, &scene->fault), RESULT_OK);
	assert_int_equal(length, 0);
	file_handle_free(TAKE(file));
	file_handle_free(NULL);
}

static void file__created__others_may_read_meanwhile(void **state)
{
	struct scene *scene = *state;
	struct file_handle *file = create(scene, "one", "hello");
	assert_true(ground_holds(in(scene, "one"), "hello"));
	file_handle_free(file);
}

static void file__create__refuses_whatever_has_the_name(void **state)
{
	struct scene *scene = *state;
	struct file_handle *file = NULL;
	ground_write(in(scene, "file"), "old");
	ground_make_folder(in(scene, "folder"));
	assert_int_equal(file_create(scene->folder, "file", &file, &scene->fault), RESULT_EXISTS);
	assert_int_equal(file_create(scene->folder, "folder", &file, &scene->fault), RESULT_EXISTS);
	assert_null(file);
	assert_true(ground_holds(in(scene, "file"), "old"));
	if (!ground_soft_link(in(scene, "dangling"), in(scene, "elsewhere"), false)) {
		GROUND_CANNOT("a dangling link is not created through (no links can be made here; shown by Linux)");
		return;
	}
	assert_int_equal(file_create(scene->folder, "dangling", &file, &scene->fault), RESULT_EXISTS);
	assert_false(ground_exists(in(scene, "elsewhere")));
}

static void file__tag__is_the_same_for_the_same_file_only(void **state)
{
	struct scene *scene = *state;
	char tag[FILE_TAG_BYTES_MAX], other[FILE_TAG_BYTES_MAX], at[FILE_TAG_BYTES_MAX];
	uint64_t bytes = 0;
	AUTO(file_handle) struct file_handle *one = create(scene, "one", "hello");
	AUTO(file_handle) struct file_handle *two = create(scene, "two", "");
	assert_int_equal(file_tag(one, tag, &scene->fault), RESULT_OK);
	assert_int_equal(file_tag(two, other, &scene->fault), RESULT_OK);
	assert_true(tag[0] != '\0');
	assert_string_not_equal(tag, other);
	assert_int_equal(file_tag_at(scene->folder, "one", at, &bytes, &scene->fault), RESULT_OK);
	assert_string_equal(at, tag);
	assert_int_equal(bytes, 5);
	assert_int_equal(file_rename(scene->folder, one, "one", "renamed", &scene->fault), RESULT_OK);
	assert_int_equal(file_tag(one, at, &scene->fault), RESULT_OK);
	assert_string_equal(at, tag);
	file_handle_free(TAKE(one));
	assert_int_equal(file_tag_at(scene->folder, "renamed", at, &bytes, &scene->fault), RESULT_OK);
	assert_string_equal(at, tag);
	assert_int_equal(file_tag_at(scene->folder, "one", at, &bytes, &scene->fault), RESULT_PATH_NOT_FOUND);
}

static void file__reopened__goes_on(void **state)
{
	struct scene *scene = *state;
	char tag[FILE_TAG_BYTES_MAX];
	struct file_handle *file = create(scene, "one", "hello");
	assert_int_equal(file_tag(file, tag, &scene->fault), RESULT_OK);
	file_handle_free(file);
	assert_int_equal(reopen(scene, "one", ""), RESULT_OK);
	assert_int_equal(file_reopen(scene->folder, "one", tag, &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_write(file, 5, " again", 6, &scene->fault), RESULT_OK);
	file_handle_free(file);
	assert_true(ground_holds(in(scene, "one"), "hello again"));
}

static void file__reopen__takes_nothing_else(void **state)
{
	struct scene *scene = *state;
	char tag[FILE_TAG_BYTES_MAX];
	AUTO(file_handle) struct file_handle *kept = create(scene, "kept", "");
	assert_int_equal(file_tag(kept, tag, &scene->fault), RESULT_OK);
	assert_int_equal(reopen(scene, "gone", tag), RESULT_PATH_NOT_FOUND);
	assert_int_equal(reopen(scene, "gone", ""), RESULT_PATH_NOT_FOUND);
	ground_write(in(scene, "other"), "somebody else's");
	assert_int_equal(reopen(scene, "other", tag), RESULT_FILE_CHANGED);
	ground_make_folder(in(scene, "folder"));
	assert_int_equal(reopen(scene, "folder", ""), RESULT_FILE_CHANGED);
}

static void file__reopen__takes_no_link(void **state)
{
	struct scene *scene = *state;
	char tag[FILE_TAG_BYTES_MAX];
	uint64_t bytes = 0;
	struct file_handle *file = create(scene, "one", "");
	assert_int_equal(file_tag(file, tag, &scene->fault), RESULT_OK);
	file_handle_free(file);
	if (ground_soft_link(in(scene, "soft"), in(scene, "one"), false)) {
		assert_int_equal(reopen(scene, "soft", ""), RESULT_FILE_CHANGED);
		assert_int_equal(reopen(scene, "soft", tag), RESULT_FILE_CHANGED);
		assert_int_equal(file_tag_at(scene->folder, "soft", tag, &bytes, &scene->fault), RESULT_OK);
		assert_true(bytes == SIZE_UNKNOWN); /* it is no plain file, whatever it points to */
	} else {
		GROUND_CANNOT("a link is not re-opened (no links can be made here; shown by Linux)");
	}
	if (ground_hard_link(in(scene, "hard"), in(scene, "one"))) {
		assert_int_equal(reopen(scene, "hard", ""), RESULT_FILE_CHANGED);
		assert_int_equal(reopen(scene, "one", tag), RESULT_FILE_CHANGED);
	} else {
		GROUND_CANNOT("a file with a second link is not re-opened (no links can be made here; shown by Linux)");
	}
}

/* --- sizes --- */

static void file__reserve__sets_the_size_and_keeps_the_bytes(void **state)
{
	struct scene *scene = *state;
	uint64_t bytes = 0;
	char text[8];
	size_t length = 0;
	AUTO(file_handle) struct file_handle *file = create(scene, "one", "hello");
	assert_int_equal(file_reserve(file, 1000000, &scene->fault), RESULT_OK);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_int_equal(bytes, 1000000);
	assert_int_equal(file_read(file, 0, text, 6, &length, &scene->fault), RESULT_OK);
	assert_memory_equal(text, "hello\0", 6);
	assert_int_equal(file_truncate(file, 5, &scene->fault), RESULT_OK);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_int_equal(bytes, 5);
	assert_int_equal(file_reserve(file, 0, &scene->fault), RESULT_OK);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_int_equal(bytes, 0);
}

static void file__set_modified__is_kept_through_a_sync_and_a_rename(void **state)
{
	struct scene *scene = *state;
	static const int64_t times[] = { 784111777, 0, 4102444800 };
	for (size_t i = 0; i < 3; i++) {
		struct stat status;
		AUTO(file_handle) struct file_handle *file = create(scene, "one", "hello");
		assert_int_equal(file_set_modified(file, times[i], &scene->fault), RESULT_OK);
		assert_int_equal(file_sync(file, &scene->fault), RESULT_OK);
		assert_int_equal(file_rename(scene->folder, file, "one", "two", &scene->fault), RESULT_OK);
		file_handle_free(TAKE(file));
		assert_int_equal(stat(in(scene, "two"), &status), 0);
		assert_int_equal(status.st_mtime, times[i]);
	}
}

static void file__marked__bears_its_zone_under_its_new_name_and_nothing_else_changes(void **state)
{
	struct scene *scene = *state;
	static const char mark[] = "[ZoneTransfer]\r\nZoneId=3\r\n";
	AUTO(file_handle) struct file_handle *file = create(scene, "one", "hello");
	char tag[FILE_TAG_BYTES_MAX], text[64] = "";
	size_t length = 0;
	uint64_t bytes = 0;
	assert_int_equal(file_tag(file, tag, &scene->fault), RESULT_OK);
	enum result marked = file_mark_zone(file, 4, &scene->fault);
	if (marked == RESULT_OK)
		marked = file_mark_zone(file, 3, &scene->fault); /* done again after a crash: the last one counts */
	assert_true(marked == RESULT_OK || marked == RESULT_NOT_SUPPORTED);
	assert_true(marked == RESULT_OK || scene->fault.what[0] != '\0');
	assert_int_equal(file_rename(scene->folder, file, "one", "two", &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_true(ground_holds(in(scene, "two"), "hello"));
	assert_int_equal(reopen(scene, "two", tag), RESULT_OK);
	if (marked != RESULT_OK)
		GROUND_SKIP("a mark of the web is kept (no streams here)");
	assert_int_equal(file_open_read(in(scene, "two:Zone.Identifier"), &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_int_equal(bytes, sizeof(mark) - 1);
	assert_int_equal(file_read(file, 0, text, sizeof(text), &length, &scene->fault), RESULT_OK);
	assert_string_equal(text, mark);
}

static void file__reserve_beyond_the_free_space__is_disk_full_and_changes_nothing(void **state)
{
	struct scene *scene = *state;
	uint64_t bytes = 0;
	AUTO(file_handle) struct file_handle *file = create(scene, "one", "hello");
	assert_int_equal(file_reserve(file, UINT64_C(1) << 60, &scene->fault), RESULT_DISK_FULL);
	assert_int_equal(file_reserve(file, UINT64_MAX - 1, &scene->fault), RESULT_DISK_FULL);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_int_equal(bytes, 5);
}

static void file__beyond_4_gib__keeps_its_offsets(void **state)
{
	struct scene *scene = *state;
	uint64_t at = (UINT64_C(5) << 30) + 3, bytes = 0;
	char text[8];
	size_t length = 0;
	AUTO(file_handle) struct file_handle *file = create(scene, "sparse", "");
	assert_int_equal(file_write(file, at, "far", 3, &scene->fault), RESULT_OK);
	assert_int_equal(file_size(file, &bytes, &scene->fault), RESULT_OK);
	assert_true(bytes == at + 3);
	assert_int_equal(file_read(file, at, text, sizeof(text), &length, &scene->fault), RESULT_OK);
	assert_int_equal(length, 3);
	assert_memory_equal(text, "far", 3);
}

/* --- names --- */

static void file__renamed__replaces_a_plain_file(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "part", "new");
	ground_write(in(scene, "final"), "old and longer");
	assert_int_equal(file_rename(scene->folder, file, "part", "final", &scene->fault), RESULT_OK);
	assert_false(ground_exists(in(scene, "part")));
	file_handle_free(TAKE(file));
	assert_true(ground_holds(in(scene, "final"), "new"));
}

static void file__renamed_onto_a_folder__is_refused(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "part", "new");
	ground_make_folder(in(scene, "final"));
	assert_int_equal(file_rename(scene->folder, file, "part", "final", &scene->fault), RESULT_IS_FOLDER);
	file_handle_free(TAKE(file));
	assert_true(ground_holds(in(scene, "part"), "new"));
}

static void file__renamed_onto_a_link__replaces_the_link_itself(void **state)
{
	struct scene *scene = *state;
	ground_write(in(scene, "precious"), "kept");
	if (!ground_soft_link(in(scene, "final"), in(scene, "precious"), false))
		GROUND_SKIP("a rename goes not through a link (no links can be made here; shown by Linux)");
	AUTO(file_handle) struct file_handle *file = create(scene, "part", "new");
	assert_int_equal(file_rename(scene->folder, file, "part", "final", &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_true(ground_holds(in(scene, "precious"), "kept"));
	assert_true(ground_holds(in(scene, "final"), "new"));
}

static void file__named_where_something_is__yields_to_it(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "part", "new");
	ground_write(in(scene, "taken"), "kept");
	ground_make_folder(in(scene, "folder"));
	static const char *const taken[] = { "taken", "folder" };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(file_give_name(scene->folder, file, "part", taken[i], FILE_YIELDS, &scene->fault), RESULT_EXISTS);
		assert_int_not_equal(file_give_name(scene->folder, file, "part", taken[i], FILE_LINKS, &scene->fault), RESULT_OK);
	}
	assert_int_equal(file_give_name(scene->folder, file, "part", "final", FILE_YIELDS, &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_true(ground_holds(in(scene, "taken"), "kept") && ground_holds(in(scene, "final"), "new"));
	assert_false(ground_exists(in(scene, "part")));
}

static void file__linked__has_both_names_until_one_is_replaced(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "one", "old");
	char tag[FILE_TAG_BYTES_MAX], found[FILE_TAG_BYTES_MAX];
	uint64_t bytes;
	if (file_give_name(scene->folder, file, "one", "two", FILE_LINKS, &scene->fault) != RESULT_OK)
		GROUND_SKIP("a file has two names (no links can be made here; shown by Linux)");
	assert_int_equal(file_tag(file, tag, &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_int_equal(file_tag_at(scene->folder, "two", found, &bytes, &scene->fault), RESULT_OK);
	assert_string_equal(found, tag);
	file = create(scene, "part", "new");
	assert_int_equal(file_rename(scene->folder, file, "part", "one", &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_true(ground_holds(in(scene, "one"), "new") && ground_holds(in(scene, "two"), "old"));
}

static void file__removed__is_gone_and_others_stay(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "part", "new");
	file_handle_free(create(scene, "other", "kept"));
	assert_int_equal(file_remove(scene->folder, file, "part", &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_false(ground_exists(in(scene, "part")));
	assert_true(ground_holds(in(scene, "other"), "kept"));
}

/* Windows acts on the handle and cannot be misled; where the name is what counts, it must be the handle's. */
static void file__whose_name_another_bears__leaves_the_other_alone(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = create(scene, "part", "ours");
	assert_int_equal(file_rename(scene->folder, file, "part", "moved", &scene->fault), RESULT_OK);
	ground_write(in(scene, "part"), "theirs");
	(void)!file_rename(scene->folder, file, "part", "final", &scene->fault);
	assert_true(ground_holds(in(scene, "part"), "theirs"));
	(void)!file_remove(scene->folder, file, "part", &scene->fault);
	assert_true(ground_holds(in(scene, "part"), "theirs"));
}

/* --- Ferry's own folders and files --- */

static void own__data_folder__is_absolute_and_bounded(void **state)
{
	struct scene *scene = *state;
	char path[GROUND_PATH_BYTES_MAX], tiny[4];
	assert_int_equal(file_data_folder(path, sizeof(path), &scene->fault), RESULT_OK);
	assert_true(strlen(path) > 4);
	assert_int_equal(file_data_folder(tiny, sizeof(tiny), &scene->fault), RESULT_TOO_LONG);
	if (!ground_set_root(NULL))
		return;
	assert_int_equal(file_data_folder(path, sizeof(path), &scene->fault), RESULT_NOT_SUPPORTED);
	ground_set_root("relative");
	assert_int_equal(file_data_folder(path, sizeof(path), &scene->fault), RESULT_NOT_SUPPORTED);
	ground_set_root(scene->path);
}

static void own__program_folder__holds_the_program(void **state)
{
	struct scene *scene = *state;
	char path[GROUND_PATH_BYTES_MAX], tiny[4];
	assert_int_equal(file_program_folder(path, sizeof(path), &scene->fault), RESULT_OK);
	assert_int_equal(open_folder(scene, path), RESULT_OK);
	assert_int_equal(file_program_folder(tiny, sizeof(tiny), &scene->fault), RESULT_TOO_LONG);
}

static void own__private_folder__is_made_once_and_kept(void **state)
{
	struct scene *scene = *state;
	char inside[GROUND_PATH_BYTES_MAX];
	assert_int_equal(file_make_private_folder(in(scene, "data"), &scene->fault), RESULT_OK);
	ground_path(inside, in(scene, "data"), "queue");
	ground_write(inside, "kept");
	assert_int_equal(file_make_private_folder(in(scene, "data"), &scene->fault), RESULT_OK);
	assert_true(ground_holds(inside, "kept"));
	ground_write(in(scene, "file"), "kept");
	assert_int_not_equal(file_make_private_folder(in(scene, "file"), &scene->fault), RESULT_OK);
	assert_true(ground_holds(in(scene, "file"), "kept"));
	if (!ground_soft_link(in(scene, "link"), in(scene, "data"), true)) {
		GROUND_CANNOT("a link is not taken for Ferry's folder (no links can be made here; shown by Linux)");
		return;
	}
	assert_int_equal(file_make_private_folder(in(scene, "link"), &scene->fault), RESULT_REPARSE_POINT);
}

static void own__private_file__is_new_and_closed_to_others(void **state)
{
	struct scene *scene = *state;
	struct file_handle *file = NULL;
	struct stat status;
	assert_int_equal(file_create_private(in(scene, "key"), &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_write(file, 0, "kept", 4, &scene->fault), RESULT_OK);
	assert_int_equal(file_sync(file, &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_int_equal(file_create_private(in(scene, "key"), &file, &scene->fault), RESULT_EXISTS);
	assert_null(file);
	assert_true(ground_holds(in(scene, "key"), "kept"));
	if (ground_soft_link(in(scene, "link"), in(scene, "nowhere"), false)) {
		assert_int_equal(file_create_private(in(scene, "link"), &file, &scene->fault), RESULT_EXISTS);
		assert_false(ground_exists(in(scene, "nowhere")));
	}
	if (file_path_style == PATH_WINDOWS) {
		GROUND_CANNOT("the list of a private file (tests/windows)");
		return;
	}
	assert_int_equal(stat(in(scene, "key"), &status), 0);
	assert_int_equal(status.st_mode & 0777, 0600);
}

static void own__file_that_is_replaced__is_there_whole(void **state)
{
	struct scene *scene = *state;
	ground_write(in(scene, "new"), "half of a longer one, left by a cra");
	assert_int_equal(file_replace(scene->path, "there", "new", text_view("one"), &scene->fault), RESULT_OK);
	assert_true(ground_holds(in(scene, "there"), "one"));
	assert_int_equal(file_replace(scene->path, "there", "new", text_view("another"), &scene->fault), RESULT_OK);
	assert_true(ground_holds(in(scene, "there"), "another"));
	assert_false(ground_exists(in(scene, "new")));
	assert_int_equal(file_replace(in(scene, "nowhere"), "there", "new", text_view("x"), &scene->fault), RESULT_PATH_NOT_FOUND);
	/* Nothing is written through a link that somebody else put there. */
	ground_write(in(scene, "else"), "not ours");
	if (!ground_hard_link(in(scene, "new"), in(scene, "else")))
		return;
	assert_int_equal(file_replace(scene->path, "there", "new", text_view("x"), &scene->fault), RESULT_FILE_CHANGED);
	assert_true(ground_holds(in(scene, "else"), "not ours"));
	assert_true(ground_holds(in(scene, "there"), "another"));
}

static void own__small_file__is_read_whole_or_not_at_all(void **state)
{
	struct scene *scene = *state;
	AUTO(buffer) struct buffer enough = BUFFER(11);
	AUTO(buffer) struct buffer short_of = BUFFER(10);
	AUTO(buffer) struct buffer none = BUFFER(10);
	ground_write(in(scene, "settings"), "hello again");
	ground_write(in(scene, "empty"), "");
	assert_int_equal(file_read_all(in(scene, "settings"), &enough, &scene->fault), RESULT_OK);
	assert_string_equal(enough.bytes, "hello again");
	assert_int_equal(file_read_all(in(scene, "settings"), &short_of, &scene->fault), RESULT_TOO_LARGE);
	assert_int_equal(file_read_all(in(scene, "nowhere"), &none, &scene->fault), RESULT_PATH_NOT_FOUND);
	assert_int_equal(file_read_all(in(scene, "empty"), &none, &scene->fault), RESULT_OK);
	assert_int_equal(none.length, 0);
}

static enum result read_trusted(struct scene *scene, const char *name)
{
	AUTO(buffer) struct buffer text = BUFFER(100);
	enum result result = file_read_trusted(in(scene, name), &text, &scene->fault);
	assert_true(result != RESULT_OK || strcmp(text.bytes, "{}") == 0);
	return result;
}

/* Also by a handle of before: whoever has one could write between a look and the reading, and after. */
static void own__configuration_that_somebody_has_open_to_write__is_not_read(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *writer = NULL;
	AUTO(file_handle) struct file_handle *reader = NULL;
	AUTO(file_handle) struct file_handle *late = NULL;
	ground_write(in(scene, "trusted"), "{}");
	assert_int_equal(read_trusted(scene, "trusted"), RESULT_OK);
	assert_int_equal(read_trusted(scene, "nowhere"), RESULT_PATH_NOT_FOUND);
	assert_int_equal(file_open_read(in(scene, "trusted"), &reader, &scene->fault), RESULT_OK);
	assert_int_equal(read_trusted(scene, "trusted"), RESULT_OK); /* readers are nobody's business */
	assert_int_equal(file_open_append(in(scene, "trusted"), &writer, &scene->fault), RESULT_OK);
	assert_int_equal(read_trusted(scene, "trusted"), RESULT_LOCKED);
	assert_non_null(strstr(scene->fault.what, "trusted: somebody has it open for writing, or shared with nobody"));
	file_handle_free(TAKE(writer));
	file_handle_free(TAKE(reader));
	assert_int_equal(file_open_trusted(in(scene, "trusted"), &reader, &scene->fault), RESULT_OK);
	if (file_path_style == PATH_WINDOWS)
		assert_int_equal(file_open_append(in(scene, "trusted"), &late, &scene->fault), RESULT_LOCKED);
	else
		GROUND_CANNOT("nobody can write while it is read (Linux has who would wait; Wine)");
	if (ground_soft_link(in(scene, "link"), in(scene, "trusted"), false))
		assert_int_equal(read_trusted(scene, "link"), RESULT_REPARSE_POINT);
	ground_make_folder(in(scene, "real"));
	assert_int_not_equal(read_trusted(scene, "real"), RESULT_OK);
}

static void own__log__grows_at_its_end_and_is_moved_aside(void **state)
{
	struct scene *scene = *state;
	struct file_handle *log = NULL;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(file_open_append(in(scene, "log"), &log, &scene->fault), RESULT_OK);
		assert_int_equal(file_write(log, 0, "one\n", 4, &scene->fault), RESULT_OK);
		assert_int_equal(file_write(log, 0, "two\n", 4, &scene->fault), RESULT_OK);
		file_handle_free(log);
	}
	assert_true(ground_holds(in(scene, "log"), "one\ntwo\none\ntwo\n"));
	ground_write(in(scene, "log.1"), "older");
	assert_int_equal(file_move(in(scene, "log"), in(scene, "log.1"), &scene->fault), RESULT_OK);
	assert_false(ground_exists(in(scene, "log")));
	assert_true(ground_holds(in(scene, "log.1"), "one\ntwo\none\ntwo\n"));
	assert_int_equal(file_move(in(scene, "log"), in(scene, "log.2"), &scene->fault), RESULT_PATH_NOT_FOUND);
}

static void own__lock__is_one_processs_until_it_is_freed(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *lock = NULL;
	AUTO(file_handle) struct file_handle *second = NULL;
	assert_int_equal(file_lock_folder(scene->path, &lock, &scene->fault), RESULT_OK);
	assert_int_equal(file_lock_folder(scene->path, &second, &scene->fault), RESULT_ALREADY_RUNNING);
	assert_null(second);
	file_handle_free(TAKE(lock));
	assert_int_equal(file_lock_folder(scene->path, &second, &scene->fault), RESULT_OK);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		FILE_TEST(folder__that_is_not_there__is_path_not_found),
		FILE_TEST(folder__that_is_a_link__is_a_reparse_point),
		FILE_TEST(folder__below__is_judged_by_what_it_is),
		FILE_TEST(folder__sync__works),
		FILE_TEST(file__created__has_what_was_written),
		FILE_TEST(file__created__others_may_read_meanwhile),
		FILE_TEST(file__create__refuses_whatever_has_the_name),
		FILE_TEST(file__tag__is_the_same_for_the_same_file_only),
		FILE_TEST(file__reopened__goes_on),
		FILE_TEST(file__reopen__takes_nothing_else),
		FILE_TEST(file__reopen__takes_no_link),
		FILE_TEST(file__reserve__sets_the_size_and_keeps_the_bytes),
		FILE_TEST(file__set_modified__is_kept_through_a_sync_and_a_rename),
		FILE_TEST(file__marked__bears_its_zone_under_its_new_name_and_nothing_else_changes),
		FILE_TEST(file__reserve_beyond_the_free_space__is_disk_full_and_changes_nothing),
		FILE_TEST(file__beyond_4_gib__keeps_its_offsets),
		FILE_TEST(file__renamed__replaces_a_plain_file),
		FILE_TEST(file__renamed_onto_a_folder__is_refused),
		FILE_TEST(file__renamed_onto_a_link__replaces_the_link_itself),
		FILE_TEST(file__named_where_something_is__yields_to_it),
		FILE_TEST(file__linked__has_both_names_until_one_is_replaced),
		FILE_TEST(file__removed__is_gone_and_others_stay),
		FILE_TEST(file__whose_name_another_bears__leaves_the_other_alone),
		FILE_TEST(own__data_folder__is_absolute_and_bounded),
		FILE_TEST(own__program_folder__holds_the_program),
		FILE_TEST(file__reopened_to_read__any_plain_file_and_nobody_is_kept_out),
		FILE_TEST(own__private_folder__is_made_once_and_kept),
		FILE_TEST(own__private_file__is_new_and_closed_to_others),
		FILE_TEST(own__small_file__is_read_whole_or_not_at_all),
		FILE_TEST(own__configuration_that_somebody_has_open_to_write__is_not_read),
		FILE_TEST(own__file_that_is_replaced__is_there_whole),
		FILE_TEST(own__log__grows_at_its_end_and_is_moved_aside),
		FILE_TEST(own__lock__is_one_processs_until_it_is_freed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
