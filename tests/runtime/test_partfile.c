#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "platform/thread.h"
#include "runtime/partfile.h"
#include "support/ground.h"
#include "support/landing.h"

#define PARTIAL ".ferry-0123456789abcdef.part"
#define FULL "the whole file"
#define HALF "the who"

static struct landing landing;

static int set_up(void **state)
{
	(void)state;
	landing_make(&landing);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	landing_remove(&landing);
	return 0;
}

static struct partfile part_of(const char *name, const char *tag, uint64_t recorded)
{
	return (struct partfile){ .modified_s = PARTFILE_NOW, .path = landing_path(&landing, name),
		                      .partial = PARTIAL,
		                      .tag = tag,
		                      .bytes_recorded = recorded,
		                      .bytes_total = strlen(FULL) };
}

static struct partfile_opened open_part(const char *tag, uint64_t recorded)
{
	struct partfile part = part_of("file", tag, recorded);
	struct partfile_opened opened;
	struct fault fault = { .result = RESULT_OK };
	if (partfile_open(&part, &opened, &fault) != RESULT_OK)
		fail_msg("%s: %s", result_name(fault.result), fault.what);
	return opened;
}

static enum result open_result(const struct partfile *part)
{
	struct partfile_opened opened = { .file = NULL };
	struct fault fault = { .result = RESULT_OK };
	enum result result = partfile_open(part, &opened, &fault);
	assert_int_equal(fault.result, result);
	assert_null(opened.file);
	return result;
}

static void write_text(struct file_handle *file, uint64_t offset, const char *text)
{
	assert_int_equal(file_write(file, offset, text, strlen(text), NULL), RESULT_OK);
}

/* Fetch the whole file up to FINISH; its tag. */
static void make_whole(char tag[FILE_TAG_BYTES_MAX])
{
	struct partfile_opened opened = open_part("", 0);
	write_text(opened.file, 0, FULL);
	memcpy(tag, opened.tag, FILE_TAG_BYTES_MAX);
	assert_int_equal(partfile_finish(opened.file, strlen(FULL), NULL), RESULT_OK);
}

static bool holds(const char *name, const char *text)
{
	return landing_holds(&landing, name, text, strlen(text));
}

static void put(const char *name, const char *text)
{
	landing_write(&landing, name, text, strlen(text));
}

/* --- open --- */

static void partfile__new_file__begins_at_zero_beside_the_destination(void **state)
{
	(void)state;
	struct partfile_opened opened = open_part("", 0);
	assert_int_equal(opened.offset, 0);
	assert_true(opened.tag[0] != '\0');
	assert_int_equal(landing_size(&landing, PARTIAL), 0);
	assert_int_equal(landing_size(&landing, "file"), -1);
	file_handle_free(opened.file);
}

static void partfile__same_tag_and_size__goes_on_where_it_was_recorded(void **state)
{
	(void)state;
	struct partfile_opened first = open_part("", 0);
	write_text(first.file, 0, FULL);
	assert_int_equal(partfile_sync(first.file, NULL), RESULT_OK);
	file_handle_free(first.file);
	struct partfile_opened again = open_part(first.tag, 7);
	assert_int_equal(again.offset, 7);
	assert_string_equal(again.tag, first.tag);
	file_handle_free(again.file);
	assert_true(holds(PARTIAL, FULL)); /* what is beyond is overwritten later, not cut now */
}

static void partfile__shorter_than_recorded__begins_anew(void **state)
{
	(void)state;
	struct partfile_opened first = open_part("", 0);
	write_text(first.file, 0, HALF);
	file_handle_free(first.file);
	struct partfile_opened again = open_part(first.tag, strlen(HALF) + 1);
	assert_int_equal(again.offset, 0);
	assert_int_equal(landing_size(&landing, PARTIAL), 0);
	file_handle_free(again.file);
	assert_int_equal(landing_count(&landing), 1);
}

static void partfile__partial_file_gone__begins_anew(void **state)
{
	(void)state;
	struct partfile_opened opened = open_part("1:2:3", 500);
	assert_int_equal(opened.offset, 0);
	assert_string_not_equal(opened.tag, "1:2:3");
	file_handle_free(opened.file);
}

static void partfile__other_file_bears_the_name__is_refused_and_left_alone(void **state)
{
	(void)state;
	put(PARTIAL, "somebody's");
	struct partfile part = part_of("file", "1:2:3", 5);
	assert_int_equal(open_result(&part), RESULT_FILE_CHANGED);
	assert_true(holds(PARTIAL, "somebody's"));
}

static void partfile__left_from_a_crash_before_its_tag_was_recorded__is_replaced(void **state)
{
	(void)state;
	put(PARTIAL, "left over, and longer than what comes");
	struct partfile_opened opened = open_part("", 0);
	assert_int_equal(opened.offset, 0);
	assert_int_equal(landing_size(&landing, PARTIAL), 0);
	file_handle_free(opened.file);
}

static void partfile__folder_bears_the_partial_name__is_refused(void **state)
{
	(void)state;
	landing_make_folder(&landing, PARTIAL);
	struct partfile part = part_of("file", "", 0);
	assert_int_equal(open_result(&part), RESULT_FILE_CHANGED);
	assert_int_equal(landing_count(&landing), 1);
}

static void partfile__destination_is_a_folder__is_found_at_once(void **state)
{
	(void)state;
	landing_make_folder(&landing, "file");
	struct partfile part = part_of("file", "", 0);
	assert_int_equal(open_result(&part), RESULT_IS_FOLDER);
	assert_int_equal(landing_size(&landing, PARTIAL), -1);
}

static void partfile__destination_is_read_only__is_found_at_once(void **state)
{
	(void)state;
	put("file", "old");
	landing_make_read_only(&landing, "file");
	if (landing_may_write(&landing, "file")) {
		print_message("SKIPPED on this ground: nothing is read-only for this user\n");
		skip();
	}
	struct partfile part = part_of("file", "", 0);
	assert_int_equal(open_result(&part), RESULT_DENIED);
}

static void partfile__destination_exists__stays_until_it_is_replaced(void **state)
{
	(void)state;
	put("file", "old");
	struct partfile_opened opened = open_part("", 0);
	write_text(opened.file, 0, FULL);
	file_handle_free(opened.file);
	assert_true(holds("file", "old"));
}

static void partfile__no_folder__is_path_not_found(void **state)
{
	(void)state;
	struct partfile part = part_of("none/file", "", 0);
	assert_int_equal(open_result(&part), RESULT_PATH_NOT_FOUND);
}

static void partfile__relative_path__is_refused(void **state)
{
	(void)state;
	struct partfile part = part_of("file", "", 0);
	part.path = "file";
	assert_int_equal(open_result(&part), RESULT_BAD_DESTINATION);
}

static void partfile__in_a_folder_of_ferrys_own__is_denied(void **state)
{
	(void)state;
	landing_make_folder(&landing, "own");
	landing_make_folder(&landing, "own/deep");
	landing_make_folder(&landing, "other");
	const char *const forbidden[] = { landing_path(&landing, "other"), landing_path(&landing, "own"), NULL };
	static const char *const names[] = { "own/file", "own/deep/file" };
	for (size_t i = 0; i < 2; i++) {
		struct partfile part = part_of(names[i], "", 0);
		part.forbidden_folders = forbidden;
		assert_int_equal(open_result(&part), RESULT_DENIED);
		part.tag = "1:2:3";
		assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_DENIED);
	}
	struct partfile part = part_of("file", "", 0);
	struct partfile_opened opened;
	part.forbidden_folders = forbidden;
	assert_int_equal(partfile_open(&part, &opened, NULL), RESULT_OK); /* beside them is fine */
	file_handle_free(opened.file);
}

/* --- finish and publish --- */

static void partfile__finished__has_exactly_its_size(void **state)
{
	(void)state;
	struct partfile_opened opened = open_part("", 0);
	assert_int_equal(file_reserve(opened.file, 3 << 20, NULL), RESULT_OK);
	write_text(opened.file, 0, FULL);
	assert_int_equal(partfile_finish(opened.file, strlen(FULL), NULL), RESULT_OK);
	assert_true(holds(PARTIAL, FULL));
}

static void partfile__published__bears_its_name_and_replaces_the_old(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	put("file", "old");
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK);
	assert_true(holds("file", FULL));
	assert_int_equal(landing_count(&landing), 1);
}

static void partfile__published_twice__is_success(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK);
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK); /* the first was not recorded: a crash */
	part.bytes_total = SIZE_UNKNOWN;                            /* then what was recorded is the size */
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK);
	assert_true(holds("file", FULL));
}

/* Whatever the ground keeps, the file lands; a mark that it cannot keep is told, and one that it can is there. */
static void partfile__published_with_a_zone__is_marked_or_said_not_to_be(void **state)
{
	static const char mark[] = "[ZoneTransfer]\r\nZoneId=3\r\n";
	char tag[FILE_TAG_BYTES_MAX];
	struct partfile_published published = { .unmarked = true };
	(void)state;
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	assert_int_equal(partfile_publish(&part, &published, NULL), RESULT_OK);
	assert_false(published.unmarked); /* nobody wanted it */
	make_whole(tag);
	part.zone = 3;
	part.modified_s = 784111777;
	assert_int_equal(partfile_publish(&part, &published, NULL), RESULT_OK);
	assert_true(holds("file", FULL));
	assert_int_equal(published.unmarked, !holds("file:Zone.Identifier", mark));
	if (published.unmarked)
		GROUND_CANNOT("a mark of the web is kept (no streams here)");
	/* After a crash it has its name already, and its mark: nothing is said. */
	assert_int_equal(partfile_publish(&part, &published, NULL), RESULT_OK);
	assert_true(holds("file", FULL));
}

static void partfile__partial_file_gone_and_destination_not_ours__is_not_published(void **state)
{
	(void)state;
	put("file", FULL);
	struct partfile part = part_of("file", "1:2:3", strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_FILE_CHANGED);
	assert_true(holds("file", FULL));
}

static void partfile__size_is_not_what_was_recorded__is_removed_and_not_published(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	put("file", "old");
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	part.bytes_total++;
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_FILE_CHANGED);
	assert_true(holds("file", "old"));
	assert_false(holds(PARTIAL, FULL));
}

static void partfile__partial_file_exchanged__is_not_published(void **state)
{
	(void)state;
	put("file", "old");
	put(PARTIAL, FULL);
	struct partfile part = part_of("file", "1:2:3", strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_FILE_CHANGED);
	assert_true(holds("file", "old"));
}

static void partfile__no_tag_recorded__is_not_published(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	make_whole(tag);
	struct partfile part = part_of("file", "", strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_FILE_CHANGED);
	assert_int_equal(landing_size(&landing, "file"), -1);
}

static void partfile__destination_became_a_folder__is_not_published_and_kept(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	make_whole(tag);
	landing_make_folder(&landing, "file");
	struct partfile part = part_of("file", tag, strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_IS_FOLDER);
	assert_true(holds(PARTIAL, FULL));
}

/* --- former contents --- */

static void expect_versions(const char *const *wanted) /* of file, file.1 ...; NULL: not there */
{
	static const char *const names[] = { "file", "file.1", "file.2", "file.3" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (wanted[i] ? !holds(names[i], wanted[i]) : landing_size(&landing, names[i]) != -1)
			fail_msg("%s", names[i]);
	}
}

static enum result publish_with_versions(unsigned versions)
{
	char tag[FILE_TAG_BYTES_MAX];
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	part.versions = versions;
	return partfile_publish(&part, NULL, NULL);
}

static void partfile__former_contents__are_kept_as_many_as_are_wanted(void **state)
{
	(void)state;
	assert_int_equal(publish_with_versions(2), RESULT_OK); /* there was none */
	expect_versions((const char *const[]){ FULL, NULL, NULL, NULL });
	put("file", "a");
	assert_int_equal(publish_with_versions(2), RESULT_OK);
	expect_versions((const char *const[]){ FULL, "a", NULL, NULL });
	put("file", "b");
	assert_int_equal(publish_with_versions(2), RESULT_OK);
	expect_versions((const char *const[]){ FULL, "b", "a", NULL });
	put("file", "c");
	assert_int_equal(publish_with_versions(2), RESULT_OK);
	expect_versions((const char *const[]){ FULL, "c", "b", NULL });
	put("file", "d");
	assert_int_equal(publish_with_versions(0), RESULT_OK); /* none is wanted any more: those that are there stay */
	expect_versions((const char *const[]){ FULL, "c", "b", NULL });
}

/* What a crash leaves between two renames of file "c", with "b" and "a" behind it: done again, it is as if there had been none. */
static void partfile__former_contents__are_moved_once_whatever_a_crash_left(void **state)
{
	static const char *const left[][3] = {
		{ "c", "b", NULL }, /* "a" has gone, "b" not moved yet */
		{ "c", NULL, "b" },
		{ NULL, "c", "b" }, /* all have moved: the new one has no name yet */
	};
	static const char *const names[] = { "file", "file.1", "file.2" };
	(void)state;
	for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
		for (size_t j = 0; j < 3; j++) {
			(void)remove(landing_path(&landing, names[j]));
			if (left[i][j])
				put(names[j], left[i][j]);
		}
		assert_int_equal(publish_with_versions(2), RESULT_OK);
		expect_versions((const char *const[]){ FULL, "c", "b", NULL });
	}
}

/* The new content has its name, and nothing else has changed. */
static void expect_none_kept(unsigned versions, size_t count)
{
	assert_int_equal(publish_with_versions(versions), RESULT_OK);
	assert_true(holds("file", FULL));
	assert_int_equal(landing_count(&landing), count);
}

static void partfile__former_content__of_the_same_bytes_is_not_kept(void **state)
{
	(void)state;
	put("file", FULL);
	put("file.1", "older");
	put("file.2", "oldest");
	expect_none_kept(2, 3);
	expect_versions((const char *const[]){ FULL, "older", "oldest", NULL });
	put("file", "the whole filE"); /* of the same size */
	assert_int_equal(publish_with_versions(2), RESULT_OK);
	expect_versions((const char *const[]){ FULL, "the whole filE", "older", NULL });
}

static void partfile__former_content__in_whose_way_a_folder_is__is_replaced(void **state)
{
	(void)state;
	put("file", "a");
	landing_make_folder(&landing, "file.1");
	expect_none_kept(1, 2);
	put("file", "b");
	expect_none_kept(3, 2);
	landing_make_folder(&landing, "file.2");
	assert_int_equal(rmdir(landing_path(&landing, "file.1")), 0);
	put("file.1", "older");
	put("file", "c");
	expect_none_kept(2, 3);
	assert_true(holds("file.1", "older"));
}

static void partfile__former_content__that_has_another_name_or_is_a_link__is_replaced(void **state)
{
	char path[LANDING_PATH_BYTES_MAX];
	(void)state;
	put("precious", "kept");
	assert_int_equal(text_copy(path, sizeof(path), text_view(landing_path(&landing, "precious"))), RESULT_OK);
	if (!ground_hard_link(landing_path(&landing, "file"), path))
		GROUND_SKIP("a link is replaced (none can be made here; shown by Linux)");
	expect_none_kept(2, 2);
	if (ground_soft_link(landing_path(&landing, "file.1"), path, false)) {
		put("file", "a");
		expect_none_kept(2, 3);
	}
	assert_true(holds("precious", "kept"));
}

static void partfile__crash__before_the_new_one_has_the_name__keeps_the_former_once(void **state)
{
	char path[LANDING_PATH_BYTES_MAX];
	(void)state;
	put("file", "c");
	put("file.2", "b");
	assert_int_equal(text_copy(path, sizeof(path), text_view(landing_path(&landing, "file"))), RESULT_OK);
	if (!ground_hard_link(landing_path(&landing, "file.1"), path))
		GROUND_SKIP("a former content has both names for a moment (no links can be made here; shown by Linux)");
	assert_int_equal(publish_with_versions(2), RESULT_OK);
	expect_versions((const char *const[]){ FULL, "c", "b", NULL });
	put("file", "d"); /* and once more, as if nothing had been */
	assert_int_equal(publish_with_versions(2), RESULT_OK);
	expect_versions((const char *const[]){ FULL, "d", "c", NULL });
}

struct watch {
	atomic_bool over;
	unsigned looked, absent;
};

static void watch_name(void *argument)
{
	struct watch *watch = argument;
	AUTO(folder) struct folder *folder = NULL;
	char tag[FILE_TAG_BYTES_MAX];
	uint64_t bytes;
	if (folder_open(landing.folder, &folder, NULL) != RESULT_OK)
		return;
	while (!watch->over) {
		watch->looked++;
		watch->absent += file_tag_at(folder, "file", tag, &bytes, NULL) == RESULT_PATH_NOT_FOUND;
	}
}

static void partfile__former_contents__are_kept_and_a_file_is_there_all_the_time(void **state)
{
	struct watch watch = { .over = false };
	AUTO(folder) struct folder *folder = NULL;
	AUTO(file_handle) struct file_handle *file = NULL;
	struct thread *thread;
	char text[16];
	(void)state;
	if (file_path_style == PATH_WINDOWS)
		GROUND_SKIP("a file of the name is there at any time (who looks is in the way of its replacement here; shown by Linux)");
	assert_int_equal(folder_open(landing.folder, &folder, NULL), RESULT_OK);
	assert_int_equal(file_create(folder, "file", &file, NULL), RESULT_OK);
	if (file_give_name(folder, file, "file", "link", FILE_LINKS, NULL) != RESULT_OK)
		GROUND_SKIP("a file of the name is there at any time (no links can be made here; shown by Linux)");
	file_handle_free(TAKE(file));
	assert_int_equal(remove(landing_path(&landing, "link")), 0);
	assert_int_equal(thread_start("watch", watch_name, &watch, &thread, NULL), RESULT_OK);
	for (unsigned i = 0; i < 200; i++) {
		char tag[FILE_TAG_BYTES_MAX];
		struct partfile part = part_of("file", tag, 0);
		snprintf(text, sizeof(text), "content %u", i);
		struct partfile_opened opened = open_part("", 0);
		write_text(opened.file, 0, text);
		file_handle_free(opened.file);
		memcpy(tag, opened.tag, sizeof(tag));
		part.bytes_total = part.bytes_recorded = strlen(text);
		part.versions = 2;
		assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK);
	}
	watch.over = true;
	thread_join(thread);
	assert_true(watch.looked > 0);
	assert_int_equal(watch.absent, 0);
	assert_true(holds("file", text) && holds("file.1", "content 198") && holds("file.2", "content 197"));
}

/* --- a destination that stays --- */

static void partfile__yields__to_a_file_that_came_meanwhile(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	struct partfile_published published = { .yielded = false };
	(void)state;
	make_whole(tag);
	put("file", "theirs");
	struct partfile part = part_of("file", tag, strlen(FULL));
	part.yields = true;
	part.versions = 2;
	for (unsigned i = 0; i < 2; i++) { /* the second time after a crash */
		published.yielded = false;
		assert_int_equal(partfile_publish(&part, &published, NULL), RESULT_OK);
		assert_true(published.yielded && holds("file", "theirs"));
		assert_int_equal(landing_count(&landing), 1);
	}
}

static void partfile__yields__to_nothing__is_published(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	struct partfile_published published = { .yielded = true };
	(void)state;
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	part.yields = true;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(partfile_publish(&part, &published, NULL), RESULT_OK);
		assert_true(!published.yielded && holds("file", FULL));
	}
}

static void partfile__yields__to_whatever_is_there_before_it_is_fetched(void **state)
{
	static const char *const names[] = { "plain", "folder", "read-only" };
	(void)state;
	put("plain", "theirs");
	put("read-only", "theirs");
	landing_make_read_only(&landing, "read-only");
	landing_make_folder(&landing, "folder");
	for (size_t i = 0; i < 3; i++) {
		struct partfile part = part_of(names[i], "", 0);
		struct partfile_opened opened = { .offset = 1 };
		part.yields = true;
		assert_int_equal(partfile_open(&part, &opened, NULL), RESULT_OK);
		assert_null(opened.file);
	}
	assert_int_equal(landing_count(&landing), 3);
	struct partfile part = part_of("none", "", 0);
	struct partfile_opened opened = { .file = NULL };
	part.yields = true;
	assert_int_equal(partfile_open(&part, &opened, NULL), RESULT_OK);
	assert_non_null(opened.file);
	file_handle_free(opened.file);
}

/* --- what is done in a folder that somebody else syncs --- */

static void partfile__names_in_a_folder_that_is_lent__last_with_one_sync(void **state)
{
	(void)state;
	char tag[FILE_TAG_BYTES_MAX];
	struct partfile_folder folder = { .open = NULL };
	struct partfile part = part_of("file", "", 0);
	assert_false(partfile_folder_is(&folder, part.path));
	assert_int_equal(partfile_folder_sync(&folder, NULL), RESULT_OK); /* nothing to do */
	make_whole(tag);
	part = part_of("file", tag, 0);
	part.folder = &folder;
	assert_int_equal(partfile_keep(&part, NULL), RESULT_OK);
	assert_int_equal(folder.changed, folder_is_to_be_synced);
	part.bytes_recorded = strlen(FULL);
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK);
	assert_true(folder.changed && partfile_folder_is(&folder, part.path));
	assert_false(partfile_folder_is(&folder, landing.folder)); /* that is in another one */
	assert_int_equal(partfile_folder_sync(&folder, NULL), RESULT_OK);
	assert_false(folder.changed);
	partfile_folder_drop(&folder);
	assert_true(holds("file", FULL));
}

static void partfile__folder_that_is_gone__keeps_no_name(void **state)
{
	(void)state;
	if (!folder_is_to_be_synced)
		GROUND_SKIP("a folder is opened for its sync (names need none here; shown by Linux)");
	struct partfile part = part_of("gone/file", "", 0);
	assert_int_equal(partfile_keep(&part, NULL), RESULT_PATH_NOT_FOUND);
}

/* --- abandon --- */

static void partfile__abandoned__is_gone_and_may_be_abandoned_again(void **state)
{
	(void)state;
	struct partfile_opened opened = open_part("", 0);
	file_handle_free(opened.file);
	struct partfile part = part_of("file", opened.tag, 0);
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
	assert_int_equal(landing_count(&landing), 0);
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
}

static void partfile__abandoned_without_a_tag__is_ours_by_its_name(void **state)
{
	(void)state;
	put(PARTIAL, HALF);
	struct partfile part = part_of("file", "", 0);
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
	assert_int_equal(landing_count(&landing), 0);
}

static void partfile__abandoned_but_not_ours__is_left_alone(void **state)
{
	(void)state;
	put(PARTIAL, "somebody's");
	struct partfile part = part_of("file", "1:2:3", 0);
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
	assert_true(holds(PARTIAL, "somebody's"));
}

static void partfile__abandoned_after_it_was_published__leaves_the_destination(void **state)
{
	char tag[FILE_TAG_BYTES_MAX];
	(void)state;
	make_whole(tag);
	struct partfile part = part_of("file", tag, strlen(FULL));
	assert_int_equal(partfile_publish(&part, NULL, NULL), RESULT_OK);
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
	assert_true(holds("file", FULL));
}

static void partfile__abandoned_with_its_folder_gone_or_never_begun__is_success(void **state)
{
	(void)state;
	struct partfile part = part_of("none/file", "1:2:3", 0);
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
	part = part_of("file", "", 0);
	part.partial = "";
	assert_int_equal(partfile_abandon(&part, NULL), RESULT_OK);
}

/* --- check --- */

static const char *const none_forbidden[] = { NULL };

/* Of up to three names in the landing's folder; the index of the one that is refused, or -1. */
static int64_t check(const char *const names[3], const char *const *forbidden, enum result expected)
{
	AUTO(buffer) struct buffer paths = BUFFER(8192);
	struct fault fault = { .result = RESULT_OK };
	uint64_t index = UINT64_MAX;
	for (size_t i = 0; i < 3 && names[i]; i++) {
		const char *path = landing_path(&landing, names[i]);
		assert_int_equal(buffer_append(&paths, path, strlen(path) + 1), RESULT_OK);
	}
	enum result result = partfile_check(paths.bytes, paths.length, forbidden, &index, &fault);
	if (result != expected)
		fail_msg("%s instead of %s: %s", result_name(result), result_name(expected), fault.what);
	assert_int_equal(fault.result, result);
	if (!result)
		assert_true(index == UINT64_MAX);
	else
		assert_non_null(strstr(fault.what, landing_path(&landing, names[index])));
	return (int64_t)index;
}

static void partfile__checked__good_ones_pass_and_nothing_is_made(void **state)
{
	(void)state;
	put("old", "old");
	landing_make_folder(&landing, "sub");
	check((const char *const[3]){ "file", "old", "sub/file" }, none_forbidden, RESULT_OK);
	check((const char *const[3]){ NULL }, none_forbidden, RESULT_OK);
	assert_int_equal(landing_count(&landing), 2);
	assert_true(holds("old", "old"));
}

static void partfile__checked__the_first_bad_one_is_named(void **state)
{
	(void)state;
	landing_make_folder(&landing, "sub");
	landing_make_folder(&landing, "own");
	landing_make_folder(&landing, "own/deep");
	char path[LANDING_PATH_BYTES_MAX];
	const char *const own[] = { path, NULL };
	assert_int_equal(text_copy(path, sizeof(path), text_view(landing_path(&landing, "own"))), RESULT_OK);
	assert_int_equal(check((const char *const[3]){ "a", "none/b", "sub" }, own, RESULT_PATH_NOT_FOUND), 1);
	assert_int_equal(check((const char *const[3]){ "a", "b", "sub" }, own, RESULT_IS_FOLDER), 2);
	assert_int_equal(check((const char *const[3]){ "sub", "none/b", "c" }, own, RESULT_IS_FOLDER), 0);
	/* A verdict is the folder's, not the last one's. */
	assert_int_equal(check((const char *const[3]){ "a", "own/b", "c" }, own, RESULT_DENIED), 1);
	assert_int_equal(check((const char *const[3]){ "sub/a", "sub/b", "own/deep/c" }, own, RESULT_DENIED), 2);
	assert_int_equal(check((const char *const[3]){ "a", "b", "c." }, own,
	                       file_path_style == PATH_WINDOWS ? RESULT_BAD_DESTINATION : RESULT_OK),
	                 file_path_style == PATH_WINDOWS ? 2 : -1);
}

static void partfile__checked_while_in_use__is_not_refused(void **state)
{
	(void)state;
	AUTO(folder) struct folder *folder = NULL;
	AUTO(file_handle) struct file_handle *used = NULL;
	assert_int_equal(folder_open(landing.folder, &folder, NULL), RESULT_OK);
	assert_int_equal(file_create(folder, "used", &used, NULL), RESULT_OK); /* Windows: LOCKED, but who knows when */
	check((const char *const[3]){ "used", "file" }, none_forbidden, RESULT_OK);
}

/* --- list --- */

static void expect_names(const char *path, const char *prefix, size_t count, size_t bytes)
{
	AUTO(buffer) struct buffer names = BUFFER(PARTFILE_NAMES_MAX * FILE_PARTIAL_BYTES_MAX);
	struct partfile part = part_of(path, "", 0);
	struct fault fault = { .what = "" };
	if (partfile_list(&part, prefix, &names, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	assert_int_equal(names.length, bytes);
	for (size_t at = 0; at < names.length; at += strlen(names.bytes + at) + 1, count--)
		assert_int_equal(strncmp(names.bytes + at, prefix, strlen(prefix)), 0);
	assert_int_equal(count, 0);
}

static void partfile__listed__are_the_names_with_the_prefix(void **state)
{
	(void)state;
	put(".ferry-aa-1.part", "");
	put(".ferry-aa-22.part", "");
	put(".ferry-ab-1.part", "");
	put("other", "");
	/* One byte more than a partial file's name may have. */
	put(".ferry-aa-23456789012345678901234567890123456789012345678901.part", "");
	expect_names("file", ".ferry-aa-", 2, sizeof(".ferry-aa-1.part") + sizeof(".ferry-aa-22.part"));
	expect_names("file", ".ferry-ac-", 0, 0);
	expect_names("file", "", 4, sizeof(".ferry-aa-1.part") * 2 + sizeof(".ferry-aa-22.part") + sizeof("other"));
	expect_names("none/file", ".ferry-aa-", 0, 0);
	assert_int_equal(landing_count(&landing), 5);
}

static void partfile__more_names_than_may_be_listed__are_listed_later(void **state)
{
	(void)state;
	AUTO(folder) struct folder *folder = NULL;
	assert_int_equal(folder_open(landing.folder, &folder, NULL), RESULT_OK);
	for (int i = 0; i < PARTFILE_NAMES_MAX + 10; i++) {
		AUTO(file_handle) struct file_handle *file = NULL;
		char name[16];
		assert_int_equal(text_format(name, sizeof(name), "many-%06d", i), RESULT_OK);
		assert_int_equal(file_create(folder, name, &file, NULL), RESULT_OK);
	}
	expect_names("file", "many-", PARTFILE_NAMES_MAX, PARTFILE_NAMES_MAX * sizeof("many-000000"));
}

static void partfile__swept__are_plain_files_alone(void **state)
{
	(void)state;
	char kept[DESTINATION_BYTES_MAX + 1];
	static const char names[] = "orphan\0folder\0linked\0gone\0last\0";
	struct partfile part = part_of("file", "", 0);
	uint64_t removed = 0;
	put("orphan", "x");
	put("last", "x");
	put("kept", "x");
	landing_make_folder(&landing, "folder");
	assert_int_equal(text_copy(kept, sizeof(kept), text_view(landing_path(&landing, "kept"))), RESULT_OK);
	bool links = ground_hard_link(landing_path(&landing, "linked"), kept);
	assert_int_equal(partfile_sweep(&part, names, sizeof(names) - 1, &removed, NULL), RESULT_OK);
	assert_int_equal(removed, links ? 3 : 4);
	assert_int_equal(landing_count(&landing), links ? 3 : 2);
}

/* --- one folder for several calls --- */

static enum result open_with(struct partfile_folder *kept, const char *name, const char *const *forbidden)
{
	struct partfile part = part_of(name, "", 0);
	struct partfile_opened opened = { .file = NULL };
	part.folder = kept;
	part.forbidden_folders = forbidden;
	enum result result = partfile_open(&part, &opened, NULL);
	file_handle_free(opened.file);
	return result;
}

static void partfile__folder_is_kept__serves_its_own_files_only(void **state)
{
	(void)state;
	struct partfile_folder kept = { .open = NULL };
	char path[LANDING_PATH_BYTES_MAX];
	const char *const own[] = { path, NULL };
	assert_int_equal(text_copy(path, sizeof(path), text_view(landing_path(&landing, "own"))), RESULT_OK);
	landing_make_folder(&landing, "own");
	landing_make_folder(&landing, "sub");
	assert_int_equal(open_with(&kept, "file", own), RESULT_OK);
	const struct folder *first = kept.open;
	assert_non_null(first);
	assert_int_equal(open_with(&kept, "other", own), RESULT_OK);
	assert_ptr_equal(kept.open, first);
	assert_int_equal(open_with(&kept, "own/file", own), RESULT_DENIED);
	assert_null(kept.open);
	assert_int_equal(open_with(&kept, "own/file", own), RESULT_DENIED);
	assert_int_equal(landing_size(&landing, "sub/" PARTIAL), -1);
	assert_int_equal(open_with(&kept, "sub/file", own), RESULT_OK);
	assert_int_equal(landing_size(&landing, "sub/" PARTIAL), 0);
	assert_int_equal(open_with(&kept, "none/file", own), RESULT_PATH_NOT_FOUND);
	assert_int_equal(open_with(&kept, "file", own), RESULT_OK);
	partfile_folder_drop(&kept);
	partfile_folder_drop(&kept);
}

#define TEST(name) cmocka_unit_test_setup_teardown(partfile__##name, set_up, tear_down)

/* --- what is on disk, hashed --- */

static void partfile__hash_of_what_is_on_disk__goes_block_by_block(void **state)
{
	uint8_t digest[DIGEST_SHA256_BYTES], whole[DIGEST_SHA256_BYTES];
	struct fault fault;
	char block[4097];
	(void)state;
	memset(block, 'x', sizeof(block) - 1);
	block[4096] = '\0';
	struct partfile_opened opened = open_part("", 0);
	struct hash *hash = hash_new(sizeof(whole)), *read = hash_new(sizeof(digest));
	for (unsigned i = 0; i < 200; i++) {
		block[0] = (char)('a' + i % 26);
		write_text(opened.file, i * 4096, block);
		hash_add(hash, block, i < 199 ? 4096 : 100);
	}
	uint64_t at = 0, end = 199 * 4096 + 100;
	unsigned blocks = 0;
	for (; at < end; blocks++)
		assert_int_equal(partfile_hash(opened.file, read, &at, end, &fault), RESULT_OK);
	assert_int_equal(at, end);
	assert_int_equal(blocks, (end + PARTFILE_HASH_BYTES - 1) / PARTFILE_HASH_BYTES);
	assert_int_equal(hash_end(hash, whole, &fault), RESULT_OK);
	assert_int_equal(hash_end(read, digest, &fault), RESULT_OK);
	assert_memory_equal(digest, whole, sizeof(digest));
	at = 199 * 4096;
	assert_int_equal(partfile_hash(opened.file, NULL, &at, 200 * 4096 + 1, &fault), RESULT_FILE_CHANGED);
	assert_int_equal(at, 199 * 4096);
	file_handle_free(opened.file);
}

static void partfile__destination__is_there_if_it_is_a_plain_file_of_that_size(void **state)
{
	(void)state;
	struct partfile part = part_of("file", "", 0);
	assert_false(partfile_has_destination(&part, SIZE_UNKNOWN));
	put("file", FULL);
	assert_true(partfile_has_destination(&part, SIZE_UNKNOWN));
	assert_true(partfile_has_destination(&part, strlen(FULL)));
	assert_false(partfile_has_destination(&part, strlen(FULL) - 1));
	assert_true(holds("file", FULL));
	put("file", "");
	assert_true(partfile_has_destination(&part, 0));
	landing_make_folder(&landing, "folder");
	part.path = landing_path(&landing, "folder");
	assert_false(partfile_has_destination(&part, SIZE_UNKNOWN));
	part.path = landing_path(&landing, "missing/file");
	assert_false(partfile_has_destination(&part, SIZE_UNKNOWN));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hash_of_what_is_on_disk__goes_block_by_block),
		TEST(new_file__begins_at_zero_beside_the_destination),
		TEST(same_tag_and_size__goes_on_where_it_was_recorded),
		TEST(shorter_than_recorded__begins_anew),
		TEST(partial_file_gone__begins_anew),
		TEST(other_file_bears_the_name__is_refused_and_left_alone),
		TEST(left_from_a_crash_before_its_tag_was_recorded__is_replaced),
		TEST(folder_bears_the_partial_name__is_refused),
		TEST(destination_is_a_folder__is_found_at_once),
		TEST(destination_is_read_only__is_found_at_once),
		TEST(destination_exists__stays_until_it_is_replaced),
		TEST(no_folder__is_path_not_found),
		TEST(relative_path__is_refused),
		TEST(in_a_folder_of_ferrys_own__is_denied),
		TEST(finished__has_exactly_its_size),
		TEST(published__bears_its_name_and_replaces_the_old),
		TEST(published_twice__is_success),
		TEST(published_with_a_zone__is_marked_or_said_not_to_be),
		TEST(partial_file_gone_and_destination_not_ours__is_not_published),
		TEST(size_is_not_what_was_recorded__is_removed_and_not_published),
		TEST(partial_file_exchanged__is_not_published),
		TEST(no_tag_recorded__is_not_published),
		TEST(destination_became_a_folder__is_not_published_and_kept),
		TEST(former_contents__are_kept_as_many_as_are_wanted),
		TEST(former_contents__are_moved_once_whatever_a_crash_left),
		TEST(former_content__of_the_same_bytes_is_not_kept),
		TEST(former_content__in_whose_way_a_folder_is__is_replaced),
		TEST(former_content__that_has_another_name_or_is_a_link__is_replaced),
		TEST(crash__before_the_new_one_has_the_name__keeps_the_former_once),
		TEST(former_contents__are_kept_and_a_file_is_there_all_the_time),
		TEST(yields__to_a_file_that_came_meanwhile),
		TEST(yields__to_nothing__is_published),
		TEST(yields__to_whatever_is_there_before_it_is_fetched),
		TEST(names_in_a_folder_that_is_lent__last_with_one_sync),
		TEST(folder_that_is_gone__keeps_no_name),
		TEST(abandoned__is_gone_and_may_be_abandoned_again),
		TEST(abandoned_without_a_tag__is_ours_by_its_name),
		TEST(abandoned_but_not_ours__is_left_alone),
		TEST(abandoned_after_it_was_published__leaves_the_destination),
		TEST(abandoned_with_its_folder_gone_or_never_begun__is_success),
		TEST(checked__good_ones_pass_and_nothing_is_made),
		TEST(checked__the_first_bad_one_is_named),
		TEST(checked_while_in_use__is_not_refused),
		TEST(destination__is_there_if_it_is_a_plain_file_of_that_size),
		TEST(listed__are_the_names_with_the_prefix),
		TEST(swept__are_plain_files_alone),
		TEST(more_names_than_may_be_listed__are_listed_later),
		TEST(folder_is_kept__serves_its_own_files_only),
	};
	return cmocka_run_group_tests_name("partfile", tests, NULL, NULL);
}
