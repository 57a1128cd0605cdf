/* Transfers from a real https server whose certificate is asked after, by a question whose answer this program gives.
 *
 * tests/whole/test_revocation.py starts the server, and names in the environment:
 *   FERRY_TLS_URL  where it serves `one.bin` to `six.bin`, of SIZE bytes
 *   FERRY_TLS_CA   a file with its authority, as PEM
 *   FERRY_TLS_LOG  its log, with a line for each request that came
 *   FERRY_TLS_OWN  a file with its certificate, as DER
 *   FERRY_TLS_CHANGING  a URL of a server that sends other certificates at each connection
 *   FERRY_TLS_AWAY  one of an https server with always the same, that redirects there
 *   FERRY_TLS_JUNK  one of a server that sends its own, and forty of nobody that also pretend to be authorities
 */
#include "runtime/transfer_rig.h"

#include <stdatomic.h>

#include "platform/identity.h"
#include "platform/tls.h"

#define SIZE 300000
#define LOG_BYTES_MAX 65536
#define QUIET_MS 300

/* --- who answers --- */

static struct {
	struct mutex *lock;
	struct condition *released;
	bool holds; /* questions wait for release_answers */
	enum certificate_verdict verdict;
	unsigned asked;
	unsigned certificates; /* in the last question */
	bool has_roots, of_server;
} authority;

/* That the question is of the very certificate that the server has, first of all, as the test has it in a file. */
static bool begins_with_the_servers(struct text_view sent)
{
	char der[4096];
	FILE *file = fopen(getenv("FERRY_TLS_OWN"), "rb");
	size_t length = file ? fread(der, 1, sizeof(der), file) : 0;
	struct text_view own;

	if (file)
		fclose(file);
	return length > 0 && tls_certificate_next(&sent, &own) && text_equal(own, (struct text_view){ der, length });
}

static unsigned count_certificates(struct text_view sent)
{
	struct text_view ignored;
	unsigned count = 0;

	while (tls_certificate_next(&sent, &ignored))
		count++;
	return count;
}

static enum certificate_verdict answer(struct text_view sent, struct text_view roots, struct fault *ret_why)
{
	mutex_lock(authority.lock);
	authority.asked++;
	authority.of_server = begins_with_the_servers(sent);
	authority.certificates = count_certificates(sent);
	authority.has_roots = roots.length > 0;
	while (authority.holds)
		condition_wait(authority.released, authority.lock, PATIENCE_MS);
	enum certificate_verdict verdict = authority.verdict;
	mutex_unlock(authority.lock);
	(void)fault_set(ret_why, RESULT_CERTIFICATE_UNCHECKED, FAULT_FERRY, 0, "said by the test");
	return verdict;
}

static const struct certificate_system answers = { .ask = answer };

static void set_answer(enum certificate_verdict verdict, bool holds)
{
	mutex_lock(authority.lock);
	authority.verdict = verdict;
	authority.holds = holds;
	authority.asked = 0;
	mutex_unlock(authority.lock);
}

static void release_answers(void)
{
	mutex_lock(authority.lock);
	authority.holds = false;
	condition_signal(authority.released);
	mutex_unlock(authority.lock);
}

static unsigned times_asked(void)
{
	mutex_lock(authority.lock);
	unsigned asked = authority.asked;
	mutex_unlock(authority.lock);
	return asked;
}

/* --- the scene --- */

struct scene {
	struct rig *rig;
	struct revocation *revocation;
	struct transfer_trust *trust;
	struct identity *self;
};

static char *read_file(const char *name)
{
	char *text = calloc(1, LOG_BYTES_MAX);
	FILE *file = fopen(name, "rb");

	assert_non_null(text);
	if (file) {
		(void)!fread(text, 1, LOG_BYTES_MAX - 1, file);
		fclose(file);
	}
	return text;
}

static const char *must_have(const char *name)
{
	const char *value = getenv(name);

	if (!value)
		fail_msg("%s is not set: tests/whole/test_revocation.py starts this", name);
	return value;
}

static unsigned requests_for(const char *name)
{
	char *log = read_file(must_have("FERRY_TLS_LOG"));
	unsigned count = 0;

	for (const char *at = log; (at = strstr(at, name)) != NULL; at++)
		count++;
	free(log);
	return count;
}

static struct scene scene_new(unsigned revocation, http_handler *handler)
{
	struct scene scene = { .rig = rig_new(handler, SIZE),
		                   .revocation = revocation_new(&answers),
		                   .trust = transfer_trust_new(revocation, 12) };
	char *pem = read_file(must_have("FERRY_TLS_CA"));
	struct fault fault;

	assert_int_equal(identity_self(&scene.self, &fault), RESULT_OK);
	assert_int_equal(transfer_trust_authority(scene.trust, text_view("localhost"), text_view(pem)), RESULT_OK);
	free(pem);
	scene.rig->limits.trust = scene.trust;
	scene.rig->limits.revocation = scene.revocation;
	scene.rig->limits.identity = scene.self;
	return scene;
}

static void scene_free(struct scene *scene)
{
	rig_free(scene->rig);
	release_answers();
	revocation_free(scene->revocation);
	transfer_trust_free(scene->trust);
	identity_free(scene->self);
}

static void begin(struct scene *scene, int64_t row, const char *name)
{
	char url[300];

	snprintf(url, sizeof(url), "%s/%s", must_have("FERRY_TLS_URL"), name);
	start_url(scene->rig, row, url, nothing_known);
}

static void work_for(struct scene *scene, int64_t ms)
{
	for (int64_t until_ms = clock_mono_ms() + ms; clock_mono_ms() < until_ms;)
		work(scene->rig, 20);
}

static void work_until_asked(struct scene *scene)
{
	for (int64_t until_ms = clock_mono_ms() + PATIENCE_MS; times_asked() == 0;) {
		assert_true(clock_mono_ms() < until_ms);
		work(scene->rig, 20);
	}
}

/* --- what is promised --- */

static void question__under_way__keeps_nobody_else_waiting_and_no_request_goes_out(void **state)
{
	struct scene scene = scene_new(1, well);
	(void)state;
	set_answer(CERTIFICATE_GOOD, true);
	begin(&scene, 0, "one.bin");
	work_until_asked(&scene);
	start(scene.rig, 1, "/file", nothing_known);
	while (scene.rig->told[1].finished == 0)
		work(scene.rig, 1000);
	assert_int_equal(scene.rig->told[1].result, RESULT_OK);
	work_for(&scene, QUIET_MS);
	assert_int_equal(scene.rig->told[0].finished, 0);
	assert_int_equal(requests_for("one.bin"), 0);
	release_answers();
	finish_all(scene.rig, 2);
	assert_int_equal(scene.rig->told[0].result, RESULT_OK);
	assert_int_equal(scene.rig->told[0].written, SIZE);
	assert_true(authority.of_server && authority.has_roots);
	scene_free(&scene);
}

static void verdict__once_known__is_not_asked_for_again(void **state)
{
	struct scene scene = scene_new(2, NULL);
	(void)state;
	set_answer(CERTIFICATE_GOOD, false);
	for (int64_t row = 0; row < 6; row++) /* each over a connection of its own */
		begin(&scene, row, "two.bin");
	finish_all(scene.rig, 6);
	for (int64_t row = 6; row < 12; row++)
		begin(&scene, row, "two.bin");
	finish_all(scene.rig, 12);
	for (int64_t row = 0; row < 12; row++)
		assert_int_equal(scene.rig->told[row].result, RESULT_OK);
	assert_int_equal(times_asked(), 1);
	scene_free(&scene);
}

static void check(unsigned revocation, enum certificate_verdict verdict, const char *name, enum result expected,
                  unsigned asked)
{
	struct scene scene = scene_new(revocation, NULL);
	unsigned before = requests_for(name);

	set_answer(verdict, false);
	begin(&scene, 0, name);
	finish_all(scene.rig, 1);
	assert_int_equal(scene.rig->told[0].result, expected);
	if (expected != RESULT_OK) {
		begin(&scene, 0, name);
		finish_all(scene.rig, 2);
		assert_int_equal(scene.rig->told[0].result, expected);
		assert_non_null(strstr(scene.rig->told[0].fault.what, "said by the test"));
		assert_int_equal(requests_for(name), before);
	}
	assert_int_equal(times_asked(), asked);
	scene_free(&scene);
}

static void revoked__is_refused_before_it_is_asked_for_anything(void **state)
{
	(void)state;
	check(1, CERTIFICATE_REVOKED, "three.bin", RESULT_CERTIFICATE_REVOKED, 1);
	check(2, CERTIFICATE_REVOKED, "three.bin", RESULT_CERTIFICATE_REVOKED, 1);
}

static void without_an_answer__is_asked_only_as_far_as_the_configuration_allows(void **state)
{
	(void)state;
	check(1, CERTIFICATE_UNANSWERED, "four.bin", RESULT_OK, 1);
	check(2, CERTIFICATE_UNANSWERED, "five.bin", RESULT_CERTIFICATE_UNCHECKED, 1);
	check(0, CERTIFICATE_REVOKED, "four.bin", RESULT_OK, 0);
}

static void stopped__while_it_waits__ends_at_once(void **state)
{
	struct scene scene = scene_new(1, NULL);
	(void)state;
	set_answer(CERTIFICATE_GOOD, true);
	begin(&scene, 0, "six.bin");
	begin(&scene, 1, "six.bin");
	begin(&scene, 2, "six.bin");
	work_until_asked(&scene);
	work_for(&scene, QUIET_MS);
	transfer_stop(scene.rig->set, 0);
	assert_int_equal(scene.rig->told[0].result, RESULT_CANCELLED);
	transfer_set_priority(scene.rig->set, 1, JOB_LOW);
	release_answers();
	while (scene.rig->told[1].finished == 0)
		work(scene.rig, 1000);
	assert_int_equal(scene.rig->told[1].result, RESULT_OK);
	finish_all(scene.rig, 3);
	assert_int_equal(times_asked(), 1);
	scene_free(&scene);
	/* And the set may go before the answer comes. */
	scene = scene_new(1, NULL);
	set_answer(CERTIFICATE_GOOD, true);
	begin(&scene, 0, "six.bin");
	work_until_asked(&scene);
	scene_free(&scene);
}

static void waiting__longer_than_a_stall_may_take__is_no_stall(void **state)
{
	struct scene scene = scene_new(1, NULL);
	(void)state;
	set_answer(CERTIFICATE_GOOD, true);
	scene.rig->stall_s = scene.rig->first_byte_s = 1;
	begin(&scene, 0, "one.bin");
	work_until_asked(&scene);
	work_for(&scene, 1500);
	assert_int_equal(scene.rig->told[0].finished, 0);
	release_answers();
	finish_all(scene.rig, 1);
	assert_int_equal(scene.rig->told[0].result, RESULT_OK);
	scene_free(&scene);
}

static bool redirect(void *context, const struct http_request *request, struct http_connection *connection)
{
	(void)context, (void)request;
	return http_print(connection, "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: %s/three.bin\r\n\r\n",
	                  getenv("FERRY_TLS_URL"));
}

static void redirect__to_a_server_whose_certificate_was_revoked__is_refused(void **state)
{
	struct scene scene = scene_new(1, redirect);
	unsigned before = requests_for("three.bin");
	(void)state;
	set_answer(CERTIFICATE_REVOKED, false);
	start(scene.rig, 0, "/file", nothing_known);
	finish_all(scene.rig, 1);
	assert_int_equal(scene.rig->told[0].result, RESULT_CERTIFICATE_REVOKED);
	assert_int_equal(requests_for("three.bin"), before);
	scene_free(&scene);
}

static void redirect__to_a_connection_that_is_there__is_judged_and_goes_on(void **state)
{
	struct scene scene = scene_new(2, redirect);
	(void)state;
	set_answer(CERTIFICATE_GOOD, false);
	begin(&scene, 0, "three.bin");
	finish_all(scene.rig, 1);
	start(scene.rig, 1, "/file", nothing_known);
	finish_all(scene.rig, 2);
	assert_int_equal(scene.rig->told[1].result, RESULT_OK);
	assert_int_equal(times_asked(), 1);
	scene_free(&scene);
}

/* Else whoever has a revoked one, and time, would be asked after until somebody gives up asking. */
static void chain__another_one_at_each_connection__is_never_taken_for_unanswered(void **state)
{
	struct scene scene = scene_new(1, NULL);
	(void)state;
	set_answer(CERTIFICATE_UNANSWERED, false);
	start_url(scene.rig, 0, must_have("FERRY_TLS_CHANGING"), nothing_known);
	finish_all(scene.rig, 1);
	assert_int_equal(scene.rig->told[0].result, RESULT_CERTIFICATE_UNCHECKED);
	assert_non_null(strstr(scene.rig->told[0].fault.what, "other certificates at each connection"));
	assert_int_equal(times_asked(), TRANSFER_WAITS_MAX);
	/* Nor by one that redirects there, and is good each time. */
	set_answer(CERTIFICATE_UNANSWERED, false);
	start_url(scene.rig, 1, must_have("FERRY_TLS_AWAY"), nothing_known);
	finish_all(scene.rig, 2);
	assert_int_equal(scene.rig->told[1].result, RESULT_CERTIFICATE_UNCHECKED);
	assert_non_null(strstr(scene.rig->told[1].fault.what, "other certificates at each connection"));
	assert_int_equal(times_asked(), TRANSFER_WAITS_MAX);
	scene_free(&scene);
}

/* However many there are, the question is of the server's own, and a good one serves. */
static void certificates__that_nobody_needs__hide_nothing_and_do_no_harm(void **state)
{
	(void)state;
	for (unsigned revoked = 0; revoked < 2; revoked++) {
		struct scene scene = scene_new(2, NULL);
		set_answer(revoked ? CERTIFICATE_REVOKED : CERTIFICATE_GOOD, false);
		start_url(scene.rig, 0, must_have("FERRY_TLS_JUNK"), nothing_known);
		finish_all(scene.rig, 1);
		assert_int_equal(scene.rig->told[0].result, revoked ? RESULT_CERTIFICATE_REVOKED : RESULT_OK);
		assert_true(authority.of_server);
		assert_int_equal(authority.certificates, 41);
		assert_int_equal(times_asked(), 1);
		scene_free(&scene);
	}
}

/* A connection that was good when it was made is asked after again once that is too old. */
static void connection__used_again__is_judged_again(void **state)
{
	struct scene scene = scene_new(2, NULL);
	(void)state;
	set_answer(CERTIFICATE_GOOD, false);
	begin(&scene, 0, "two.bin");
	finish_all(scene.rig, 1);
	assert_int_equal(scene.rig->told[0].result, RESULT_OK);
	unsigned before = requests_for("two.bin");
	for (size_t i = 0; i < TRANSFER_VERDICTS_MAX; i++)
		if (scene.rig->set->verdicts[i].until_ms > 0)
			scene.rig->set->verdicts[i].until_ms = 1; /* an hour later */
	set_answer(CERTIFICATE_REVOKED, false);
	begin(&scene, 1, "two.bin");
	finish_all(scene.rig, 2);
	assert_int_equal(scene.rig->told[1].result, RESULT_CERTIFICATE_REVOKED);
	assert_int_equal(times_asked(), 1);
	assert_int_equal(requests_for("two.bin"), before);
	scene_free(&scene);
}

/* Each holds its thread: who comes after as many as may be waits for one of them, and nobody takes that for a good certificate. */
static void questions__more_than_an_identitys_share__wait_for_a_place(void **state)
{
	struct scene scene = scene_new(1, NULL);
	unsigned before = requests_for("one.bin");
	(void)state;
	set_answer(CERTIFICATE_GOOD, true);
	for (unsigned i = 0; i < REVOCATION_SHARE; i++) {
		struct question *question = revocation_ask(scene.revocation, scene.self, text_view("x"), text_view(""), NULL, NULL);
		assert_non_null(question);
		question_free(question); /* nobody waits for it, and it counts all the same */
	}
	begin(&scene, 0, "one.bin");
	work_for(&scene, TRANSFER_ASKS_LOOK_MS + QUIET_MS);
	assert_int_equal(scene.rig->told[0].finished, 0);
	assert_int_equal(times_asked(), REVOCATION_SHARE);
	assert_int_equal(requests_for("one.bin"), before);
	release_answers();
	finish_all(scene.rig, 1);
	assert_int_equal(scene.rig->told[0].result, RESULT_OK);
	assert_int_equal(times_asked(), REVOCATION_SHARE + 1);
	scene_free(&scene);
}

static void question__that_gets_no_place_in_time__is_unasked(void **state)
{
	struct scene scene = scene_new(1, NULL);
	(void)state;
	set_answer(CERTIFICATE_GOOD, true);
	for (unsigned i = 0; i < REVOCATION_SHARE; i++)
		question_free(revocation_ask(scene.revocation, scene.self, text_view("x"), text_view(""), NULL, NULL));
	begin(&scene, 0, "one.bin");
	int64_t begun_ms = clock_mono_ms();
	while (scene.rig->told[0].finished == 0 && clock_mono_ms() < begun_ms + 2 * REVOCATION_PLACE_MS)
		work(scene.rig, 60000); /* and nobody wakes it */
	assert_int_equal(scene.rig->told[0].result, RESULT_CERTIFICATE_UNCHECKED);
	assert_non_null(strstr(scene.rig->told[0].fault.what, "too many certificates"));
	assert_true(clock_mono_ms() >= begun_ms + REVOCATION_PLACE_MS);
	scene_free(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(question__under_way__keeps_nobody_else_waiting_and_no_request_goes_out),
		cmocka_unit_test(verdict__once_known__is_not_asked_for_again),
		cmocka_unit_test(revoked__is_refused_before_it_is_asked_for_anything),
		cmocka_unit_test(without_an_answer__is_asked_only_as_far_as_the_configuration_allows),
		cmocka_unit_test(stopped__while_it_waits__ends_at_once),
		cmocka_unit_test(waiting__longer_than_a_stall_may_take__is_no_stall),
		cmocka_unit_test(redirect__to_a_server_whose_certificate_was_revoked__is_refused),
		cmocka_unit_test(redirect__to_a_connection_that_is_there__is_judged_and_goes_on),
		cmocka_unit_test(connection__used_again__is_judged_again),
		cmocka_unit_test(certificates__that_nobody_needs__hide_nothing_and_do_no_harm),
		cmocka_unit_test(chain__another_one_at_each_connection__is_never_taken_for_unanswered),
		cmocka_unit_test(questions__more_than_an_identitys_share__wait_for_a_place),
		cmocka_unit_test(question__that_gets_no_place_in_time__is_unasked),
	};
	authority.lock = mutex_new();
	authority.released = condition_new();
	return cmocka_run_group_tests(tests, set_up_curl, NULL);
}
