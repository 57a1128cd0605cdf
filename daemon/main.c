#include "main.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry_build.h"
#include "platform/file.h"
#include "platform/service.h"
#include "runtime/store.h"
#include "runtime/transfer.h"

static const char usage[] =
	"ferryd " FERRY_VERSION " - the Ferry download service\n"
	"\n"
	"  ferryd install        register the service \"" SERVICE_NAME "\" under NT AUTHORITY\\NetworkService\n"
	"  ferryd configure      set its rights, recovery and data folder again\n"
	"  ferryd uninstall      remove the service; queue and configuration stay\n"
	"  ferryd check-config [FILE]\n"
	"                        check the configuration in all its layers and the declared jobs, or FILE\n"
	"                        alone: a declared job if it lies in a folder jobs.d\n"
	"  ferryd console [--data FOLDER] [--address ADDRESS]\n"
	"                        run in the foreground, as you; Ctrl-C stops it\n"
	"  ferryd service        run under the service manager, which calls this\n"
	"  ferryd --version      what this is made of\n"
	"\n"
	"install, configure and uninstall need an administrator.  Start and stop the service with\n"
	"'sc start " SERVICE_NAME "' and 'sc stop " SERVICE_NAME "'; 'ferry config reload' has the configuration read while\n"
	"it runs.  Submit jobs with 'ferry'.\n"
	"Exit codes: 0 done, 1 wrong use, 2 failed.\n";

static int report(const char *what, enum result result, const struct fault *fault)
{
	if (result == RESULT_OK)
		return EXIT_SUCCESS;
	fprintf(stderr, "ferryd: %s: %s\n", what, result_sentence(result));
	if (fault->what[0] != '\0')
		fprintf(stderr, "  %s\n", fault->what);
	fprintf(stderr, "  (%s 0x%08X", result_name(result), (unsigned)result_hresult(result));
	if (fault->raw != 0)
		fprintf(stderr, "; %s %lld", fault_source_name(fault->source), (long long)fault->raw);
	fprintf(stderr, ")\n  %s\n", result_remedy(result));
	return 2;
}

static int version(void)
{
	printf("ferryd %s\n"
	       "  %s, revision %s\n"
	       "  SQLite %s, revision %s\n"
	       "  yyjson, revision %s\n"
	       "  database schema %d\n",
	       FERRY_VERSION, transfer_engine_version(), FERRY_CURL_REVISION, store_engine_version(),
	       FERRY_SQLITE_REVISION, FERRY_YYJSON_REVISION, store_schema_version());
	return EXIT_SUCCESS;
}

static int report_errors(const char *what, const struct settings_errors *errors)
{
	const char *line = errors->lines;
	size_t length;

	if (errors->count == 0) {
		puts("The configuration is valid.");
		return EXIT_SUCCESS;
	}
	fprintf(stderr, "ferryd: %s: %s\n", what, result_sentence(RESULT_BAD_SETTING));
	for (; *line != '\0'; line += length + (line[length] != '\0')) {
		length = strcspn(line, "\n");
		fprintf(stderr, "  %.*s\n", (int)length, line);
	}
	if (errors->count > SETTINGS_ERRORS_MAX)
		fprintf(stderr, "  and %u more\n", (unsigned)(errors->count - SETTINGS_ERRORS_MAX));
	fprintf(stderr, "  (%s 0x%08X)\n  %s\n", result_name(RESULT_BAD_SETTING), (unsigned)result_hresult(RESULT_BAD_SETTING),
	        result_remedy(RESULT_BAD_SETTING));
	return 2;
}

/* Does it lie in a folder jobs.d? */
static bool is_declared(const char *path)
{
	static const char folder[] = "jobs.d";
	size_t end = strlen(path), length = strlen(folder);

	while (end > 0 && path[end - 1] != '/' && path[end - 1] != '\\')
		end--;
	if (end < length + 1 || memcmp(path + end - 1 - length, folder, length) != 0)
		return false;
	return end == length + 1 || path[end - 2 - length] == '/' || path[end - 2 - length] == '\\';
}

/* One file, whoever could have written it. */
static void check_file(const char *path, struct text_view text, struct settings_errors *errors)
{
	struct settings settings;
	struct declared *job = NULL;

	settings_default(&settings);
	if (is_declared(path))
		(void)!declare_read(text, path, file_path_style, &job, errors);
	else
		(void)!settings_read(text, &(struct settings_source){ SETTINGS_FILE, path, path }, &settings, errors);
	declared_free(job);
}

/* All layers, and the declared jobs, as the service would read them. */
static void check_all(const char *folder, struct settings_errors *errors)
{
	AUTO(declared_set) struct declared_set declared = { .count = 0 };
	AUTO(transfer_trust) struct transfer_trust *trust = NULL;
	struct settings settings;

	if (read_configuration(&(struct configuration){ .folder = folder }, &settings, errors) == RESULT_OK)
		(void)!read_trust(&settings, NULL, &trust, errors);
	(void)!read_declared(folder, false, &declared, errors);
}

static int check_config(const char *path)
{
	AUTO(buffer) struct buffer text = BUFFER(1024 * 1024);
	char folder[DESTINATION_BYTES_MAX + 1];
	struct settings_errors errors = { .count = 0 };
	struct fault fault = { 0 };
	enum result result = path != NULL ? own_folder_fault(file_read_all(path, &text, &fault), path, &fault)
	                                  : file_data_folder(folder, sizeof(folder), &fault);

	if (result != RESULT_OK)
		return report("check-config", result, &fault);
	if (path != NULL)
		check_file(path, (struct text_view){ text.bytes, text.length }, &errors);
	else
		check_all(folder, &errors);
	return report_errors("check-config", &errors);
}

static int console(int count, char **arguments)
{
	struct serve_options options = { .console = true };
	struct fault fault = { 0 };

	for (int i = 0; i < count; i += 2) {
		if (i + 1 < count && strcmp(arguments[i], "--data") == 0) {
			options.data = arguments[i + 1];
		} else if (i + 1 < count && strcmp(arguments[i], "--address") == 0) {
			options.address = arguments[i + 1];
		} else {
			fprintf(stderr, "ferryd: console does not know '%s', or it lacks its value\n", arguments[i]);
			return EXIT_FAILURE;
		}
	}
	return report("console", serve(&options, &fault), &fault);
}

static int run_verb(const char *verb, int count, char **arguments)
{
	struct serve_options as_service = { 0 };
	struct fault fault = { 0 };

	if (strcmp(verb, "console") == 0)
		return console(count, arguments);
	if (strcmp(verb, "check-config") == 0 && count <= 1)
		return check_config(count == 1 ? arguments[0] : NULL);
	if (count != 0) {
		fprintf(stderr, "ferryd: '%s' takes no arguments\n", verb);
		return EXIT_FAILURE;
	}
	if (strcmp(verb, "service") == 0)
		return report("service", serve(&as_service, &fault), &fault);
	if (strcmp(verb, "install") == 0)
		return report("install", set_up(service_install, &fault), &fault);
	if (strcmp(verb, "configure") == 0)
		return report("configure", set_up(service_configure, &fault), &fault);
	if (strcmp(verb, "uninstall") == 0)
		return report("uninstall", service_uninstall(&fault), &fault);
	fprintf(stderr, "ferryd: there is no verb '%s'\n\n%s", verb, usage);
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct fault fault = { 0 };
	enum result result;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0)) {
		fputs(usage, stdout);
		return EXIT_SUCCESS;
	}
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return version();
	if (argc < 2) {
		fputs(usage, stderr);
		return EXIT_FAILURE;
	}
	result = service_harden_process(&fault);
	if (result != RESULT_OK)
		return report("start", result, &fault);
	return run_verb(argv[1], argc - 2, argv + 2);
}
