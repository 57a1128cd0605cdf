/* By what servers are recognised: tls.* of the configuration with the files that it names, and what may be asked at all. */
#include <string.h>

#include "core/trust.h"
#include "main.h"
#include "platform/file.h"
#include "runtime/transfer.h"

#define CA_FILE_BYTES_MAX (1024u * 1024u)

/* Whoever could put another in its place could be any of its host's servers. */
static enum result check_folder_of(const char *path, struct fault *fault)
{
	char folder[DESTINATION_BYTES_MAX + 1];
	size_t length = strlen(path);

	while (length > 0 && path[length - 1] != '/' && path[length - 1] != '\\')
		length--;
	length -= length > 1 && path[length - 2] != ':'; /* a root keeps its separator */
	enum result result = text_copy(folder, sizeof(folder), (struct text_view){ path, length });
	return result == RESULT_OK ? file_check_trusted(folder, fault) : result;
}

/* Here and not where they are used: a worker's identity need not be able to read them, and could see other files there. */
static enum result read_pem(const char *path, struct buffer *pem, struct fault *fault)
{
	enum result result = check_folder_of(path, fault);

	if (result == RESULT_OK)
		result = file_read_trusted(path, pem, fault);
	if (result == RESULT_OK && (pem->length == 0 || strstr(pem->bytes, "-----BEGIN CERTIFICATE-----") == NULL))
		result = fault_set(fault, RESULT_BAD_SETTING, FAULT_FERRY, 0, "%s has no certificate in PEM", path);
	return result;
}

static enum result add_error(struct settings_errors *errors, enum result result, const char *why)
{
	char line[FAULT_WHAT_BYTES_MAX + 32];

	text_display(line, sizeof(line), "tls.ca_files: %s", why);
	settings_error(errors, line);
	return result;
}

/* A reader who holds the file must not keep out a configuration that says something else: its host is recognised as it was.
 * False: it was not named before. */
static bool keep_authority(struct transfer_trust *trust, const char *entry, struct text_view host, const struct trusted_before *before,
                           enum result *ret_result)
{
	const struct settings *settings = before != NULL ? before->settings : NULL;

	for (uint32_t i = 0; settings != NULL && i < settings->tls_ca_files.count; i++)
		if (strcmp(settings->tls_ca_files.items[i], entry) == 0) {
			*ret_result = transfer_trust_keep(trust, host, before->trust, i);
			return true;
		}
	return false;
}

static enum result read_authority(struct transfer_trust *trust, const char *entry, struct trusted_before *before,
                                  struct settings_errors *errors)
{
	AUTO(buffer) struct buffer pem = BUFFER(CA_FILE_BYTES_MAX);
	struct text_view host, path;
	struct fault why = { 0 };

	if (!trust_split(text_view(entry), &host, &path))
		return add_error(errors, RESULT_BAD_SETTING, entry);
	enum result kept = RESULT_OK, result = read_pem(path.bytes, &pem, &why);
	if (result == RESULT_OK)
		kept = transfer_trust_authority(trust, host, (struct text_view){ pem.bytes, pem.length });
	else if (result == RESULT_LOCKED && keep_authority(trust, entry, host, before, &kept))
		before->kept = why;
	else if ((kept = transfer_trust_nobody(trust, host)) == RESULT_OK) {
		(void)!own_folder_fault(result, path.bytes, &why);
		return add_error(errors, RESULT_BAD_SETTING, why.what);
	}
	return kept == RESULT_OK ? RESULT_OK : add_error(errors, RESULT_NO_MEMORY, "there is no memory for them");
}

#define ITEMS_OF(list) (sizeof(((struct settings *)NULL)->list.items) / sizeof(((struct settings *)NULL)->list.items[0]))
_Static_assert(ITEMS_OF(tls_ca_files) == TRANSFER_AUTHORITIES_MAX, "those of the configuration fit");
_Static_assert(ITEMS_OF(allow_hosts) == TRANSFER_HOSTS_MAX, "those of the configuration fit");
_Static_assert(ITEMS_OF(allow_urls) == TRANSFER_URLS_MAX, "those of the configuration fit");
_Static_assert(ITEMS_OF(tls_pins) == TRANSFER_PINS_MAX, "those of the configuration fit");

static enum result add_pins(struct transfer_trust *trust, const struct settings *settings)
{
	struct text_view host, pins;

	for (uint32_t i = 0; i < settings->tls_pins.count; i++)
		if (trust_split(text_view(settings->tls_pins.items[i]), &host, &pins) &&
		    transfer_trust_pins(trust, host, pins) != RESULT_OK)
			return RESULT_NO_MEMORY;
	return RESULT_OK;
}

enum result read_trust(const struct settings *settings, struct trusted_before *before, struct transfer_trust **ret_trust,
                       struct settings_errors *errors)
{
	struct transfer_trust *trust =
		transfer_trust_new((unsigned)settings->tls_revocation, (unsigned)settings->tls_version_min);
	const struct allowed allowed = settings_allowed(settings);
	enum result result = RESULT_OK;

	*ret_trust = trust;
	if (trust == NULL || add_pins(trust, settings) != RESULT_OK) {
		settings_error(errors, "tls: there is no memory for it");
		return RESULT_NO_MEMORY;
	}
	transfer_trust_allow(trust, &allowed);
	for (uint32_t i = 0; i < settings->tls_ca_files.count && result != RESULT_NO_MEMORY; i++) {
		enum result one = read_authority(trust, settings->tls_ca_files.items[i], before, errors);

		if (one != RESULT_OK)
			result = one;
	}
	return result;
}
