/* "logon HOST USER", the password on the standard input: what the account answers HOST with by itself, as after a logon
 * to a domain (docs of CredWrite); "logon HOST" takes it away.  Wine has no domain to log on to. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <wincred.h>

int main(int count, char **arguments)
{
	WCHAR host[256] = L"", user[256] = L"", password[256] = L"";
	char line[256] = "";

	if (count < 2 || count > 3)
		return EXIT_FAILURE;
	MultiByteToWideChar(CP_UTF8, 0, arguments[1], -1, host, ARRAYSIZE(host));
	if (count == 2)
		return CredDeleteW(host, CRED_TYPE_DOMAIN_PASSWORD, 0) ? EXIT_SUCCESS : EXIT_FAILURE;
	if (fgets(line, sizeof(line), stdin) == NULL)
		return EXIT_FAILURE;
	line[strcspn(line, "\r\n")] = '\0';
	MultiByteToWideChar(CP_UTF8, 0, arguments[2], -1, user, ARRAYSIZE(user));
	MultiByteToWideChar(CP_UTF8, 0, line, -1, password, ARRAYSIZE(password));
	CREDENTIALW credential = { .Type = CRED_TYPE_DOMAIN_PASSWORD, .Persist = CRED_PERSIST_SESSION, .TargetName = host,
		                       .UserName = user, .CredentialBlob = (BYTE *)password,
		                       .CredentialBlobSize = (DWORD)(wcslen(password) * sizeof(WCHAR)) };
	if (CredWriteW(&credential, 0))
		return EXIT_SUCCESS;
	printf("error %lu\n", GetLastError());
	return EXIT_FAILURE;
}
