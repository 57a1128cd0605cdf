#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "platform/clock.h"
#include "runtime/mailbox.h"

#define POSTERS 4
#define LETTERS 5000
#define PATIENCE_MS 60000

struct note {
	struct letter letter; /* first: a letter is cast back to its note */
	unsigned poster, number;
};

static void count_wake(void *context)
{
	unsigned *wakes = context;
	(*wakes)++;
}

static void mailbox__letters__come_in_the_order_they_were_posted(void **state)
{
	(void)state;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(NULL, NULL);
	struct note notes[3];
	assert_non_null(mailbox);
	assert_null(mailbox_take_all(mailbox));
	for (unsigned i = 0; i < 3; i++)
		mailbox_post(mailbox, &notes[i].letter);
	struct letter *letter = mailbox_take_all(mailbox);
	for (unsigned i = 0; i < 3; i++, letter = letter->next)
		assert_ptr_equal(letter, &notes[i].letter);
	assert_null(letter);
	assert_null(mailbox_take_all(mailbox));
}

static void mailbox__emptied__takes_letters_again(void **state)
{
	(void)state;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(NULL, NULL);
	struct note first, second;
	mailbox_post(mailbox, &first.letter);
	assert_ptr_equal(mailbox_take_all(mailbox), &first.letter);
	mailbox_post(mailbox, &second.letter);
	mailbox_post(mailbox, &first.letter); /* its old `next` must not come along */
	struct letter *letter = mailbox_take_all(mailbox);
	assert_ptr_equal(letter, &second.letter);
	assert_ptr_equal(letter->next, &first.letter);
	assert_null(letter->next->next);
}

static void mailbox__put_back__comes_before_what_was_posted_since(void **state)
{
	(void)state;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(NULL, NULL);
	struct note notes[4];
	mailbox_post(mailbox, &notes[0].letter);
	mailbox_post(mailbox, &notes[1].letter);
	struct letter *taken = mailbox_take_all(mailbox);
	mailbox_post(mailbox, &notes[2].letter);
	mailbox_put_back(mailbox, taken);
	mailbox_put_back(mailbox, NULL);
	mailbox_post(mailbox, &notes[3].letter);
	struct letter *letter = mailbox_take_all(mailbox);
	for (unsigned i = 0; i < 4; i++, letter = letter->next)
		assert_ptr_equal(letter, &notes[i].letter);
	assert_null(letter);
	mailbox_post(mailbox, &notes[0].letter);
	mailbox_put_back(mailbox, mailbox_take_all(mailbox)); /* into an empty box: its end is known again */
	mailbox_post(mailbox, &notes[1].letter);
	letter = mailbox_take_all(mailbox);
	assert_ptr_equal(letter, &notes[0].letter);
	assert_ptr_equal(letter->next, &notes[1].letter);
}

static void mailbox__wake__is_called_for_the_first_letter_only(void **state)
{
	(void)state;
	unsigned wakes = 0;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(count_wake, &wakes);
	struct note notes[3];
	mailbox_post(mailbox, &notes[0].letter);
	mailbox_post(mailbox, &notes[1].letter);
	assert_int_equal(wakes, 1);
	(void)mailbox_take_all(mailbox);
	assert_int_equal(wakes, 1);
	mailbox_post(mailbox, &notes[2].letter);
	assert_int_equal(wakes, 2);
}

static void mailbox__nothing_comes__wait_ends_in_time_and_not_before(void **state)
{
	(void)state;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(NULL, NULL);
	int64_t begin_ms = clock_mono_ms();
	mailbox_wait(mailbox, 50);
	assert_true(clock_mono_ms() - begin_ms >= 50);
	begin_ms = clock_mono_ms();
	mailbox_wait(mailbox, 0);
	assert_true(clock_mono_ms() - begin_ms < PATIENCE_MS);
	assert_null(mailbox_take_all(mailbox));
}

static void mailbox__letter_is_there__wait_returns_at_once(void **state)
{
	(void)state;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(NULL, NULL);
	struct note note;
	mailbox_post(mailbox, &note.letter);
	mailbox_wait(mailbox, -1);
	mailbox_wait(mailbox, -1); /* it was not taken: it still is there */
	assert_ptr_equal(mailbox_take_all(mailbox), &note.letter);
}

struct poster {
	struct mailbox *mailbox;
	struct note notes[LETTERS];
};

static void post_all(void *argument)
{
	struct poster *poster = argument;
	for (unsigned i = 0; i < LETTERS; i++)
		mailbox_post(poster->mailbox, &poster->notes[i].letter);
}

static void mailbox__many_posters__no_letter_is_lost_and_each_ones_order_kept(void **state)
{
	(void)state;
	AUTO(mailbox) struct mailbox *mailbox = mailbox_new(NULL, NULL);
	struct thread *threads[POSTERS];
	struct poster *posters = calloc(POSTERS, sizeof(*posters));
	unsigned next[POSTERS] = { 0 };
	assert_non_null(posters);
	for (unsigned i = 0; i < POSTERS; i++) {
		posters[i].mailbox = mailbox;
		for (unsigned n = 0; n < LETTERS; n++)
			posters[i].notes[n] = (struct note){ .poster = i, .number = n };
		assert_int_equal(thread_start("poster", post_all, &posters[i], &threads[i], NULL), RESULT_OK);
	}
	for (unsigned count = 0; count < POSTERS * LETTERS;) {
		mailbox_wait(mailbox, -1);
		for (struct letter *letter = mailbox_take_all(mailbox); letter; letter = letter->next, count++) {
			const struct note *note = (const struct note *)letter;
			assert_int_equal(note->number, next[note->poster]);
			next[note->poster]++;
		}
	}
	for (unsigned i = 0; i < POSTERS; i++)
		thread_join(threads[i]);
	assert_null(mailbox_take_all(mailbox));
	free(posters);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(mailbox__letters__come_in_the_order_they_were_posted),
		cmocka_unit_test(mailbox__emptied__takes_letters_again),
		cmocka_unit_test(mailbox__put_back__comes_before_what_was_posted_since),
		cmocka_unit_test(mailbox__wake__is_called_for_the_first_letter_only),
		cmocka_unit_test(mailbox__nothing_comes__wait_ends_in_time_and_not_before),
		cmocka_unit_test(mailbox__letter_is_there__wait_returns_at_once),
		cmocka_unit_test(mailbox__many_posters__no_letter_is_lost_and_each_ones_order_kept),
	};
	return cmocka_run_group_tests_name("mailbox", tests, NULL, NULL);
}
