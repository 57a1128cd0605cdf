/* A link between the host and a network namespace that takes its time: what one end sends reaches the other one after a
 * delay, and no faster than a rate.  Of what HERE sends a part is lost by chance, and what finds the queue full.  As root, on
 * Linux; it lives until it is killed, and says "ready" first.
 *
 * Usage: link NAMESPACE HERE THERE ONE_WAY_MS MBIT LOST_PERCENT     two addresses of one /30
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define PACKET_BYTES_MAX 1500
#define QUEUE_PACKETS 2048 /* of all that is under way in one direction: beyond it is dropped */

struct way {
	int from, to;
	struct packet {
		double due_s;
		ssize_t length;
		char bytes[PACKET_BYTES_MAX];
	} queue[QUEUE_PACKETS];
	unsigned first, count;
	double free_s; /* when the last packet has been sent */
};

static struct way ways[2];

static double now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* One end of the link, in the namespace that this process is in now. */
static int end_new(const char *name, const char *address)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	char command[200];
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	strncpy(request.ifr_name, name, sizeof(request.ifr_name) - 1);
	snprintf(command, sizeof(command), "ip addr add %s/30 dev %s && ip link set %s txqueuelen %d up", address, name,
	         name, QUEUE_PACKETS);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) != 0 || system(command) != 0) {
		perror(name);
		exit(1);
	}
	return fd;
}

static void take(struct way *way, double now, double delay_s, double byte_s, double lost)
{
	while (way->count < QUEUE_PACKETS) {
		struct packet *packet = &way->queue[(way->first + way->count) % QUEUE_PACKETS];

		packet->length = read(way->from, packet->bytes, sizeof(packet->bytes));
		if (packet->length <= 0)
			return;
		if (way->free_s < now)
			way->free_s = now;
		way->free_s += (double)packet->length * byte_s;
		packet->due_s = way->free_s + delay_s;
		way->count += drand48() >= lost;
	}
}

/* When the next one is due. */
static double give(struct way *way, double now)
{
	for (; way->count > 0; way->count--) {
		const struct packet *packet = &way->queue[way->first];

		if (packet->due_s > now)
			return packet->due_s;
		if (write(way->to, packet->bytes, (size_t)packet->length) < 0) {
			/* The end's own queue is full: lost, as on any link. */
		}
		way->first = (way->first + 1) % QUEUE_PACKETS;
	}
	return now + 1;
}

int main(int argc, char **argv)
{
	char name[IFNAMSIZ];
	int space = argc == 7 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;

	if (space < 0)
		return 1;
	snprintf(name, sizeof(name), "ferry%d", (int)getpid());
	ways[0].from = ways[1].to = end_new(name, argv[2]);
	if (setns(space, CLONE_NEWNET) != 0)
		return 1;
	ways[0].to = ways[1].from = end_new(name, argv[3]);
	prctl(PR_SET_TIMERSLACK, 1);
	srand48(getpid());
	printf("ready\n");
	fflush(stdout);
	for (double delay_s = atof(argv[4]) / 1e3, byte_s = 8e-6 / atof(argv[5]);;) {
		double now = now_s(), next = now + 1;

		for (int i = 0; i < 2; i++) {
			take(&ways[i], now, delay_s, byte_s, i == 0 ? atof(argv[6]) / 100 : 0);
			double due = give(&ways[i], now);
			next = due < next ? due : next;
		}
		struct pollfd ends[2] = { { .fd = ways[0].from, .events = POLLIN }, { .fd = ways[1].from, .events = POLLIN } };
		double wait_s = next > now ? next - now : 0;
		struct timespec wait = { .tv_sec = (time_t)wait_s, .tv_nsec = (long)((wait_s - (double)(time_t)wait_s) * 1e9) };
		ppoll(ends, 2, &wait, NULL);
	}
}
