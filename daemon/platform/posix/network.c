#include "platform/network.h"

#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "platform/posix/fault.h"
#include "platform/thread.h"

struct network_watch {
	struct pollfd polled[2]; /* the news, the end */
	struct thread *thread;
	void (*changed)(void *context);
	void *context;
};

/* What it costs nobody knows here. */
void network_read(struct network_state *ret_state)
{
	struct ifaddrs *all = NULL;
	*ret_state = (struct network_state){ .reach = getifaddrs(&all) == 0 ? NETWORK_NONE : NETWORK_UNKNOWN };
	for (const struct ifaddrs *at = all; at; at = at->ifa_next) {
		sa_family_t family = at->ifa_addr ? at->ifa_addr->sa_family : AF_UNSPEC;
		bool up = (at->ifa_flags & (IFF_RUNNING | IFF_LOOPBACK)) == IFF_RUNNING;
		if (!up || (family != AF_INET && family != AF_INET6))
			continue;
		ret_state->reach = NETWORK_CONNECTED;
		network_add_way(ret_state, at->ifa_addr,
		                family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6));
	}
	freeifaddrs(all);
}

static void listen_for_news(void *argument)
{
	struct network_watch *watch = argument;
	char news[8192];
	while (poll(watch->polled, 2, -1) < 0 || !watch->polled[1].revents)
		if (recv(watch->polled[0].fd, news, sizeof(news), MSG_DONTWAIT) >= 0 || errno == ENOBUFS) /* there was more */
			watch->changed(watch->context);
}

enum result network_watch_start(void (*changed)(void *context), void *context, struct network_watch **ret_watch,
                                struct fault *fault)
{
	const struct sockaddr_nl links = { .nl_family = AF_NETLINK,
		                           .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	AUTO(network_watch) struct network_watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "watch the network");
	*watch = (struct network_watch){ .changed = changed, .context = context };
	watch->polled[0] = (struct pollfd){ socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), POLLIN, 0 };
	watch->polled[1] = (struct pollfd){ eventfd(0, EFD_CLOEXEC), POLLIN, 0 };
	if (watch->polled[1].fd < 0 || bind(watch->polled[0].fd, (const struct sockaddr *)&links, sizeof(links)) != 0)
		return fault_errno(fault, errno, "watch the network");
	enum result result = thread_start("network", listen_for_news, watch, &watch->thread, fault);
	if (result == RESULT_OK)
		*ret_watch = TAKE(watch);
	return result;
}

void network_watch_free(struct network_watch *watch)
{
	if (!watch)
		return;
	(void)eventfd_write(watch->polled[1].fd, 1);
	thread_join(watch->thread);
	for (int i = 0; i < 2; i++)
		close(watch->polled[i].fd); /* where it was never opened that is refused, and no harm is done */
	free(watch);
}
