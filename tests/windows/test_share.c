/* Files on shares: under Wine a folder that its prefix calls one, on Windows this machine's own drives by way of SMB. */
#include "windows_only.h"

#include <stdlib.h>
#include <string.h>

#include "ground.h"
#include "platform/file.h"
#include "windows/land.h"

#define NEEDS_WINDOWS "needs real Windows, as an elevated administrator"

struct scene {
	char local[GROUND_PATH_BYTES_MAX], unc[GROUND_PATH_BYTES_MAX]; /* the same folder */
	char made[GROUND_PATH_BYTES_MAX];                              /* "": nothing more to remove */
	struct fault fault;
};

/* Wine looks for \\server\share in its prefix, where it may be a link or, as here, the folder itself. */
static void set_up_wine(struct scene *scene)
{
	const char *prefix = getenv("WINEPREFIX");
	char parent[GROUND_PATH_BYTES_MAX], server[64];
	assert_non_null(prefix);
	text_display(server, sizeof(server), "ferry-%lu-%llu", GetCurrentProcessId(), (unsigned long long)GetTickCount64());
	assert_int_equal(text_format(parent, sizeof(parent), "Z:%s/dosdevices/unc", prefix), RESULT_OK);
	(void)CreateDirectoryA(parent, NULL); /* it may be there */
	ground_path(scene->made, parent, server);
	ground_make_folder(scene->made);
	ground_path(scene->local, scene->made, "share");
	ground_make_folder(scene->local);
	assert_int_equal(text_format(scene->unc, sizeof(scene->unc), "\\\\%s\\share", server), RESULT_OK);
}

static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	if (!scene)
		return -1;
	if (is_wine()) {
		set_up_wine(scene);
	} else {
		ground_set_up(scene->local);
		assert_int_equal(text_format(scene->unc, sizeof(scene->unc), "\\\\localhost\\%c$%s", scene->local[0], scene->local + 2),
		                 RESULT_OK);
	}
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	ground_tear_down(scene->local);
	if (scene->made[0] != '\0')
		assert_true(RemoveDirectoryA(scene->made));
	free(scene);
	return 0;
}

static bool has_shares(void)
{
	return is_wine() || is_elevated();
}

static const char *local(struct scene *scene, const char *name)
{
	static char paths[4][GROUND_PATH_BYTES_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];
	ground_path(path, scene->local, name);
	return path;
}

static enum result open_path(struct scene *scene, const char *path, struct file_handle **ret_file)
{
	scene->fault = (struct fault){ .result = RESULT_OK };
	return file_shares->open(path, ret_file, &scene->fault);
}

static enum result open_result(struct scene *scene, const char *name)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	char path[GROUND_PATH_BYTES_MAX];
	ground_path(path, scene->unc, name);
	return open_path(scene, path, &file);
}

static struct file_shared look(struct scene *scene, const char *name)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	struct file_shared about = { 0 };
	char path[GROUND_PATH_BYTES_MAX];
	ground_path(path, scene->unc, name);
	if (open_path(scene, path, &file) != RESULT_OK || file_shares->look(file, &about, &scene->fault) != RESULT_OK)
		fail_msg("%s: %s", path, scene->fault.what);
	return about;
}

static void share__a_file__is_read_and_told_from_others(void **state)
{
	struct scene *scene = *state;
	char path[GROUND_PATH_BYTES_MAX], bytes[16] = "";
	size_t length = 0;
	if (!has_shares())
		GROUND_SKIP(NEEDS_WINDOWS);
	ground_write(local(scene, "a file"), "whole content");
	ground_write(local(scene, "other"), "whole content");
	ground_path(path, scene->unc, "a file");
	AUTO(file_handle) struct file_handle *file = NULL;
	if (open_path(scene, path, &file) != RESULT_OK)
		fail_msg("%s", scene->fault.what);
	assert_int_equal(file_shares->read(file, 6, bytes, sizeof(bytes), &length, &scene->fault), RESULT_OK);
	assert_int_equal(length, 7);
	assert_memory_equal(bytes, "content", 7);
	file_handle_free(TAKE(file));
	struct file_shared first = look(scene, "a file"), other = look(scene, "other");
	assert_int_equal(first.bytes, 13);
	assert_true(first.modified_s > INT64_C(1700000000));
	assert_string_equal(look(scene, "a file").version, first.version);
	assert_string_not_equal(other.version, first.version);
	ground_write(local(scene, "a file"), "Whole content"); /* as long, in the same file */
	assert_string_not_equal(look(scene, "a file").version, first.version);
}

static void share__what_is_not_there_or_no_file__is_said(void **state)
{
	struct scene *scene = *state;
	if (!has_shares())
		GROUND_SKIP(NEEDS_WINDOWS);
	ground_make_folder(local(scene, "folder"));
	ground_write(local(scene, "file"), "");
	assert_int_equal(open_result(scene, "none"), RESULT_SOURCE_NOT_FOUND);
	assert_int_equal(open_result(scene, "none\\none"), RESULT_SOURCE_NOT_FOUND);
	assert_int_equal(open_result(scene, "file\\none"), RESULT_SOURCE_NOT_FOUND);
	assert_int_equal(open_result(scene, "folder"), RESULT_SOURCE_NOT_FOUND);
}

static void share__somebody_writes__it_is_waited_for_and_nobody_begins_to(void **state)
{
	struct scene *scene = *state;
	char path[GROUND_PATH_BYTES_MAX];
	if (!has_shares())
		GROUND_SKIP(NEEDS_WINDOWS);
	ground_write(local(scene, "file"), "content");
	HANDLE writer = CreateFileA(local(scene, "file"), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0,
	                            NULL);
	assert_true(writer != INVALID_HANDLE_VALUE);
	assert_int_equal(open_result(scene, "file"), RESULT_SOURCE_LOCKED);
	CloseHandle(writer);
	ground_path(path, scene->unc, "file");
	AUTO(file_handle) struct file_handle *file = NULL;
	assert_int_equal(open_path(scene, path, &file), RESULT_OK);
	writer = CreateFileA(local(scene, "file"), GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_EXISTING, 0, NULL);
	assert_true(writer == INVALID_HANDLE_VALUE && GetLastError() == ERROR_SHARING_VIOLATION);
	assert_false(DeleteFileA(local(scene, "file")));
}

/* --- what only Windows shows --- */

/* However a path comes to mean a file of this machine's: no byte of that is read. */
static void share__a_file_of_this_machine__is_refused(void **state)
{
	struct scene *scene = *state;
	AUTO(file_handle) struct file_handle *file = NULL;
	if (is_wine() || !is_elevated())
		GROUND_SKIP(NEEDS_WINDOWS ": who serves an open file (Wine has no redirector)");
	ground_write(local(scene, "secret"), "secret");
	assert_int_equal(open_path(scene, local(scene, "secret"), &file), RESULT_REDIRECT_REFUSED);
	assert_null(file);
}

/* The server says that it is one, and the client would follow it: to this machine, or to any other. */
static void share__links__are_not_followed(void **state)
{
	struct scene *scene = *state;
	if (is_wine() || !is_elevated())
		GROUND_SKIP(NEEDS_WINDOWS ": links on a server");
	ground_make_folder(local(scene, "real"));
	ground_write(local(scene, "real\\file"), "content");
	assert_int_equal(open_result(scene, "real\\file"), RESULT_OK);
	assert_true(ground_soft_link(local(scene, "folder"), local(scene, "real"), true));
	assert_true(ground_soft_link(local(scene, "link"), local(scene, "real\\file"), false));
	assert_int_equal(open_result(scene, "folder\\file"), RESULT_REDIRECT_REFUSED);
	assert_int_equal(open_result(scene, "link"), RESULT_REDIRECT_REFUSED);
}

struct reading {
	struct scene *scene;
	const char *name;
	enum result result;
};

static void read_as(void *argument)
{
	struct reading *reading = argument;
	reading->result = open_result(reading->scene, reading->name);
}

/* The server is asked by whoever the thread wears, not by the process: who is no administrator gets nothing of C$. */
static void share__of_a_lesser_identity__is_denied_to_it(void **state)
{
	struct scene *scene = *state;
	if (is_wine() || !is_elevated())
		GROUND_SKIP(NEEDS_WINDOWS ": whom the server sees");
	AUTO(identity) struct identity *stranger = lesser_identity(true);
	struct reading reading = { .scene = scene, .name = "file" };
	ground_write(local(scene, "file"), "content");
	assert_int_equal(open_result(scene, "file"), RESULT_OK);
	act_as(stranger, read_as, &reading);
	assert_int_equal(reading.result, RESULT_SOURCE_DENIED);
}

struct asking {
	enum result result;
	struct fault fault;
};

static void ask_nobody(void *argument)
{
	struct asking *asking = argument;
	struct file_handle *file = NULL;
	/* Of the network that is for documentation (RFC 5737): whoever is asked there never answers. */
	asking->result = file_shares->open("\\\\192.0.2.1\\share\\file", &file, &asking->fault);
}

static void share__server_that_says_nothing__is_interrupted(void **state)
{
	struct asking asking = { .result = RESULT_OK };
	struct thread *thread = NULL;
	struct fault fault;
	(void)state;
	if (is_wine())
		GROUND_SKIP("needs real Windows: a server that says nothing");
	assert_int_equal(thread_start("asks", ask_nobody, &asking, &thread, &fault), RESULT_OK);
	file_shares->interrupt(thread, true);
	thread_join(thread);
	/* Without a network nobody waits for an answer. */
	assert_true(asking.result == RESULT_CANCELLED || asking.result == RESULT_CONNECT_FAILED);
}

int main(void)
{
#define SHARE_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		SHARE_TEST(share__a_file__is_read_and_told_from_others),
		SHARE_TEST(share__what_is_not_there_or_no_file__is_said),
		SHARE_TEST(share__somebody_writes__it_is_waited_for_and_nobody_begins_to),
		SHARE_TEST(share__a_file_of_this_machine__is_refused),
		SHARE_TEST(share__links__are_not_followed),
		SHARE_TEST(share__of_a_lesser_identity__is_denied_to_it),
		SHARE_TEST(share__server_that_says_nothing__is_interrupted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
