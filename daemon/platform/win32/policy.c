#include "platform/policy.h"

#include <string.h>

#include "platform/thread.h"
#include "platform/win32/utf.h"
#include "platform/win32/win32.h"

#define PARENT L"SOFTWARE\\Policies"
#define KEY PARENT L"\\Ferry"
#define NAME_CHARS_MAX 16384u /* a value's name has at most 16,383 */
#define NAME_BYTES_MAX 512u   /* of one that can be a setting's; longer ones are told by their beginning */
#define VALUE_BYTES_MAX (256u * 1024u)
#define NOTICE_BYTES 4096u

static void key_cleanup(HKEY *key)
{
	if (*key != NULL)
		RegCloseKey(*key);
}

/* --- the values --- */

/* A text of a value, which need not be terminated; what is no text is null, and refused by the name of its key. */
static void write_text(struct json_writer *writer, const char *name, const wchar_t *wide, size_t chars)
{
	AUTO(memory) char *text = malloc(chars * 3 + 1);

	if (text == NULL)
		writer->result = RESULT_NO_MEMORY;
	else if (utf_from_wide(wide, chars, text, chars * 3 + 1, "policy value", NULL) == RESULT_OK)
		json_write_text(writer, name, text_view(text));
	else
		json_write_raw(writer, name, text_view("null"));
}

static void write_list(struct json_writer *writer, const char *name, const wchar_t *wide, size_t chars)
{
	size_t at = 0;

	json_write_begin(writer, name, '[');
	for (size_t length; at < chars && wide[at] != L'\0'; at += length + 1) {
		length = wcsnlen(wide + at, chars - at);
		write_text(writer, NULL, wide + at, length);
	}
	/* An empty line ends the list for whoever reads it by the book: what stands behind it must not be lost in silence. */
	for (; at < chars; at++)
		if (wide[at] != L'\0') {
			json_write_raw(writer, NULL, text_view("null"));
			break;
		}
	json_write_end(writer, ']');
}

static void write_value(struct json_writer *writer, const char *name, DWORD kind, const BYTE *bytes, DWORD size)
{
	const wchar_t *wide = (const void *)bytes;
	size_t chars = size / sizeof *wide;
	uint64_t number = 0;

	if ((kind == REG_DWORD && size == sizeof(DWORD)) || (kind == REG_QWORD && size == sizeof number)) {
		memcpy(&number, bytes, size);
		json_write_u64(writer, name, number);
	} else if (kind == REG_SZ) {
		write_text(writer, name, wide, wcsnlen(wide, chars));
	} else if (kind == REG_MULTI_SZ) {
		write_list(writer, name, wide, chars);
	} else {
		json_write_raw(writer, name, text_view("null"));
	}
}

static enum result read_values(HKEY key, struct json_writer *writer, struct fault *fault)
{
	AUTO(memory) wchar_t *name = calloc(NAME_CHARS_MAX, sizeof *name);
	AUTO(memory) BYTE *bytes = malloc(VALUE_BYTES_MAX);

	if (name == NULL || bytes == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "read the policy");
	for (DWORD i = 0;; i++) {
		char text[NAME_BYTES_MAX];
		DWORD chars = NAME_CHARS_MAX, size = VALUE_BYTES_MAX, kind = REG_NONE;
		LSTATUS error = RegEnumValueW(key, i, name, &chars, NULL, &kind, bytes, &size);

		if (error == ERROR_NO_MORE_ITEMS)
			return RESULT_OK;
		if (error == ERROR_MORE_DATA)
			return fault_set(fault, RESULT_TOO_LARGE, FAULT_FERRY, 0, "a value has more than %u bytes", VALUE_BYTES_MAX);
		if (error != ERROR_SUCCESS)
			return fault_win32(fault, (DWORD)error, "read the policy");
		if (chars > NAME_BYTES_MAX / 3 - 1)
			chars = NAME_BYTES_MAX / 3 - 1;
		enum result result = utf_from_wide(name, chars, text, sizeof text, "name of a policy value", fault);
		if (result != RESULT_OK)
			return result;
		write_value(writer, text, kind, bytes, size);
	}
}

static enum result read_policy(struct buffer *to, struct fault *fault)
{
	AUTO(key) HKEY key = NULL;
	struct json_writer writer = JSON_WRITER(to);
	LSTATUS error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_QUERY_VALUE | KEY_WOW64_64KEY, &key);
	enum result result = RESULT_OK;

	json_write_begin(&writer, NULL, '{');
	if (error == ERROR_SUCCESS)
		result = read_values(key, &writer, fault);
	else if (error != ERROR_FILE_NOT_FOUND)
		result = fault_win32(fault, (DWORD)error, "open the policy");
	json_write_end(&writer, '}');
	if (result == RESULT_OK && json_write_done(&writer) != RESULT_OK)
		result = fault_set(fault, json_write_done(&writer), FAULT_FERRY, 0, "read the policy");
	return result;
}

/* --- being told --- */

enum { STOP, FOLDER, VALUES, SIGN_COUNT };

struct policy_watch {
	HANDLE signs[SIGN_COUNT]; /* events */
	HANDLE folder;
	OVERLAPPED reading;
	HKEY key; /* ours, or while it is not there the one above */
	struct thread *thread;
	void (*changed)(void *context);
	void *context;
	union {
		FILE_NOTIFY_INFORMATION first;
		BYTE bytes[NOTICE_BYTES];
	} notice;
};

static bool ask_folder(struct policy_watch *watch)
{
	return ReadDirectoryChangesW(watch->folder, &watch->notice, sizeof watch->notice, TRUE,
	                             FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME | FILE_NOTIFY_CHANGE_LAST_WRITE |
	                                     FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_SECURITY,
	                             NULL, &watch->reading, NULL);
}

/* Asked anew before the values are read: the key may have come, or gone.  Above it only names count, or every policy would
 * be a sign.  That the old key is closed is one, too, which says nothing. */
static void ask_values(struct policy_watch *watch)
{
	DWORD filter = REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET;

	key_cleanup(&watch->key);
	watch->key = NULL;
	ResetEvent(watch->signs[VALUES]);
	if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, KEY, 0, KEY_NOTIFY | KEY_WOW64_64KEY, &watch->key) != ERROR_SUCCESS) {
		filter = REG_NOTIFY_CHANGE_NAME;
		if (RegOpenKeyExW(HKEY_LOCAL_MACHINE, PARENT, 0, KEY_NOTIFY | KEY_WOW64_64KEY, &watch->key) != ERROR_SUCCESS)
			return;
	}
	(void)RegNotifyChangeKeyValue(watch->key, FALSE, filter, watch->signs[VALUES], TRUE);
}

/* The folder is also that of queue and log: what else changes there is no sign. */
static bool is_ours(const wchar_t *name, size_t chars)
{
	static const wchar_t file[] = L"ferry.jsonc", *const folders[] = { L"conf.d", L"jobs.d" };
	size_t file_chars = wcslen(file);
	bool ours = chars == file_chars && _wcsnicmp(name, file, file_chars) == 0;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		size_t folder_chars = wcslen(folders[i]);

		ours |= chars >= folder_chars && _wcsnicmp(name, folders[i], folder_chars) == 0 &&
		        (chars == folder_chars || name[folder_chars] == L'\\');
	}
	return ours;
}

/* More came than the buffer holds: no bytes, and it may have been anything. */
static bool folder_changed(struct policy_watch *watch)
{
	DWORD size = 0;
	bool ours = !GetOverlappedResult(watch->folder, &watch->reading, &size, FALSE) || size == 0;

	for (DWORD at = 0, next = 1; !ours && next != 0; at += next) {
		FILE_NOTIFY_INFORMATION entry;

		memcpy(&entry, watch->notice.bytes + at, sizeof entry);
		next = entry.NextEntryOffset;
		ours = is_ours((const void *)(watch->notice.bytes + at + offsetof(FILE_NOTIFY_INFORMATION, FileName)),
		               entry.FileNameLength / sizeof(wchar_t));
	}
	return ours;
}

static void watch_thread(void *argument)
{
	struct policy_watch *watch = argument;
	ULONGLONG due = 0; /* when to tell; 0: nothing is to be told */

	ask_values(watch); /* here: what is asked of the registry ends with the thread that asked */
	for (;;) {
		ULONGLONG now = GetTickCount64();
		DWORD wait = due == 0 ? INFINITE : due > now ? (DWORD)(due - now) : 0;
		DWORD sign = WaitForMultipleObjects(SIGN_COUNT, watch->signs, FALSE, wait);
		bool changed = false;

		if (sign == WAIT_TIMEOUT) {
			due = 0;
			ask_values(watch);
			watch->changed(watch->context);
		} else if (sign == WAIT_OBJECT_0 + FOLDER) {
			changed = folder_changed(watch);
			if (!ask_folder(watch))
				ResetEvent(watch->signs[FOLDER]); /* the folder is gone: nothing more comes from there */
		} else if (sign == WAIT_OBJECT_0 + VALUES) {
			changed = true;
		} else {
			return;
		}
		if (changed && due == 0)
			due = GetTickCount64() + POLICY_SETTLE_MS;
	}
}

static void unwatch(struct policy_watch *watch)
{
	DWORD size;

	if (watch == NULL)
		return;
	if (watch->thread != NULL) {
		SetEvent(watch->signs[STOP]);
		thread_join(watch->thread);
	}
	/* The system writes into the notice until it says that it does not any more. */
	if (watch->folder != NULL && watch->folder != INVALID_HANDLE_VALUE && CancelIoEx(watch->folder, &watch->reading))
		(void)GetOverlappedResult(watch->folder, &watch->reading, &size, TRUE);
	handle_cleanup(&watch->folder);
	key_cleanup(&watch->key);
	for (int i = 0; i < SIGN_COUNT; i++)
		handle_cleanup(&watch->signs[i]);
	free(watch);
}

static void policy_watch_free(struct policy_watch *watch)
{
	unwatch(watch);
}
DEFINE_CLEANUP(policy_watch)

static enum result start_watch(const char *folder, void (*changed)(void *context), void *context, struct policy_watch **ret_watch,
                               struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	enum result result = utf_path_to_wide(folder, &wide, fault);
	AUTO(policy_watch) struct policy_watch *watch = result == RESULT_OK ? calloc(1, sizeof *watch) : NULL;

	if (watch == NULL)
		return result != RESULT_OK ? result : fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "watch %s", folder);
	watch->changed = changed;
	watch->context = context;
	for (int i = 0; i < SIGN_COUNT; i++) {
		watch->signs[i] = CreateEventW(NULL, i == STOP, FALSE, NULL);
		if (watch->signs[i] == NULL)
			return fault_win32(fault, GetLastError(), "watch %s", folder);
	}
	watch->reading.hEvent = watch->signs[FOLDER];
	watch->folder = CreateFileW(wide, FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
	                            FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
	if (watch->folder == INVALID_HANDLE_VALUE || !ask_folder(watch))
		return fault_win32(fault, GetLastError(), "watch %s", folder);
	result = thread_start("policy", watch_thread, watch, &watch->thread, fault);
	if (result == RESULT_OK)
		*ret_watch = TAKE(watch);
	return result;
}

static const struct policy_system registry = { "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Ferry", read_policy, start_watch, unwatch };
const struct policy_system *const policy_system = &registry;
