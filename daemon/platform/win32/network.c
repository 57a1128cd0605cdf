#include "platform/network.h"

#include "platform/win32/win32.h"

#include <winsock2.h>
#include <ws2ipdef.h>

#include <iphlpapi.h>
#include <netioapi.h>

/* --- what MinGW's headers lack, as Microsoft documents it --- */

/* nldef.h, since Windows 10 2004: what the system thinks of all connections together. */
struct connectivity_hint {
	int level; /* from unknown, 0, to "internet access" */
	int cost;
	BOOLEAN near_limit, over_limit, roaming;
};
#define COST_FIXED 2 /* paid for up to a limit */
#define COST_VARIABLE 3 /* by the byte */
typedef DWORD(WINAPI *read_hint)(struct connectivity_hint *ret_hint);
typedef void(WINAPI *hint_callback)(void *context, struct connectivity_hint hint);
typedef DWORD(WINAPI *notify_hint)(hint_callback callback, void *context, BOOLEAN at_once, HANDLE *ret_handle);

/* powersetting.h: told by a call, without a window or a service's control handler. */
struct power_recipient {
	ULONG(CALLBACK *callback)(void *context, ULONG type, void *setting);
	void *context;
};
#define TOLD_BY_CALL 2u /* DEVICE_NOTIFY_CALLBACK */
typedef DWORD(WINAPI *notify_power)(const GUID *setting, DWORD flags, struct power_recipient *recipient, HANDLE *ret_handle);
typedef DWORD(WINAPI *cancel_power)(HANDLE handle);
static const GUID power_saving_status = { 0xE00958C0, 0xC213, 0x4ACE, { 0xAC, 0x77, 0xFE, 0xCC, 0xED, 0x2E, 0xEE, 0xA5 } };

/* Both libraries are the system's own, and stay; an older Windows, and Wine, have less in them.  False: not that. */
static bool find(const wchar_t *library, const char *name, void *to)
{
	HMODULE module = GetModuleHandleW(library);
	FARPROC found;

	if (module == NULL)
		module = LoadLibraryExW(library, NULL, LOAD_LIBRARY_SEARCH_SYSTEM32);
	found = module != NULL ? GetProcAddress(module, name) : NULL;
	memcpy(to, &found, sizeof found);
	return found != NULL;
}

/* --- as it is now --- */

/* Where nobody but the machine itself, or its next neighbours, can be reached by it. */
static bool leads_nowhere(const SOCKADDR_INET *address)
{
	static const UCHAR loopback[16] = { [15] = 1 };
	const UCHAR *v4 = (const UCHAR *)&address->Ipv4.sin_addr, *v6 = address->Ipv6.sin6_addr.u.Byte;

	if (address->si_family == AF_INET)
		return v4[0] == 127 || (v4[0] == 169 && v4[1] == 254);
	return (v6[0] == 0xFE && (v6[1] & 0xC0) == 0x80) || memcmp(v6, loopback, sizeof loopback) == 0;
}

static void add_way(struct network_state *state, const SOCKADDR_INET *address)
{
	if (address->si_family == AF_INET)
		network_add_way(state, &address->Ipv4.sin_addr, sizeof address->Ipv4.sin_addr);
	else
		network_add_way(state, &address->Ipv6.sin6_addr, sizeof address->Ipv6.sin6_addr);
}

static void read_addresses(struct network_state *state)
{
	MIB_UNICASTIPADDRESS_TABLE *addresses = NULL;

	if (GetUnicastIpAddressTable(AF_UNSPEC, &addresses) != NO_ERROR)
		return;
	state->reach = NETWORK_NONE;
	for (ULONG i = 0; i < addresses->NumEntries; i++) {
		const MIB_UNICASTIPADDRESS_ROW *row = &addresses->Table[i];

		/* What is tentative is being given, or is a cable's that is not there. */
		if (row->DadState != IpDadStatePreferred || leads_nowhere(&row->Address))
			continue;
		state->reach = NETWORK_CONNECTED;
		add_way(state, &row->Address);
	}
	FreeMibTable(addresses);
}

static void read_gateways(struct network_state *state)
{
	MIB_IPFORWARD_TABLE2 *routes = NULL;

	if (GetIpForwardTable2(AF_UNSPEC, &routes) != NO_ERROR)
		return;
	for (ULONG i = 0; i < routes->NumEntries; i++)
		if (routes->Table[i].DestinationPrefix.PrefixLength == 0)
			add_way(state, &routes->Table[i].NextHop);
	FreeMibTable(routes);
}

static void read_cost(struct network_state *state)
{
	struct connectivity_hint hint = { 0 };
	read_hint read;

	if (!find(L"iphlpapi.dll", "GetNetworkConnectivityHint", &read) || read(&hint) != NO_ERROR)
		return;
	state->metered = hint.cost == COST_FIXED || hint.cost == COST_VARIABLE;
	state->roaming = hint.roaming;
	network_add_way(state, &hint.level, sizeof hint.level);
}

void network_read(struct network_state *ret_state)
{
	struct network_state state = { .reach = NETWORK_UNKNOWN };
	SYSTEM_POWER_STATUS power;

	read_addresses(&state);
	read_gateways(&state);
	read_cost(&state);
	/* MinGW calls SystemStatusFlag by its older name. */
	state.battery_saver = GetSystemPowerStatus(&power) && (power.Reserved1 & SYSTEM_STATUS_FLAG_POWER_SAVING_ON) != 0;
	*ret_state = state;
}

/* --- changes --- */

/* Not in the watch: nobody documents that the power's calls are over when they are cancelled. */
static struct {
	SRWLOCK lock;
	void (*changed)(void *context); /* NULL: nobody is to be told */
	void *context;
} told;

struct network_watch {
	HANDLE addresses, routes, hint, power; /* NULL: not watched */
};

static void tell(void)
{
	AcquireSRWLockShared(&told.lock);
	if (told.changed != NULL)
		told.changed(told.context);
	ReleaseSRWLockShared(&told.lock);
}

static void WINAPI on_address(void *context, MIB_UNICASTIPADDRESS_ROW *row, MIB_NOTIFICATION_TYPE type)
{
	(void)context, (void)row, (void)type;
	tell();
}

static void WINAPI on_route(void *context, MIB_IPFORWARD_ROW2 *row, MIB_NOTIFICATION_TYPE type)
{
	(void)context, (void)type;
	if (row == NULL || row->DestinationPrefix.PrefixLength == 0)
		tell();
}

static void WINAPI on_hint(void *context, struct connectivity_hint hint)
{
	(void)context, (void)hint;
	tell();
}

static ULONG CALLBACK on_power(void *context, ULONG type, void *setting)
{
	(void)context, (void)type, (void)setting;
	tell();
	return ERROR_SUCCESS;
}

static struct power_recipient power_recipient = { on_power, NULL };

static void set_told(void (*changed)(void *context), void *context)
{
	AcquireSRWLockExclusive(&told.lock);
	told.changed = changed;
	told.context = context;
	ReleaseSRWLockExclusive(&told.lock);
}

enum result network_watch_start(void (*changed)(void *context), void *context, struct network_watch **ret_watch,
                                struct fault *fault)
{
	AUTO(network_watch) struct network_watch *watch = calloc(1, sizeof(*watch));
	notify_hint hint;
	notify_power power;

	if (watch == NULL)
		return fault_set(fault, RESULT_NO_MEMORY, FAULT_FERRY, 0, "watch the network");
	set_told(changed, context);
	DWORD error = NotifyUnicastIpAddressChange(AF_UNSPEC, on_address, NULL, FALSE, &watch->addresses);
	if (error != NO_ERROR)
		return fault_win32(fault, error, "watch the network");
	if (NotifyRouteChange2(AF_UNSPEC, on_route, NULL, FALSE, &watch->routes) != NO_ERROR)
		watch->routes = NULL;
	if (find(L"iphlpapi.dll", "NotifyNetworkConnectivityHintChange", &hint) &&
	    hint(on_hint, NULL, FALSE, &watch->hint) != NO_ERROR)
		watch->hint = NULL;
	if (find(L"powrprof.dll", "PowerSettingRegisterNotification", &power) &&
	    power(&power_saving_status, TOLD_BY_CALL, &power_recipient, &watch->power) != ERROR_SUCCESS)
		watch->power = NULL;
	*ret_watch = TAKE(watch);
	return RESULT_OK;
}

void network_watch_free(struct network_watch *watch)
{
	cancel_power cancel;

	if (watch == NULL)
		return;
	set_told(NULL, NULL);
	/* Each waits for a call that is under way. */
	if (watch->addresses != NULL)
		CancelMibChangeNotify2(watch->addresses);
	if (watch->routes != NULL)
		CancelMibChangeNotify2(watch->routes);
	if (watch->hint != NULL)
		CancelMibChangeNotify2(watch->hint);
	if (watch->power != NULL && find(L"powrprof.dll", "PowerSettingUnregisterNotification", &cancel))
		cancel(watch->power);
	free(watch);
}
