#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ferry_build.h"
#include "main.h"
#include "platform/file.h"
#include "platform/identity.h"
#include "platform/ipc_client.h"
#include "platform/network.h"
#include "platform/policy.h"
#include "platform/proxy.h"
#include "platform/secrets.h"
#include "platform/service.h"
#include "platform/thread.h"
#include "runtime/session.h"

/* One run.  What the service manager's thread touches stands behind the lock. */
struct daemon {
	const struct serve_options *options;
	struct fault *fault;
	struct mutex *lock;
	struct events *events; /* the engine's thread's */
	struct engine *engine; /* NULL before it is there and after it is gone */
	bool stop_asked;               /* while it is not there yet */
	bool changed, reload_asked;    /* likewise: the configuration did, or somebody wants it to be read */
	struct fault unwatched;        /* likewise; RESULT_OK: all changes are noticed */

	char data[DESTINATION_BYTES_MAX + 1], program[DESTINATION_BYTES_MAX + 1];
	char database[DESTINATION_BYTES_MAX + 1], address[DESTINATION_BYTES_MAX + 1];
	char mark_file[DESTINATION_BYTES_MAX + 1], mark[QUEUE_MARK_DIGITS + 1];
	const char *forbidden[3];
	/* The engine's thread's alone from engine_run on: */
	struct settings settings;
	bool settings_good;  /* as they were read at the start */
	struct configuration configuration;
	struct settings_errors settings_errors; /* if they were not */
	char unwatched_why[FAULT_WHAT_BYTES_MAX]; /* why changes to them are not noticed; "": they are, or nobody could here */
	struct worker_settings workers;
	struct secrets *secrets; /* NULL: their key cannot be used */
	struct identity *service; /* the service's own */
	struct service_status status;
};

/* --- what the service manager tells --- */

static void on_stop(void *context)
{
	struct daemon *daemon = context;

	mutex_lock(daemon->lock);
	daemon->stop_asked = true;
	if (daemon->engine != NULL)
		engine_stop(daemon->engine);
	mutex_unlock(daemon->lock);
}

struct session_letter {
	struct letter letter;
	uint32_t session;
	bool ended;
};

static void deliver_session(struct letter *letter, void *receiver)
{
	const struct session_letter *told = (struct session_letter *)letter;

	if (receiver != NULL && told->ended)
		engine_session_ended(receiver, told->session);
	else if (receiver != NULL)
		engine_session_began(receiver, told->session);
	free(letter);
}

static void tell_session(struct daemon *daemon, uint32_t session, bool ended)
{
	struct session_letter *letter = malloc(sizeof(*letter));

	if (letter == NULL)
		abort(); /* tokens of the session would outlive it: better none at all */
	*letter = (struct session_letter){ { .deliver = deliver_session }, session, ended };
	mutex_lock(daemon->lock);
	if (daemon->engine != NULL)
		engine_post(daemon->engine, &letter->letter);
	else
		free(letter);
	mutex_unlock(daemon->lock);
}

static void on_session_ended(void *context, uint32_t session)
{
	tell_session(context, session, true);
}

static void on_session_began(void *context, uint32_t session)
{
	tell_session(context, session, false);
}

static void on_network(void *context)
{
	struct daemon *daemon = context;

	mutex_lock(daemon->lock);
	if (daemon->engine != NULL)
		engine_network_changed(daemon->engine);
	mutex_unlock(daemon->lock);
}

struct unwatched_letter {
	struct letter letter;
	struct daemon *daemon;
	struct fault why;
};

static void deliver_unwatched(struct letter *letter, void *receiver)
{
	const struct unwatched_letter *told = (struct unwatched_letter *)letter;

	if (receiver != NULL) {
		text_display(told->daemon->unwatched_why, sizeof(told->daemon->unwatched_why), "%s", told->why.what);
		EVENTS_NOTE(told->daemon->events, SETTINGS_UNWATCHED, .why = told->why.what);
	}
	free(letter);
}

static void reload(struct daemon *daemon, bool asked)
{
	mutex_lock(daemon->lock);
	if (daemon->engine != NULL) {
		engine_reload(daemon->engine, asked);
	} else {
		daemon->changed = true;
		daemon->reload_asked |= asked;
	}
	mutex_unlock(daemon->lock);
}

/* Nobody need be there to say it to yet: set_engine does. */
static void tell_unwatched(struct daemon *daemon)
{
	struct unwatched_letter *letter = daemon->engine != NULL && daemon->unwatched.result != RESULT_OK ? malloc(sizeof(*letter)) : NULL;

	if (letter == NULL)
		return;
	*letter = (struct unwatched_letter){ { .deliver = deliver_unwatched }, daemon, daemon->unwatched };
	daemon->unwatched.result = RESULT_OK;
	engine_post(daemon->engine, &letter->letter);
}

static void on_unwatched(void *context, const struct fault *why)
{
	struct daemon *daemon = context;

	mutex_lock(daemon->lock);
	if (daemon->unwatched.result == RESULT_OK) /* the first cause, where there are several before somebody can be told */
		daemon->unwatched = *why;
	tell_unwatched(daemon);
	mutex_unlock(daemon->lock);
}

static void on_reload(void *context)
{
	reload(context, true);
}

static void on_change(void *context)
{
	reload(context, false);
}

/* --- getting ready --- */

enum result join_path(char *to, size_t size, const char *folder, const char *name, struct fault *fault)
{
	if (text_format(to, size, "%s%c%s", folder, file_path_style == PATH_WINDOWS ? '\\' : '/', name) == RESULT_OK)
		return RESULT_OK;
	return fault_set(fault, RESULT_TOO_LONG, FAULT_FERRY, 0, "the path of %s", name);
}

/* Why a file or folder of Ferry's own cannot be used.  The outcomes of files are told in the words of downloads, which
 * have a destination and a job to resume; here there is neither.  `object` is named where the fault does not. */
enum result own_folder_fault(enum result result, const char *object, struct fault *fault)
{
	static const char *const reasons[RESULT_COUNT] = {
		[RESULT_ACCESS_REFUSED] = "",
		[RESULT_TOO_LARGE] = "",
		[RESULT_DENIED] = "access is denied",
		[RESULT_PATH_NOT_FOUND] = "it, or a folder above it, does not exist",
		[RESULT_EXISTS] = "something that is no folder has this name",
		[RESULT_IS_FOLDER] = "it is a folder",
		[RESULT_REPARSE_POINT] = "it is a link",
		[RESULT_LOCKED] = "another program has it open",
		[RESULT_STORE_BUSY] = "another program has it open",
		[RESULT_DISK_FULL] = "the disk is full",
		[RESULT_IO_FAILED] = "reading or writing failed",
	};
	char what[FAULT_WHAT_BYTES_MAX];
	const char *reason = reasons[result];

	if (result == RESULT_OK || reason == NULL)
		return result;
	if ((result == RESULT_DENIED && fault->source == FAULT_SQLITE) || (result == RESULT_LOCKED && fault->source == FAULT_FERRY))
		reason = ""; /* SQLite says so of a folder, too, and has words of its own; so has file_open_trusted */
	bool named = strstr(fault->what, object) != NULL;
	text_display(what, sizeof(what), "%s%s%s%s%s", named ? "" : object, named ? "" : ": ", fault->what,
	             reason[0] != '\0' ? ": " : "", reason);
	memcpy(fault->what, what, sizeof(what));
	fault->result = RESULT_DATA_UNUSABLE;
	return RESULT_DATA_UNUSABLE;
}

static enum result find_places(struct daemon *daemon)
{
	const struct serve_options *options = daemon->options;
	struct fault *fault = daemon->fault;
	enum result result = options->data != NULL ?
		text_copy(daemon->data, sizeof(daemon->data), text_view(options->data)) :
		file_data_folder(daemon->data, sizeof(daemon->data), fault);

	if (result == RESULT_OK)
		result = file_program_folder(daemon->program, sizeof(daemon->program), fault);
	if (result == RESULT_OK)
		result = options->address != NULL ?
			text_copy(daemon->address, sizeof(daemon->address), text_view(options->address)) :
			ipc_client_default_address(daemon->address, sizeof(daemon->address), fault);
	if (result == RESULT_TOO_LONG)
		return fault_set(fault, result, FAULT_FERRY, 0, "--data or --address");
	if (result == RESULT_OK)
		result = join_path(daemon->database, sizeof(daemon->database), daemon->data, "queue.sqlite3", fault);
	if (result == RESULT_OK)
		result = join_path(daemon->mark_file, sizeof(daemon->mark_file), daemon->data, "queue.mark", fault);
	daemon->forbidden[0] = daemon->data;
	daemon->forbidden[1] = daemon->program;
	return result;
}

/* A damaged queue is kept, never emptied: it is moved aside with its log, and an empty one takes its place. */
static enum result keep_aside(struct daemon *daemon, struct events *events, const struct fault *damage)
{
	static const char *const parts[] = { "", "-wal", "-journal", "-shm" };
	char from[DESTINATION_BYTES_MAX + 8], to[DESTINATION_BYTES_MAX + 8], aside[DESTINATION_BYTES_MAX + 1], name[64];
	enum result joined;

	text_display(name, sizeof(name), "queue.damaged-%lld.sqlite3", (long long)clock_wall_ms());
	joined = join_path(aside, sizeof(aside), daemon->data, name, daemon->fault);
	if (joined != RESULT_OK)
		return joined;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		text_display(from, sizeof(from), "%s%s", daemon->database, parts[i]);
		text_display(to, sizeof(to), "%s%s", aside, parts[i]);

		enum result result = file_move(from, to, daemon->fault);

		if (result != RESULT_OK && !(result == RESULT_PATH_NOT_FOUND && i > 0))
			return result;
	}
	EVENTS_NOTE(events, STORE_DAMAGED, .path = aside, .why = damage->what);
	events_speak(events);
	return RESULT_OK;
}

static enum result seal(void *context, const char *binding, const void *plain, size_t size, struct buffer *to,
                        struct fault *fault)
{
	const struct daemon *daemon = context;

	if (daemon->secrets == NULL)
		return fault_set(fault, RESULT_SEAL_FAILED, FAULT_FERRY, 0,
		                 "keep a secret: the key of Ferry's secrets cannot be used, event 1033 says why");
	enum result result = secrets_seal(daemon->secrets, binding, plain, size, to, fault);

	/* Whatever the system's reason is: it is this request that cannot be, and nobody else's. */
	bool tells = result == RESULT_OK || result == RESULT_NO_MEMORY || result == RESULT_NOT_SUPPORTED;
	return tells ? result : (fault->result = RESULT_SEAL_FAILED);
}

static enum result unseal(void *context, const char *binding, const void *sealed, size_t size, struct buffer *to,
                          struct fault *fault)
{
	const struct daemon *daemon = context;

	if (daemon->secrets == NULL)
		return fault_set(fault, RESULT_SECRET_UNREADABLE, FAULT_FERRY, 0, "their key cannot be used");
	return secrets_unseal(daemon->secrets, binding, sealed, size, to, fault);
}

static enum result open_queue(struct daemon *daemon, struct events *events, struct store **ret_store)
{
	struct fault damage;
	enum result result = store_open(daemon->database, ret_store, &damage);

	if (result == RESULT_STORE_DAMAGED) {
		result = keep_aside(daemon, events, &damage);
		if (result == RESULT_OK)
			result = store_open(daemon->database, ret_store, daemon->fault);
	} else if (result != RESULT_OK) {
		*daemon->fault = damage;
	}
	return own_folder_fault(result, daemon->database, daemon->fault);
}

/* What cannot be sealed of what an older Ferry left in the clear stays so until the next start, and that is said. */
static enum result seal_queries(struct daemon *daemon, struct events *events, struct store *store)
{
	enum result result = store_seal(store, &(struct store_sealer){ seal, unseal, daemon }, daemon->fault);

	if (result != RESULT_SEAL_FAILED)
		return result;
	if (daemon->secrets != NULL) /* else open_secrets has said it */
		EVENTS_NOTE(events, KEY_UNUSABLE, .why = daemon->fault->what);
	events_speak(events);
	return RESULT_OK;
}

/* Once all else has begun: a start that fails leaves things as they were. */
static void keep_settings(struct daemon *daemon, struct events *events)
{
	struct fault fault;

	if (!daemon->settings_good || !daemon->configuration.once_there || keep_configuration(daemon->data, &daemon->settings, &fault) == RESULT_OK)
		return;
	EVENTS_NOTE(events, SETTINGS_NOT_KEPT, .why = fault.what);
	events_speak(events);
}

/* The configuration is not good.  Built-in defaults would lift what administrators forbid, so there are only two ways: the
 * last good one, or no start. */
static enum result use_last_good(struct daemon *daemon, struct events *events, const struct settings_errors *errors)
{
	struct settings_errors more = { .count = 0 };
	char why[SETTINGS_ERRORS_SHOWN_BYTES];

	settings_errors_show(errors, why, sizeof(why));
	fprintf(stderr, "ferryd: the configuration is not valid: %s\n", why);
	if (read_last_good(&daemon->configuration, &daemon->settings, &more) != RESULT_OK) {
		char neither[SETTINGS_ERRORS_SHOWN_BYTES];

		if (more.count == 0)
			return fault_set(daemon->fault, RESULT_BAD_SETTING, FAULT_FERRY, 0, "%s", why);
		settings_errors_show(&more, neither, sizeof(neither));
		fprintf(stderr, "ferryd: nor is the last good one: %s\n", neither);
		return fault_set(daemon->fault, RESULT_BAD_SETTING, FAULT_FERRY, 0, "%.140s; nor is the last good one: %.140s", why, neither);
	}
	EVENTS_NOTE(events, SETTINGS_REFUSED, .why = why);
	events_speak(events);
	return RESULT_OK;
}

static void note_loaded(const struct daemon *daemon, struct events *events)
{
	uint64_t count = 0;

	for (size_t i = 0; i < SETTING_COUNT; i++)
		count += daemon->settings.origins[i].layer != SETTINGS_BUILT_IN;
	EVENTS_NOTE(events, SETTINGS_LOADED, .count = count);
	events_speak(events);
}

static enum result open_events(struct daemon *daemon, struct events **ret_events)
{
	struct settings_errors *errors = &daemon->settings_errors;
	struct events_settings wanted = { .folder = daemon->data, .eventlog = !daemon->options->console };
	enum result parsed = read_configuration(&daemon->configuration, &daemon->settings, errors);
	enum result result;

	if (parsed != RESULT_OK)
		settings_default(&daemon->settings);
	wanted.file_bytes_max = daemon->settings.log_file_bytes_max;
	wanted.files_max = (uint32_t)daemon->settings.log_files_max;
	result = events_open(&wanted, clock_system(), ret_events, daemon->fault);
	if (result != RESULT_OK)
		return result;
	daemon->events = *ret_events;
	if (parsed != RESULT_OK)
		return use_last_good(daemon, *ret_events, errors);
	daemon->settings_good = true;
	note_loaded(daemon, *ret_events);
	return RESULT_OK;
}

static void set_engine(struct daemon *daemon, struct engine *engine)
{
	mutex_lock(daemon->lock);
	daemon->engine = engine;
	if (engine != NULL && daemon->stop_asked)
		engine_stop(engine);
	if (engine != NULL && daemon->changed)
		engine_reload(engine, daemon->reload_asked);
	tell_unwatched(daemon);
	mutex_unlock(daemon->lock);
}

static void describe(struct daemon *daemon)
{
	struct service_status *status = &daemon->status;

	text_display(status->version, sizeof(status->version), "ferryd %s", FERRY_VERSION);
	text_display(status->curl, sizeof(status->curl), "%s (%s)", transfer_engine_version(), FERRY_CURL_REVISION);
	text_display(status->sqlite, sizeof(status->sqlite), "%s (%s)", store_engine_version(), FERRY_SQLITE_REVISION);
}

/* Without being told of changes nothing must be made of how it was once. */
static bool watch_network(struct daemon *daemon, struct events *events, struct network_watch **ret_watch)
{
	struct fault fault;

	if (network_watch_start(on_network, daemon, ret_watch, &fault) == RESULT_OK)
		return true;
	EVENTS_NOTE(events, NETWORK_UNWATCHED, .fault = &fault);
	return false;
}

/* Workers hold what they were started with. */
static void set_trust(struct daemon *daemon, struct transfer_trust *trust)
{
	transfer_trust_free(daemon->workers.transfer.trust);
	daemon->workers.transfer.trust = trust;
}

static void set_workers(struct daemon *daemon, const struct settings *settings, struct throttle *throttle)
{
	daemon->workers.forbidden_folders = daemon->forbidden;
	daemon->workers.transfer = (struct transfer_limits){
		.checkpoint_bytes = settings->transfer_checkpoint_bytes,
		.connect_timeout_ms = (uint32_t)settings->transfer_connect_timeout_ms,
		.stall_timeout_s = (uint32_t)settings->transfer_stall_timeout_s,
		.connections_per_host_max = (uint32_t)settings->transfer_connections_per_host_max,
		.connections_max = (uint32_t)settings->transfer_files_active_max,
		.user_agent = "Ferry/" FERRY_VERSION,
		.throttle = throttle,
		.trust = daemon->workers.transfer.trust,
		.revocation = daemon->workers.transfer.revocation,
	};
}

/* For whom the configuration names (rule 8), and for declared jobs. */
static enum result find_service(struct daemon *daemon, struct fault *fault)
{
	return daemon->service == NULL ? identity_self(&daemon->service, fault) : RESULT_OK;
}

static enum result read_jobs(void *context, bool once_there, struct declared_set *set, struct settings_errors *errors)
{
	const struct daemon *daemon = context;

	return read_declared(daemon->data, once_there, set, errors);
}

static enum result refuse(struct settings_errors *errors, enum result result, const char *why)
{
	settings_error(errors, why);
	return result;
}

/* For a reload.  Who takes the file away by mistake, or reads while it is being replaced, must not lose the limits. */
static enum result read_again(void *context, bool asked, struct settings_read *ret_read, struct settings_errors *errors)
{
	struct daemon *daemon = context;
	struct settings *settings = &ret_read->settings;
	struct transfer_trust *trust = NULL;
	struct trusted_before before = { .settings = &daemon->settings, .trust = daemon->workers.transfer.trust };
	struct fault fault;

	daemon->configuration.at_once = asked; /* what was written right before is meant, too */
	enum result result = read_configuration(&daemon->configuration, settings, errors);
	if (result != RESULT_OK)
		return result;
	result = find_service(daemon, &fault);
	if (result != RESULT_OK)
		return refuse(errors, result, fault.what);
	result = read_trust(settings, &before, &trust, errors);
	if (result != RESULT_OK) {
		transfer_trust_free(trust);
		return result;
	}
	if (before.kept.result != RESULT_OK)
		EVENTS_NOTE(daemon->events, AUTHORITY_UNREADABLE, .why = before.kept.what);
	ret_read->trust_differs = !transfer_trust_same(daemon->workers.transfer.trust, trust);
	set_trust(daemon, trust);
	set_workers(daemon, settings, daemon->workers.transfer.throttle);
	ret_read->service = daemon->service;
	if (daemon->configuration.once_there && keep_configuration(daemon->data, settings, &fault) != RESULT_OK)
		EVENTS_NOTE(daemon->events, SETTINGS_NOT_KEPT, .why = fault.what);
	return RESULT_OK;
}

/* What cannot be read of it keeps nobody's service from starting: its hosts are not believed, and that is said. */
static enum result begin_trust(struct daemon *daemon, struct events *events)
{
	struct settings_errors errors = { .count = 0 };
	char why[SETTINGS_ERRORS_SHOWN_BYTES];
	enum result result = read_trust(&daemon->settings, NULL, &daemon->workers.transfer.trust, &errors);

	settings_errors_show(&errors, why, sizeof(why));
	if (result == RESULT_NO_MEMORY)
		return fault_set(daemon->fault, result, FAULT_FERRY, 0, "%s", why);
	if (result != RESULT_OK) {
		EVENTS_NOTE(events, AUTHORITY_UNREADABLE, .why = why);
		events_speak(events);
	}
	return RESULT_OK;
}

static enum result run_engine(struct daemon *daemon, struct store *store, struct events *events)
{
	struct settings *settings = &daemon->settings;
	AUTO(throttle) struct throttle *throttle = throttle_new();
	AUTO(syncs) struct syncs *syncs = syncs_new();
	AUTO(revocation) struct revocation *revocation = certificate_system ? revocation_new(certificate_system) : NULL;
	AUTO(network_watch) struct network_watch *watch = NULL;
	AUTO(engine) struct engine *engine = NULL;
	AUTO(sessions) struct sessions *sessions = NULL;
	struct sessions_settings door = { .address = daemon->address, .program = &daemon->status, .settings = settings,
		                          .data_folder = daemon->data, .by_hand = daemon->options->console };
	struct engine_parts parts = { .store = store, .events = events, .settings = settings,
		                      .read_settings = read_again, .read_declared = read_jobs, .settings_context = daemon,
		                      .clock = clock_system(), .random = identity_random,
		                      .path_style = file_path_style, .forbidden_folders = daemon->forbidden,
		                      .settings_errors = daemon->settings_good ? NULL : &daemon->settings_errors,
		                      .unwatched = daemon->unwatched_why,
		                      .version = FERRY_VERSION, .queue_mark = daemon->mark, .throttle = throttle,
		                      .seal = seal, .unseal = unseal, .secrets_context = daemon,
		                      .has_certificates = certificate_system != NULL,
		                      .asks_for_proxies = proxy_is_configurable() };
	enum result result;

	if (throttle == NULL || syncs == NULL || (certificate_system && revocation == NULL))
		return fault_set(daemon->fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start transfers");
	daemon->workers.syncs = syncs;
	daemon->workers.transfer.revocation = revocation;
	result = begin_trust(daemon, events);
	if (result != RESULT_OK)
		return result;
	set_workers(daemon, settings, throttle);
	parts.workers = worker_real_ops(&daemon->workers);
	result = find_service(daemon, daemon->fault);
	if (result != RESULT_OK)
		return result;
	parts.service = daemon->service;
	parts.read_network = watch_network(daemon, events, &watch) ? network_read : NULL;
	result = engine_new(&parts, &engine, daemon->fault);
	if (result == RESULT_OK)
		result = sessions_start(&door, engine, &sessions, daemon->fault);
	if (result != RESULT_OK)
		return result;
	set_engine(daemon, engine);
	service_running();
	if (daemon->options->console)
		fprintf(stderr, "ferryd: serving at %s\n", daemon->address);
	engine_run(engine);
	set_engine(daemon, NULL);
	return RESULT_OK;
}

/* Without its key what is sealed cannot be opened, but that must not stop everybody's downloads: only those with secrets fail,
 * and it is said loudly.  The file stays as it is: whoever puts the key back has all of them again. */
static enum result open_secrets(struct daemon *daemon, struct events *events, struct secrets **ret_secrets)
{
	struct fault why;
	enum result result = secrets_new(daemon->data, ret_secrets, &why);

	if (result == RESULT_NO_MEMORY)
		*daemon->fault = why;
	if (result == RESULT_OK || result == RESULT_NO_MEMORY)
		return result;
	(void)!own_folder_fault(result, "secrets.key", &why);
	EVENTS_NOTE(events, KEY_UNUSABLE, .why = why.what);
	events_speak(events);
	return RESULT_OK;
}

static void watch_cleanup(struct policy_watch **watch)
{
	if (policy_system != NULL)
		policy_system->unwatch(*watch);
}

/* Before the configuration is read, so that no change is missed.  Without it somebody has to say so. */
static void watch_settings(struct daemon *daemon, struct policy_watch **ret_watch)
{
	const struct policy_told told = { on_change, on_unwatched, daemon };
	struct fault why;

	if (policy_system != NULL && policy_system->watch(daemon->data, &told, ret_watch, &why) != RESULT_OK)
		on_unwatched(daemon, &why);
	daemon->configuration = (struct configuration){ .folder = daemon->data, .watch = *ret_watch };
}

/* From here to the end everything is undone in reverse order by scope. */
static enum result body(void *context)
{
	struct daemon *daemon = context;
	AUTO(file_handle) struct file_handle *lock = NULL;
	AUTO(secrets) struct secrets *secrets = NULL;
	AUTO(events) struct events *events = NULL;
	AUTO(store) struct store *store = NULL;
	AUTO(watch) struct policy_watch *watch = NULL;
	enum result result = find_places(daemon);

	if (result == RESULT_OK)
		result = file_make_private_folder(daemon->data, daemon->fault);
	if (result == RESULT_OK)
		result = file_lock_folder(daemon->data, &lock, daemon->fault);
	if (result == RESULT_OK) {
		watch_settings(daemon, &watch);
		result = open_events(daemon, &events);
	}
	result = own_folder_fault(result, daemon->data, daemon->fault);
	if (result == RESULT_OK)
		result = transfer_global_init(daemon->fault);
	if (result == RESULT_OK)
		result = open_queue(daemon, events, &store);
	if (result == RESULT_OK)
		result = own_folder_fault(read_mark(daemon->mark_file, daemon->mark, daemon->fault), daemon->mark_file,
		                          daemon->fault);
	if (result == RESULT_OK)
		result = open_secrets(daemon, events, &secrets);
	daemon->secrets = secrets;
	if (result == RESULT_OK && secrets_can_seal())
		result = own_folder_fault(seal_queries(daemon, events, store), daemon->database, daemon->fault);
	if (result == RESULT_OK) {
		describe(daemon);
		keep_settings(daemon, events);
		result = run_engine(daemon, store, events);
		set_trust(daemon, NULL);
		identity_free(TAKE(daemon->service));
	}
	if (result != RESULT_OK && events != NULL) {
		EVENTS_NOTE(events, SERVICE_FAILED, .fault = daemon->fault);
		events_speak(events);
	}
	return result;
}

enum result serve(const struct serve_options *options, struct fault *fault)
{
	static struct daemon daemon; /* large, and the manager's thread may outlive this call for a moment */
	struct service_handler handler = { on_stop, on_session_ended, on_session_began, on_reload, &daemon };
	enum result result;

	daemon = (struct daemon){ .options = options, .fault = fault, .lock = mutex_new() };
	if (daemon.lock == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "start");
	result = service_run(options->console, &handler, body, &daemon, fault);
	return result;
}
