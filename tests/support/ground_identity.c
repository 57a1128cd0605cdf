/* Apart from the rest, since it needs the identity room: tests of other rooms link without it. */
#include "ground.h"

#ifdef _WIN32
#include <stdio.h>
#include <stdlib.h>

#include "platform/win32/identity_win32.h"

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "ground: %s: error %lu\n", what, GetLastError());
	abort();
}

/* There is no second account to be sure of, and Wine has none; but a default DACL of its own makes a token another
 * identity (rule 6), and any process may give its tokens one. */
struct identity *ground_identity(unsigned number)
{
	const BYTE nt[] = SECURITY_NT_AUTHORITY;
	SID_IDENTIFIER_AUTHORITY authority = { .Value = { nt[0], nt[1], nt[2], nt[3], nt[4], nt[5] } };
	union {
		ACL header;
		BYTE bytes[256];
	} acl;
	TOKEN_DEFAULT_DACL dacl = { .DefaultDacl = &acl.header };
	HANDLE own = NULL, token = NULL;
	PSID sid = NULL;
	struct identity *identity = NULL;
	struct fault fault;
	must(AllocateAndInitializeSid(&authority, 3, 21, 99, number, 0, 0, 0, 0, 0, &sid), "make up a SID");
	must(InitializeAcl(&acl.header, sizeof(acl), ACL_REVISION), "make up a DACL");
	must(AddAccessAllowedAce(&acl.header, ACL_REVISION, GENERIC_ALL, sid), "make up a DACL");
	must(OpenProcessToken(GetCurrentProcess(), TOKEN_DUPLICATE, &own), "open the own token");
	must(DuplicateTokenEx(own, TOKEN_QUERY | TOKEN_DUPLICATE | TOKEN_IMPERSONATE | TOKEN_ADJUST_DEFAULT, NULL,
	                      SecurityImpersonation, TokenImpersonation, &token),
	     "duplicate the own token");
	must(SetTokenInformation(token, TokenDefaultDacl, &dacl, sizeof(dacl)), "set the default DACL");
	must(identity_from_token(token, &identity, &fault) == RESULT_OK, fault.what);
	FreeSid(sid);
	CloseHandle(token);
	CloseHandle(own);
	return identity;
}
#else
#include <stdio.h>
#include <stdlib.h>

#include "platform/posix/identity_credentials.h"

#define FIRST_UID 65100u

struct identity *ground_identity(unsigned number)
{
	const gid_t groups[] = { FIRST_UID + 400u, FIRST_UID + 500u + number };
	struct identity *identity = NULL;
	struct fault fault;
	if (!ground_enforces_identities())
		return NULL;
	if (identity_from_credentials(FIRST_UID + number, FIRST_UID + 300u + number, 0, groups, 2, &identity, &fault) !=
	    RESULT_OK) {
		fprintf(stderr, "ground: %s\n", fault.what);
		abort();
	}
	return identity;
}
#endif
