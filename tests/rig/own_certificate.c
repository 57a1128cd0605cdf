/* Put the certificate of a PFX file, with its key, into one of the system's stores, or take out all that are issued to its name.
 *
 *   own_certificate add|remove FILE PASSWORD current-user|local-machine STORE
 */
#include <windows.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>
#include <wincrypt.h>

#define FILE_BYTES_MAX 65536

static int fail(const char *what)
{
	fprintf(stderr, "own_certificate: %s: error %lu\n", what, (unsigned long)GetLastError());
	return 1;
}

static void widen(const char *text, wchar_t *to, int size)
{
	MultiByteToWideChar(CP_UTF8, 0, text, -1, to, size);
}

/* What Wine leaves in the registry. */
static void forget(HKEY root, const wchar_t *store, const CERT_CONTEXT *own)
{
	wchar_t path[512];
	BYTE hash[20];
	DWORD size = sizeof(hash);

	if (!CertGetCertificateContextProperty(own, CERT_SHA1_HASH_PROP_ID, hash, &size))
		return;
	int length = swprintf(path, 512, L"Software\\Microsoft\\SystemCertificates\\%ls\\Certificates\\", store);
	for (size_t i = 0; length > 0 && i < sizeof(hash); i++)
		length += swprintf(path + length, 512 - (size_t)length, L"%02X", hash[i]);
	RegDeleteKeyW(root, path);
}

int main(int count, char **words)
{
	static BYTE bytes[FILE_BYTES_MAX];
	wchar_t password[128], name[128];
	bool machine = count > 4 && strcmp(words[4], "local-machine") == 0;
	FILE *file = count == 6 ? fopen(words[2], "rb") : NULL;

	if (file == NULL)
		return fail("cannot read the file");
	CRYPT_DATA_BLOB pfx = { (DWORD)fread(bytes, 1, sizeof(bytes), file), bytes };
	fclose(file);
	widen(words[3], password, 128);
	widen(words[5], name, 128);
	HCERTSTORE from = PFXImportCertStore(&pfx, password, machine ? CRYPT_MACHINE_KEYSET : CRYPT_USER_KEYSET);
	HCERTSTORE to = CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0,
	                              machine ? CERT_SYSTEM_STORE_LOCAL_MACHINE : CERT_SYSTEM_STORE_CURRENT_USER, name);
	const CERT_CONTEXT *own = from != NULL ? CertEnumCertificatesInStore(from, NULL) : NULL;

	if (own == NULL || to == NULL)
		return fail("cannot open");
	bool add = strcmp(words[1], "add") == 0;
	for (const CERT_CONTEXT *there;
	     !add && (there = CertFindCertificateInStore(to, X509_ASN_ENCODING, 0, CERT_FIND_SUBJECT_NAME,
	                                                 &own->pCertInfo->Subject, NULL)) != NULL;) {
		forget(machine ? HKEY_LOCAL_MACHINE : HKEY_CURRENT_USER, name, there);
		if (!CertDeleteCertificateFromStore(there))
			return fail("cannot remove");
	}
	if (add && !CertAddCertificateContextToStore(to, own, CERT_STORE_ADD_REPLACE_EXISTING, NULL))
		return fail("cannot add");
	CertFreeCertificateContext(own);
	CertCloseStore(from, 0);
	CertCloseStore(to, 0);
	return 0;
}
