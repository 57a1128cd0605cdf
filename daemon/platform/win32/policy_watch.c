/* platform/policy: being told of changes, and the values once they have settled.
 *
 * Group Policy deletes and writes its values one by one.  It lets go of its critical section when it is done, so they are read
 * within that; and as others write there, too, they count only when two readings in a row are the same.  Waiting for that is
 * this thread's alone.
 */
#include "platform/win32/policy_win32.h"

#include <string.h>

#include "platform/win32/thread_win32.h"
#include "platform/win32/utf.h"

#define NOTICE_BYTES 4096u
#define END_MS 5000u /* for the thread to end; Group Policy may have its section for minutes */

enum { STOP, FOLDER, VALUES, NAMES, SIGN_COUNT };

struct policy_watch {
	HANDLE signs[SIGN_COUNT]; /* events */
	HANDLE begun, read;       /* likewise: what changes now is noticed; there is a reading */
	HANDLE folder;
	OVERLAPPED reading;
	HKEY key, parent; /* ours, NULL while it is not there; the one above */
	struct thread *thread;
	struct policy_told told;
	/* The thread's own: the readings, and when the next one is due; 0: none is. */
	struct buffer now, before;
	struct fault now_fault;
	ULONGLONG due, until;
	bool again; /* `before` is of this change */
	bool files; /* it is one of files, too */
	bool folder_ended, values_ended, names_ended; /* which was told */
	/* Under the lock: */
	SRWLOCK lock;
	struct buffer settled;
	struct fault settled_fault;
	bool passed_by; /* somebody has another reading than the settled one: the next of these is told in any case */
	union {
		FILE_NOTIFY_INFORMATION first;
		BYTE bytes[NOTICE_BYTES];
	} notice;
};

/* --- signs --- */

static void say_ended(struct policy_watch *watch, bool *ended, DWORD error, const char *what)
{
	struct fault why;

	if (*ended)
		return;
	*ended = true;
	(void)!fault_win32(&why, error, "watch %s", what);
	watch->told.ended(watch->told.context, &why);
}

static bool ask_folder(struct policy_watch *watch)
{
	return ReadDirectoryChangesW(watch->folder, &watch->notice, sizeof watch->notice, TRUE,
	                             FILE_NOTIFY_CHANGE_FILE_NAME | FILE_NOTIFY_CHANGE_DIR_NAME | FILE_NOTIFY_CHANGE_LAST_WRITE |
	                                     FILE_NOTIFY_CHANGE_SIZE | FILE_NOTIFY_CHANGE_SECURITY,
	                             NULL, &watch->reading, NULL);
}

/* That our key comes, or goes, which its own watch need not outlive.  Above it only names count, or every policy would be a
 * sign. */
static void ask_names(struct policy_watch *watch)
{
	LSTATUS error = ERROR_SUCCESS;

	if (watch->parent == NULL)
		error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, POLICY_PARENT, 0, KEY_NOTIFY | KEY_WOW64_64KEY, &watch->parent);
	if (error == ERROR_SUCCESS)
		error = RegNotifyChangeKeyValue(watch->parent, FALSE, REG_NOTIFY_CHANGE_NAME, watch->signs[NAMES], TRUE);
	if (error != ERROR_SUCCESS)
		say_ended(watch, &watch->names_ended, (DWORD)error, "the policies");
}

/* Anew before the values are read: the key may be another one.  That the old one is closed is a sign, too, which says
 * nothing. */
static void ask_values(struct policy_watch *watch)
{
	LSTATUS error;

	key_cleanup(&watch->key);
	watch->key = NULL;
	ResetEvent(watch->signs[VALUES]);
	error = RegOpenKeyExW(HKEY_LOCAL_MACHINE, POLICY_KEY, 0, KEY_NOTIFY | KEY_WOW64_64KEY, &watch->key);
	if (error == ERROR_SUCCESS)
		error = RegNotifyChangeKeyValue(watch->key, FALSE, REG_NOTIFY_CHANGE_NAME | REG_NOTIFY_CHANGE_LAST_SET,
		                                watch->signs[VALUES], TRUE);
	if (error != ERROR_SUCCESS && error != ERROR_FILE_NOT_FOUND && error != ERROR_KEY_DELETED)
		say_ended(watch, &watch->values_ended, (DWORD)error, "the policy");
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

static bool take_sign(struct policy_watch *watch, DWORD sign)
{
	if (sign == NAMES)
		ask_names(watch);
	if (sign != FOLDER) {
		ask_values(watch);
		return true;
	}
	bool changed = folder_changed(watch);
	watch->files |= changed;
	if (!ask_folder(watch)) {
		say_ended(watch, &watch->folder_ended, GetLastError(), "the configuration's folder");
		ResetEvent(watch->signs[FOLDER]); /* nothing more comes from there */
	}
	return changed;
}

/* --- readings --- */

/* What of userenv.dll is there: Wine has it not, or does nothing in it. */
static FARPROC find(const char *name)
{
	HMODULE module = LoadLibraryExW(L"userenv.dll", NULL, LOAD_LIBRARY_SEARCH_SYSTEM32); /* it stays */

	return module != NULL ? GetProcAddress(module, name) : NULL;
}

/* NULL: there is none, it is not for us, or it was not had within what Windows waits, 10 minutes.  Two equal readings have to
 * do then. */
static HANDLE enter_section(void)
{
	HANDLE(WINAPI *enter)(BOOL machine);
	FARPROC found = find("EnterCriticalPolicySection");

	memcpy(&enter, &found, sizeof enter);
	return found != NULL ? enter(TRUE) : NULL;
}

static void leave_section(HANDLE section)
{
	BOOL(WINAPI *leave)(HANDLE section);
	FARPROC found = find("LeaveCriticalPolicySection");

	memcpy(&leave, &found, sizeof leave);
	if (found != NULL && section != NULL)
		(void)leave(section);
}

static void read_once(struct policy_watch *watch)
{
	HANDLE section = enter_section();

	ask_values(watch);
	buffer_clear(&watch->now);
	watch->now_fault.result = policy_read_now(&watch->now, &watch->now_fault);
	leave_section(section);
}

static bool is_alike(const struct buffer *a, const struct buffer *b)
{
	return a->length == b->length && (a->length == 0 || memcmp(a->bytes, b->bytes, a->length) == 0);
}

static void swap(struct buffer *a, struct buffer *b)
{
	struct buffer kept = *a;

	*a = *b;
	*b = kept;
}

/* What is now as it was last told is no change; nor is the first reading. */
static void settle(struct policy_watch *watch)
{
	AcquireSRWLockExclusive(&watch->lock);
	bool changed = watch->files || watch->passed_by;
	if (WaitForSingleObject(watch->read, 0) == WAIT_OBJECT_0)
		changed |= watch->now_fault.result != watch->settled_fault.result || !is_alike(&watch->now, &watch->settled);
	watch->passed_by = false;
	swap(&watch->settled, &watch->now);
	watch->settled_fault = watch->now_fault;
	SetEvent(watch->read);
	ReleaseSRWLockExclusive(&watch->lock);
	watch->due = 0;
	watch->files = false;
	if (changed)
		watch->told.changed(watch->told.context);
}

static void take_reading(struct policy_watch *watch)
{
	read_once(watch);
	if (WaitForSingleObject(watch->signs[STOP], 0) == WAIT_OBJECT_0)
		return; /* nobody may be there any more */
	if ((watch->again && is_alike(&watch->now, &watch->before)) || GetTickCount64() >= watch->until) {
		settle(watch);
		return;
	}
	swap(&watch->before, &watch->now);
	watch->again = true;
	watch->due = GetTickCount64() + POLICY_AGAIN_MS;
}

static void put_off(struct policy_watch *watch, ULONGLONG ms)
{
	ULONGLONG now = GetTickCount64();

	if (watch->due == 0)
		watch->until = now + POLICY_SETTLE_MS_MAX;
	watch->due = now + ms < watch->until ? now + ms : watch->until;
	watch->again = false;
}

static void watch_thread(void *argument)
{
	struct policy_watch *watch = argument;

	ask_names(watch); /* here: what is asked of the registry ends with the thread that asked */
	ask_values(watch);
	SetEvent(watch->begun);
	put_off(watch, 0);
	for (;;) {
		ULONGLONG now = GetTickCount64();
		DWORD wait = watch->due == 0 ? INFINITE : watch->due > now ? (DWORD)(watch->due - now) : 0;
		DWORD sign = WaitForMultipleObjects(SIGN_COUNT, watch->signs, FALSE, wait);

		if (sign == WAIT_TIMEOUT)
			take_reading(watch);
		else if (sign <= WAIT_OBJECT_0 + STOP || sign >= WAIT_OBJECT_0 + SIGN_COUNT)
			return;
		else if (take_sign(watch, sign - WAIT_OBJECT_0))
			put_off(watch, POLICY_SETTLE_MS);
	}
}

static enum result read_values(struct policy_watch *watch, bool at_once, struct buffer *to, struct fault *fault)
{
	if (watch == NULL)
		return policy_read_now(to, fault);
	if (!at_once)
		(void)WaitForSingleObject(watch->read, POLICY_FIRST_MS);
	AcquireSRWLockExclusive(&watch->lock);
	bool there = !at_once && WaitForSingleObject(watch->read, 0) == WAIT_OBJECT_0;
	enum result result = watch->settled_fault.result;
	watch->passed_by |= !there;
	if (there && result == RESULT_OK && (result = buffer_append(to, watch->settled.bytes, watch->settled.length)) != RESULT_OK)
		(void)!fault_set(fault, result, FAULT_FERRY, 0, "read the policy");
	else if (there && result != RESULT_OK)
		*fault = watch->settled_fault;
	ReleaseSRWLockExclusive(&watch->lock);
	return there ? result : policy_read_now(to, fault);
}

/* --- beginning and ending --- */

static void unwatch(struct policy_watch *watch)
{
	DWORD size;

	if (watch == NULL)
		return;
	if (watch->thread != NULL) {
		SetEvent(watch->signs[STOP]);
		/* Who waits for Group Policy would hold up the stop of the service: it is left behind with all that it has, and
		 * tells nobody anything. */
		if (WaitForSingleObject(watch->thread->handle, END_MS) != WAIT_OBJECT_0)
			return;
		thread_join(watch->thread);
	}
	/* The system writes into the notice until it says that it does not any more. */
	if (watch->folder != NULL && watch->folder != INVALID_HANDLE_VALUE && CancelIoEx(watch->folder, &watch->reading))
		(void)GetOverlappedResult(watch->folder, &watch->reading, &size, TRUE);
	handle_cleanup(&watch->folder);
	key_cleanup(&watch->key);
	key_cleanup(&watch->parent);
	for (int i = 0; i < SIGN_COUNT; i++)
		handle_cleanup(&watch->signs[i]);
	handle_cleanup(&watch->begun);
	handle_cleanup(&watch->read);
	buffer_done(&watch->now);
	buffer_done(&watch->before);
	buffer_done(&watch->settled);
	free(watch);
}

static void policy_watch_free(struct policy_watch *watch)
{
	unwatch(watch);
}
DEFINE_CLEANUP(policy_watch)

static bool make_events(struct policy_watch *watch)
{
	bool made = true;

	for (int i = 0; i < SIGN_COUNT; i++)
		made = (watch->signs[i] = CreateEventW(NULL, i == STOP, FALSE, NULL)) != NULL && made;
	watch->begun = CreateEventW(NULL, TRUE, FALSE, NULL);
	watch->read = CreateEventW(NULL, TRUE, FALSE, NULL);
	watch->reading.hEvent = watch->signs[FOLDER];
	return made && watch->begun != NULL && watch->read != NULL;
}

static enum result start_watch(const char *folder, const struct policy_told *told, struct policy_watch **ret_watch,
                               struct fault *fault)
{
	AUTO(memory) wchar_t *wide = NULL;
	enum result result = utf_path_to_wide(folder, &wide, fault);
	AUTO(policy_watch) struct policy_watch *watch = result == RESULT_OK ? calloc(1, sizeof *watch) : NULL;

	if (watch == NULL)
		return result != RESULT_OK ? result : fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "watch %s", folder);
	watch->told = *told;
	watch->now = watch->before = watch->settled = BUFFER(POLICY_TEXT_BYTES_MAX);
	if (!make_events(watch))
		return fault_win32(fault, GetLastError(), "watch %s", folder);
	watch->folder = CreateFileW(wide, FILE_LIST_DIRECTORY, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL, OPEN_EXISTING,
	                            FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OVERLAPPED, NULL);
	if (watch->folder == INVALID_HANDLE_VALUE || !ask_folder(watch))
		return fault_win32(fault, GetLastError(), "watch %s", folder);
	result = thread_start("policy", watch_thread, watch, &watch->thread, fault);
	if (result != RESULT_OK)
		return result;
	/* Who reads next has what is there now, or is told of it. */
	(void)WaitForSingleObject(watch->begun, INFINITE);
	*ret_watch = TAKE(watch);
	return RESULT_OK;
}

static const struct policy_system registry = { "HKEY_LOCAL_MACHINE\\SOFTWARE\\Policies\\Ferry", read_values, start_watch, unwatch };
const struct policy_system *const policy_system = &registry;
