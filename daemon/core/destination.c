#include "core/destination.h"

#include <string.h>

static enum result refuse(struct fault *fault, const char *rule)
{
	return fault_set(fault, RESULT_BAD_DESTINATION, FAULT_FERRY, 0, "%s", rule);
}

static bool is_letter(char byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static bool is_digit(char byte)
{
	return byte >= '0' && byte <= '9';
}

static char lower(char byte)
{
	return byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
}

static bool same_ignoring_case(struct text_view a, struct text_view b)
{
	if (a.length != b.length)
		return false;
	for (size_t i = 0; i < a.length; i++) {
		if (lower(a.bytes[i]) != lower(b.bytes[i]))
			return false;
	}
	return true;
}

static bool is_one_of(struct text_view name, const char *const *list)
{
	for (; *list; list++) {
		if (same_ignoring_case(name, text_view(*list)))
			return true;
	}
	return false;
}

/* --- segments --- */

/* COM1 to COM9 and LPT1 to LPT9; Windows takes the superscript digits of Latin-1 for digits too. */
static bool is_numbered_device(struct text_view base)
{
	if (base.length < 4)
		return false;
	struct text_view prefix = { base.bytes, 3 };
	struct text_view number = { base.bytes + 3, base.length - 3 };
	if (!is_one_of(prefix, (const char *const[]){ "COM", "LPT", NULL }))
		return false;
	if (number.length == 1)
		return number.bytes[0] >= '1' && number.bytes[0] <= '9';
	return text_is(number, "\xC2\xB9") || text_is(number, "\xC2\xB2") || text_is(number, "\xC2\xB3");
}

/* A device is reserved in every folder, whatever extension it has, and spaces before that are not seen:
 * "nul .txt" is NUL. */
static bool is_device(struct text_view segment)
{
	static const char *const devices[] = { "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", NULL };
	struct text_view base = segment;
	const char *dot = memchr(segment.bytes, '.', segment.length);
	if (dot)
		base.length = (size_t)(dot - segment.bytes);
	while (base.length > 0 && base.bytes[base.length - 1] == ' ')
		base.length--;
	return is_one_of(base, devices) || is_numbered_device(base);
}

/* What both styles demand of a segment. */
static enum result check_segment(struct text_view segment, struct fault *fault)
{
	if (segment.length == 0)
		return refuse(fault, "two separators in a row");
	if (text_is(segment, ".") || text_is(segment, ".."))
		return refuse(fault, "'.' or '..'");
	if (segment.length > DESTINATION_SEGMENT_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "a name of more than %d bytes",
		                 DESTINATION_SEGMENT_BYTES_MAX);
	return RESULT_OK;
}

static enum result check_windows_segment(struct text_view segment, struct fault *fault)
{
	enum result result = check_segment(segment, fault);
	if (result != RESULT_OK)
		return result;
	for (size_t i = 0; i < segment.length; i++) {
		if (segment.bytes[i] == ':')
			return refuse(fault, "':' after the drive: a stream or a second drive");
		if (strchr("<>\"|?*", segment.bytes[i]))
			return refuse(fault, "one of <>\"|?*");
	}
	char last = segment.bytes[segment.length - 1];
	if (last == '.' || last == ' ')
		return refuse(fault, "a name that ends in a dot or a space");
	if (is_device(segment))
		return refuse(fault, "a device's name (CON, PRN, AUX, NUL, COM1, LPT1, ...)");
	return RESULT_OK;
}

/* --- roots --- */

/* A server is a DNS or NetBIOS name or an IPv4 address.  '@' would make a WebDAV port of it. */
static enum result check_server(struct text_view server, struct fault *fault)
{
	for (size_t i = 0; i < server.length; i++) {
		char byte = server.bytes[i];
		if (!is_letter(byte) && !is_digit(byte) && !strchr("-_.", byte) && (unsigned char)byte < 0x80)
			return refuse(fault, "a server name with other characters than a-z, 0-9, '-', '_' and '.'");
	}
	return RESULT_OK;
}

/* Behind these there are no files but pipes and mailslots. */
static enum result check_share(struct text_view share, struct fault *fault)
{
	static const char *const channels[] = { "PIPE", "MAILSLOT", "IPC$", NULL };
	if (is_one_of(share, channels))
		return refuse(fault, "a share that holds no files (PIPE, MAILSLOT, IPC$)");
	return RESULT_OK;
}

/* `ret_root`: what comes before the first segment, "C:\" or "\\". */
static enum result windows_root(struct text_view path, size_t *ret_root, struct fault *fault)
{
	const char *bytes = path.bytes;
	if (path.length >= 3 && is_letter(bytes[0]) && bytes[1] == ':' && bytes[2] == '\\') {
		*ret_root = 3;
		return RESULT_OK;
	}
	if (path.length >= 2 && is_letter(bytes[0]) && bytes[1] == ':')
		return refuse(fault, "a path relative to the drive's current folder");
	if (path.length < 2 || bytes[0] != '\\' || bytes[1] != '\\')
		return refuse(fault, "not an absolute path (C:\\folder\\file or \\\\server\\share\\file)");
	if (path.length >= 3 && strchr("?.", bytes[2]) && (path.length == 3 || bytes[3] == '\\'))
		return refuse(fault, "a device path (\\\\?\\ or \\\\.\\)");
	*ret_root = 2;
	return RESULT_OK;
}

/* --- paths --- */

static struct text_view next_segment(struct text_view path, size_t at, char separator)
{
	struct text_view segment = { path.bytes + at, 0 };
	while (at + segment.length < path.length && segment.bytes[segment.length] != separator)
		segment.length++;
	return segment;
}

static enum result parse_windows(struct text_view path, struct destination *ret_destination,
                                 struct fault *fault)
{
	size_t root = 0;
	if (memchr(path.bytes, '/', path.length))
		return refuse(fault, "a forward slash: Windows paths have backslashes");
	enum result result = windows_root(path, &root, fault);
	if (result != RESULT_OK)
		return result;
	if (path.bytes[path.length - 1] == '\\')
		return refuse(fault, "a folder: the path ends in a separator");

	bool unc = root == 2;
	size_t at = root;
	struct text_view segment;
	for (unsigned index = 0;; index++) {
		segment = next_segment(path, at, '\\');
		result = check_windows_segment(segment, fault);
		if (result == RESULT_OK && unc && index == 0)
			result = check_server(segment, fault);
		if (result == RESULT_OK && unc && index == 1)
			result = check_share(segment, fault);
		if (result != RESULT_OK)
			return result;
		at += segment.length;
		if (at == path.length) {
			if (unc && index < 2)
				return refuse(fault, "a share without a file name");
			break;
		}
		at++;
	}

	size_t folder = path.length - segment.length - 1; /* without the separator */
	ret_destination->folder = (struct text_view){ path.bytes, folder < root ? root : folder };
	ret_destination->name = segment;
	return RESULT_OK;
}

static enum result parse_posix(struct text_view path, struct destination *ret_destination,
                               struct fault *fault)
{
	if (path.bytes[0] != '/')
		return refuse(fault, "not an absolute path (/folder/file)");
	if (path.bytes[path.length - 1] == '/')
		return refuse(fault, "a folder: the path ends in a separator");

	struct text_view segment;
	for (size_t at = 1;; at++) {
		segment = next_segment(path, at, '/');
		enum result result = check_segment(segment, fault);
		if (result != RESULT_OK)
			return result;
		at += segment.length;
		if (at == path.length)
			break;
	}

	size_t folder = path.length - segment.length - 1;
	ret_destination->folder = (struct text_view){ path.bytes, folder < 1 ? 1 : folder };
	ret_destination->name = segment;
	return RESULT_OK;
}

enum result destination_parse(enum path_style style, struct text_view path,
                              struct destination *ret_destination, struct fault *fault)
{
	if (path.length == 0)
		return refuse(fault, "no path");
	if (path.length > DESTINATION_BYTES_MAX)
		return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "a path of more than %d bytes",
		                 DESTINATION_BYTES_MAX);
	if (!text_is_utf8(path) && !memchr(path.bytes, '\0', path.length))
		return fault_set(fault, RESULT_NOT_UTF8, FAULT_FERRY, 0, "a path that is not UTF-8");
	if (text_has_control(path))
		return refuse(fault, "a control character");
	return style == PATH_WINDOWS ? parse_windows(path, ret_destination, fault)
	                             : parse_posix(path, ret_destination, fault);
}

/* --- comparing --- */

bool destination_is_remote(enum path_style style, struct text_view path)
{
	return style == PATH_WINDOWS && path.length > 2 && path.bytes[0] == '\\' && path.bytes[1] == '\\';
}

bool destination_same(enum path_style style, struct text_view a, struct text_view b)
{
	return style == PATH_WINDOWS ? same_ignoring_case(a, b) : text_equal(a, b);
}

bool destination_is_below(enum path_style style, struct text_view path, struct text_view folder)
{
	char separator = style == PATH_WINDOWS ? '\\' : '/';
	if (folder.length == 0 || path.length < folder.length)
		return false;
	struct text_view front = { path.bytes, folder.length };
	if (!destination_same(style, front, folder))
		return false;
	return path.length == folder.length || folder.bytes[folder.length - 1] == separator ||
	       path.bytes[folder.length] == separator;
}

bool destination_is_inside(enum path_style style, struct text_view path, struct text_view folder)
{
	return path.length > folder.length && destination_is_below(style, path, folder);
}
