/* Whom the key of the secrets keeps out, and whom DPAPI does; whose the files are that a service makes: this program is also run as a service under NetworkService,
 * which is what every other service of that account is to Ferry. */
#include "windows_only.h"

#include <aclapi.h>
#include <sddl.h>
#include <string.h>

#include "ground.h"
#include "platform/file.h"
#include "platform/secrets.h"
#include "windows/land.h"

#define NAME "FerryTestSecrets"
#define BINDING "17 S-1-5-21-1-2-3-1001"
#define PLAIN "Authorization: Basic c2VjcmV0"
#define WAIT_MS 30000

struct places {
	char data[GROUND_PATH_BYTES_MAX];   /* with a key as Ferry makes it */
	char copy[GROUND_PATH_BYTES_MAX];   /* with the same key, given away */
	char sealed[GROUND_PATH_BYTES_MAX]; /* a secret, sealed by that key */
};

static void find_places(const char *folder, struct places *places)
{
	ground_path(places->data, folder, "data");
	ground_path(places->copy, folder, "copy");
	ground_path(places->sealed, folder, "sealed");
}

struct found {
	enum result key;      /* the key as Ferry made it */
	enum result unsealed; /* the secret, with the key that was given away */
	bool owns;            /* as a service: what it makes is its own, once it has said so */
};

static enum result unseal(const struct places *places)
{
	AUTO(secrets) struct secrets *secrets = NULL;
	AUTO(buffer) struct buffer sealed = BUFFER(SECRET_SEALED_BYTES_MAX);
	AUTO(buffer) struct buffer plain = BUFFER(SECRET_BYTES_MAX);
	enum result result = secrets_new(places->copy, &secrets, NULL);
	if (result == RESULT_OK)
		result = file_read_all(places->sealed, &sealed, NULL);
	return result == RESULT_OK ? secrets_unseal(secrets, BINDING, sealed.bytes, sealed.length, &plain, NULL) : result;
}

static struct found look(const struct places *places)
{
	AUTO(secrets) struct secrets *secrets = NULL;
	return (struct found){ secrets_new(places->data, &secrets, NULL), unseal(places), false };
}

/* Does what is made without a word of who owns it belong to this one? */
static bool is_made_for(struct sid *owner)
{
	char folder[MAX_PATH], path[MAX_PATH];
	struct sid found;
	if (GetTempPathA(sizeof(folder), folder) == 0 || GetTempFileNameA(folder, "fry", 0, path) == 0)
		return false;
	DeleteFileA(path);
	AUTO(handle) HANDLE file = CreateFileA(path, GENERIC_WRITE | READ_CONTROL, 0, NULL, CREATE_NEW, FILE_FLAG_DELETE_ON_CLOSE, NULL);
	return file != INVALID_HANDLE_VALUE && security_owner(file, &found, NULL) == RESULT_OK && EqualSid(&found.sid, &owner->sid);
}

static bool own_what_is_made(void)
{
	AUTO(handle) HANDLE token = NULL;
	struct sid service;
	return security_service_sid(L"" NAME, &service, NULL) == RESULT_OK &&
	       OpenProcessToken(GetCurrentProcess(), TOKEN_ADJUST_DEFAULT, &token) &&
	       security_own_what_is_made(token, &service, NULL) == RESULT_OK && is_made_for(&service);
}

/* --- as a service --- */

static const char *probed;

static DWORD WINAPI on_control(DWORD control, DWORD type, void *data, void *context)
{
	(void)control, (void)type, (void)data, (void)context;
	return NO_ERROR;
}

static void WINAPI serve(DWORD count, char **words)
{
	struct places places;
	(void)count, (void)words;
	SERVICE_STATUS_HANDLE reports = RegisterServiceCtrlHandlerExA(NAME, on_control, NULL);
	SERVICE_STATUS status = { .dwServiceType = SERVICE_WIN32_OWN_PROCESS, .dwCurrentState = SERVICE_RUNNING };
	SetServiceStatus(reports, &status);
	find_places(probed, &places);
	struct found found = look(&places);
	status.dwCurrentState = SERVICE_STOPPED;
	status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
	status.dwServiceSpecificExitCode = (DWORD)own_what_is_made() << 31 | (DWORD)found.key << 16 | (DWORD)found.unsealed;
	SetServiceStatus(reports, &status);
}

static int run_as_service(const char *folder)
{
	static const SERVICE_TABLE_ENTRYA table[] = { { (char *)(uintptr_t)NAME, serve }, { NULL, NULL } };
	probed = folder;
	return StartServiceCtrlDispatcherA(table) ? 0 : 1;
}

/* Start it and wait until it has looked and is gone, with its process, which holds its program. */
static SERVICE_STATUS run(SC_HANDLE service, const char *program)
{
	SERVICE_STATUS status = { .dwCurrentState = SERVICE_START_PENDING };
	ULONGLONG end = GetTickCount64() + WAIT_MS;
	if (!StartServiceW(service, 0, NULL))
		return (SERVICE_STATUS){ .dwWin32ExitCode = GetLastError() };
	while (QueryServiceStatus(service, &status) && status.dwCurrentState != SERVICE_STOPPED && GetTickCount64() < end)
		Sleep(20);
	while (!DeleteFileA(program) && GetTickCount64() < end)
		Sleep(20);
	return status;
}

static struct found look_as_network_service(const char *folder)
{
	char here[GROUND_PATH_BYTES_MAX], program[GROUND_PATH_BYTES_MAX], command[3 * GROUND_PATH_BYTES_MAX];
	ground_path(program, folder, "probe.exe");
	assert_in_range(GetModuleFileNameA(NULL, here, sizeof(here)), 1, sizeof(here) - 1);
	assert_true(CopyFileA(here, program, TRUE));
	assert_int_equal(text_format(command, sizeof(command), "\"%s\" \"%s\"", program, folder), RESULT_OK);
	SC_HANDLE manager = OpenSCManagerA(NULL, NULL, SC_MANAGER_CREATE_SERVICE);
	assert_non_null(manager);
	SC_HANDLE service =
		CreateServiceA(manager, NAME, NULL, SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS, SERVICE_DEMAND_START,
	                   SERVICE_ERROR_NORMAL, command, NULL, NULL, NULL, "NT AUTHORITY\\NetworkService", NULL);
	assert_non_null(service);
	SERVICE_SID_INFO unrestricted = { SERVICE_SID_TYPE_UNRESTRICTED };
	assert_true(ChangeServiceConfig2A(service, SERVICE_CONFIG_SERVICE_SID_INFO, &unrestricted));
	SERVICE_STATUS status = run(service, program);
	DeleteService(service);
	CloseServiceHandle(service);
	CloseServiceHandle(manager);
	assert_int_equal(status.dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
	DWORD found = status.dwServiceSpecificExitCode;
	return (struct found){ (enum result)(found >> 16 & 0x7FFF), (enum result)(found & 0xFFFF), found >> 31 };
}

/* --- the tests --- */

struct scene {
	char folder[GROUND_PATH_BYTES_MAX];
	struct places places;
	struct fault fault;
};

static void copy_file(const char *from, const char *to_folder)
{
	char path[GROUND_PATH_BYTES_MAX];
	ground_path(path, to_folder, "secrets.key");
	assert_true(CopyFileA(from, path, TRUE));
}

static void write_sealed(struct scene *scene, const struct buffer *sealed)
{
	AUTO(file_handle) struct file_handle *file = NULL;
	assert_int_equal(file_open_append(scene->places.sealed, &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_write(file, 0, sealed->bytes, sealed->length, &scene->fault), RESULT_OK);
}

/* NetworkService and other users may read all that is in the folder, but the data folder. */
static int set_up(void **state)
{
	static struct scene scene;
	char key[GROUND_PATH_BYTES_MAX];
	AUTO(secrets) struct secrets *secrets = NULL;
	AUTO(buffer) struct buffer sealed = BUFFER(SECRET_SEALED_BYTES_MAX);
	ground_set_up(scene.folder);
	set_list(scene.folder, "D:P(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)(A;OICI;FRFX;;;AU)");
	find_places(scene.folder, &scene.places);
	assert_int_equal(file_make_private_folder(scene.places.data, &scene.fault), RESULT_OK);
	assert_int_equal(secrets_new(scene.places.data, &secrets, &scene.fault), RESULT_OK);
	assert_int_equal(secrets_seal(secrets, BINDING, PLAIN, strlen(PLAIN), &sealed, &scene.fault), RESULT_OK);
	write_sealed(&scene, &sealed);
	ground_path(key, scene.places.data, "secrets.key");
	ground_make_folder(scene.places.copy);
	copy_file(key, scene.places.copy);
	*state = &scene;
	return 0;
}

static int tear_down(void **state)
{
	ground_tear_down(((struct scene *)*state)->folder);
	return 0;
}

/* The key is closed to it, and what it seals would be closed if it had the key: it is another account than the test's. */
static void secrets__to_another_network_service__are_closed_twice(void **state)
{
	struct scene *scene = *state;
	struct found own = look(&scene->places);
	struct found others = look_as_network_service(scene->folder);
	assert_int_equal(own.key, RESULT_OK);
	assert_int_equal(own.unsealed, RESULT_OK);
	assert_int_equal(others.key, RESULT_DENIED);
	assert_int_equal(others.unsealed, RESULT_SECRET_UNREADABLE);
	/* The queue's files would be NetworkService's else, and so everybody's of that account. */
	assert_true(others.owns);
}

/* Somebody may have loosened the folder's list, for those who read the logs; the key's is its own. */
static void key__in_a_folder_that_hands_on_more__has_exactly_its_list(void **state)
{
	struct scene *scene = *state;
	AUTO(secrets) struct secrets *secrets = NULL;
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	AUTO(local) char *found = NULL;
	struct sid ferry;
	char path[GROUND_PATH_BYTES_MAX], ferry_text[SID_TEXT_BYTES_MAX], expected[SDDL_BYTES_MAX];
	char lax[GROUND_PATH_BYTES_MAX];
	ground_path(lax, scene->folder, "lax");
	ground_make_folder(lax);
	assert_int_equal(secrets_new(lax, &secrets, &scene->fault), RESULT_OK);
	ground_path(path, lax, "secrets.key");
	assert_int_equal(GetNamedSecurityInfoA(path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION,
	                                       NULL, NULL, NULL, NULL, &descriptor),
	                 ERROR_SUCCESS);
	assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(
		descriptor, SDDL_REVISION_1, OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, &found, NULL));
	assert_int_equal(security_ferry_sid(&ferry, &scene->fault), RESULT_OK);
	assert_int_equal(security_sid_text(&ferry.sid, ferry_text, &scene->fault), RESULT_OK);
	assert_int_equal(text_format(expected, sizeof(expected), "(A;;FA;;;%s)(A;;FA;;;SY)(A;;FA;;;BA)", ferry_text),
	                 RESULT_OK);
	assert_memory_equal(found, "O:BAD:P", strlen("O:BAD:P")); /* what else is said of the list counts for folders */
	assert_string_equal(strchr(found, '('), expected);
}

#define SECRETS_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int count, char **words)
{
	const struct CMUnitTest tests[] = {
		SECRETS_TEST(secrets__to_another_network_service__are_closed_twice),
		SECRETS_TEST(key__in_a_folder_that_hands_on_more__has_exactly_its_list),
	};
	if (count == 2)
		return run_as_service(words[1]);
	if (must_skip("the key's access list, and DPAPI's answer to another account"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
