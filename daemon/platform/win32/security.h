/* platform/win32/security - SIDs, security descriptors and what the process's own token says.
 *
 * Private to platform/win32.  The one place that knows the service's SID.
 */
#ifndef FERRY_WIN32_SECURITY_H
#define FERRY_WIN32_SECURITY_H

#include "platform/win32/win32.h"

#define SID_TEXT_BYTES_MAX 192u
#define SDDL_BYTES_MAX 1024u
#define SECURITY_SERVICE_NAME L"Ferry" /* service.h's SERVICE_NAME; service.c holds them equal */

/* The Event Log's list.  The rights of a log: 1 to read, 2 to write, 4 to clear; one without a list of its own is everybody's who
 * logs on.  NT SERVICE\Ferry writes, Event Log Readers (S-1-5-32-573) read. */
#define SECURITY_EVENT_LOG                                     \
	L"O:BAG:SYD:(A;;0xf0007;;;SY)(A;;0x7;;;BA)"            \
	L"(A;;0x2;;;S-1-5-80-4052256970-1309774770-3364190890-822515559-807314234)(A;;0x1;;;S-1-5-32-573)"

struct sid {
	union {
		SID sid;
		BYTE bytes[SECURITY_MAX_SID_SIZE];
	};
};

/* The SID of a service by its name, as RtlCreateServiceSid does: S-1-5-80 and the SHA-1 of the upper-case UTF-16 name.
 * Computed, because looking it up needs an installed service. */
enum result security_service_sid(const wchar_t *service, struct sid *ret_sid, struct fault *fault) MUST_CHECK;
/* NT SERVICE\Ferry. */
enum result security_ferry_sid(struct sid *ret_sid, struct fault *fault) MUST_CHECK;
/* The user of a token; the handle needs TOKEN_QUERY. */
enum result security_token_user(HANDLE token, struct sid *ret_sid, struct fault *fault) MUST_CHECK;
/* The user of the process's token, whatever the thread wears. */
enum result security_process_user(struct sid *ret_sid, struct fault *fault) MUST_CHECK;
/* Whether the process's token has the SID as an enabled group. */
enum result security_process_is(const struct sid *sid, bool *ret_is, struct fault *fault) MUST_CHECK;
/* Whose the objects are that are made with this token, where nothing else is said.  Its user or an enabled group that may own;
 * the handle needs TOKEN_ADJUST_DEFAULT. */
enum result security_own_what_is_made(HANDLE token, const struct sid *owner, struct fault *fault) MUST_CHECK;
/* Said once by platform/service when the service control manager runs this process.  It decides who shall own the pipe:
 * a process that is run as the service but is not NT SERVICE\Ferry then fails to make it, as it should. */
void security_declare_service(void);
bool security_is_declared_service(void);
/* Who "Ferry" is in an access list: NT SERVICE\Ferry where this process is the service, else the process's user. */
enum result security_own_sid(struct sid *ret_sid, struct fault *fault) MUST_CHECK;

/* A LUID as one number: struct caller's and a claim's logon id. */
static inline uint64_t security_luid_number(LUID luid)
{
	return (uint64_t)(uint32_t)luid.HighPart << 32 | luid.LowPart;
}

enum result security_sid_text(PSID sid, char to[SID_TEXT_BYTES_MAX], struct fault *fault) MUST_CHECK;

/* A descriptor from its text; LocalFree() it, or AUTO(local). */
enum result security_descriptor(const char *sddl, PSECURITY_DESCRIPTOR *ret_descriptor, struct fault *fault) MUST_CHECK;
/* The protected descriptor of rule 17 for one of our kernel objects: Ferry, SYSTEM and Administrators `access`, the
 * owner only READ_CONTROL. */
enum result security_private_object(DWORD access, PSECURITY_DESCRIPTOR *ret_descriptor, struct fault *fault) MUST_CHECK;
/* Give such an object that is there already this descriptor; the handle needs WRITE_DAC. */
enum result security_close_object(HANDLE object, DWORD access, struct fault *fault) MUST_CHECK;
/* The owner of an open object; the handle needs READ_CONTROL. */
enum result security_owner(HANDLE object, struct sid *ret_owner, struct fault *fault) MUST_CHECK;

#endif
