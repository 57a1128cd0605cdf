/* Helper tokens lent over the real pipe, by libferry, to the real engine with real workers; whose they are is told by the
 * peer's token.  Under Wine every token has one SID: what differs is whether Administrators is enabled, and the digest. */
#include "windows/windows_only.h"

#include <stdlib.h>
#include <string.h>
#include <tlhelp32.h>

#include "../../client/ferry.h"
#include "ground.h"
#include "http_server.h"
#include "peer/canary.h"
#include "peer/peer.h"
#include "platform/clock.h"
#include "platform/file.h"
#include "runtime/session.h"
#include "scratch.h"

#define BYTES 100000
#define LENDINGS 1000 /* or what $FERRY_LENDINGS says: peer.lend_often has 10,000 */
#define LENDINGS_MAX 100000
#define HANDLES_AT_WORK 8 /* others' threads hold some for a moment; a leak in a hundred would be more */
#define LONG_MS 60000

struct service {
	char folder[512], database[600], address[128], log[600];
	struct settings settings;
	struct service_status program;
	struct worker_settings workers;
	struct store *store;
	struct events *events;
	struct engine *engine;
	struct sessions *sessions;
	struct thread *thread;
	struct http_server *server;
	struct ferry *ferry;
	struct ferry_job *job;
	struct identity *plain, *helper; /* the plain owner, and a plain helper that is another identity */
};

/* Half of it and no more, where the target says so: once, or each time. */
static bool answer(void *context, const struct http_request *request, struct http_connection *connection)
{
	static char bytes[BYTES];
	(void)context;
	if (!http_print(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", BYTES))
		return false;
	if (strstr(request->target, "stuck") == NULL && (strstr(request->target, "slow") == NULL || request->number > 0))
		return http_send(connection, bytes, sizeof(bytes));
	http_send(connection, bytes, sizeof(bytes) / 2);
	http_hold(connection);
	return false;
}

static void serve(void *argument)
{
	engine_run(((struct service *)argument)->engine);
}

/* Neither an administrator nor, by its default DACL, the plain owner: the user's own SID cannot be taken away under Wine. */
static struct identity *plain_helper(void)
{
	SID_IDENTIFIER_AUTHORITY authority = { SECURITY_NT_AUTHORITY };
	union {
		ACL header;
		BYTE bytes[256];
	} acl;
	TOKEN_DEFAULT_DACL dacl = { .DefaultDacl = &acl.header };
	AUTO(handle) HANDLE lesser = lesser_token(false);
	AUTO(handle) HANDLE token = NULL;
	PSID sid = NULL;
	struct identity *identity = NULL;
	struct fault fault = { .what = "" };
	assert_true(AllocateAndInitializeSid(&authority, 3, 21, 99, 7, 0, 0, 0, 0, 0, &sid));
	assert_true(InitializeAcl(&acl.header, sizeof(acl), ACL_REVISION));
	assert_true(AddAccessAllowedAce(&acl.header, ACL_REVISION, GENERIC_ALL, sid));
	assert_true(DuplicateTokenEx(lesser, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE | TOKEN_ADJUST_DEFAULT, NULL,
	                             SecurityImpersonation, TokenImpersonation, &token));
	assert_true(SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl)));
	if (identity_from_token(token, &identity, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	FreeSid(sid);
	return identity;
}

static int set_up(void **state)
{
	struct service *service = calloc(1, sizeof(*service));
	struct events_settings events;
	struct fault fault = { .what = "" };
	assert_non_null(service);
	scratch_make(service->folder, sizeof(service->folder));
	snprintf(service->database, sizeof(service->database), "%s\\queue.sqlite3", service->folder);
	snprintf(service->log, sizeof(service->log), "%s\\ferry.jsonl", service->folder);
	snprintf(service->address, sizeof(service->address), "\\\\.\\pipe\\FerryLend-%lu", GetCurrentProcessId());
	settings_default(&service->settings);
	events = (struct events_settings){ service->folder, 1 << 24, 2, false };
	assert_int_equal(transfer_global_init(&fault), RESULT_OK);
	assert_int_equal(store_open(service->database, &service->store, &fault), RESULT_OK);
	assert_int_equal(events_open(&events, clock_system(), &service->events, &fault), RESULT_OK);
	service->workers.transfer = (struct transfer_limits){ .checkpoint_bytes = 1 << 20, .connect_timeout_ms = 10000,
		                                                  .stall_timeout_s = 60, .connections_per_host_max = 6,
		                                                  .connections_max = 16, .user_agent = "test" };
	struct engine_parts parts = { .store = service->store, .events = service->events, .settings = &service->settings,
		                          .clock = clock_system(), .random = identity_random, .path_style = file_path_style,
		                          .version = "test", .queue_mark = "5ea5ea5ea5ea5ea5",
		                          .workers = worker_real_ops(&service->workers) };
	assert_int_equal(engine_new(&parts, &service->engine, &fault), RESULT_OK);
	struct sessions_settings door = { .address = service->address, .program = &service->program, .settings = &service->settings, .data_folder = "" };
	if (sessions_start(&door, service->engine, &service->sessions, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	assert_int_equal(thread_start("engine", serve, service, &service->thread, &fault), RESULT_OK);
	service->server = http_server_start(answer, NULL);
	service->plain = lesser_identity(false);
	service->helper = plain_helper();
	*state = service;
	return 0;
}

static int tear_down(void **state)
{
	struct service *service = *state;
	ferry_job_close(service->job);
	ferry_close(service->ferry);
	engine_stop(service->engine);
	thread_join(service->thread);
	sessions_free(service->sessions);
	engine_free(service->engine);
	store_free(service->store);
	events_free(service->events);
	http_server_stop(service->server);
	identity_free(service->plain);
	identity_free(service->helper);
	scratch_remove(service->folder);
	free(service);
	return 0;
}

/* --- clients: each deed is done by a thread that wears what it is done as, and that says so --- */

struct deed {
	struct service *service;
	void (*act)(struct deed *deed);
	const char *name; /* of the file to fetch */
	enum ferry_result result;
	struct ferry_error error;
	struct ferry_loan_terms terms;
	char ticket[FERRY_TICKET_BYTES];
};

static void do_deed(void *argument)
{
	struct deed *deed = argument;
	if (peer_speak())
		deed->act(deed);
}

/* As the identity; NULL: as the process, which is an elevated administrator. */
static struct deed perform(struct service *service, const struct identity *as, void (*act)(struct deed *deed),
                           const char *name)
{
	struct deed deed = { .service = service, .act = act, .name = name, .result = FERRY_FAILED };
	if (as != NULL)
		act_as(as, do_deed, &deed);
	else
		do_deed(&deed);
	return deed;
}

static void expect(const struct deed *deed, enum ferry_result result, const char *words)
{
	if (deed->result != result || (words != NULL && strstr(deed->error.message, words) == NULL))
		fail_msg("%d: %s: %s", (int)deed->result, deed->error.name, deed->error.message);
}

static void create(struct deed *deed)
{
	struct service *service = deed->service;
	const struct ferry_options options = { .address = service->address, .accept_console = true };
	char url[128], path[700], target[64];
	bool created;
	ferry_job_close(service->job);
	ferry_close(service->ferry);
	service->job = NULL;
	service->ferry = NULL;
	snprintf(target, sizeof(target), "/%s", deed->name);
	http_server_url(service->server, target, url, sizeof(url));
	snprintf(path, sizeof(path), "%s\\%s", service->folder, deed->name);
	const struct ferry_source file = { .url = url, .path = path, .size_bytes = FERRY_SIZE_UNKNOWN };
	const struct ferry_new_job wanted = { .properties = { .given = FERRY_GIVE_NAME | FERRY_GIVE_AUTO_COMPLETE,
		                                                  .name = deed->name, .auto_complete = true },
		                                  .files = &file, .file_count = 1 };
	deed->result = ferry_connect(&options, &service->ferry, &deed->error);
	if (deed->result == FERRY_OK)
		deed->result = ferry_job_create(service->ferry, &wanted, &service->job, &created, &deed->error);
}

static void lend(struct deed *deed)
{
	/* No session of Wine's ends, so what is lent stays until it is cleared. */
	deed->result = ferry_job_set_helper_token(deed->service->job, NULL, &deed->terms, &deed->error);
}

static void clear(struct deed *deed)
{
	deed->result = ferry_job_clear_helper_token(deed->service->job, &deed->error);
}

static unsigned the_flags;

static void set_flags(struct deed *deed)
{
	deed->result = ferry_job_set_helper_token_flags(deed->service->job, the_flags, &deed->error);
}

static void flag_local_file(struct deed *deed)
{
	the_flags = FERRY_HELPER_LOCAL_FILE;
	set_flags(deed);
}

static void cancel(struct deed *deed)
{
	deed->result = ferry_job_cancel(deed->service->job, NULL, &deed->error);
}

static void resume(struct deed *deed)
{
	deed->result = ferry_job_resume(deed->service->job, NULL, &deed->error);
}

static struct ferry_status status_of(struct service *service)
{
	static struct ferry_status status;
	struct ferry_error error;
	assert_true(peer_speak());
	assert_int_equal(ferry_job_get(service->job, &status, &error), FERRY_OK);
	return status;
}

static struct ferry_status await_state(struct service *service, enum ferry_state state)
{
	struct ferry_status status;
	struct ferry_error error;
	const struct ferry_wait wait = { .states = FERRY_STATE_BIT(state), .timeout_ms = LONG_MS };
	assert_true(peer_speak());
	if (ferry_job_wait(service->job, &wait, &status, &error) != FERRY_OK)
		fail_msg("%s: %s: %s", ferry_state_name(status.state), status.error.name, status.error.message);
	return status;
}

static uint32_t workers(struct service *service)
{
	struct ferry_service now;
	struct ferry_error error;
	assert_true(peer_speak());
	assert_int_equal(ferry_service_status(service->ferry, &now, &error), FERRY_OK);
	return now.workers;
}

static void await_workers(struct service *service, uint32_t count)
{
	int64_t until_ms = clock_mono_ms() + LONG_MS;
	while (workers(service) != count) {
		assert_true(clock_mono_ms() < until_ms);
		Sleep(10);
	}
}

static bool was_told(const struct service *service, const char *words)
{
	AUTO(buffer) struct buffer log = BUFFER(1 << 24);
	struct fault fault;
	assert_int_equal(file_read_all(service->log, &log, &fault), RESULT_OK);
	return log.bytes != NULL && strstr(log.bytes, words) != NULL;
}

static bool landed(const struct service *service, const char *name)
{
	AUTO(buffer) struct buffer bytes = BUFFER(2 * BYTES);
	char path[700];
	struct fault fault;
	snprintf(path, sizeof(path), "%s\\%s", service->folder, name);
	return file_read_all(path, &bytes, &fault) == RESULT_OK && bytes.length == BYTES;
}

/* --- the claims --- */

static void lend__administrators_token__is_taken_from_an_elevated_opener_only(void **state)
{
	struct service *service = *state;
	struct deed deed = perform(service, service->plain, create, "a.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, NULL, lend, NULL); /* the job was opened by the plain one */
	expect(&deed, FERRY_ACCESS_REFUSED, "lend-not-administrators");
	assert_true(was_told(service, "\"id\":1015"));
	deed = perform(service, service->helper, lend, NULL);
	expect(&deed, FERRY_OK, NULL);
	assert_int_equal(deed.terms.life, FERRY_LIFE_SESSION);
	assert_true(was_told(service, "\"id\":1011"));
	deed = perform(service, NULL, create, "b.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, NULL, lend, NULL);
	expect(&deed, FERRY_OK, NULL);
}

/* What each thread of this process that wears anything is: a copy of the token that it wears right now. */
static size_t worn_tokens(struct identity *worn[], size_t max)
{
	AUTO(handle) HANDLE threads = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
	THREADENTRY32 entry = { .dwSize = sizeof(entry) };
	struct fault fault = { .what = "" };
	size_t count = 0;
	assert_true(threads != INVALID_HANDLE_VALUE);
	for (BOOL more = Thread32First(threads, &entry); more; more = Thread32Next(threads, &entry)) {
		AUTO(handle) HANDLE thread = NULL;
		AUTO(handle) HANDLE token = NULL;
		if (entry.th32OwnerProcessID != GetCurrentProcessId())
			continue;
		thread = OpenThread(THREAD_QUERY_INFORMATION, FALSE, entry.th32ThreadID);
		if (thread == NULL || !OpenThreadToken(thread, TOKEN_QUERY | TOKEN_DUPLICATE, TRUE, &token))
			continue;
		assert_true(count < max);
		assert_int_equal(identity_from_token(token, &worn[count++], &fault), RESULT_OK);
	}
	return count;
}

static bool same(const struct identity *a, const struct identity *b)
{
	return memcmp(identity_digest(a), identity_digest(b), IDENTITY_DIGEST_BYTES) == 0;
}

/* An elevated owner's job with a plain helper for one side or both: its workers are asked for a thing that administrators
 * alone get, with the very tokens that they wear. */
static void lend__each_flag__a_worker_wears_whom_it_should(void **state)
{
	static const unsigned flags[] = { FERRY_HELPER_LOCAL_FILE, FERRY_HELPER_NETWORK,
		                              FERRY_HELPER_LOCAL_FILE | FERRY_HELPER_NETWORK };
	struct service *service = *state;
	AUTO(identity) struct identity *own = NULL;
	struct canary canary;
	struct fault fault;
	assert_int_equal(identity_self(&own, &fault), RESULT_OK);
	make_canary(&canary);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		struct identity *worn[8] = { NULL };
		size_t helpers = 0, expected = flags[i] == (FERRY_HELPER_LOCAL_FILE | FERRY_HELPER_NETWORK) ? 2 : 1;
		struct deed deed = perform(service, NULL, create, "stuck.bin");
		expect(&deed, FERRY_OK, NULL);
		the_flags = flags[i];
		deed = perform(service, NULL, set_flags, NULL);
		expect(&deed, FERRY_OK, NULL);
		deed = perform(service, service->helper, lend, NULL);
		expect(&deed, FERRY_OK, NULL);
		deed = perform(service, NULL, resume, NULL);
		expect(&deed, FERRY_OK, NULL);
		await_state(service, FERRY_STATE_TRANSFERRING);
		size_t count = worn_tokens(worn, 8);
		assert_int_equal(count, workers(service)); /* the owner's idle ones of before are among them */
		for (size_t j = 0; j < count; j++) {
			bool is_helper = same(worn[j], service->helper);
			assert_true(is_helper || same(worn[j], own));
			assert_int_equal(touch_as(&canary, worn[j]), is_helper ? ERROR_ACCESS_DENIED : ERROR_SUCCESS);
			helpers += is_helper;
			identity_free(worn[j]);
		}
		assert_int_equal(helpers, expected);
		deed = perform(service, NULL, cancel, NULL);
		expect(&deed, FERRY_OK, NULL);
		await_state(service, FERRY_STATE_CANCELLED);
		await_workers(service, (uint32_t)(count - expected)); /* the helper's end when the job needs them no more */
	}
	CloseHandle(canary.event);
}

static void lend__local_file__files_and_network_are_two_identities(void **state)
{
	struct service *service = *state;
	struct deed deed = perform(service, service->plain, create, "a.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->plain, flag_local_file, NULL);
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->helper, lend, NULL);
	expect(&deed, FERRY_OK, NULL);
	assert_int_equal(workers(service), 0);
	deed = perform(service, service->plain, resume, NULL);
	expect(&deed, FERRY_OK, NULL);
	struct ferry_status status = await_state(service, FERRY_STATE_ACKNOWLEDGED);
	assert_true(landed(service, "a.bin"));
	assert_int_equal(status.helper_flags, FERRY_HELPER_LOCAL_FILE);
	await_workers(service, 1); /* the owner's for the network; the helper's for files is gone with its token */
	deed = perform(service, service->plain, create, "b.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->plain, resume, NULL);
	expect(&deed, FERRY_OK, NULL);
	await_state(service, FERRY_STATE_ACKNOWLEDGED);
	await_workers(service, 2); /* and the owner's own for files */
}

static void lend__cleared_in_the_middle__is_token_required_and_goes_on_when_lent_again(void **state)
{
	struct service *service = *state;
	struct deed deed = perform(service, service->plain, create, "slow.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->plain, flag_local_file, NULL);
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->helper, lend, NULL);
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->plain, resume, NULL);
	expect(&deed, FERRY_OK, NULL);
	await_state(service, FERRY_STATE_TRANSFERRING);
	deed = perform(service, service->plain, clear, NULL);
	expect(&deed, FERRY_OK, NULL);
	struct ferry_status status = status_of(service);
	assert_int_equal(status.state, FERRY_STATE_ERROR);
	assert_string_equal(status.error.name, "TOKEN_REQUIRED");
	assert_int_equal(status.error.hresult, 0x80200056u);
	deed = perform(service, service->plain, resume, NULL);
	if (strcmp(deed.error.name, "TOKEN_REQUIRED") != 0)
		fail_msg("%s", deed.error.message);
	deed = perform(service, service->helper, lend, NULL);
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->plain, resume, NULL);
	expect(&deed, FERRY_OK, NULL);
	await_state(service, FERRY_STATE_ACKNOWLEDGED);
	assert_true(landed(service, "slow.bin"));
}

static void get_ticket(struct deed *deed)
{
	deed->result = ferry_job_helper_ticket(deed->service->job, NULL, deed->ticket, &deed->error);
}

static char presented[FERRY_TICKET_BYTES];

static void present(struct deed *deed)
{
	const struct ferry_options options = { .address = deed->service->address, .accept_console = true };
	struct ferry *second = NULL;
	deed->result = ferry_connect(&options, &second, &deed->error);
	if (deed->result == FERRY_OK)
		deed->result = ferry_present_ticket(second, presented, &deed->terms, &deed->error);
	ferry_close(second);
}

static void lend__ticket__lends_the_identity_of_the_second_connection(void **state)
{
	struct service *service = *state;
	struct deed deed = perform(service, service->plain, create, "a.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->plain, get_ticket, NULL);
	expect(&deed, FERRY_OK, NULL);
	memcpy(presented, deed.ticket, sizeof(presented));
	deed = perform(service, NULL, present, NULL); /* by an administrator: refused, and used up */
	expect(&deed, FERRY_ACCESS_REFUSED, "lend-not-administrators");
	deed = perform(service, service->helper, present, NULL);
	assert_string_equal(deed.error.name, "BAD_TICKET");
	deed = perform(service, service->plain, get_ticket, NULL);
	memcpy(presented, deed.ticket, sizeof(presented));
	deed = perform(service, service->helper, present, NULL);
	expect(&deed, FERRY_OK, NULL);
	assert_false(was_told(service, presented));
}

/* Wine's own count is always 0; there as on Windows handles are multiples of four, given from the bottom. */
static DWORD handle_count(void)
{
	DWORD count = 0, flags;
	if (!is_wine()) {
		assert_true(GetProcessHandleCount(GetCurrentProcess(), &count));
		return count;
	}
	for (uintptr_t handle = 4; handle < 4 * LENDINGS_MAX; handle += 4)
		count += GetHandleInformation((HANDLE)handle, &flags) ? 1 : 0;
	assert_true(count > 0);
	return count;
}

static void lend_and_clear(struct deed *deed)
{
	const char *often = getenv("FERRY_LENDINGS");
	unsigned long lendings = often != NULL ? strtoul(often, NULL, 10) : LENDINGS;
	DWORD before = 0;
	assert_true(lendings >= LENDINGS && lendings < LENDINGS_MAX);
	for (unsigned long i = 0; i < lendings; i++) {
		lend(deed);
		if (deed->result == FERRY_OK)
			clear(deed);
		if (deed->result != FERRY_OK)
			return;
		if (i == 0)
			before = handle_count(); /* with what the first of anything loads */
	}
	DWORD after = handle_count();
	if (after > before + HANDLES_AT_WORK)
		fail_msg("%lu handles more after %lu tokens", after - before, lendings);
}

static void lend__again_and_again__leaves_no_handle(void **state)
{
	struct service *service = *state;
	struct deed deed = perform(service, service->plain, create, "a.bin");
	expect(&deed, FERRY_OK, NULL);
	deed = perform(service, service->helper, lend_and_clear, NULL);
	expect(&deed, FERRY_OK, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(lend__administrators_token__is_taken_from_an_elevated_opener_only, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lend__each_flag__a_worker_wears_whom_it_should, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lend__local_file__files_and_network_are_two_identities, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lend__cleared_in_the_middle__is_token_required_and_goes_on_when_lent_again, set_up,
		                                tear_down),
		cmocka_unit_test_setup_teardown(lend__ticket__lends_the_identity_of_the_second_connection, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lend__again_and_again__leaves_no_handle, set_up, tear_down),
	};
	if (!is_elevated()) {
		printf("SKIPPED: needs an elevated administrator: full and lesser tokens lent to jobs\n");
		return SKIPPED_PROGRAM;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
