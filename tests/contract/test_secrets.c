#include "ground.h"

#include <stdlib.h>
#include <string.h>

#include "platform/file.h"
#include "platform/secrets.h"
#include "platform/thread.h"

#define BINDING "17 S-1-5-21-1-2-3-1001"
#define PLAIN "Authorization: Basic c2VjcmV0"

struct scene {
	char folder[GROUND_PATH_BYTES_MAX], key[GROUND_PATH_BYTES_MAX];
	struct secrets *secrets;
	struct buffer sealed, opened;
	struct fault fault;
};

/* A folder without a key. */
static int set_up(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	if (!scene)
		return -1;
	*scene = (struct scene){ .sealed = BUFFER(SECRET_SEALED_BYTES_MAX), .opened = BUFFER(SECRET_BYTES_MAX) };
	ground_set_up(scene->folder);
	ground_path(scene->key, scene->folder, "secrets.key");
	*state = scene;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *scene = *state;
	secrets_free(scene->secrets);
	buffer_done(&scene->sealed);
	buffer_done(&scene->opened);
	ground_tear_down(scene->folder);
	free(scene);
	return 0;
}

static void open_secrets(struct scene *scene)
{
	secrets_free(TAKE(scene->secrets));
	if (secrets_new(scene->folder, &scene->secrets, &scene->fault) != RESULT_OK)
		fail_msg("%s", scene->fault.what);
}

static enum result seal(struct scene *scene, const void *plain, size_t size)
{
	buffer_clear(&scene->sealed);
	return secrets_seal(scene->secrets, BINDING, plain, size, &scene->sealed, &scene->fault);
}

static enum result unseal(struct scene *scene, const char *binding)
{
	buffer_clear(&scene->opened);
	return secrets_unseal(scene->secrets, binding, scene->sealed.bytes, scene->sealed.length, &scene->opened,
	                      &scene->fault);
}

/* Open the secrets and seal PLAIN; where the ground cannot, it has to say so. */
static bool is_sealed(struct scene *scene)
{
	open_secrets(scene);
	enum result result = seal(scene, PLAIN, strlen(PLAIN));
	if (result == RESULT_NOT_SUPPORTED) {
		assert_int_equal(scene->fault.result, RESULT_NOT_SUPPORTED);
		assert_int_equal(scene->sealed.length, 0);
		assert_int_equal(unseal(scene, BINDING), RESULT_NOT_SUPPORTED);
		assert_int_equal(scene->opened.length, 0);
		return false;
	}
	assert_int_equal(result, RESULT_OK);
	return true;
}

#define SEALED_OR_SKIP(scene)                                                                                          \
	do {                                                                                                               \
		if (!is_sealed(scene))                                                                                         \
			GROUND_SKIP("sealing (there is no DPAPI)");                                                                \
	} while (0)

static void assert_plain(struct scene *scene)
{
	assert_int_equal(unseal(scene, BINDING), RESULT_OK);
	assert_int_equal(scene->opened.length, strlen(PLAIN));
	assert_memory_equal(scene->opened.bytes, PLAIN, strlen(PLAIN));
}

static void assert_unreadable(struct scene *scene, const char *binding)
{
	assert_int_equal(unseal(scene, binding), RESULT_SECRET_UNREADABLE);
	assert_int_equal(scene->fault.result, RESULT_SECRET_UNREADABLE);
	assert_int_equal(scene->opened.length, 0);
}

static void read_key(struct scene *scene, struct buffer *to)
{
	buffer_clear(to);
	assert_int_equal(file_read_all(scene->key, to, &scene->fault), RESULT_OK);
}

/* --- sealing --- */

static void secret__sealed__is_opened_again_also_after_a_restart(void **state)
{
	struct scene *scene = *state;
	SEALED_OR_SKIP(scene);
	for (size_t i = 0; i + strlen("Authorization") <= scene->sealed.length; i++)
		assert_memory_not_equal(scene->sealed.bytes + i, "Authorization", strlen("Authorization"));
	assert_plain(scene);
	open_secrets(scene);
	assert_plain(scene);
}

static void secret__of_nothing_and_of_any_byte_up_to_the_maximum__comes_back(void **state)
{
	struct scene *scene = *state;
	static uint8_t plain[SECRET_BYTES_MAX + 1];
	const size_t sizes[] = { 0, 1, 255, SECRET_BYTES_MAX };
	SEALED_OR_SKIP(scene);
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(seal(scene, sizes[i] > 0 ? plain : NULL, sizes[i]), RESULT_OK);
		assert_int_equal(unseal(scene, BINDING), RESULT_OK);
		assert_int_equal(scene->opened.length, sizes[i]);
		if (sizes[i] > 0)
			assert_memory_equal(scene->opened.bytes, plain, sizes[i]);
	}
}

static void secret__beyond_the_maximum__is_refused(void **state)
{
	struct scene *scene = *state;
	static const uint8_t plain[SECRET_SEALED_BYTES_MAX + 1];
	open_secrets(scene);
	assert_int_equal(seal(scene, plain, SECRET_BYTES_MAX + 1), RESULT_TOO_LARGE);
	assert_int_equal(secrets_unseal(scene->secrets, BINDING, plain, sizeof(plain), &scene->opened, &scene->fault),
	                 RESULT_SECRET_UNREADABLE);
	assert_int_equal(scene->sealed.length + scene->opened.length, 0);
}

static void secret__that_does_not_fit_its_buffer__is_too_large(void **state)
{
	struct scene *scene = *state;
	SEALED_OR_SKIP(scene);
	AUTO(buffer) struct buffer narrow = BUFFER(strlen(PLAIN) - 1);
	assert_int_equal(
		secrets_unseal(scene->secrets, BINDING, scene->sealed.bytes, scene->sealed.length, &narrow, &scene->fault),
		RESULT_TOO_LARGE);
	assert_int_equal(narrow.length, 0);
}

static void secret__of_another_binding__is_not_opened(void **state)
{
	struct scene *scene = *state;
	static const char *const others[] = { "", "18 S-1-5-21-1-2-3-1001", "17 S-1-5-21-1-2-3-100",
		                                  "17 S-1-5-21-1-2-3-1002" };
	SEALED_OR_SKIP(scene);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_unreadable(scene, others[i]);
	assert_plain(scene);
}

static void secret__sealed_by_another_key__is_not_opened(void **state)
{
	struct scene *scene = *state;
	char aside[GROUND_PATH_BYTES_MAX];
	SEALED_OR_SKIP(scene);
	ground_path(aside, scene->folder, "aside");
	assert_int_equal(file_move(scene->key, aside, &scene->fault), RESULT_OK);
	open_secrets(scene);
	assert_unreadable(scene, BINDING);
	assert_int_equal(file_move(aside, scene->key, &scene->fault), RESULT_OK);
	open_secrets(scene);
	assert_plain(scene);
}

/* Not every byte counts: DPAPI says in some how it sealed, and reads no more of them than it needs. */
static void secret__altered_anywhere__gives_nothing_else(void **state)
{
	struct scene *scene = *state;
	unsigned refused = 0;
	SEALED_OR_SKIP(scene);
	for (size_t i = 0; i < scene->sealed.length; i++) {
		scene->sealed.bytes[i] ^= 0x10;
		if (unseal(scene, BINDING) == RESULT_OK) {
			assert_int_equal(scene->opened.length, strlen(PLAIN));
			assert_memory_equal(scene->opened.bytes, PLAIN, strlen(PLAIN));
		} else {
			assert_unreadable(scene, BINDING);
			refused++;
		}
		scene->sealed.bytes[i] ^= 0x10;
	}
	assert_true(refused >= strlen(PLAIN)); /* the secret's own bytes at least */
	assert_plain(scene);
}

static void secret__cut_anywhere__is_not_opened(void **state)
{
	struct scene *scene = *state;
	SEALED_OR_SKIP(scene);
	for (size_t length = scene->sealed.length; length-- > 0;) {
		scene->sealed.length = length;
		assert_unreadable(scene, BINDING);
	}
}

struct worn {
	struct scene *scene;
	struct identity *identity;
	enum result worn, sealed, unsealed;
	struct fault fault;
};

static void act_worn(void *argument)
{
	struct worn *worn = argument;
	struct scene *scene = worn->scene;
	worn->worn = identity_wear(worn->identity, &worn->fault);
	if (worn->worn != RESULT_OK)
		return;
	worn->unsealed = unseal(scene, BINDING);
	worn->sealed = secrets_seal(scene->secrets, BINDING, PLAIN, strlen(PLAIN), &scene->opened, &worn->fault);
}

static void secret__on_a_thread_that_wears_an_identity__is_refused(void **state)
{
	struct scene *scene = *state;
	AUTO(identity) struct identity *self = NULL;
	struct thread *thread = NULL;
	SEALED_OR_SKIP(scene);
	assert_int_equal(identity_self(&self, &scene->fault), RESULT_OK);
	struct worn worn = { .scene = scene, .identity = self };
	assert_int_equal(thread_start("worn", act_worn, &worn, &thread, &scene->fault), RESULT_OK);
	thread_join(thread);
	assert_int_equal(worn.worn, RESULT_OK);
	assert_int_equal(worn.unsealed, RESULT_INVALID_STATE);
	assert_int_equal(worn.sealed, RESULT_INVALID_STATE);
	assert_int_equal(scene->opened.length, 0);
	assert_plain(scene);
}

/* --- the key --- */

static void key__that_is_not_there__is_made_and_kept(void **state)
{
	struct scene *scene = *state;
	AUTO(buffer) struct buffer first = BUFFER(64);
	AUTO(buffer) struct buffer again = BUFFER(64);
	open_secrets(scene);
	read_key(scene, &first);
	assert_int_equal(first.length, 32);
	open_secrets(scene);
	read_key(scene, &again);
	assert_int_equal(again.length, 32);
	assert_memory_equal(again.bytes, first.bytes, 32);
}

static void key__made_anew__is_another(void **state)
{
	struct scene *scene = *state;
	AUTO(buffer) struct buffer first = BUFFER(64);
	AUTO(buffer) struct buffer second = BUFFER(64);
	char aside[GROUND_PATH_BYTES_MAX];
	open_secrets(scene);
	read_key(scene, &first);
	ground_path(aside, scene->folder, "aside");
	assert_int_equal(file_move(scene->key, aside, &scene->fault), RESULT_OK);
	open_secrets(scene);
	read_key(scene, &second);
	assert_memory_not_equal(second.bytes, first.bytes, 32);
}

/* The file is named, and neither changed nor replaced. */
static void assert_refused(struct scene *scene, enum result expected)
{
	struct secrets *secrets = NULL;
	assert_int_equal(secrets_new(scene->folder, &secrets, &scene->fault), expected);
	assert_null(secrets);
	assert_int_equal(scene->fault.result, expected);
	assert_non_null(strstr(scene->fault.what, scene->key));
}

static void key__of_another_size_or_never_written__is_refused_and_stays(void **state)
{
	struct scene *scene = *state;
	static const char *const texts[] = { "", "0123456789012345678901234567890", "012345678901234567890123456789012",
		                                 "0123456789012345678901234567890123456789012345678901234567890123456789" };
	static const uint8_t zeros[32];
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		ground_write(scene->key, texts[i]);
		assert_refused(scene, RESULT_DATA_UNUSABLE);
		assert_true(ground_holds(scene->key, texts[i]));
	}
	AUTO(file_handle) struct file_handle *file = NULL;
	ground_write(scene->key, "");
	assert_int_equal(file_open_append(scene->key, &file, &scene->fault), RESULT_OK);
	assert_int_equal(file_write(file, 0, zeros, sizeof(zeros), &scene->fault), RESULT_OK);
	file_handle_free(TAKE(file));
	assert_refused(scene, RESULT_DATA_UNUSABLE);
	/* No number of starts makes it better, but who puts the key back has it. */
	ground_write(scene->key, "01234567890123456789012345678901");
	open_secrets(scene);
}

static void key__that_cannot_be_read_or_made__is_refused_by_name(void **state)
{
	struct scene *scene = *state;
	struct secrets *secrets = NULL;
	char nowhere[GROUND_PATH_BYTES_MAX];
	ground_make_folder(scene->key);
	assert_refused(scene, file_path_style == PATH_WINDOWS ? RESULT_DENIED : RESULT_IS_FOLDER);
	ground_path(nowhere, scene->folder, "nowhere");
	assert_int_equal(secrets_new(nowhere, &secrets, &scene->fault), RESULT_PATH_NOT_FOUND);
	assert_null(secrets);
	assert_non_null(strstr(scene->fault.what, nowhere));
}

#define RACERS 8

struct racer {
	struct scene *scene;
	struct thread *thread;
	struct secrets *secrets;
	enum result result;
	struct fault fault;
};

static void open_once(void *argument)
{
	struct racer *racer = argument;
	racer->result = secrets_new(racer->scene->folder, &racer->secrets, &racer->fault);
}

/* The data folder's lock forbids it.  If it happens all the same there is one key: who comes while it is being written is
 * refused, and nobody gets another. */
static void key__made_by_several_at_once__is_one(void **state)
{
	struct scene *scene = *state;
	struct racer racers[RACERS] = { 0 };
	unsigned opened = 0;
	for (unsigned i = 0; i < RACERS; i++) {
		racers[i].scene = scene;
		assert_int_equal(thread_start("racer", open_once, &racers[i], &racers[i].thread, &scene->fault), RESULT_OK);
	}
	for (unsigned i = 0; i < RACERS; i++)
		thread_join(racers[i].thread);
	open_secrets(scene);
	bool seals = seal(scene, PLAIN, strlen(PLAIN)) == RESULT_OK;
	for (unsigned i = 0; i < RACERS; i++) {
		if (racers[i].result != RESULT_OK) {
			assert_true(racers[i].result == RESULT_LOCKED || racers[i].result == RESULT_DATA_UNUSABLE);
			assert_non_null(strstr(racers[i].fault.what, scene->key));
			continue;
		}
		opened++;
		secrets_free(TAKE(scene->secrets));
		scene->secrets = TAKE(racers[i].secrets);
		if (seals)
			assert_plain(scene);
	}
	assert_true(opened > 0);
}

static void secrets__nothing_to_free__is_fine(void **state)
{
	(void)state;
	secrets_free(NULL);
}

static void secrets__wiped__are_zeros_and_no_byte_beyond(void **state)
{
	(void)state;
	uint8_t bytes[] = { 1, 2, 3, 4 }, expected[] = { 1, 0, 0, 4 };
	text_wipe(bytes + 1, 2);
	text_wipe(bytes, 0);
	assert_memory_equal(bytes, expected, sizeof(bytes));
}

#define SECRETS_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		SECRETS_TEST(secret__sealed__is_opened_again_also_after_a_restart),
		SECRETS_TEST(secret__of_nothing_and_of_any_byte_up_to_the_maximum__comes_back),
		SECRETS_TEST(secret__beyond_the_maximum__is_refused),
		SECRETS_TEST(secret__that_does_not_fit_its_buffer__is_too_large),
		SECRETS_TEST(secret__of_another_binding__is_not_opened),
		SECRETS_TEST(secret__sealed_by_another_key__is_not_opened),
		SECRETS_TEST(secret__altered_anywhere__gives_nothing_else),
		SECRETS_TEST(secret__cut_anywhere__is_not_opened),
		SECRETS_TEST(secret__on_a_thread_that_wears_an_identity__is_refused),
		SECRETS_TEST(key__that_is_not_there__is_made_and_kept),
		SECRETS_TEST(key__made_anew__is_another),
		SECRETS_TEST(key__of_another_size_or_never_written__is_refused_and_stays),
		SECRETS_TEST(key__that_cannot_be_read_or_made__is_refused_by_name),
		SECRETS_TEST(key__made_by_several_at_once__is_one),
		cmocka_unit_test(secrets__nothing_to_free__is_fine),
		cmocka_unit_test(secrets__wiped__are_zeros_and_no_byte_beyond),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
