/* That Windows tells of addresses, of what the network costs and of the battery saver: Wine takes such wishes and never
 * tells anything. */
#include "windows_only.h"

#include <winsock2.h>
#include <ws2ipdef.h>

#include <iphlpapi.h>
#include <netioapi.h>
#include <stdatomic.h>

#include "platform/clock.h"
#include "platform/network.h"

#define PATIENCE_MS 60000

static void count(void *context)
{
	atomic_fetch_add((atomic_uint *)context, 1);
}

/* More than `before` were told in the end. */
static bool is_told(atomic_uint *told, unsigned before)
{
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	while (atomic_load(told) == before && clock_mono_ms() < until_ms)
		Sleep(20);
	return atomic_load(told) > before;
}

static MIB_UNICASTIPADDRESS_ROW address_of_loopback(void)
{
	MIB_UNICASTIPADDRESS_ROW row;
	InitializeUnicastIpAddressEntry(&row);
	row.InterfaceIndex = 1; /* the loopback interface, which every Windows has */
	row.Address.Ipv4.sin_family = AF_INET;
	row.Address.Ipv4.sin_addr.S_un.S_addr = 0x36624C0A; /* 10.76.98.54, in the network's order */
	row.OnLinkPrefixLength = 32;
	row.DadState = IpDadStatePreferred;
	return row;
}

/* A power setting's present value is told as soon as somebody asks for its changes. */
static void network__watched__the_battery_saver_is_told_at_once(void **state)
{
	(void)state;
	struct network_watch *watch = NULL;
	struct fault fault;
	atomic_uint told;
	atomic_init(&told, 0);
	assert_int_equal(network_watch_start(count, &told, &watch, &fault), RESULT_OK);
	assert_true(is_told(&told, 0));
	network_watch_free(watch);
}

static void network__an_address_comes_and_goes__is_told_and_read(void **state)
{
	(void)state;
	struct network_watch *watch = NULL;
	struct network_state before, with, after;
	struct fault fault;
	atomic_uint told;
	MIB_UNICASTIPADDRESS_ROW row = address_of_loopback();
	atomic_init(&told, 0);
	assert_int_equal(network_watch_start(count, &told, &watch, &fault), RESULT_OK);
	assert_true(is_told(&told, 0)); /* the battery saver */
	network_read(&before);
	unsigned so_far = atomic_load(&told);
	assert_int_equal(CreateUnicastIpAddressEntry(&row), NO_ERROR);
	bool came = is_told(&told, so_far);
	int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
	do {
		Sleep(20); /* it is tentative for a moment */
		network_read(&with);
	} while (with.ways == before.ways && clock_mono_ms() < until_ms);
	so_far = atomic_load(&told);
	assert_int_equal(DeleteUnicastIpAddressEntry(&row), NO_ERROR);
	assert_true(came && is_told(&told, so_far));
	assert_int_equal(with.reach, NETWORK_CONNECTED);
	assert_true(with.ways != before.ways);
	network_read(&after);
	assert_true(after.ways != with.ways);
	network_watch_free(watch);
}

/* The structure that MinGW does not have is laid out as the system fills it, by what it can say at all. */
static void network__its_cost__is_of_the_documented_values(void **state)
{
	(void)state;
	struct {
		int level, cost;
		BOOLEAN near_limit, over_limit, roaming;
		UCHAR guard[16];
	} hint;
	DWORD(WINAPI * read)(void *ret_hint);
	FARPROC found = GetProcAddress(GetModuleHandleW(L"iphlpapi.dll"), "GetNetworkConnectivityHint");
	if (found == NULL) {
		printf("SKIPPED on this ground: what the network costs is not told before Windows 10 2004 (shown by a newer one)\n");
		skip();
	}
	memcpy(&read, &found, sizeof(read));
	memset(&hint, 0x5A, sizeof(hint));
	assert_int_equal(read(&hint), NO_ERROR);
	assert_in_range(hint.level, 0, 5);
	assert_in_range(hint.cost, 0, 3);
	assert_true(hint.near_limit <= 1 && hint.over_limit <= 1 && hint.roaming <= 1);
	assert_int_equal(hint.guard[1], 0x5A);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(network__watched__the_battery_saver_is_told_at_once),
		cmocka_unit_test(network__an_address_comes_and_goes__is_told_and_read),
		cmocka_unit_test(network__its_cost__is_of_the_documented_values),
	};
	if (must_skip("changes of the network, its cost and the battery saver"))
		return SKIPPED_PROGRAM;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
