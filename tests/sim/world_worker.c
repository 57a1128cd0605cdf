#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/resume.h"
#include "core/url.h"
#include "platform/file.h"
#include "world_private.h"

/* An order that waits for its answer; a fetch stays until it is whole, stopped or failed. */
struct pending {
	struct pending *next;
	struct order *order;
	struct worker *worker;
	bool answered, stopped, held, restart, unchanged;
	unsigned version;
};

struct worker {
	struct worker *next;
	struct world *world;
	enum worker_kind kind;
	struct identity *identity;
	struct report_sink sink;
	struct pending *pending;
	bool has_answered; /* as whom, to servers: */
	bool implicit;
	char user[32], password[32], headers[128];
};

struct world_file *world_file(struct world *world, const char *path)
{
	const char *number = path + strcspn(path, "?");

	while (number > path && *number != '/' && *number != '\\')
		number--;
	return &world->files[strtoul(number + 1, NULL, 10) % WORLD_FILES_MAX];
}

static struct world_source *source_of(struct world_file *file, const char *url)
{
	const char *host = strpbrk(url, "/\\") + strlen("//");
	bool is_mirror = strncmp(host, "mirror", strlen("mirror")) == 0;

	return &file->sources[is_mirror ? strtoul(host + strlen("mirror"), NULL, 10) % WORLD_SOURCES : 0];
}

static void wrong(struct world *world, const char *what, const char *name)
{
	if (!world->wrong) /* what follows from it tells nothing */
		fprintf(stderr, "wrong: %s: %s\n", what, name);
	world->wrong = true;
}

/* --- do they wear what they should? --- */

static bool is_below(const char *root, const char *path)
{
	return strncmp(path, root, strlen(root)) == 0 && strchr("/\\", path[strlen(root)]) != NULL && path[strlen(root)] != '\0';
}

/* Rule 11, told again in other words than the engine's. */
static bool is_lent_for(const struct lent *lent, const struct world_file *file, const char *path, bool network)
{
	bool was_there = file->ordinal < lent->files, below = lent->root_bytes == 0;

	for (size_t at = 0; at < lent->root_bytes; at += strlen(lent->roots + at) + 1)
		below |= is_below(lent->roots + at, path);
	return below && (was_there || (lent->root_bytes > 0 && !network));
}

static bool is_listed(const char *sid, const char (*items)[512], uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (strcmp(items[i], sid) == 0)
			return true;
	return false;
}

static void check_service(struct world *world, const struct worker *worker, enum job_side side, const char *path)
{
	const struct settings *settings = &world->settings;
	bool below = side == JOB_SIDE_NETWORK;

	for (uint32_t i = 0; i < settings->identity_service_file_roots.count; i++)
		below |= is_below(settings->identity_service_file_roots.items[i], path);
	if (!engine_same_identity(worker->identity, world->people[SERVICE]))
		wrong(world, "not as the service", path);
	if (!below)
		wrong(world, "the service outside of its roots", path);
}

static void check_owner(struct world *world, const struct worker *worker, const struct job *job, const char *path)
{
	const struct job_owner owner = job_owner(job);
	bool present = false;

	for (const struct present *p = world->engine->present; p != NULL; p = p->next)
		present |= engine_same_identity(p->identity, worker->identity);
	if (!access_is_owner(identity_caller(worker->identity), &owner))
		wrong(world, "not as the owner", path);
	if (!present)
		wrong(world, "as an owner who left", path);
}

static void check_identity(const struct worker *worker, enum job_side side, const char *path, bool network)
{
	struct world *world = worker->world;
	const struct settings *settings = &world->settings;
	const struct world_file *file = world_file(world, path);
	const struct lent *lent = engine_lent(world->engine, file->job);
	struct job job;
	struct fault fault;

	if (file->job == 0) { /* no client's: it is declared */
		check_service(world, worker, side, path);
		return;
	}
	assert_int_equal(store_job_by_row(world->store, file->job, &job, &fault), RESULT_OK);
	if (job.helper_flags & HELPER_FLAG(side)) {
		if (lent == NULL)
			wrong(world, "as somebody while no token is lent", path);
		else if (!engine_same_identity(lent->identity, worker->identity))
			wrong(world, "not as the helper", path);
		else if (!is_lent_for(lent, file, path, network && (job.helper_flags & HELPER_NETWORK)))
			wrong(world, "the token is not lent for it", path);
	} else if (access_is_declared(job.owner)) {
		check_service(world, worker, side, path);
	} else if (side == JOB_SIDE_FILE && is_listed(job.owner, settings->identity_service_file_owners.items,
	                                              settings->identity_service_file_owners.count)) {
		check_service(world, worker, side, path);
	} else if (side == JOB_SIDE_NETWORK && is_listed(job.owner, settings->identity_service_network_owners.items,
	                                                 settings->identity_service_network_owners.count)) {
		check_service(world, worker, side, path);
	} else {
		check_owner(world, worker, &job, path);
	}
}

/* A partial file in transfer is somebody's, committed or not. */
static void check_sweep(struct world *world, const char *name, const char *end)
{
	for (; name < end; name += strlen(name) + 1)
		for (const struct active *active = world->engine->actives; active != NULL; active = active->next)
			for (const struct flight *flight = active->flights; flight != NULL; flight = flight->next)
				if (strcmp(flight->file.partial, name) == 0)
					wrong(world, "swept while it is in transfer", name);
}

/* Who asks for a trial is there, and is shown as himself alone. */
static void check_there(const struct worker *worker, const struct order *order)
{
	if (!engine_is_present(worker->world->engine, worker->identity))
		wrong(worker->world, "asks as somebody who is not there", order->file.url);
}

static void check_trial(const struct worker *worker, const struct order *order)
{
	check_there(worker, order);
	if (order->route->logins[AUTH_SERVER].user[0] != '\0' || order->route->logins[AUTH_PROXY].user[0] != '\0')
		wrong(worker->world, "tried with a password", order->file.url);
	memcpy(worker->world->proxy, order->route->proxy, sizeof(order->route->proxy));
}

/* At the moment an order is given, which is after the commit of the turn that wrote it.  Orders that name nothing go on
 * with what was opened. */
static void check_order(const struct worker *worker, const struct order *order)
{
	const char *path = order->list.bytes, *end = path + order->list.length;

	switch (order->kind) {
	case ORDER_OPEN:
		check_identity(worker, JOB_SIDE_FILE, order->file.path, true);
		if (worker->world->remote && store_can_wait(worker->world->store) &&
		    strcmp(world_file(worker->world, order->file.url)->partial, order->file.partial) != 0)
			wrong(worker->world, "made where nobody would find it", order->file.path);
		break;
	case ORDER_FETCH:
	case ORDER_PROXY:
		if (order->kind == ORDER_FETCH)
			memcpy(worker->world->proxy, order->route->proxy, sizeof(order->route->proxy));
		if (path != NULL && order->file.path[0] == '\0')
			check_there(worker, order); /* somebody wants to know */
		else
			check_identity(worker, JOB_SIDE_NETWORK, order->file.path, true);
		break;
	case ORDER_TRY: check_trial(worker, order); break;
	case ORDER_SWEEP:
		check_identity(worker, JOB_SIDE_FILE, order->file.path, false);
		check_sweep(worker->world, path, end);
		break;
	case ORDER_PUBLISH:
	case ORDER_ABANDON:
	case ORDER_LIST: check_identity(worker, JOB_SIDE_FILE, order->file.path, false); break;
	case ORDER_LOOK: check_identity(worker, JOB_SIDE_FILE, order->file.path, true); break;
	case ORDER_CHECK:
		for (; path < end; path += strlen(path) + 1)
			check_identity(worker, JOB_SIDE_FILE, path, true);
		break;
	case ORDER_RECORDED:
		if (store_can_wait(worker->world->store))
			wrong(worker->world, "told as recorded before it was", order->file.path);
		break;
	case ORDER_SYNC:
	case ORDER_CLOSE:
	case ORDER_FINISH:
	case ORDER_PRIORITY:
	case ORDER_STOP: break;
	}
}

/* Law 2: a connection that was authenticated is nobody else's, so a worker answers as one user, or as the identity that it
 * wears. */
static void note_login(struct worker *worker, const struct order *order)
{
	const struct transfer_login *login = &order->route->logins[AUTH_SERVER];
	struct world_file *file = world_file(worker->world, order->file.url);

	file->fetcher = worker;
	file->schemes = login->schemes;
	file->implicit = login->implicit;
	text_display(file->certificate, sizeof(file->certificate), "%s", order->route->certificate);
	file->withheld = order->route->certificate_withheld;
	file->ignore = order->route->ignore;
	file->ignore_refused = order->route->ignore_refused;
	text_display(file->user, sizeof(file->user), "%s", login->user);
	text_display(file->password, sizeof(file->password), "%s", login->password);
	text_display(file->headers, sizeof(file->headers), "%s", order->route->headers != NULL ? order->route->headers : "");
	if (worker->has_answered && strcmp(worker->headers, file->headers) != 0)
		wrong(worker->world, "asked with two jobs' headers", order->file.url);
	if (worker->has_answered && (worker->implicit != login->implicit || strcmp(worker->user, login->user) != 0 ||
	                             strcmp(worker->password, login->password) != 0))
		wrong(worker->world, "answered as two", order->file.url);
	worker->has_answered = true;
	worker->implicit = login->implicit;
	memcpy(worker->user, file->user, sizeof(worker->user));
	memcpy(worker->password, file->password, sizeof(worker->password));
	memcpy(worker->headers, file->headers, sizeof(worker->headers));
}

/* --- made-up workers --- */

static enum result start_worker(void *context, enum worker_kind kind, struct identity *identity,
                                const struct report_sink *sink, struct worker **ret_worker, struct fault *fault)
{
	struct world *world = context;
	struct worker *worker = calloc(1, sizeof(*worker));
	unsigned count = 1;

	(void)fault;
	assert_non_null(worker);
	for (const struct worker *other = world->workers; other != NULL; other = other->next)
		count++;
	if (count > world->settings.identity_workers_max)
		wrong(world, "more workers than there may be", identity_caller(identity)->owner);
	worker->world = world;
	worker->kind = kind;
	worker->identity = identity_hold(identity);
	worker->sink = *sink;
	worker->next = world->workers;
	world->workers = worker;
	*ret_worker = worker;
	return RESULT_OK;
}

static void give_order(struct worker *worker, struct order *order)
{
	struct pending **end = &worker->pending, *pending;

	check_order(worker, order);
	if (order->kind == ORDER_FETCH && !worker->world->plain && !url_is_share(text_view(order->file.url)) && strstr(order->file.url, "?sig=") == NULL)
		wrong(worker->world, "asked without its query", order->file.url);
	if (order->kind == ORDER_FETCH && (worker->kind == WORKER_SHARE) != url_is_share(text_view(order->file.url)))
		wrong(worker->world, "fetched by the wrong kind of worker", order->file.url);
	if (order->kind == ORDER_FETCH)
		note_login(worker, order);
	if (order->kind == ORDER_FETCH || order->kind == ORDER_PRIORITY)
		world_file(worker->world, order->file.url)->priority = order->priority;
	if (order->kind == ORDER_PUBLISH)
		world_file(worker->world, order->file.path)->zone = order->zone;
	if (order->kind == ORDER_STOP || order->kind == ORDER_RECORDED || order->kind == ORDER_PRIORITY) {
		for (pending = worker->pending; pending != NULL; pending = pending->next)
			if (pending->order->flight == order->flight && order->kind == ORDER_STOP)
				pending->stopped = true;
			else if (pending->order->flight == order->flight && order->kind == ORDER_RECORDED && order->bytes == 0)
				pending->held = false;
		free(order);
		return;
	}
	pending = calloc(1, sizeof(*pending));
	assert_non_null(pending);
	pending->order = order;
	pending->worker = worker;
	while (*end != NULL)
		end = &(*end)->next;
	*end = pending;
}

static bool consumes_handle(const struct order *order)
{
	return order->kind == ORDER_CLOSE || order->kind == ORDER_FINISH || order->kind == ORDER_ABANDON;
}

static void stop_worker(struct worker *worker)
{
	struct world *world = worker->world;
	struct worker **place = &world->workers;

	while (*place != worker)
		place = &(*place)->next;
	*place = worker->next;
	/* Only where everything is dropped. */
	if (worker->pending != NULL && worker->kind != WORKER_PROXY && !world->ending && world->engine->broken.result == RESULT_OK)
		wrong(world, "ended while it works", identity_caller(worker->identity)->owner);
	while (worker->pending != NULL) {
		struct pending *pending = worker->pending;

		worker->pending = pending->next;
		if (consumes_handle(pending->order))
			file_handle_free(pending->order->handle);
		order_free(pending->order);
		free(pending);
	}
	identity_free(worker->identity);
	free(worker);
}

static struct report *new_report(const struct pending *pending, enum report_kind kind)
{
	struct report *report = calloc(1, sizeof(*report));

	assert_non_null(report);
	report->kind = kind;
	report->order = pending->order->kind;
	report->worker = pending->worker;
	report->flight = pending->order->flight;
	return report;
}

static void finish(struct pending *pending, struct report *report)
{
	struct worker *worker = pending->worker;
	struct pending **place = &worker->pending;

	while (*place != pending)
		place = &(*place)->next;
	*place = pending->next;
	order_free(pending->order);
	free(pending);
	worker->sink.post(worker->sink.context, report);
}

static struct file_handle *open_handle(const struct world *world, uint64_t flight)
{
	struct file_handle *handle = NULL;
	struct fault fault = { 0 };
	char path[600];

	snprintf(path, sizeof(path), "%s%cflight-%" PRIu64, world->folder, file_path_style == PATH_WINDOWS ? '\\' : '/',
	         flight);
	if (file_open_append(path, &handle, &fault) != RESULT_OK)
		fail_msg("%s: %s", path, fault.what);
	return handle;
}

/* What lies in the folder /sim: an orphan, where the test put one, and every partial file that was written to. */
static void answer_list(struct world *world, const struct order *order, struct report *report)
{
	report->names = BUFFER(65536);
	for (unsigned i = 0; i < world->lying_count; i++)
		assert_int_equal(buffer_append(&report->names, world->lying[i], strlen(world->lying[i]) + 1), RESULT_OK);
	for (unsigned i = 0; i < WORLD_FILES_MAX; i++) {
		const char *name = world->files[i].partial;

		if (name[0] != '\0' && world->files[i].published == 0 && !world->files[i].abandoned)
			assert_int_equal(buffer_append(&report->names, name, strlen(name) + 1), RESULT_OK);
	}
	assert_string_equal(order->list.bytes, ".ferry-5ea5ea5ea5ea5ea5-");
}

/* The digest that is declared is that of version 0. */
static void answer_look(struct world_file *file, const struct order *order, struct report *report)
{
	bool partial = order->file.partial[0] != '\0'; /* that is about to get its name */

	file->looked += !partial;
	if (file->look_fails != RESULT_OK) {
		report->result = fault_set(&report->fault, file->look_fails, FAULT_FERRY, 0, "made up");
		return;
	}
	if (partial ? strcmp(file->named, order->file.partial) == 0 : file->removed || (!file->there && file->published == 0)) {
		report->result = fault_set(&report->fault, RESULT_PATH_NOT_FOUND, FAULT_FERRY, 0, "made up");
		return;
	}
	report->bytes = file->vast > 0 && !partial ? file->vast : file->size;
	if (order->file.is_size_stated && report->bytes != order->file.bytes_stated)
		return;
	if (file->vast > 0 && !partial) { /* it was stopped */
		report->result = fault_set(&report->fault, RESULT_CANCELLED, FAULT_FERRY, 0, "made up");
		return;
	}
	report->digest.length = order->file.digest.length > 0 ? order->file.digest.length : DIGEST_SHA256_BYTES;
	bool others = !partial && (file->altered || file->published == 0);
	memset(report->digest.bytes, others ? 0xEE : (int)(0xAA + (partial ? file->version : file->landed)), report->digest.length);
}

static void answer_check(struct world *world, const struct order *order, struct report *report)
{
	const char *path = order->list.bytes, *end = path + order->list.length;

	for (report->bytes = 0; path < end; path += strlen(path) + 1, report->bytes++)
		if (strcmp(path, world->denied) == 0) {
			report->result = fault_set(&report->fault, RESULT_DENIED, FAULT_FERRY, 0, "%s", path);
			return;
		}
}

static void answer_sweep(struct world *world, const struct order *order, struct report *report)
{
	const char *name = order->list.bytes, *end = name + order->list.length;

	for (report->bytes = 0; name < end; name += strlen(name) + 1)
		for (unsigned i = 0; i < world->lying_count; i++)
			if (strcmp(world->lying[i], name) == 0) {
				memcpy(world->lying[i], world->lying[--world->lying_count], sizeof(world->lying[i]));
				report->bytes++;
			}
}

/* Whoever opens a name first makes the file; nobody else goes on with it or gives it its name. */
static void check_writer(struct world *world, const struct pending *pending, struct world_file *file)
{
	const struct order *order = pending->order;
	char writer[JOB_WRITER_BYTES_MAX];

	access_writer(identity_caller(pending->worker->identity), writer);
	if (order->kind == ORDER_OPEN && strcmp(file->partial, order->file.partial) != 0) {
		memcpy(file->partial, order->file.partial, sizeof(file->partial));
		memcpy(file->writer, writer, sizeof(file->writer));
		file->written = file->synced = 0;
		file->abandoned = false;
	} else if (strcmp(file->partial, order->file.partial) != 0) {
		wrong(world, "given its name under one that nobody opened", order->file.url);
	} else if (strcmp(file->writer, writer) != 0) {
		wrong(world, "gone on with what another wrote", order->file.url);
	}
}

static void answer_file_order(struct pending *pending)
{
	struct world *world = pending->worker->world;
	const struct order *order = pending->order;
	struct world_file *file = order->file.url[0] != '\0' ? world_file(world, order->file.url) : NULL;
	struct report *report = new_report(pending, REPORT_DONE);

	report->bytes = order->bytes;
	if (order->kind == ORDER_OPEN || order->kind == ORDER_PUBLISH)
		check_writer(world, pending, file);
	if (order->kind == ORDER_LOOK) {
		answer_look(world_file(world, order->file.path), order, report);
	} else if (order->kind == ORDER_CHECK) {
		answer_check(world, order, report);
	} else if (order->kind == ORDER_LIST) {
		answer_list(world, order, report);
	} else if (order->kind == ORDER_SWEEP) {
		answer_sweep(world, order, report);
	} else if (order->kind == ORDER_OPEN) {
		uint64_t have = file->abandoned ? 0 : order->file.bytes_recorded;
		file->abandoned = false;
		if (file->synced < have)
			wrong(world, "recorded more than is on disk", order->file.url);
		if (file->exchanged && order->file.tag[0] != '\0') {
			report->result = fault_set(&report->fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "made up");
			finish(pending, report);
			return;
		}
		report->yielded = order->yields && (file->there || (file->published > 0 && !file->removed));
		if (report->yielded) {
			finish(pending, report);
			return;
		}
		report->bytes = have;
		report->conditional = file_is_conditional(&order->file) && file->there;
		file->written = file->written < report->bytes ? report->bytes : file->written;
		(void)!text_copy(report->tag, sizeof(report->tag), text_view("tag"));
		if (world->real_handles)
			report->handle = open_handle(world, order->flight);
	} else if (order->kind == ORDER_SYNC || order->kind == ORDER_CLOSE || order->kind == ORDER_FINISH) {
		/* One that was ordered before the file began anew is no news to anybody. */
		const struct flight *flight = flight_find(world->engine, order->flight);
		if (order->bytes > file->written && (flight == NULL || !flight->sync_is_old))
			wrong(world, "synced more than was written", order->file.url);
		if (file->fail_next_sync) {
			file->fail_next_sync = false;
			file->lost = true;
			report->result = fault_set(&report->fault, RESULT_IO_FAILED, FAULT_FERRY, 0, "made up");
		}
		if (!file->lost)
			file->synced = file->written;
	} else if (order->kind == ORDER_PUBLISH && file->exchanged_late) {
		file->exchanged_late = false;
		report->result = fault_set(&report->fault, RESULT_FILE_CHANGED, FAULT_FERRY, 0, "made up");
	} else if (order->kind == ORDER_PUBLISH && order->yields && file->there) {
		report->yielded = file->abandoned = true;
	} else if (order->kind == ORDER_PUBLISH) {
		if (file->synced != file->size)
			wrong(world, "published before it was whole", order->file.url);
		if (file->mixed || (order->file.digest.length > 0 && file->version != 0))
			wrong(world, "published with bytes of another file", order->file.url);
		report->unmarked = world->no_streams;
		file->published++;
		file->removed = file->altered = false;
		file->vast = 0;
		file->landed = file->version;
		memcpy(file->named, order->file.partial, sizeof(file->named));
	} else if (order->kind == ORDER_ABANDON && file->held) {
		report->result = fault_set(&report->fault, RESULT_LOCKED, FAULT_FERRY, 0, "made up");
	} else if (order->kind == ORDER_ABANDON) {
		file->written = file->synced = 0;
		file->abandoned = true;
	}
	if (consumes_handle(order))
		file_handle_free(order->handle);
	finish(pending, report);
}

/* Of a file of ranges; see world_client.c. */
static struct resume_answer answer_range(const struct world_source *source, const struct resume_request *request, uint64_t size,
                                         bool same)
{
	uint64_t end = request->end > 0 ? request->end : size;

	if (source->no_ranges || !same)
		return (struct resume_answer){ .status = 200, .content_length = size };
	return (struct resume_answer){ .status = 206, .has_content_range = true, .range_first = request->first,
		                           .range_last = end - 1, .range_total = size, .content_length = end - request->first };
}

/* What the source answers to what core/resume asks, as core/resume judges it. */
static enum resume_verdict judge(struct world *world, const struct order *order, const struct world_file *file,
                                 const struct world_source *source, const char *etag, struct fault *fault)
{
	AUTO(ranges) struct ranges ranges = { .at = NULL };
	bool has_ranges = order->file.ranges > 0;

	if (has_ranges && (ranges_parse(text_view(order->list.bytes), &ranges, NULL) != RESULT_OK || ranges.count != order->file.ranges))
		wrong(world, "fetched without its ranges", order->file.url);

	const struct resume_known known = { .offset = order->file.bytes_recorded, .total = order->file.bytes_total,
		                                .etag = order->file.etag, .modified = order->file.modified,
		                                .verified = order->file.digest.length > 0,
		                                .elsewhere = order->elsewhere, .keep = order->keep,
		                                .condition = order->conditional ? &order->file.condition : NULL,
		                                .ranges = has_ranges ? &ranges : NULL };
	uint64_t size = source->other_size ? file->size + 7 : file->size, total;
	enum resume_verdict verdict = RESUME_AGAIN;
	struct resume_request request;

	resume_plan(&known, &request);
	for (; verdict == RESUME_AGAIN; resume_plan_whole(&known, &request)) {
		bool same = request.validator[0] == '\0' || strcmp(request.validator, etag) == 0;
		bool partial = request.offset > 0 && !source->no_ranges && same && request.offset < size;
		struct resume_answer answer = { .status = partial ? 206 : 200, .has_content_range = partial,
			                            .range_first = request.offset, .range_last = size - 1, .range_total = size,
			                            .content_length = partial ? size - request.offset : size };

		if (request.is_range)
			answer = answer_range(source, &request, file->size + size, same);
		if (request.conditional && source != file->sources && known.condition->etag[0] != '\0')
			world->tags_of_mirrors++;
		if (request.conditional && source->unchanged)
			answer = (struct resume_answer){ .status = 304, .content_length = SIZE_UNKNOWN };
		memcpy(answer.etag, etag, strlen(etag) + 1);
		verdict = resume_judge(&known, &request, &answer, &total, fault);
	}
	return verdict;
}

/* A body that begins anew while there is an old one is held until the store has forgotten that. */
static enum result begin_body(struct pending *pending, struct world_file *file, const struct world_source *source)
{
	uint64_t recorded = pending->order->file.bytes_recorded;
	char etag[16];
	struct fault fault;

	snprintf(etag, sizeof(etag), "\"v%u\"", pending->worker->world->same_tags ? 0 : source->version);
	enum resume_verdict verdict = judge(pending->worker->world, pending->order, file, source, etag, &fault);
	if (verdict == RESUME_REFUSE)
		return fault.result;
	pending->unchanged = verdict == RESUME_UNCHANGED;
	if (pending->unchanged)
		return RESULT_OK;
	if (verdict == RESUME_RESTART && recorded > 0) {
		pending->held = pending->restart = true;
		pending->version = source->version;
	} else {
		file->lost = false; /* what was lost is written again */
		file->mixed = verdict == RESUME_CONTINUE && (file->mixed || file->version != source->version);
		file->version = source->version;
		file->written = verdict == RESUME_CONTINUE ? recorded : 0;
	}

	struct report *report = new_report(pending, REPORT_ANSWERED);
	report->bytes = pending->held ? 0 : file->written;
	report->bytes_total = file->no_length ? SIZE_UNKNOWN : file->size;
	memcpy(report->etag, etag, sizeof(etag));
	pending->worker->sink.post(pending->worker->sink.context, report);
	return RESULT_OK;
}

/* The transfer finds out with the next range, and begins anew by itself. */
static void find_changed(struct pending *pending, const struct world_file *file, const struct world_source *source)
{
	struct report *report = new_report(pending, REPORT_ANSWERED);

	pending->held = pending->restart = true;
	pending->version = source->version;
	report->bytes_total = file->size;
	snprintf(report->etag, sizeof(report->etag), "\"v%u\"", source->version);
	pending->worker->sink.post(pending->worker->sink.context, report);
}

static void end_fetch(struct pending *pending, struct world_file *file, struct world_source *source, enum result result)
{
	struct report *report = new_report(pending, REPORT_DONE);

	report->result = result;
	report->unchanged = pending->unchanged && result == RESULT_OK;
	if (report->unchanged)
		snprintf(report->etag, sizeof(report->etag), "\"v%u\"", source->version);
	report->bytes = pending->restart || pending->unchanged ? 0 : pending->answered ? file->written : pending->order->file.bytes_recorded;
	report->retry_after_s = source->retry_after_s > 0 ? source->retry_after_s : file->retry_after_s;
	report->trace.status = result == RESULT_OK ? 200 : 0;
	report->proxy_failed = result == RESULT_CONNECT_FAILED && pending->order->route->proxy[0] != '\0';
	file->asked++;
	source->asked++;
	(void)!fault_set(&report->fault, result, FAULT_FERRY, 0, "made up");
	file->fail_next_fetch = RESULT_OK;
	finish(pending, report);
}

/* How a fetch that sends nothing more ends. */
static enum result fetch_result(const struct pending *pending, const struct world_file *file, const struct world_source *source)
{
	bool whole = pending->answered && !pending->restart && (pending->unchanged || file->written == file->size);

	if (pending->stopped && !whole)
		return RESULT_CANCELLED;
	if (file->dead || source->dead)
		return RESULT_CONNECT_FAILED;
	if (file->fail_next_fetch != RESULT_OK)
		return file->fail_next_fetch;
	if (source->fails != RESULT_OK)
		return source->fails;
	bool is_wrong = pending->order->file.digest.length > 0 && (file->mixed || file->version != 0);
	return is_wrong ? RESULT_DIGEST_MISMATCH : RESULT_OK;
}

static void advance_fetch(struct pending *pending)
{
	struct world *world = pending->worker->world;
	struct world_file *file = world_file(world, pending->order->file.url);
	struct world_source *source = source_of(file, pending->order->file.url);
	bool dead = file->dead || source->dead || (source->fails != RESULT_OK && source->fails_at == 0);
	uint64_t end = source->fails != RESULT_OK && source->fails_at < file->size ? source->fails_at : file->size;
	struct report *report;

	if (!pending->answered && !pending->stopped && !dead) {
		enum result result = begin_body(pending, file, source);

		if (result != RESULT_OK)
			end_fetch(pending, file, source, result);
		else
			pending->answered = true;
		return;
	}
	if (pending->held && !pending->stopped && !dead)
		return;
	if (pending->order->file.ranges > 0 && !pending->stopped && !dead && !pending->restart && file->written < file->size &&
	    file->version != source->version) {
		find_changed(pending, file, source);
		return;
	}
	if (pending->restart && !pending->held && !pending->stopped) {
		pending->restart = false;
		file->lost = file->mixed = false;
		file->written = 0;
		file->version = pending->version;
	}
	if (!pending->stopped && !dead && file->fail_next_fetch == RESULT_OK && !pending->unchanged && file->written < end) {
		uint64_t some = 1 + world_random(world, end - file->written);

		file->written += some;
		file->fetched += some;
		source->sent += some;
		report = new_report(pending, REPORT_WRITTEN);
		report->bytes = file->written;
		pending->worker->sink.post(pending->worker->sink.context, report);
		return;
	}
	end_fetch(pending, file, source, fetch_result(pending, file, source));
}

static void answer_proxy(struct pending *pending)
{
	struct world *world = pending->worker->world;
	struct buffer names = pending->order->list;
	struct report *report = new_report(pending, REPORT_DONE);

	pending->order->list = BUFFER(0);
	names.length_max = names.length + PROXY_TEXT_BYTES_MAX;
	assert_int_equal(buffer_append(&names, world->proxies, strlen(world->proxies) + 1), RESULT_OK);
	assert_int_equal(buffer_append(&names, "", 1), RESULT_OK);
	world->proxies_asked++;
	report->names = names;
	report->bytes = PROXY_FROM_SCRIPT;
	report->bytes_total = pending->order->bytes;
	report->result = world->proxies_fail;
	(void)!fault_set(&report->fault, world->proxies_fail, FAULT_FERRY, 0, "made up");
	finish(pending, report);
}

static void answer_trial(struct pending *pending)
{
	struct world *world = pending->worker->world;
	struct report *report = new_report(pending, REPORT_DONE);

	report->result = pending->stopped ? RESULT_CANCELLED : world->trial_fails;
	report->trace.status = world->trial_status;
	(void)!fault_set(&report->fault, report->result, FAULT_FERRY, 0, "made up");
	finish(pending, report);
}

struct worker_ops world_workers(struct world *world)
{
	return (struct worker_ops){ start_worker, give_order, stop_worker, world };
}

/* A look that has no end keeps nobody else waiting. */
static bool reads_on(struct world *world, const struct pending *pending)
{
	const struct file *file = &pending->order->file;

	return pending->order->kind == ORDER_LOOK && !pending->stopped && file->partial[0] == '\0' &&
	       world_file(world, file->path)->vast > 0 && !file->is_size_stated;
}

/* A file worker answers in the order it was told; of the fetches any one may get on. */
static struct pending *choose(struct world *world)
{
	struct pending *chosen = NULL;
	uint64_t seen = 0;

	for (struct worker *worker = world->workers; worker != NULL; worker = worker->next) {
		for (struct pending *pending = worker->pending; pending != NULL; pending = pending->next) {
			if (worker->kind == WORKER_PROXY && world->proxies_stuck)
				continue;
			if (reads_on(world, pending))
				continue;
			if (pending->order->kind == ORDER_TRY ? world->trials_stuck && !pending->stopped : worker->kind != WORKER_FILE && worker->kind != WORKER_PROXY && !pending->stopped && world_file(world, pending->order->file.url)->stuck)
				continue;
			if (world_random(world, ++seen) == 0)
				chosen = pending;
			if (worker->kind == WORKER_FILE)
				break;
		}
	}
	return chosen;
}

unsigned world_threads(const struct world *world, enum worker_kind kind)
{
	unsigned count = 0;

	for (const struct worker *worker = world->workers; worker != NULL; worker = worker->next)
		count += worker->kind == kind;
	return count;
}

bool world_wears(const struct world *world, enum person person)
{
	for (const struct worker *worker = world->workers; worker != NULL; worker = worker->next)
		if (engine_same_identity(worker->identity, world->people[person]))
			return true;
	return false;
}

bool world_is_at_work(struct world *world)
{
	return choose(world) != NULL;
}

bool world_answer(struct world *world)
{
	struct pending *pending = choose(world);

	if (pending == NULL)
		return false;
	if (pending->worker->kind == WORKER_FILE)
		answer_file_order(pending);
	else if (pending->worker->kind == WORKER_PROXY)
		answer_proxy(pending);
	else if (pending->order->kind == ORDER_TRY)
		answer_trial(pending);
	else
		advance_fetch(pending);
	return true;
}
