/* libferry: the helper token, tickets, preflight, and what a job's record says of identities. */
#include "client/ferry_scene.h"
#include "platform/ipc_client.h"

/* --- lending --- */

/* What the calling thread is by its own account, as the message must claim it. */
static void own_claim(struct ipc_claim *ret_claim)
{
	AUTO(ipc_speaker) struct ipc_speaker *speaker = NULL;

	must(ipc_speaker_current(&speaker, NULL));
	must(ipc_speaker_claim(speaker, ret_claim, NULL));
}

static void ferry__a_loan__claims_the_calling_thread(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_loan_terms terms;
	struct ipc_claim claim;

	own_claim(&claim);
	assert_int_equal(ferry_job_set_helper_token(job, NULL, &terms, NULL), FERRY_OK);
	assert_string_equal(scene->asked_helper.sid, claim.sid);
	assert_true(scene->asked_helper.logon_id == claim.logon_id);
	assert_int_equal(scene->asked_helper.handle, 7);
	assert_int_equal(scene->asked_helper.root_count, 0);
	assert_int_equal(scene->asked_helper.token_age_s, 0);
	assert_string_equal(terms.sid, claim.sid);
	assert_int_equal(terms.life, FERRY_LIFE_SESSION);
	assert_string_equal(terms.warning, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_loan__carries_roots_age_and_tells_its_terms(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	const char *const roots[] = { "/srv/acme", "/srv/\"other\"" };
	const struct ferry_loan loan = { .roots = roots, .root_count = 2, .max_age_s = 3600 };
	struct ferry_loan_terms terms;

	scene->life = "connection";
	scene->warning = "no credentials for other servers";
	assert_int_equal(ferry_job_set_helper_token(job, &loan, &terms, NULL), FERRY_OK);
	assert_int_equal(scene->asked_helper.root_count, 2);
	assert_string_equal(scene->asked_roots[0], roots[0]);
	assert_string_equal(scene->asked_roots[1], roots[1]);
	assert_int_equal(scene->asked_helper.token_age_s, 3600);
	assert_int_equal(terms.life, FERRY_LIFE_CONNECTION);
	assert_string_equal(terms.warning, "no credentials for other servers");

	scene->life = "eternity";
	scene->warning = NULL;
	assert_int_equal(ferry_job_set_helper_token(job, &loan, &terms, NULL), FERRY_OK);
	assert_int_equal(terms.life, FERRY_LIFE_OTHER);
	assert_string_equal(terms.warning, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

/* BITS's order: the job is opened as oneself, the loan carries whom the thread wears by then, and keeps it. */
static void ferry__a_loan_of_another__is_claimed_and_seen_as_that_one(void **state)
{
	struct scene *scene = *state;
	const unsigned before = ground_speaker(), helper = 65020;
	char owner[32], expected[32];
	struct ferry_error error;

	if (!ground_speaker_is_seen())
		GROUND_SKIP("two identities of one client");
	must(text_format(owner, sizeof(owner), "uid:%u", before));
	must(text_format(expected, sizeof(expected), "uid:%u", helper));
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	if (!ground_speak_as(helper)) {
		ferry_job_close(job);
		ferry_close(ferry);
		GROUND_SKIP(GROUND_NEEDS);
	}
	assert_int_equal(ferry_job_set_helper_token(job, NULL, NULL, &error), FERRY_OK);
	assert_int_equal(ground_speaker(), helper);
	assert_string_equal(scene->asked_helper.sid, expected);
	assert_string_equal(scene->lent_as, expected);
	assert_string_equal(scene->opened_as, owner);

	/* A refusal leaves the thread as it is, too; and a new connection has nothing lent. */
	scene->refuse = METHOD_JOB_SET_HELPER_TOKEN + 1;
	scene->refusal = (struct fault){ RESULT_ACCESS_REFUSED, FAULT_FERRY, 0, "lend-opened-as-owner: no" };
	assert_int_equal(ferry_job_set_helper_token(job, NULL, NULL, &error), FERRY_ACCESS_REFUSED);
	assert_non_null(strstr(error.message, "lend-opened-as-owner"));
	assert_int_equal(ground_speaker(), helper);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ground_speaker(), helper);
	assert_string_equal(scene->opened_as, owner);
	assert_int_equal(scene->asked[METHOD_JOB_SET_HELPER_TOKEN], 2);

	assert_true(ground_speak_as(before));
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_refused_loan__says_why_and_writes_nothing(void **state)
{
	static const struct {
		enum result result;
		enum ferry_result outcome;
		uint32_t hresult;
	} cases[] = {
		{ RESULT_NOT_LENT, FERRY_REFUSED, 0x80010123 },
		{ RESULT_TOO_MANY_TOKENS, FERRY_REFUSED, 0x800705AA },
		{ RESULT_ACCESS_REFUSED, FERRY_ACCESS_REFUSED, 0x80070005 },
		{ RESULT_INVALID_STATE, FERRY_REFUSED, 0x80200002 },
	};
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);

	scene->refuse = METHOD_JOB_SET_HELPER_TOKEN + 1;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ferry_loan_terms terms = { .sid = "untouched" };
		struct ferry_error error;
		mutex_lock(scene->mutex);
		scene->refusal = (struct fault){ cases[i].result, FAULT_FERRY, 0, "the scene" };
		mutex_unlock(scene->mutex);
		assert_int_equal(ferry_job_set_helper_token(job, NULL, &terms, &error), cases[i].outcome);
		assert_string_equal(error.name, result_name(cases[i].result));
		assert_int_equal(error.hresult, cases[i].hresult);
		assert_string_equal(terms.sid, "untouched");
	}
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__an_answer_without_terms__is_not_understood(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_loan_terms terms;
	struct ferry_error error;
	char sid[FERRY_SID_BYTES];
	unsigned flags = 9;

	must(text_copy(scene->job.token_sid, JOB_OWNER_BYTES_MAX, text_view("S-1")));
	scene->answer_nothing = true;
	assert_int_equal(ferry_job_set_helper_token(job, NULL, &terms, &error), FERRY_FAILED);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_get_helper_token_flags(job, &flags, &error), FERRY_FAILED);
	assert_int_equal(flags, 9);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	assert_int_equal(ferry_job_get_helper_token_sid(job, sid, &error), FERRY_FAILED);
	assert_int_equal(ferry_reconnect(ferry, -1, &error), FERRY_OK);
	/* Who does not ask for the terms needs none. */
	assert_int_equal(ferry_job_set_helper_token(job, NULL, NULL, &error), FERRY_OK);
	ferry_job_close(job);
	ferry_close(ferry);
}

/* The pinned helper's own program: it may not look at the job. */
static void ferry__who_may_only_attach__opens_and_lends(void **state)
{
	struct scene *scene = *state;
	struct ferry_loan_terms terms;

	scene->attach_only = true;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	assert_int_equal(ferry_job_set_helper_token(job, NULL, &terms, NULL), FERRY_OK);
	assert_string_not_equal(terms.sid, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

/* --- flags, and whose it is --- */

static void ferry__flags__come_and_go_by_their_numbers(void **state)
{
	static const unsigned all[] = { FERRY_HELPER_LOCAL_FILE, FERRY_HELPER_NETWORK,
		                            FERRY_HELPER_LOCAL_FILE | FERRY_HELPER_NETWORK, 0 };
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_error error;
	unsigned flags;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		assert_int_equal(ferry_job_set_helper_token_flags(job, all[i], NULL), FERRY_OK);
		assert_int_equal(scene->job.job.helper_flags, all[i]);
		assert_int_equal(ferry_job_get_helper_token_flags(job, &flags, NULL), FERRY_OK);
		assert_int_equal(flags, all[i]);
	}
	assert_int_equal(ferry_job_set_helper_token_flags(job, 0x4, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "INVALID_ARGUMENT");
	assert_int_equal(scene->asked[METHOD_JOB_SET_HELPER_TOKEN_FLAGS], 4);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_cleared_token__is_nobodys(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	char sid[FERRY_SID_BYTES];

	must(text_copy(scene->job.token_sid, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-9")));
	assert_int_equal(ferry_job_get_helper_token_sid(job, sid, NULL), FERRY_OK);
	assert_string_equal(sid, "S-1-5-21-9");
	assert_int_equal(ferry_job_clear_helper_token(job, NULL), FERRY_OK);
	assert_int_equal(ferry_job_get_helper_token_sid(job, sid, NULL), FERRY_OK);
	assert_string_equal(sid, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

/* --- tickets --- */

static void ferry__a_ticket__is_presented_on_another_connection(void **state)
{
	struct scene *scene = *state;
	struct ferry *owner = connect_to(scene), *helper = connect_to(scene);
	struct ferry_job *job = open_job(owner);
	const char *const roots[] = { "/srv/acme" };
	const struct ferry_loan loan = { .roots = roots, .root_count = 1, .max_age_s = 90 };
	struct ferry_loan_terms terms;
	struct ferry_error error;
	char ticket[FERRY_TICKET_BYTES];

	assert_int_equal(ferry_job_helper_ticket(job, &loan, ticket, NULL), FERRY_OK);
	assert_string_equal(ticket, TICKET);
	assert_string_equal(scene->asked_roots[0], "/srv/acme");
	assert_int_equal(scene->asked_helper.token_age_s, 90);

	scene->life = "job";
	assert_int_equal(ferry_present_ticket(helper, ticket, &terms, NULL), FERRY_OK);
	assert_string_equal(scene->asked_helper.ticket, TICKET);
	assert_string_equal(terms.sid, "S-1-5-21-9");
	assert_int_equal(terms.life, FERRY_LIFE_JOB);

	scene->refuse = METHOD_HELPER_PRESENT + 1;
	scene->refusal = (struct fault){ .result = RESULT_BAD_TICKET };
	assert_int_equal(ferry_present_ticket(helper, ticket, NULL, &error), FERRY_REFUSED);
	assert_string_equal(error.name, "BAD_TICKET");
	assert_null(strstr(error.message, ticket));
	ferry_job_close(job);
	ferry_close(owner);
	ferry_close(helper);
}

/* --- preflight, takeover, records --- */

static void ferry__preflight__tells_both_sides_and_the_reason(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_preflight found;

	scene->preflight = (struct preflight){
		.sides = { { IDENTITY_HELPER, "S-1-5-21-9" }, { IDENTITY_OWNER, "" } },
		.file = { RESULT_DENIED, FAULT_WIN32, 5, "files[0].path" },
	};
	assert_int_equal(ferry_job_preflight(job, &found, NULL), FERRY_OK);
	assert_int_equal(found.file.as, FERRY_AS_HELPER);
	assert_string_equal(found.file.sid, "S-1-5-21-9");
	assert_int_equal(found.network.as, FERRY_AS_OWNER);
	assert_string_equal(found.network.sid, "");
	assert_string_equal(found.file_error.name, "DENIED");
	assert_string_equal(found.file_error.source, "win32");
	assert_int_equal(found.file_error.code, 5);

	scene->preflight.file = (struct fault){ .result = RESULT_OK };
	assert_int_equal(ferry_job_preflight(job, &found, NULL), FERRY_OK);
	assert_int_equal(found.file_error.hresult, 0);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__proxies__are_shown_with_who_says_so(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_proxies found;

	scene->proxies = (struct proxies_found){
		.count = 2,
		.choices = { { "http://p:3128", PROXY_FROM_IDENTITY, false }, { "", PROXY_FROM_IDENTITY, true } },
		.missed = { RESULT_TIMED_OUT, FAULT_WIN32, 12002, "the script" },
	};
	assert_int_equal(ferry_proxy_show(ferry, job, "http://host/a", &found, NULL), FERRY_OK);
	assert_string_equal(scene->shown_url, "http://host/a");
	assert_int_equal(scene->shown_handle, 7);
	assert_int_equal(found.count, 2);
	assert_string_equal(found.proxies[0].address, "http://p:3128");
	assert_string_equal(found.proxies[0].source, "identity-settings");
	assert_false(found.proxies[0].bypassed);
	assert_string_equal(found.proxies[1].address, "");
	assert_true(found.proxies[1].bypassed);
	assert_string_equal(found.missed.name, "TIMED_OUT");

	scene->proxies.missed = (struct fault){ .result = RESULT_OK };
	assert_int_equal(ferry_proxy_show(ferry, NULL, "http://host/b", &found, NULL), FERRY_OK);
	assert_int_equal(scene->shown_handle, 0);
	assert_int_equal(found.missed.hresult, 0);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__attempts_and_trials__are_told_whole(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_attempt *attempts = calloc(FERRY_ATTEMPTS_MAX, sizeof(*attempts));
	struct ferry_trial trial;
	uint32_t count;

	assert_non_null(attempts);
	scene->attempt_count = FERRY_ATTEMPTS_MAX;
	scene->trial = (struct trial){
		.attempt = { .count = 3, .file = 2, .first_ms = 10, .last_ms = 20, .proxy = { "http://p:3128", PROXY_FROM_TABLE, false },
		             .sid = "S-1-5-21-9",
		             .trace = { .url = "http://h/a", .words = "said", .tls = "TLSv1.3", .status = 407,
		                        .offered = { AUTH_FLAG(AUTH_BASIC), AUTH_FLAG(AUTH_NTLM) | AUTH_FLAG(AUTH_NEGOTIATE) },
		                        .used = { 0, AUTH_FLAG(AUTH_NEGOTIATE) } },
		             .fault = { RESULT_NO_TICKET, FAULT_HTTP, 407, "the proxy" } },
		.allowed = { 0, AUTH_FLAG(AUTH_NEGOTIATE) }, .forbidden = { AUTH_FLAG(AUTH_BASIC), AUTH_FLAG(AUTH_NTLM) },
	};
	struct ferry_error error;
	if (ferry_job_history(job, attempts, &count, &error) != FERRY_OK)
		fail_msg("%s", error.message);
	assert_int_equal(count, FERRY_ATTEMPTS_MAX);
	const struct ferry_attempt *last = &attempts[FERRY_ATTEMPTS_MAX - 1];
	assert_int_equal(last->count, 3);
	assert_int_equal(last->file, 2);
	assert_int_equal(last->first_ms, 10);
	assert_int_equal(last->last_ms, 20);
	assert_string_equal(last->url, "http://h/a");
	assert_string_equal(last->words, "said");
	assert_string_equal(last->tls, "TLSv1.3");
	assert_string_equal(last->proxy.address, "http://p:3128");
	assert_string_equal(last->proxy.source, "table");
	assert_string_equal(last->identity_sid, "S-1-5-21-9");
	assert_int_equal(last->http_status, 407);
	assert_int_equal(last->offered[FERRY_AUTH_SERVER], 1u << FERRY_AUTH_BASIC);
	assert_int_equal(last->offered[FERRY_AUTH_PROXY], 1u << FERRY_AUTH_NTLM | 1u << FERRY_AUTH_NEGOTIATE);
	assert_int_equal(last->answered[FERRY_AUTH_PROXY], 1u << FERRY_AUTH_NEGOTIATE);
	assert_string_equal(last->error.name, "NO_TICKET");

	scene->attempt_count = 0;
	assert_int_equal(ferry_job_history(job, attempts, &count, NULL), FERRY_OK);
	assert_int_equal(count, 0);
	assert_int_equal(ferry_auth_test(ferry, "http://h/a", "p:3128", &trial, NULL), FERRY_OK);
	assert_string_equal(scene->shown_url, "http://h/a");
	assert_string_equal(scene->shown_proxy, "p:3128");
	assert_int_equal(trial.allowed[FERRY_AUTH_PROXY], 1u << FERRY_AUTH_NEGOTIATE);
	assert_int_equal(trial.forbidden[FERRY_AUTH_SERVER], 1u << FERRY_AUTH_BASIC);
	assert_int_equal(trial.attempt.count, 3);
	scene->trial.attempt.fault.result = RESULT_OK;
	assert_int_equal(ferry_auth_test(ferry, "http://h/b", NULL, &trial, NULL), FERRY_OK);
	assert_string_equal(scene->shown_proxy, "");
	assert_int_equal(trial.attempt.error.hresult, 0);
	free(attempts);
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_taken_job__is_told_with_its_new_owner(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;

	assert_int_equal(ferry_job_take_ownership(job, &status, NULL), FERRY_OK);
	assert_string_equal(status.owner, "S-1-5-21-500");
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__a_record__has_both_identities_and_the_token(void **state)
{
	static const struct {
		enum job_wait from;
		enum ferry_wait_reason to;
		const char *name;
	} waits[] = {
		{ JOB_WAIT_TOKEN, FERRY_WAIT_TOKEN, "token-required" },
		{ JOB_WAIT_WORKERS, FERRY_WAIT_WORKERS, "identity-workers" },
		{ JOB_WAIT_DISK_FULL, FERRY_WAIT_DISK_FULL, "disk-full" },
		{ JOB_WAIT_VOLUME_GONE, FERRY_WAIT_VOLUME_GONE, "volume-gone" },
		{ JOB_WAIT_RATE, FERRY_WAIT_RATE, "rate-off" },
		{ JOB_WAIT_NO_NETWORK, FERRY_WAIT_NO_NETWORK, "no-network" },
		{ JOB_WAIT_METERED, FERRY_WAIT_METERED, "metered" },
		{ JOB_WAIT_ROAMING, FERRY_WAIT_ROAMING, "roaming" },
		{ JOB_WAIT_BATTERY_SAVER, FERRY_WAIT_BATTERY_SAVER, "battery-saver" },
	};
	struct scene *scene = *state;
	struct job_status *told = &scene->job;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_status status;

	told->job.helper_flags = HELPER_LOCAL_FILE;
	must(text_copy(told->token_sid, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-9")));
	must(text_copy(told->job.helper_sid, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-8")));
	told->job.properties.on_token_loss = TOKEN_LOSS_WAIT;
	must(text_copy(told->job.properties.pinned_helper, JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-7")));
	told->sides[JOB_SIDE_FILE] = (struct side_status){ IDENTITY_HELPER, "S-1-5-21-9" };
	told->sides[JOB_SIDE_NETWORK] = (struct side_status){ IDENTITY_SERVICE, "S-1-5-20" };
	must(text_copy(told->job.side_sid[JOB_SIDE_FILE], JOB_OWNER_BYTES_MAX, text_view("S-1-5-21-6")));
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		mutex_lock(scene->mutex);
		told->wait = waits[i].from;
		mutex_unlock(scene->mutex);
		assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
		assert_int_equal(status.wait, waits[i].to);
		assert_string_equal(ferry_wait_reason_name(status.wait), waits[i].name);
	}
	assert_int_equal(status.helper_flags, FERRY_HELPER_LOCAL_FILE);
	assert_string_equal(status.helper_sid, "S-1-5-21-9");
	assert_string_equal(status.helper_last_sid, "S-1-5-21-8");
	assert_int_equal(status.on_token_loss, FERRY_TOKEN_LOSS_WAIT);
	assert_string_equal(status.pinned_helper, "S-1-5-21-7");
	assert_int_equal(status.file.as, FERRY_AS_HELPER);
	assert_string_equal(status.file.sid, "S-1-5-21-9");
	assert_string_equal(status.file.last_sid, "S-1-5-21-6");
	assert_int_equal(status.network.as, FERRY_AS_SERVICE);
	assert_string_equal(status.network.sid, "S-1-5-20");
	assert_string_equal(status.network.last_sid, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__pin_and_policy__are_properties(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_properties properties = {
		.given = FERRY_GIVE_ON_TOKEN_LOSS | FERRY_GIVE_PINNED_HELPER | FERRY_GIVE_PROFILE |
		         FERRY_GIVE_MAX_BYTES | FERRY_GIVE_NO_SEGMENTS | FERRY_GIVE_NO_REDIRECTS | FERRY_GIVE_TLS_IGNORE |
		         FERRY_GIVE_CLIENT_CERTIFICATE,
		.no_redirects = true,
		.tls_ignore = FERRY_TLS_IGNORE_ALL,
		.client_certificate = "current-user\\alice",
		.max_bytes = 77,
		.no_segments = true,
		.profile = FERRY_PROFILE_INTERACTIVE,
		.on_token_loss = FERRY_TOKEN_LOSS_WAIT,
		.pinned_helper = "S-1-5-21-9",
	};

	assert_int_equal(ferry_job_set_properties(job, &properties, NULL), FERRY_OK);
	assert_int_equal(scene->properties_given, PROPERTY_ON_TOKEN_LOSS | PROPERTY_PINNED_HELPER | PROPERTY_PROFILE | PROPERTY_MAX_BYTES | PROPERTY_NO_SEGMENTS |
	                                              PROPERTY_REDIRECTS | PROPERTY_TLS_IGNORE | PROPERTY_CLIENT_CERTIFICATE |
	                                              PROPERTY_NO_PROGRESS_TIMEOUT);
	assert_int_equal(scene->properties.profile, JOB_PROFILE_INTERACTIVE);
	assert_int_equal(scene->properties.max_bytes, 77);
	assert_true(scene->properties.no_segments);
	assert_true(scene->properties.no_redirects);
	assert_int_equal(scene->properties.tls_ignore, TLS_IGNORE_ALL);
	assert_string_equal(scene->properties.client_certificate, "current-user\\alice");
	assert_int_equal(scene->properties.no_progress_timeout_s, 120);
	assert_int_equal(scene->properties.on_token_loss, TOKEN_LOSS_WAIT);
	assert_string_equal(scene->properties.pinned_helper, "S-1-5-21-9");

	properties.given = FERRY_GIVE_PINNED_HELPER;
	properties.pinned_helper = NULL;
	assert_int_equal(ferry_job_set_properties(job, &properties, NULL), FERRY_OK);
	assert_int_equal(scene->properties_given, PROPERTY_PINNED_HELPER);
	assert_string_equal(scene->properties.pinned_helper, "");
	ferry_job_close(job);
	ferry_close(ferry);
}

static void ferry__proxies__are_a_property_with_its_lists(void **state)
{
	struct scene *scene = *state;
	struct ferry *ferry = connect_to(scene);
	struct ferry_job *job = open_job(ferry);
	struct ferry_properties properties = {
		.given = FERRY_GIVE_PROXY,
		.proxy = FERRY_PROXY_EXPLICIT,
		.proxy_list = "p:3128; DIRECT",
		.proxy_bypass = "<local>",
	};
	struct ferry_status status;

	assert_int_equal(ferry_job_set_properties(job, &properties, NULL), FERRY_OK);
	assert_int_equal(scene->properties_given, PROPERTY_PROXY);
	assert_int_equal(scene->properties.proxy_mode, PROXY_EXPLICIT);
	assert_string_equal(scene->proxy_list, "p:3128; DIRECT");
	assert_string_equal(scene->proxy_bypass, "<local>");

	properties.proxy = FERRY_PROXY_AUTODETECT;
	properties.proxy_list = properties.proxy_bypass = NULL;
	assert_int_equal(ferry_job_set_properties(job, &properties, NULL), FERRY_OK);
	assert_int_equal(scene->properties.proxy_mode, PROXY_AUTODETECT);
	assert_string_equal(scene->proxy_list, "");

	mutex_lock(scene->mutex);
	scene->job.job.properties.proxy_mode = PROXY_NONE;
	mutex_unlock(scene->mutex);
	assert_int_equal(ferry_job_get(job, &status, NULL), FERRY_OK);
	assert_int_equal(status.proxy, FERRY_PROXY_NONE);
	assert_string_equal(ferry_proxy_mode_name(status.proxy), "none");
	ferry_job_close(job);
	ferry_close(ferry);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(ferry__a_loan__claims_the_calling_thread),
		TEST(ferry__a_loan__carries_roots_age_and_tells_its_terms),
		TEST(ferry__a_loan_of_another__is_claimed_and_seen_as_that_one),
		TEST(ferry__a_refused_loan__says_why_and_writes_nothing),
		TEST(ferry__an_answer_without_terms__is_not_understood),
		TEST(ferry__who_may_only_attach__opens_and_lends),
		TEST(ferry__flags__come_and_go_by_their_numbers),
		TEST(ferry__a_cleared_token__is_nobodys),
		TEST(ferry__a_ticket__is_presented_on_another_connection),
		TEST(ferry__preflight__tells_both_sides_and_the_reason),
		TEST(ferry__proxies__are_shown_with_who_says_so),
		TEST(ferry__attempts_and_trials__are_told_whole),
		TEST(ferry__a_taken_job__is_told_with_its_new_owner),
		TEST(ferry__a_record__has_both_identities_and_the_token),
		TEST(ferry__pin_and_policy__are_properties),
		TEST(ferry__proxies__are_a_property_with_its_lists),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
