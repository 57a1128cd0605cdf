#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world_private.h"

/* What a client asks for, in a letter; `result` is what it is told, which comes after the commit. */
struct deed {
	struct letter letter;
	struct deferral deferral;
	struct world *world;
	enum result (*act)(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault);
	enum result result;
	struct job_status status;
	int64_t row;
	enum person person;
	uint64_t number;
	const struct world_loan *loan;
	const struct request *request;
	uint32_t *files;
	const char *url, *proxy;
	const struct credential *credential;
	struct buffer *headers;
	bool write_only;
};

static void let_out(struct deferral *deferral, enum result committed, const struct fault *fault)
{
	struct deed *deed = (struct deed *)((char *)deferral - offsetof(struct deed, deferral));

	if (committed == RESULT_OK)
		return;
	deed->result = committed;
	memcpy(deed->world->refusal, fault->what, sizeof(deed->world->refusal));
}

/* As runtime/session does. */
static void ask(const struct deed *deed, struct engine *engine)
{
	enum person person = deed->person != OWNER ? deed->person : deed->world->client;
	const struct caller *caller = identity_caller(deed->world->people[person]);
	struct asker asker = { .session = caller->session, .process = 4000u + (uint32_t)person };

	memcpy(asker.owner, caller->owner, sizeof(asker.owner));
	text_display(asker.image, sizeof(asker.image), "%s", deed->world->program != NULL ? deed->world->program : "");
	engine_asked_by(engine, &asker);
}

static void deliver(struct letter *letter, void *engine)
{
	struct deed *deed = (struct deed *)letter;
	struct fault fault = { 0 };

	if (engine == NULL)
		return;
	ask(deed, engine);
	deed->result = deed->act(deed, engine, &deed->status, &fault);
	if (deed->result != RESULT_OK && deed->request != NULL)
		engine_refused(engine, method_name(deed->request->method), "", deed->request->correlation, &fault);
	engine_asked_by(engine, NULL);
	memcpy(deed->world->refusal, fault.what, sizeof(deed->world->refusal));
	deed->deferral.run = let_out;
	engine_defer(engine, &deed->deferral);
}

static enum result perform(struct world *world, struct deed *deed)
{
	deed->letter.deliver = deliver;
	deed->world = world;
	engine_post(world->engine, &deed->letter);
	while (world->answers_behind > 0 && world_answer(world))
		world->answers_behind--;
	world->answers_behind = 0;
	world_break_turn(world);
	(void)engine_turn(world->engine);
	return deed->result;
}

/* --- who is here --- */

static enum result hello(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	(void)ret_status;
	(void)fault;
	engine_owner_present(engine, deed->world->people[deed->person]);
	return RESULT_OK;
}

void world_hello_as(struct world *world, enum person person)
{
	struct deed deed = { .act = hello, .person = person };

	(void)perform(world, &deed);
}

void world_hello(struct world *world)
{
	world_hello_as(world, OWNER);
}

static enum result end_session(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                               struct fault *fault)
{
	(void)ret_status;
	(void)fault;
	engine_session_ended(engine, (uint32_t)deed->number);
	return RESULT_OK;
}

void world_session_ended(struct world *world, uint32_t session)
{
	struct deed deed = { .act = end_session, .number = session };

	(void)perform(world, &deed);
}

static enum result begin_session(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                                 struct fault *fault)
{
	(void)ret_status;
	(void)fault;
	engine_session_began(engine, (uint32_t)deed->number);
	return RESULT_OK;
}

void world_session_began(struct world *world, uint32_t session)
{
	struct deed deed = { .act = begin_session, .number = session };

	(void)perform(world, &deed);
}

static enum result end_connection(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                                  struct fault *fault)
{
	(void)ret_status;
	(void)fault;
	engine_connection_ended(engine, deed->number);
	return RESULT_OK;
}

void world_connection_ended(struct world *world, uint64_t connection)
{
	struct deed deed = { .act = end_connection, .number = connection };

	(void)perform(world, &deed);
}

/* --- making jobs --- */

/* The end of the file comes first. */
static enum result print_ranges(struct buffer *text, uint64_t size)
{
	uint64_t some = size / 2;

	return buffer_print(text, ",\"ranges\":[{\"offset\":%" PRIu64 "},{\"offset\":0,\"length\":%" PRIu64 "}]", size + some, some);
}

static enum result print_url(const struct world *world, struct buffer *text, const char *host, uint32_t number, bool share)
{
	return share ? buffer_print(text, "\"\\\\\\\\%s\\\\sim\\\\%" PRIu32 "\"", host, number)
	             : buffer_print(text, "\"http%s://%s.test/%" PRIu32 "%s\"", world->secure ? "s" : "", host, number,
	                            world->plain ? "" : WORLD_QUERY);
}

static enum result print_files(struct world *world, struct buffer *text, const struct world_order *order)
{
	enum result result = buffer_print(text, "\"files\":[");
	const char *root = world->remote ? "\\\\\\\\server\\\\sim\\\\low" : "/sim", *separator = world->remote ? "\\\\" : "/";

	for (uint32_t i = 0; i < order->files && result == RESULT_OK; i++) {
		uint32_t number = world->first_file + i;

		result = buffer_print(text, "%s{\"path\":\"%s%s%s%" PRIu32 "\",\"url\":", i == 0 ? "" : ",", root,
		                      order->folder != NULL ? order->folder : "", separator, number);
		if (result == RESULT_OK)
			result = print_url(world, text, "sim", number, order->shares & 1u);
		if (result == RESULT_OK && order->digest)
			result = buffer_print(text, ",\"digest\":\"sha256:%064d\"", 0);
		if (result == RESULT_OK && order->ranges)
			result = print_ranges(text, world->files[number % WORLD_FILES_MAX].size);
		if (result == RESULT_OK && order->conditional)
			result = buffer_print(text, ",\"if_none_match\":\"\\\"had\\\"\",\"if_modified_since_ms\":1000");
		if (result == RESULT_OK)
			result = buffer_print(text, ",\"mirrors\":[");
		for (uint32_t n = 1; n <= order->mirrors && result == RESULT_OK; n++) {
			char host[32];

			snprintf(host, sizeof(host), "mirror%" PRIu32 ".sim", n);
			result = n > 1 ? buffer_print(text, ",") : result;
			if (result == RESULT_OK)
				result = print_url(world, text, host, number, order->shares >> n & 1u);
		}
		if (result == RESULT_OK)
			result = buffer_print(text, "]}");
	}
	return result == RESULT_OK ? buffer_print(text, "]}}") : result;
}

static void give_files(struct world *world, const struct job_status *status, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct world_file *file = &world->files[(world->first_file + i) % WORLD_FILES_MAX];

		file->job = status->job.row;
		file->ordinal = status->job.files_total - count + i;
	}
}

static enum result create(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	const struct job_request wanted = { .caller = identity_caller(deed->world->people[deed->person]),
		                            .request = deed->request };
	bool created = false;

	return engine_job_create(engine, &wanted, ret_status, &created, fault);
}

int64_t world_create(struct world *world, const struct world_order *order)
{
	AUTO(buffer) struct buffer text = BUFFER(65536);
	AUTO(request) struct request request = { 0 };
	struct deed deed = { .act = create, .person = order->owner, .request = &request };
	struct fault fault;

	assert_int_equal(buffer_print(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.create\",\"params\":{"
	                              "\"name\":\"%s\",\"auto_complete\":%s,\"retry_delay_s\":60,\"on_token_loss\":\"%s\",",
	                              order->name != NULL ? order->name : "sim", order->auto_complete ? "true" : "false", token_loss_name(order->on_token_loss)),
	                 RESULT_OK);
	if (order->correlation != NULL)
		assert_int_equal(buffer_print(&text, "\"correlation\":\"%s\",", order->correlation), RESULT_OK);
	assert_int_equal(print_files(world, &text, order), RESULT_OK);
	if (request_decode((struct text_view){ text.bytes, text.length }, &request, &fault) != RESULT_OK)
		fail_msg("create: %s", fault.what);
	world->resumed = perform(world, &deed);
	if (world->resumed != RESULT_OK)
		return -1;
	give_files(world, &deed.status, order->files);
	return deed.status.job.row;
}

static enum result add(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	enum result result = engine_job_add_files(engine, deed->row, deed->request, ret_status, fault);

	/* Before the turn goes on and orders are given. */
	if (result == RESULT_OK)
		give_files(deed->world, ret_status, deed->request->file_count);
	return result;
}

enum result world_add(struct world *world, int64_t row, uint32_t count, const char *folder)
{
	AUTO(buffer) struct buffer text = BUFFER(65536);
	AUTO(request) struct request request = { 0 };
	struct deed deed = { .act = add, .row = row, .request = &request };
	struct fault fault;

	assert_int_equal(buffer_print(&text, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"job.addFiles\",\"params\":{"
	                              "\"handle\":1,"), RESULT_OK);
	assert_int_equal(print_files(world, &text, &(struct world_order){ .files = count, .folder = folder }), RESULT_OK);
	if (request_decode((struct text_view){ text.bytes, text.length }, &request, &fault) != RESULT_OK)
		fail_msg("add: %s", fault.what);
	return perform(world, &deed);
}

static enum result replace(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                           struct fault *fault)
{
	return engine_job_replace_prefix(engine, deed->row, deed->request, ret_status, deed->files, fault);
}

enum result world_replace(struct world *world, int64_t row, const char *from, const char *to, uint32_t *ret_files)
{
	const struct request request = { .old_prefix = text_view(from), .new_prefix = text_view(to) };
	struct deed deed = { .act = replace, .row = row, .request = &request, .files = ret_files };

	return perform(world, &deed);
}

int64_t world_submit(struct world *world, uint32_t count, bool auto_complete)
{
	const struct world_order order = { .owner = OWNER, .files = count, .auto_complete = auto_complete };
	int64_t row = world_create(world, &order);

	if (row > 0)
		world_resume(world, row);
	return row;
}

/* --- resuming and looking ahead, which are answered later --- */

/* A client that waits for the answer to its resume, which comes after the commit. */
struct granting {
	struct resumption resumption;
	struct deferral deferral;
	struct world *world;
	enum result result;
};

static void let_out_answer(struct deferral *deferral, enum result committed, const struct fault *fault)
{
	struct granting *granting = (struct granting *)((char *)deferral - offsetof(struct granting, deferral));

	(void)fault;
	granting->world->resumed = committed == RESULT_OK ? granting->result : committed;
	free(granting);
}

static void note_answer(struct resumption *resumption, enum result result, const struct job_status *status,
                        const struct fault *fault)
{
	struct granting *granting = (struct granting *)resumption;

	assert_int_equal(status != NULL, result == RESULT_OK);
	granting->result = result;
	memcpy(granting->world->refusal, fault->what, sizeof(granting->world->refusal));
	engine_defer(granting->world->engine, &granting->deferral);
}

static enum result resume(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	struct granting *granting = calloc(1, sizeof(*granting));

	(void)ret_status;
	(void)fault;
	assert_non_null(granting);
	*granting = (struct granting){ .resumption = { note_answer }, .deferral = { .run = let_out_answer },
		                       .world = deed->world };
	deed->world->resumed = WORLD_NO_ANSWER;
	engine_job_resume(engine, deed->row, &granting->resumption);
	return RESULT_OK;
}

void world_resume(struct world *world, int64_t row)
{
	struct deed deed = { .act = resume, .row = row };

	(void)perform(world, &deed);
}

struct asking {
	struct preflight_question question;
	struct world *world;
};

static void note_preflight(struct preflight_question *question, enum result result, const struct preflight *found,
                           const struct fault *fault)
{
	struct asking *asking = (struct asking *)question;

	assert_int_equal(found != NULL, result == RESULT_OK);
	asking->world->preflight_result = result;
	if (found != NULL)
		asking->world->preflight = *found;
	memcpy(asking->world->refusal, fault->what, sizeof(asking->world->refusal));
	free(asking);
}

static enum result preflight(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                             struct fault *fault)
{
	struct asking *asking = calloc(1, sizeof(*asking));

	(void)ret_status;
	(void)fault;
	assert_non_null(asking);
	*asking = (struct asking){ { note_preflight }, deed->world };
	deed->world->preflight_result = WORLD_NO_ANSWER;
	engine_job_preflight(engine, deed->row, &asking->question);
	return RESULT_OK;
}

void world_preflight(struct world *world, int64_t row)
{
	struct deed deed = { .act = preflight, .row = row };

	(void)perform(world, &deed);
}

struct trying_one {
	struct trial_question question;
	struct world *world;
};

static void note_trial(struct trial_question *question, enum result result, const struct trial *trial, const struct fault *fault)
{
	struct trying_one *trying = (struct trying_one *)question;

	assert_int_equal(trial != NULL, result == RESULT_OK);
	trying->world->tried = result;
	if (trial != NULL)
		trying->world->trial = *trial;
	else
		memcpy(trying->world->refusal, fault->what, sizeof(trying->world->refusal));
	free(trying);
}

static enum result try_one(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	struct trying_one *trying = calloc(1, sizeof(*trying));

	(void)ret_status;
	assert_non_null(trying);
	*trying = (struct trying_one){ { note_trial }, deed->world };
	deed->world->tried = WORLD_NO_ANSWER;
	engine_auth_test(engine,
	                 &(struct trial_wanted){ text_view(deed->url), text_view(deed->proxy), deed->world->people[deed->person] },
	                 &trying->question);
	memcpy(fault->what, deed->world->refusal, sizeof(fault->what)); /* of an answer that came at once */
	return RESULT_OK;
}

void world_try(struct world *world, enum person person, const char *url, const char *proxy)
{
	struct deed deed = { .act = try_one, .person = person, .url = url, .proxy = proxy };

	(void)perform(world, &deed);
}

/* --- changing jobs --- */

static enum result suspend(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	return engine_job_suspend(engine, deed->row, ret_status, fault);
}

enum result world_suspend(struct world *world, int64_t row)
{
	struct deed deed = { .act = suspend, .row = row };

	return perform(world, &deed);
}

static enum result cancel(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	return engine_job_cancel(engine, deed->row, ret_status, fault);
}

enum result world_cancel(struct world *world, int64_t row)
{
	struct deed deed = { .act = cancel, .row = row };

	return perform(world, &deed);
}

static enum result complete(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                            struct fault *fault)
{
	return engine_job_complete(engine, deed->row, ret_status, fault);
}

enum result world_complete(struct world *world, int64_t row)
{
	struct deed deed = { .act = complete, .row = row };

	return perform(world, &deed);
}

static enum result set(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	return engine_job_set_properties(engine, deed->row, deed->request, ret_status, fault);
}

enum result world_set(struct world *world, int64_t row, unsigned given, const struct job_properties *properties)
{
	const struct request request = { .properties = *properties, .properties_given = given };
	struct deed deed = { .act = set, .row = row, .request = &request };

	return perform(world, &deed);
}

enum result world_set_proxy(struct world *world, int64_t row, enum proxy_mode mode, const char *list)
{
	const struct request request = { .properties = { .proxy_mode = mode }, .properties_given = PROPERTY_PROXY,
		                         .proxy_list = text_view(list) };
	struct deed deed = { .act = set, .row = row, .request = &request };

	return perform(world, &deed);
}

static enum result set_credentials(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                                   struct fault *fault)
{
	return engine_credential_set(engine, deed->row, deed->credential, ret_status, fault);
}

enum result world_set_credentials(struct world *world, int64_t row, const struct credential *credential)
{
	struct deed deed = { .act = set_credentials, .row = row, .credential = credential };

	return perform(world, &deed);
}

static enum result remove_credentials(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                                      struct fault *fault)
{
	return engine_credential_remove(engine, deed->row, deed->credential->target, deed->credential->scheme, ret_status, fault);
}

enum result world_remove_credentials(struct world *world, int64_t row, enum auth_target target, enum auth_scheme scheme)
{
	const struct credential slot = { .target = target, .scheme = scheme };
	struct deed deed = { .act = remove_credentials, .row = row, .credential = &slot };

	return perform(world, &deed);
}

static enum result set_headers(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	return engine_headers_set(engine, deed->row, deed->headers, deed->write_only, ret_status, fault);
}

enum result world_set_headers(struct world *world, int64_t row, const char *block, bool write_only)
{
	struct buffer headers = { .bytes = (char *)(uintptr_t)block, .length = strlen(block), .length_max = strlen(block) };
	struct deed deed = { .act = set_headers, .row = row, .headers = &headers, .write_only = write_only };

	return perform(world, &deed);
}

static enum result get_headers(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	(void)ret_status;
	return engine_headers_get(engine, deed->row, deed->headers, fault);
}

enum result world_get_headers(struct world *world, int64_t row, struct buffer *to)
{
	struct deed deed = { .act = get_headers, .row = row, .headers = to };

	return perform(world, &deed);
}

static enum result take(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	struct identity *identity = deed->world->people[deed->person];
	enum result result = engine_job_take(engine, deed->row, identity_caller(identity), ret_status, fault);

	if (result == RESULT_OK)
		engine_owner_present(engine, identity);
	return result;
}

enum result world_take(struct world *world, int64_t row, enum person person)
{
	struct deed deed = { .act = take, .row = row, .person = person };

	return perform(world, &deed);
}

/* --- helper tokens --- */

/* Whoever owns the job opened it. */
static struct opener open_as_owner(const struct deed *deed, struct engine *engine)
{
	struct opener opener = { .rights = ACCESS_OWNER };
	struct job_status status;
	struct fault fault;

	assert_int_equal(engine_job_get(engine, deed->row, &status, &fault), RESULT_OK);
	memcpy(opener.caller.owner, status.job.owner, sizeof(opener.caller.owner));
	opener.caller.integrity = status.job.owner_integrity;
	opener.caller.administrator = status.job.owner_elevated;
	opener.caller.impersonation = true;
	return opener;
}

static enum result lend(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	const struct caller *helper = identity_caller(deed->world->people[deed->loan->helper]);
	const struct opener opener = deed->loan->attached ? (struct opener){ *helper, ACCESS_ATTACH } :
	                                                    open_as_owner(deed, engine);
	const char *root = deed->loan->root;
	const struct loan loan = { .opener = &opener, .identity = deed->world->people[deed->loan->helper],
		                   .connection = deed->loan->connection, .roots = root,
		                   .root_bytes = root != NULL ? strlen(root) + 1 : 0, .age_s = deed->loan->age_s };
	struct loan_terms terms;

	return engine_helper_set(engine, deed->row, &loan, &terms, ret_status, fault);
}

enum result world_lend(struct world *world, int64_t row, const struct world_loan *loan)
{
	struct deed deed = { .act = lend, .row = row, .loan = loan };

	return perform(world, &deed);
}

static enum result clear(const struct deed *deed, struct engine *engine, struct job_status *ret_status, struct fault *fault)
{
	const struct opener opener = open_as_owner(deed, engine);

	return engine_helper_clear(engine, deed->row, &opener, ret_status, fault);
}

enum result world_clear(struct world *world, int64_t row)
{
	struct deed deed = { .act = clear, .row = row };

	return perform(world, &deed);
}

static enum result set_flags(const struct deed *deed, struct engine *engine, struct job_status *ret_status,
                             struct fault *fault)
{
	const struct opener opener = open_as_owner(deed, engine);

	return engine_helper_set_flags(engine, deed->row, &opener, (unsigned)deed->number, ret_status, fault);
}

enum result world_flags(struct world *world, int64_t row, unsigned flags)
{
	struct deed deed = { .act = set_flags, .row = row, .number = flags };

	return perform(world, &deed);
}
