/* tests/peer - a kernel object that tells who touches it. */
#ifndef FERRY_TESTS_PEER_CANARY_H
#define FERRY_TESTS_PEER_CANARY_H

#include "core/text.h"
#include "windows/windows_only.h"

/* For administrators alone; the owner is one of the two whose objects Wine guards. */
struct canary {
	char name[64];
	HANDLE event;
	DWORD error;
};

static inline void make_canary(struct canary *canary)
{
	static unsigned count;
	AUTO(local) PSECURITY_DESCRIPTOR descriptor = NULL;
	struct fault fault;
	SECURITY_ATTRIBUTES attributes = { .nLength = sizeof(attributes) };
	assert_int_equal(security_descriptor("O:BAG:BAD:P(A;;0x1f0003;;;BA)", &descriptor, &fault), RESULT_OK);
	assert_int_equal(
		text_format(canary->name, sizeof(canary->name), "Local\\FerryCanary-%lu-%u", GetCurrentProcessId(), ++count),
		RESULT_OK);
	attributes.lpSecurityDescriptor = descriptor;
	canary->event = CreateEventA(&attributes, TRUE, FALSE, canary->name);
	assert_non_null(canary->event);
}

static inline void touch(void *argument)
{
	struct canary *canary = argument;
	HANDLE event = OpenEventA(EVENT_MODIFY_STATE, FALSE, canary->name);
	canary->error = event ? ERROR_SUCCESS : GetLastError();
	handle_cleanup(&event);
}

/* What a thread that wears the identity, or nothing, gets of the canary. */
static inline DWORD touch_as(struct canary *canary, const struct identity *identity)
{
	struct thread *thread = NULL;
	struct fault fault;
	canary->error = 99;
	if (identity) {
		act_as(identity, touch, canary);
		return canary->error;
	}
	assert_int_equal(thread_start("nobody", touch, canary, &thread, &fault), RESULT_OK);
	thread_join(thread);
	return canary->error;
}

#endif
