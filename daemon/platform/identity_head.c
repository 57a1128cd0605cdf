#include "platform/identity_head.h"

struct identity *identity_hold(struct identity *identity)
{
	struct identity_head *head = (struct identity_head *)identity;
	atomic_fetch_add_explicit(&head->references, 1, memory_order_relaxed);
	return identity;
}

void identity_free(struct identity *identity)
{
	struct identity_head *head = (struct identity_head *)identity;
	if (head && atomic_fetch_sub_explicit(&head->references, 1, memory_order_acq_rel) == 1)
		identity_done(identity);
}

const struct caller *identity_caller(const struct identity *identity)
{
	return &((const struct identity_head *)identity)->caller;
}

const uint8_t *identity_digest(const struct identity *identity)
{
	return ((const struct identity_head *)identity)->digest;
}
