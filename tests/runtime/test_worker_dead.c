/* A worker that cannot wear its identity.  This program defines the four functions of platform/identity that worker
 * calls: here nothing can be worn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "runtime/worker.h"
#include "support/landing.h"

struct identity {
	atomic_int references;
};

struct identity *identity_hold(struct identity *identity)
{
	atomic_fetch_add(&identity->references, 1);
	return identity;
}

void identity_free(struct identity *identity)
{
	if (identity)
		atomic_fetch_sub(&identity->references, 1);
}

enum result identity_wear(const struct identity *identity, struct fault *fault)
{
	(void)identity;
	return fault_set(fault, RESULT_SYSTEM, FAULT_WIN32, 1346, "the token is gone");
}

const struct caller *identity_caller(const struct identity *identity)
{
	(void)identity;
	return NULL; /* nobody gets as far as to ask */
}

static struct mailbox *reports;
static struct identity identity;
static const struct worker_settings settings = { .transfer = { .checkpoint_bytes = 1 << 20,
	                                                           .connect_timeout_ms = 1000,
	                                                           .stall_timeout_s = 1,
	                                                           .connections_per_host_max = 1,
	                                                           .connections_max = 1 } };

static void post_report(void *context, struct report *report)
{
	mailbox_post(context, &report->letter);
}

static struct worker *start_worker(const struct worker_ops *ops, enum worker_kind kind)
{
	const struct report_sink sink = { post_report, reports };
	struct worker *worker = NULL;
	assert_int_equal(ops->start(ops->context, kind, &identity, &sink, &worker, NULL), RESULT_OK);
	return worker;
}

static struct order *new_order(enum order_kind kind, struct file_handle *handle)
{
	struct order *order = calloc(1, sizeof(*order));
	assert_non_null(order);
	order->kind = kind;
	order->flight = (uint64_t)kind + 100;
	order->handle = handle;
	order->bytes = 7;
	order->file.bytes_recorded = 5;
	order->list = BUFFER(16);
	if (kind == ORDER_CHECK || kind == ORDER_LIST || kind == ORDER_SWEEP) /* freed by the worker, or a sanitizer says so */
		assert_int_equal(buffer_append(&order->list, "list", sizeof("list")), RESULT_OK);
	return order;
}

static struct file_handle *open_file(const struct landing *landing, const char *name)
{
	AUTO(folder) struct folder *folder = NULL;
	struct file_handle *file = NULL;
	assert_int_equal(folder_open(landing->folder, &folder, NULL), RESULT_OK);
	assert_int_equal(file_create(folder, name, &file, NULL), RESULT_OK);
	return file;
}

static struct report *next_report(void)
{
	static struct letter *letters;
	while (!letters) {
		mailbox_wait(reports, -1);
		letters = mailbox_take_all(reports);
	}
	struct report *report = (struct report *)letters;
	letters = letters->next;
	return report;
}

static void expect_dead(struct worker *worker)
{
	struct report *report = next_report();
	assert_int_equal(report->kind, REPORT_DEAD);
	assert_int_equal(report->result, RESULT_IDENTITY_LOST);
	assert_int_equal(report->fault.result, RESULT_IDENTITY_LOST);
	assert_int_equal(report->fault.raw, 1346);
	assert_ptr_equal(report->worker, worker);
	free(report);
}

static void expect_refused(enum order_kind kind, uint64_t bytes)
{
	struct report *report = next_report();
	assert_int_equal(report->kind, REPORT_DONE);
	assert_int_equal(report->order, kind);
	assert_int_equal(report->flight, (uint64_t)kind + 100);
	assert_int_equal(report->result, RESULT_IDENTITY_LOST);
	assert_int_equal(report->fault.result, RESULT_IDENTITY_LOST);
	assert_int_equal(report->bytes, bytes);
	assert_null(report->handle);
	assert_null(report->names.bytes);
	free(report);
}

static void worker__identity_not_worn__says_so_and_refuses_every_order(void **state)
{
	static const enum order_kind keeping[] = { ORDER_OPEN,  ORDER_SYNC, ORDER_PUBLISH,
		                                      ORDER_CHECK, ORDER_LIST, ORDER_SWEEP };
	static const enum order_kind consuming[] = { ORDER_CLOSE, ORDER_FINISH, ORDER_ABANDON };
	static const char *const names[] = { "close", "finish", "abandon" };
	const struct worker_ops ops = worker_real_ops(&settings);
	struct landing landing;
	(void)state;
	landing_make(&landing);
	struct worker *worker = start_worker(&ops, WORKER_FILE);
	expect_dead(worker);
	for (size_t i = 0; i < 5; i++) {
		ops.order(worker, new_order(keeping[i], NULL));
		expect_refused(keeping[i], 7);
	}
	for (size_t i = 0; i < 3; i++) {
		/* The handle is closed as promised, and nothing else is done to the file. */
		ops.order(worker, new_order(consuming[i], open_file(&landing, names[i])));
		expect_refused(consuming[i], 7);
		assert_int_equal(landing_size(&landing, names[i]), 0);
	}
	ops.stop(worker);
	assert_int_equal(landing_count(&landing), 3);
	landing_remove(&landing);
	assert_int_equal(atomic_load(&identity.references), 0);
}

static void worker__identity_not_worn__network_orders_are_refused_and_ask_nobody(void **state)
{
	const struct worker_ops ops = worker_real_ops(&settings);
	(void)state;
	struct worker *worker = start_worker(&ops, WORKER_NETWORK);
	ops.order(worker, new_order(ORDER_FETCH, NULL));
	ops.order(worker, new_order(ORDER_RECORDED, NULL)); /* never answered, by anybody */
	ops.order(worker, new_order(ORDER_STOP, NULL));
	ops.order(worker, new_order(ORDER_FETCH, NULL));
	ops.stop(worker);
	expect_dead(worker);
	expect_refused(ORDER_FETCH, 5);
	expect_refused(ORDER_FETCH, 5);
	assert_null(mailbox_take_all(reports));
	assert_int_equal(atomic_load(&identity.references), 0);
}

static int set_up(void **state)
{
	(void)state;
	reports = mailbox_new(NULL, NULL);
	return reports && transfer_global_init(NULL) == RESULT_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	mailbox_free(reports);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker__identity_not_worn__says_so_and_refuses_every_order),
		cmocka_unit_test(worker__identity_not_worn__network_orders_are_refused_and_ask_nobody),
	};
	return cmocka_run_group_tests_name("worker_dead", tests, set_up, tear_down);
}
