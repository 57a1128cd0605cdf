/* "control SERVICE CODE": sends a service a control, as 'sc control' does, which Wine's sc has not. */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments)
{
	SERVICE_STATUS status;
	SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
	SC_HANDLE service = count == 3 ? OpenServiceA(manager, arguments[1], SERVICE_PAUSE_CONTINUE) : NULL;

	if (service != NULL && ControlService(service, strtoul(arguments[2], NULL, 10), &status))
		return EXIT_SUCCESS;
	printf("error %lu\n", GetLastError());
	return EXIT_FAILURE;
}
