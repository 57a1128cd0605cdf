/* libferry: connecting, jobs and their files, errors. */
#include "client/ferry_scene.h"

static void ferry__hello__says_who_is_there(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_server server;

	ferry_get_server(ferry, &server);
	assert_string_equal(server.version, "scene 1");
	assert_string_equal(server.owner, "S-1-5-21-1");
	assert_true(server.elevated);
	assert_string_equal(scene->client, "test 1");
	ferry_close(ferry);
}

static void ferry__nobody_there__is_not_running(void **state)
{
	struct scene *scene = *state;
	const struct ferry_options options = { .address = scene->address, .open_timeout_ms = 1 };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	stop(scene);
	assert_int_equal(ferry_connect(&options, &ferry, &error), FERRY_NOT_RUNNING);
	assert_null(ferry);
	assert_string_equal(error.name, "NOT_RUNNING");
	assert_int_equal(error.hresult, 0x80070426);
	assert_string_not_equal(error.remedy, "");
}

static void ferry__another_protocol__is_refused(void **state)
{
	struct scene *scene = *state;
	const struct ferry_options options = { .address = scene->address, .accept_console = true };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	scene->protocol = 2;
	assert_int_equal(ferry_connect(&options, &ferry, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "NOT_SUPPORTED");
}

static void ferry__a_stranger__is_told_nothing(void **state)
{
	struct scene *scene = *state;
	const struct ferry_options options = { .address = scene->address };
	struct ferry *ferry = NULL;
	struct ferry_error error;

	if (!ground_be_not_the_service(scene->folder))
		GROUND_SKIP("a server that is not the service");
	assert_int_equal(ferry_connect(&options, &ferry, &error), FERRY_NOT_THE_SERVICE);
	assert_int_equal(scene->asked[METHOD_HELLO], 0);
}

/* --- jobs --- */

static void ferry__a_new_job__carries_its_properties_and_files(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	const struct ferry_source files[] = { { .url = "https://host/a", .path = "/there/a", .size_bytes = 7 },
		                                  { .url = "https://host/b", .path = "/there/b", .size_bytes = FERRY_SIZE_UNKNOWN } };
	const struct ferry_new_job request = {
		.key = "k1",
		.properties = { .given = FERRY_GIVE_NAME | FERRY_GIVE_PRIORITY | FERRY_GIVE_MAX_TIME | FERRY_GIVE_LEASE,
		                .name = "Nightly",
		                .description = "not given",
		                .priority = FERRY_PRIORITY_HIGH,
		                .max_time_s = 60,
		                .lease_s = 90 },
		.files = files,
		.file_count = 2,
	};
	struct ferry_job *job = NULL;
	bool created = false;

	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_true(created);
	assert_string_equal(ferry_job_id(job), JOB_ID);
	assert_int_equal(scene->files_seen, 2);
	assert_string_equal(scene->key, "k1");
	assert_int_equal(scene->properties_given, PROPERTY_NAME | PROPERTY_PRIORITY | PROPERTY_MAX_TIME | PROPERTY_LEASE);
	assert_string_equal(scene->properties.name, "Nightly");
	assert_int_equal(scene->properties.priority, JOB_HIGH);
	assert_int_equal(scene->properties.max_time_s, 60);
	assert_int_equal(scene->properties.lease_s, 90);
	ferry_job_close(job);
	ferry_close(ferry);
}

#define MANY 3000
static void many_files(struct ferry_source files[MANY])
{
	static char urls[MANY][64], paths[MANY][64];

	for (unsigned i = 0; i < MANY; i++) {
		must(text_format(urls[i], sizeof(urls[i]), "https://host/%u", i));
		must(text_format(paths[i], sizeof(paths[i]), "/there/%u", i));
		files[i] = (struct ferry_source){ .url = urls[i], .path = paths[i], .size_bytes = i };
	}
}

static void ferry__many_files__are_split_below_the_maximum(void **state)
{
	struct scene *scene = *state;
	static struct ferry_source files[MANY];
	const struct ferry_new_job request = { .properties = { .given = FERRY_GIVE_NAME, .name = "Many" },
		                                   .files = files,
		                                   .file_count = MANY };
	struct ferry_job *job = NULL;
	bool created;
	size_t added = 0;

	many_files(files);
	scene->message_bytes_max = MESSAGE_BYTES_SMALL;
	struct ferry *ferry = connect_to(scene);
	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_int_equal(scene->files_seen, MANY);
	assert_true(scene->asked[METHOD_JOB_ADD_FILES] >= 2);
	assert_true(scene->longest_message <= MESSAGE_BYTES_SMALL);

	assert_int_equal(ferry_job_add_files(job, files, MANY, &added, NULL), FERRY_OK);
	assert_int_equal(added, MANY);
	assert_int_equal(scene->files_seen, 2 * MANY);
	assert_true(scene->longest_message <= MESSAGE_BYTES_SMALL);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_submit_that_was_cut_off__goes_on_where_it_stopped(void **state)
{
	struct scene *scene = *state;
	static struct ferry_source files[MANY];
	const struct ferry_new_job request = {
		.key = "k", .properties = { .given = FERRY_GIVE_NAME, .name = "Many" }, .files = files, .file_count = MANY
	};
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = NULL;
	bool created = true;

	many_files(files);
	scene->existed = true;
	scene->job.job.files_total = MANY - 10;
	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_false(created);
	assert_int_equal(scene->job.job.files_total, MANY);
	ferry_job_close(job);

	/* One that was resumed had all it should have. */
	scene->job.job.files_total = MANY - 10;
	scene->job.job.state = JOB_QUEUED;
	assert_int_equal(ferry_job_create(ferry, &request, &job, &created, NULL), FERRY_OK);
	assert_int_equal(scene->job.job.files_total, MANY - 10);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_file_beyond_all_measure__is_refused_by_its_number(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	static char url[200000];
	const struct ferry_source files[] = { { .url = "https://host/a", .path = "/there/a", .size_bytes = 1 }, { .url = url, .path = "/there/b", .size_bytes = 1 } };
	struct ferry_error error;
	size_t added = 9;

	memset(url, 'a', sizeof(url) - 1);
	assert_int_equal(ferry_job_add_files(job, files, 2, &added, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "TOO_LONG");
	assert_non_null(strstr(error.message, "files[1]"));
	assert_int_equal(added, 0);
	assert_int_equal(scene->asked[METHOD_JOB_ADD_FILES], 0);
	ferry_job_close(job);
	ferry_close(ferry);
}

static bool count_file(void *context, const struct ferry_file *file)
{
	unsigned *count = context;

	assert_int_equal(file->ordinal, *count);
	assert_null(strstr(file->url, "secret"));
	assert_true(file->bytes_total == FERRY_SIZE_UNKNOWN);
	*count += 1;
	return true;
}

static bool count_to_100(void *context, const struct ferry_status *status)
{
	unsigned *count = context;

	assert_string_equal(status->name, "Nightly");
	*count += 1;
	return *count < 100;
}

static void ferry__lists__are_walked_page_by_page(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	unsigned count = 0;

	assert_int_equal(ferry_job_files(job, 0, count_file, &count, NULL), FERRY_OK);
	assert_int_equal(count, 150);
	assert_int_equal(scene->asked[METHOD_JOB_GET], 3);
	count = 0;
	assert_int_equal(ferry_jobs(ferry, FERRY_LIST_FINISHED, count_to_100, &count, NULL), FERRY_OK);
	assert_int_equal(count, 100); /* the visitor had enough */
	assert_int_equal(scene->asked[METHOD_JOB_LIST], 2);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__control__tells_the_new_state(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;
	struct ferry_service service;

	assert_int_equal(ferry_job_resume(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_QUEUED);
	assert_int_equal(ferry_job_suspend(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_SUSPENDED);
	assert_int_equal(ferry_job_complete(job, &status, NULL), FERRY_OK);
	assert_true(status.completing);
	assert_int_equal(ferry_job_cancel(job, NULL, NULL), FERRY_OK);
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.state, FERRY_STATE_CANCELLED);
	assert_int_equal(ferry_service_status(ferry, &service, NULL), FERRY_OK);
	assert_int_equal(service.jobs_queued, 5);
	ferry_job_close(job);
	ferry_close(ferry);
}

static bool add_setting(void *context, const struct ferry_setting *setting)
{
	char *to = context;

	text_display(to + strlen(to), 512 - strlen(to), "%s=%s %s %s %u\n", setting->key, setting->value, setting->layer, setting->source,
	             setting->line);
	return strcmp(setting->key, "rate.limits") != 0;
}

static void ferry_config__shown_and_read_again__comes_as_it_was_said(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_reload reload;
	char shown[512] = "";

	assert_int_equal(ferry_config_show(ferry, add_setting, shown, NULL), FERRY_OK);
	assert_string_equal(shown, "queue.slice_s=60 file ferry.jsonc 3\npower.battery_saver=\"all\" built-in  0\n"
	                           "rate.limits=[\"low off\",\"a\\\"b\"] policy rate.limits 0\n");
	assert_int_equal(ferry_config_reload(ferry, &reload, NULL), FERRY_OK);
	assert_true(reload.taken);
	assert_string_equal(reload.now, "queue.slice_s 900 -> 60");
	scene->unreadable = true;
	assert_int_equal(ferry_config_reload(ferry, &reload, NULL), FERRY_OK);
	assert_false(reload.taken);
	assert_string_equal(reload.errors, "one\ntwo");
	ferry_close(ferry);
}

static bool add_declared(void *context, const struct ferry_declared *declared)
{
	char *to = context;

	text_display(to + strlen(to), 512 - strlen(to), "%s %s %u %s [%s]\n", declared->name, declared->action, (unsigned)declared->fetch,
	             declared->reason, declared->error);
	return true;
}

static void ferry_declared__compared_and_applied__comes_as_it_was_said(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	char errors[FERRY_DECLARED_ERRORS_BYTES_MAX];

	for (unsigned act = 0; act < 2; act++) {
		char shown[512] = "";

		scene->unreadable = false;
		assert_int_equal(ferry_declared(ferry, act == 1, add_declared, shown, errors, NULL), FERRY_OK);
		assert_string_equal(shown, "app repair 2 2 files missing []\nb create 0 r [e]\n");
		assert_string_equal(errors, "");
		scene->unreadable = true;
		shown[0] = '\0';
		assert_int_equal(ferry_declared(ferry, act == 1, add_declared, shown, errors, NULL), FERRY_OK);
		assert_string_equal(errors, "one\ntwo");
		assert_string_equal(shown, "");
	}
	char id[FERRY_ID_BYTES];

	assert_int_equal(ferry_declared_find(ferry, "app", id, NULL), FERRY_OK);
	assert_string_equal(id, scene->job.job.id);
	ferry_close(ferry);
}

static void ferry__a_refusal__comes_with_name_number_and_native_code(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status = { .id = "untouched" };
	struct ferry_error error;

	scene->refuse = METHOD_JOB_RESUME + 1;
	scene->refusal = (struct fault){ RESULT_INVALID_STATE, FAULT_HTTP, 404, "the scene" };
	assert_int_equal(ferry_job_resume(job, &status, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "INVALID_STATE");
	assert_int_equal(error.hresult, 0x80200002);
	assert_string_equal(error.source, "http");
	assert_int_equal(error.code, 404);
	assert_string_equal(error.message, "The job's state does not allow this: the scene");
	assert_string_equal(status.id, "untouched");
	ferry_job_close(job);

	scene->gone = true;
	assert_int_equal(ferry_job_open(ferry, OTHER_ID, &job, &error), FERRY_NOT_FOUND);
	ferry_close(ferry);
}

/* Whatever met the error, its number comes through, and what cannot be mended by asking again is a refusal. */
static void ferry__an_error_of_any_source__is_told_whole(void **state)
{
	static const struct {
		struct fault fault;
		enum ferry_result result;
		uint32_t hresult;
		const char *source, *message;
	} cases[] = {
		{ { RESULT_DENIED, FAULT_WIN32, 5, "files[3].path: C:\\a" }, FERRY_REFUSED, 0x80070005, "win32",
		  "Access was denied: files[3].path: C:\\a" },
		{ { RESULT_PATH_NOT_FOUND, FAULT_NTSTATUS, -1073741766, "files[0].path" }, FERRY_REFUSED, 0x80070003,
		  "ntstatus", "There is no such folder: files[0].path" },
		{ { RESULT_IS_FOLDER, FAULT_ERRNO, 21, "" }, FERRY_REFUSED, 0x80070050, "errno", "The destination is a folder." },
		{ { RESULT_STORE_BUSY, FAULT_SQLITE, 13, "commit" }, FERRY_FAILED, 0x80200043, "sqlite",
		  "The queue's database could not be written: commit" },
		{ { RESULT_CONNECT_FAILED, FAULT_CURL, 7, "https://h/" }, FERRY_FAILED, 0x8020002D, "curl",
		  "No connection to the server could be made: https://h/" },
		{ { RESULT_HTTP_STATUS, FAULT_HTTP, 410, "https://h/" }, FERRY_REFUSED, 0x8019019A, "http",
		  "The server answered with an error status: https://h/" },
		{ { RESULT_EMPTY, FAULT_FERRY, 0, "resume" }, FERRY_REFUSED, 0x80200003, "", "The job has no files: resume" },
	};
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);

	scene->refuse = METHOD_JOB_RESUME + 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ferry_error error;
		mutex_lock(scene->mutex);
		scene->refusal = cases[i].fault;
		mutex_unlock(scene->mutex);
		assert_int_equal(ferry_job_resume(job, NULL, &error), cases[i].result);
		assert_string_equal(error.name, result_name(cases[i].fault.result));
		assert_int_equal(error.hresult, cases[i].hresult);
		assert_string_equal(error.source, cases[i].source);
		assert_int_equal(error.code, cases[i].fault.raw);
		assert_string_equal(error.message, cases[i].message);
		assert_string_equal(error.remedy, result_remedy(cases[i].fault.result));
	}
	ferry_job_close(job);
	ferry_close(ferry);
}

/* A change of nothing renews the lease, and how long that is comes with the job. */
static void ferry__a_change_of_nothing__is_sent_all_the_same(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	const struct ferry_properties none = { .given = 0, .lease_s = 90 };
	struct ferry_status status;

	mutex_lock(scene->mutex);
	scene->properties_given = 0;
	scene->job.job.properties.lease_s = 3600;
	scene->job.lease_ends_ms = 7200000;
	mutex_unlock(scene->mutex);
	assert_int_equal(ferry_job_set_properties(job, &none, NULL), FERRY_OK);
	assert_int_equal(scene->asked[METHOD_JOB_SET_PROPERTIES], 1);
	assert_int_equal(scene->properties_given, 0);
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.lease_s, 3600);
	assert_int_equal(status.lease_ends_ms, 7200000);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_prefix__is_sent_and_the_files_are_counted(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;
	uint32_t files = 0;

	scene->files_changed = 3;
	assert_int_equal(ferry_job_replace_remote_prefix(job, "http://old/", "https://new/m/", &files, NULL), FERRY_OK);
	assert_int_equal(files, 3);
	assert_string_equal(scene->prefixes[0], "http://old/");
	assert_string_equal(scene->prefixes[1], "https://new/m/");
	assert_int_equal(ferry_job_replace_remote_prefix(job, "http://old/", "https://new/m/", NULL, NULL), FERRY_OK);
	files = 4711;
	scene->refuse = METHOD_JOB_REPLACE_REMOTE_PREFIX + 1;
	scene->refusal = (struct fault){ .result = RESULT_BAD_URL, .what = "params.new_prefix: files[0].url: no host" };
	assert_int_equal(ferry_job_replace_remote_prefix(job, "http://", "http://", &files, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "BAD_URL");
	assert_non_null(strstr(error.message, "files[0].url"));
	assert_int_equal(files, 4711);
	ferry_job_close(job);
	ferry_close(ferry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ferry__hello__says_who_is_there),
		TEST(ferry__nobody_there__is_not_running),
		TEST(ferry__another_protocol__is_refused),
		TEST(ferry__a_stranger__is_told_nothing),
		TEST(ferry__a_new_job__carries_its_properties_and_files),
		TEST(ferry__many_files__are_split_below_the_maximum),
		TEST(ferry__a_prefix__is_sent_and_the_files_are_counted),
		TEST(ferry__a_submit_that_was_cut_off__goes_on_where_it_stopped),
		TEST(ferry__a_file_beyond_all_measure__is_refused_by_its_number),
		TEST(ferry__an_error_of_any_source__is_told_whole),
		TEST(ferry__a_change_of_nothing__is_sent_all_the_same),
		TEST(ferry__lists__are_walked_page_by_page),
		TEST(ferry__control__tells_the_new_state),
		TEST(ferry_config__shown_and_read_again__comes_as_it_was_said),
		TEST(ferry_declared__compared_and_applied__comes_as_it_was_said),
		TEST(ferry__a_refusal__comes_with_name_number_and_native_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
