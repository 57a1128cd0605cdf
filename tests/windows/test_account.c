/* What takes a second account on real Windows.  It is given by the environment, as an ordinary account that is neither
 * an administrator nor the one that runs the tests and that may log on locally or as a batch job:
 *
 *   FERRY_TEST_USER      DOMAIN\name, name@domain, or the name of an account of this machine
 *   FERRY_TEST_PASSWORD  its password
 */
#include "windows_only.h"

#include <aclapi.h>
#include <string.h>
#include <wincrypt.h>

#include "contract/ipc_scene.h"
#include "platform/certificate.h"
#include "platform/win32/utf.h"
#include "windows/land.h"

static const char *user, *password;

/* --- logged on --- */

static struct ipc_speaker *log_on(void)
{
	struct ipc_speaker *speaker = NULL;
	struct fault fault = { .what = "" };
	if (ipc_speaker_logon(user, password, &speaker, &fault) != RESULT_OK)
		fail_msg("%s (%lld)", fault.what, (long long)fault.raw);
	return speaker;
}

struct speaking {
	const struct ipc_speaker *speaker;
	struct ipc_client *client;
	enum result worn, sent;
	struct fault fault;
};

static void speak(void *argument)
{
	struct speaking *speaking = argument;
	speaking->worn = ipc_speaker_wear(speaking->speaker, &speaking->fault);
	if (speaking->worn == RESULT_OK)
		speaking->sent = ipc_client_send(speaking->client, text_view("{}"), &speaking->fault);
}

/* Who the service finds in a message of one thread that wears the account; the connection is the process's. */
static struct identity *capture_speaker(struct scene *scene, struct ipc_client *client,
                                        const struct ipc_speaker *speaker)
{
	struct speaking speaking = { .speaker = speaker, .client = client };
	struct identity *captured = NULL;
	struct thread *thread = NULL;
	unsigned number = scene->messages;
	assert_int_equal(thread_start("speaker", speak, &speaking, &thread, &scene->fault), RESULT_OK);
	thread_join(thread);
	assert_int_equal(speaking.worn, RESULT_OK);
	assert_int_equal(speaking.sent, RESULT_OK);
	await(scene, &scene->messages, number + 1);
	uint64_t connection = scene->notes[number].connection;
	if (ipc_capture(scene->server, connection, &captured, &scene->fault) != RESULT_OK)
		fail_msg("%s", scene->fault.what);
	ipc_next(scene->server, connection);
	return captured;
}

static void account__worn_for_one_message__is_captured_as_it_claims(void **state)
{
	struct scene *scene = *state;
	AUTO(identity) struct identity *own = NULL;
	struct identity *captured[2] = { NULL };
	struct ipc_claim claims[2];
	start(scene, false);
	assert_int_equal(identity_self(&own, &scene->fault), RESULT_OK);
	AUTO(ipc_client) struct ipc_client *client = client_of(scene);
	for (unsigned i = 0; i < 2; i++) {
		AUTO(ipc_speaker) struct ipc_speaker *speaker = log_on();
		assert_int_equal(ipc_speaker_claim(speaker, &claims[i], &scene->fault), RESULT_OK);
		captured[i] = capture_speaker(scene, client, speaker);
		const struct caller *caller = identity_caller(captured[i]);
		assert_string_equal(caller->owner, claims[i].sid);
		assert_true(caller->logon_id == claims[i].logon_id);
		assert_true(caller->logon == LOGON_INTERACTIVE || caller->logon == LOGON_BATCH);
		assert_true(caller->impersonation);
		assert_false(caller->administrator);
		assert_string_not_equal(caller->owner, identity_caller(own)->owner);
		assert_true(caller->logon_id != identity_caller(own)->logon_id);
	}
	/* Two logons of one account are two (rule 6). */
	assert_true(claims[0].logon_id != claims[1].logon_id);
	assert_memory_not_equal(identity_digest(captured[0]), identity_digest(captured[1]), IDENTITY_DIGEST_BYTES);
	identity_free(captured[0]);
	identity_free(captured[1]);
}

static void account__wrong_password__is_refused_and_not_told(void **state)
{
	struct scene *scene = *state;
	struct ipc_speaker *speaker = NULL;
	assert_int_equal(ipc_speaker_logon(user, "wrong, hopefully", &speaker, &scene->fault), RESULT_ACCESS_REFUSED);
	assert_null(speaker);
	assert_non_null(strstr(scene->fault.what, user));
	assert_null(strstr(scene->fault.what, "wrong"));
}

/* An identity of the account; NULL: that kind of logon is not granted. */
static struct identity *log_on_as(DWORD type, DWORD provider)
{
	AUTO(memory) wchar_t *name = NULL;
	AUTO(memory) wchar_t *word = NULL;
	AUTO(handle) HANDLE token = NULL;
	struct identity *identity = NULL;
	struct fault fault = { .what = "" };
	assert_int_equal(utf_to_wide(text_view(user), "user", &name, &fault), RESULT_OK);
	assert_int_equal(utf_to_wide(text_view(password), "password", &word, &fault), RESULT_OK);
	wchar_t *backslash = wcschr(name, L'\\');
	const wchar_t *within = wcschr(name, L'@') ? NULL : L".";
	if (backslash) {
		*backslash = L'\0';
		within = name;
	}
	if (!LogonUserW(backslash ? backslash + 1 : name, within, word, type, provider, &token)) {
		assert_int_equal(GetLastError(), ERROR_LOGON_TYPE_NOT_GRANTED);
		return NULL;
	}
	if (identity_from_token(token, &identity, &fault) != RESULT_OK)
		fail_msg("%s", fault.what);
	return identity;
}

static void account__kinds_of_logon__are_told(void **state)
{
	static const struct {
		DWORD type;
		enum logon logon;
		const char *name;
	} kinds[] = { { LOGON32_LOGON_INTERACTIVE, LOGON_INTERACTIVE, "interactive" },
		          { LOGON32_LOGON_BATCH, LOGON_BATCH, "batch" },
		          { LOGON32_LOGON_SERVICE, LOGON_SERVICE, "service" },
		          { LOGON32_LOGON_NETWORK, LOGON_NETWORK, "network" } };
	struct scene *scene = *state;
	unsigned told = 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		AUTO(identity) struct identity *identity = log_on_as(kinds[i].type, LOGON32_PROVIDER_DEFAULT);
		if (!identity) {
			print_message("SKIPPED on this ground: a %s logon is told (not granted to %s)\n", kinds[i].name, user);
			continue;
		}
		assert_int_equal(identity_caller(identity)->logon, kinds[i].logon);
		told++;
	}
	assert_true(told > 0);
	/* Rule 14: it is the process's user to everybody here, and somebody else on the network; the logon id alone tells. */
	AUTO(identity) struct identity *own = NULL;
	AUTO(identity) struct identity *elsewhere = log_on_as(LOGON32_LOGON_NEW_CREDENTIALS, LOGON32_PROVIDER_WINNT50);
	assert_int_equal(identity_self(&own, &scene->fault), RESULT_OK);
	assert_non_null(elsewhere);
	assert_string_equal(identity_caller(elsewhere)->owner, identity_caller(own)->owner);
	assert_int_equal(identity_caller(elsewhere)->logon, identity_caller(own)->logon);
	assert_true(identity_caller(elsewhere)->logon_id != identity_caller(own)->logon_id);
	assert_memory_not_equal(identity_digest(elsewhere), identity_digest(own), IDENTITY_DIGEST_BYTES);
}

/* --- folders of the one and of the other --- */

static struct identity *account(void)
{
	struct identity *identity = log_on_as(LOGON32_LOGON_INTERACTIVE, LOGON32_PROVIDER_DEFAULT);
	if (!identity)
		identity = log_on_as(LOGON32_LOGON_BATCH, LOGON32_PROVIDER_DEFAULT);
	assert_non_null(identity);
	return identity;
}

/* A folder that may be written by `writer` alone and is readable for `reader`, both in SDDL's words. */
static void make_folder_of(struct scene *scene, const char *writer, const char *reader,
                           char folder[GROUND_PATH_BYTES_MAX])
{
	char sddl[SDDL_BYTES_MAX];
	ground_path(folder, scene->folder, "folder");
	ground_make_folder(folder);
	assert_int_equal(text_format(sddl, sizeof(sddl), "D:P(A;OICI;FA;;;%s)(A;OICI;FRFX;;;%s)", writer, reader),
	                 RESULT_OK);
	set_list(folder, sddl);
}

static void assert_landed(const struct landing *landing)
{
	assert_int_equal(landing->opened, RESULT_OK);
	assert_int_equal(landing->asked, RESULT_OK);
	assert_int_equal(landing->asked_name, RESULT_OK);
	assert_int_equal(landing->created, RESULT_OK);
	assert_int_equal(landing->written, RESULT_OK);
	assert_int_equal(landing->renamed, RESULT_OK);
	assert_int_equal(landing->removed, RESULT_OK);
}

static void assert_denied(const struct landing *landing)
{
	assert_int_equal(landing->opened, RESULT_OK);
	assert_int_equal(landing->asked, RESULT_DENIED);
	assert_int_equal(landing->created, RESULT_DENIED);
}

static void assert_owner(const char *path, const char *owner)
{
	PSECURITY_DESCRIPTOR descriptor = NULL;
	PSID sid = NULL;
	char text[SID_TEXT_BYTES_MAX];
	assert_int_equal(
		GetNamedSecurityInfoA(path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION, &sid, NULL, NULL, NULL, &descriptor),
		ERROR_SUCCESS);
	assert_int_equal(security_sid_text(sid, text, NULL), RESULT_OK);
	LocalFree(descriptor);
	assert_string_equal(text, owner);
}

/* The helper's side of LOCAL_FILE: made, renamed by its handle and removed as the account, where Ferry itself may not. */
static void file__folder_of_the_account_alone__lands_as_the_account(void **state)
{
	struct scene *scene = *state;
	char folder[GROUND_PATH_BYTES_MAX], final[GROUND_PATH_BYTES_MAX];
	AUTO(identity) struct identity *other = account();
	make_folder_of(scene, identity_caller(other)->owner, "BA", folder);
	struct landing own = { .folder = folder };
	struct landing others = { .folder = folder };
	land(&own);
	act_as(other, land, &others);
	ground_path(final, folder, "final");
	bool whole = ground_holds(final, "whole");
	assert_owner(final, identity_caller(other)->owner);
	set_list(folder, "D:P(A;OICI;FA;;;BA)"); /* so that it can be removed */
	assert_denied(&own);
	assert_landed(&others);
	assert_true(whole);
}

static void file__folder_of_the_process_alone__is_closed_to_the_account(void **state)
{
	struct scene *scene = *state;
	char folder[GROUND_PATH_BYTES_MAX], final[GROUND_PATH_BYTES_MAX];
	AUTO(identity) struct identity *other = account();
	make_folder_of(scene, "BA", identity_caller(other)->owner, folder);
	struct landing own = { .folder = folder };
	struct landing others = { .folder = folder };
	act_as(other, land, &others);
	assert_denied(&others);
	land(&own);
	assert_landed(&own);
	ground_path(final, folder, "final");
	assert_true(ground_holds(final, "whole"));
	/* Nor may it put its own in the place of what is there. */
	act_as(other, land, &others);
	assert_denied(&others);
	assert_int_equal(others.asked_name, RESULT_DENIED);
}

/* --- certificates of the one and of the other --- */

#define OWN_NAME "ferry test, of the process"

static void look_for_own(void *context)
{
	const struct client_certificate wanted = { .store = text_view("MY"), .who = text_view(OWN_NAME) };
	enum result *result = context;
	char thumbprint[CERTIFICATE_THUMBPRINT_BYTES];
	struct fault fault;

	*result = certificate_system->find_own(&wanted, thumbprint, &fault);
}

/* Rule 28: "current-user" is whoever the thread wears, not whoever runs the process. */
static void certificate__of_the_process__is_not_found_by_a_thread_that_wears_the_account(void **state)
{
	BYTE encoded[256];
	CERT_NAME_BLOB name = { sizeof(encoded), encoded };
	AUTO(identity) struct identity *other = account();
	HCERTSTORE store = CertOpenSystemStoreW(0, L"MY");
	enum result own = RESULT_SYSTEM, others = RESULT_SYSTEM;
	const CERT_CONTEXT *kept = NULL;
	(void)state;
	assert_int_equal(RegDisablePredefinedCacheEx(), ERROR_SUCCESS); /* as the service does: rule 22 */
	assert_true(CertStrToNameA(X509_ASN_ENCODING, "CN=\"" OWN_NAME "\"", CERT_X500_NAME_STR, NULL, encoded, &name.cbData, NULL));
	const CERT_CONTEXT *made = CertCreateSelfSignCertificate(0, &name, 0, NULL, NULL, NULL, NULL, NULL);
	assert_non_null(made);
	assert_true(CertAddCertificateContextToStore(store, made, CERT_STORE_ADD_ALWAYS, &kept));
	look_for_own(&own);
	act_as(other, look_for_own, &others);
	assert_true(CertDeleteCertificateFromStore(kept));
	CertFreeCertificateContext(made);
	CertCloseStore(store, 0);
	assert_int_equal(own, RESULT_OK);
	assert_int_equal(others, RESULT_CLIENT_CERTIFICATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		IPC_TEST(account__worn_for_one_message__is_captured_as_it_claims),
		IPC_TEST(account__wrong_password__is_refused_and_not_told),
		IPC_TEST(account__kinds_of_logon__are_told),
		IPC_TEST(file__folder_of_the_account_alone__lands_as_the_account),
		IPC_TEST(file__folder_of_the_process_alone__is_closed_to_the_account),
		IPC_TEST(certificate__of_the_process__is_not_found_by_a_thread_that_wears_the_account),
	};
	if (must_skip("a second account: its logons, captured and told apart, and folders of one user and the other"))
		return SKIPPED_PROGRAM;
	user = getenv("FERRY_TEST_USER");
	password = getenv("FERRY_TEST_PASSWORD");
	if (!user || !password) {
		printf("SKIPPED: needs a second account in FERRY_TEST_USER and FERRY_TEST_PASSWORD\n");
		return SKIPPED_PROGRAM;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
