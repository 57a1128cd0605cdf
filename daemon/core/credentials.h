/* core/credentials - with what a job answers servers and proxies that ask who it is, and when it does not.
 *
 * Credentials are explicit, a user and a password, or implicit: whatever the job's network identity is known as there.
 * They are given for a target and a scheme, as BITS has it (docs/bits.md section 12), with one difference: what is given
 * for the proxy says nothing of servers.  Knows no hashes, tickets, sockets, and not where secrets are kept.
 */
#ifndef FERRY_CORE_CREDENTIALS_H
#define FERRY_CORE_CREDENTIALS_H

#include "core/url.h"

enum auth_target { AUTH_SERVER, AUTH_PROXY, AUTH_TARGET_COUNT }; /* BG_AUTH_TARGET less one */
enum auth_scheme { AUTH_BASIC, AUTH_DIGEST, AUTH_NTLM, AUTH_NEGOTIATE, AUTH_SCHEME_COUNT }; /* BG_AUTH_SCHEME less one */
#define AUTH_FLAG(scheme) (1u << (unsigned)(scheme))
#define AUTH_ALL (AUTH_FLAG(AUTH_SCHEME_COUNT) - 1)
#define AUTH_IMPLICIT (AUTH_FLAG(AUTH_NTLM) | AUTH_FLAG(AUTH_NEGOTIATE)) /* what can be answered without a password */

#define CREDENTIAL_USER_BYTES_MAX 900u /* BITS: 300 characters */
#define CREDENTIAL_PASSWORD_BYTES_MAX 2048u
#define CREDENTIALS_MAX (AUTH_TARGET_COUNT * AUTH_SCHEME_COUNT)

struct credential {
	enum auth_target target;
	enum auth_scheme scheme;
	bool implicit; /* else `user` and `password` */
	char user[CREDENTIAL_USER_BYTES_MAX + 1];
	char password[CREDENTIAL_PASSWORD_BYTES_MAX + 1];
};

/* RESULT_OK | RESULT_INVALID_ARGUMENT: implicit ones for a scheme that wants a password, no user, a control character or,
 * of Basic, a ':' in the user's name.  fault->what names the member, never its value. */
enum result credential_check(const struct credential *credential, struct fault *fault) MUST_CHECK;

/* A certificate of the machine's stores, by which a job shows a server who it is: "LOCATION\\WHO" or "LOCATION\\STORE\\WHO".
 * LOCATION is current-user, which is whoever fetches, or local-machine; STORE is MY, where it is left out, too, or CA, ROOT or SPC, as BITS
 * has it: whatever else software keeps in a store of its own is not for the network.  WHO is a SHA-1 thumbprint, or the name that it is
 * issued to. */
#define CLIENT_CERTIFICATE_BYTES_MAX 528u /* with its end */
#define CLIENT_CERTIFICATE_PART_BYTES_MAX 256u
struct client_certificate {
	bool machine;
	bool thumbprint; /* `who` is one: 40 hexadecimal digits */
	struct text_view store, who; /* of the text, or of nobody */
};
/* RESULT_OK | RESULT_INVALID_ARGUMENT: fault->what names the rule. */
enum result client_certificate_parse(struct text_view text, struct client_certificate *ret_certificate,
                                     struct fault *fault) MUST_CHECK;

/* A configured pattern: a host's name or address, "*.example.com" for all below it, or "*" for every one. */
#define HOST_PATTERN_BYTES_MAX 255u
bool host_pattern_is_valid(struct text_view pattern);
bool host_pattern_fits(struct text_view pattern, struct text_view host);

struct host_patterns {
	uint32_t count;
	const char (*items)[HOST_PATTERN_BYTES_MAX + 1];
};
bool host_patterns_fit(const struct host_patterns *patterns, struct text_view host);

/* What the configuration says, of servers and proxies alike. */
struct auth_policy {
	unsigned schemes; /* AUTH_FLAG(...) that are spoken at all; 0: all */
	struct host_patterns implicit[AUTH_TARGET_COUNT]; /* who gets implicit ones though the job has none */
	struct host_patterns ntlm;  /* with whom NTLM may be spoken: whoever hears it can try to guess the password */
	struct host_patterns basic; /* who gets passwords that anybody on the way can read */
};

/* How one host is answered: by one user, with what is strongest of the schemes that it offers. */
struct login {
	unsigned schemes;   /* AUTH_FLAG(...); 0: not at all */
	unsigned forbidden; /* that the job has credentials for, or the policy has the host for, and takes away */
	bool implicit;
	const char *user, *password; /* of one of the credentials */
};
/* Explicit credentials come before implicit ones, and of several users the one with the strongest scheme.  `secure`: nobody
 * between here and the host can read what is sent. */
struct login credentials_login(const struct credential *credentials, uint32_t count, const struct auth_policy *policy,
                               enum auth_target target, struct text_view host, bool secure);

const char *auth_target_name(enum auth_target target); /* "server", "proxy" */
const char *auth_scheme_name(enum auth_scheme scheme); /* "basic", "digest", "ntlm", "negotiate" */
bool auth_target_from_name(struct text_view name, enum auth_target *ret_target);
bool auth_scheme_from_name(struct text_view name, enum auth_scheme *ret_scheme);
/* "Negotiate, NTLM", as servers write them; "nothing". */
void auth_schemes_display(unsigned schemes, char *to, size_t size);

#endif
