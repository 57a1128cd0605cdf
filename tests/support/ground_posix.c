#include "ground.h"

#ifndef _WIN32
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOT_THE_SERVICE_UID 65001

static void must(bool fine, const char *what)
{
	if (fine)
		return;
	fprintf(stderr, "ground: %s: %s\n", what, strerror(errno));
	abort();
}

void ground_set_up(char folder[GROUND_PATH_BYTES_MAX])
{
	const char *base = getenv("TMPDIR");
	char path[GROUND_PATH_BYTES_MAX];
	must(text_format(path, sizeof(path), "%s/ferry-XXXXXX", base ? base : "/tmp") == RESULT_OK, "TMPDIR");
	must(mkdtemp(path) != NULL, path);
	char *real = realpath(path, NULL); /* folder_open refuses links, and TMPDIR may lead through one */
	must(real != NULL, path);
	must(text_copy(folder, GROUND_PATH_BYTES_MAX, text_view(real)) == RESULT_OK, path);
	free(real);
	must(chmod(folder, 0755) == 0, folder);
	must(setenv("FERRY_TEST_ROOT", folder, 1) == 0, folder);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
	(void)status, (void)kind, (void)where;
	return remove(path);
}

void ground_tear_down(const char *folder)
{
	must(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0, folder);
}

void ground_path(char to[GROUND_PATH_BYTES_MAX], const char *folder, const char *name)
{
	must(text_format(to, GROUND_PATH_BYTES_MAX, "%s/%s", folder, name) == RESULT_OK, name);
}

void ground_make_folder(const char *path)
{
	must(mkdir(path, 0755) == 0, path);
}

void ground_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	must(file != NULL, path);
	must(fputs(text, file) >= 0, path);
	must(fclose(file) == 0, path);
}

bool ground_holds(const char *path, const char *text)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return false;
	size_t length = strlen(text);
	char *found = malloc(length + 1);
	must(found != NULL, path);
	bool same = fread(found, 1, length + 1, file) == length && memcmp(found, text, length) == 0;
	free(found);
	fclose(file);
	return same;
}

bool ground_exists(const char *path)
{
	struct stat status;
	return lstat(path, &status) == 0;
}

void ground_set_read_only(const char *path, bool read_only)
{
	must(chmod(path, read_only ? 0444 : 0644) == 0, path);
}

bool ground_soft_link(const char *path, const char *target, bool to_folder)
{
	(void)to_folder;
	must(symlink(target, path) == 0, path);
	return true;
}

bool ground_hard_link(const char *path, const char *existing)
{
	must(link(existing, path) == 0, path);
	return true;
}

static void read_capabilities(struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	must(syscall(SYS_capget, &header, sets) == 0, "capget");
}

/* As root, or as the daemon runs: with these two and nothing else. */
bool ground_enforces_identities(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	uint32_t needed = 1u << CAP_SETUID | 1u << CAP_SETGID;
	read_capabilities(sets);
	return (sets[0].effective & needed) == needed;
}

bool ground_file_owner(const char *path, char to[JOB_OWNER_BYTES_MAX])
{
	struct stat status;
	must(lstat(path, &status) == 0, path);
	must(text_format(to, JOB_OWNER_BYTES_MAX, "uid:%u", status.st_uid) == RESULT_OK, path);
	return true;
}

void ground_close_folder(const char *path)
{
	must(chmod(path, 0700) == 0, path);
}

void ground_open_folder(const char *path)
{
	must(chmod(path, 0777) == 0, path);
}

bool ground_thread_has_powers(void)
{
	struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
	uint32_t any = 0;
	read_capabilities(sets);
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		any |= sets[i].effective | sets[i].permitted | sets[i].inheritable;
	return any != 0;
}

void ground_address(char to[GROUND_PATH_BYTES_MAX], const char *folder)
{
	ground_path(to, folder, "ferry.sock");
}

static int open_socket(const char *address, struct sockaddr_un *ret_name)
{
	*ret_name = (struct sockaddr_un){ .sun_family = AF_UNIX };
	must(text_copy(ret_name->sun_path, sizeof(ret_name->sun_path), text_view(address)) == RESULT_OK, address);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	must(fd >= 0, address);
	return fd;
}

bool ground_leave_dead_door(const char *address)
{
	struct sockaddr_un name;
	int fd = open_socket(address, &name);
	must(bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0, address);
	must(listen(fd, 1) == 0, address);
	close(fd);
	return true;
}

bool ground_send_half_message(const char *address)
{
	struct sockaddr_un name;
	int fd = open_socket(address, &name);
	must(connect(fd, (const struct sockaddr *)&name, sizeof(name)) == 0, address);
	must(send(fd, "\0half", 5, MSG_NOSIGNAL) == 5, address); /* the flag says that more follows */
	close(fd);
	return true;
}

bool ground_notices_second_server(void)
{
	return true;
}

bool ground_be_not_the_service(const char *folder)
{
	return chown(folder, NOT_THE_SERVICE_UID, (gid_t)-1) == 0;
}

uint32_t ground_process(void)
{
	return (uint32_t)getpid();
}

bool ground_ask_to_stop(void)
{
	must(kill(getpid(), SIGTERM) == 0, "kill");
	return true;
}

bool ground_ask_to_reload(void)
{
	must(kill(getpid(), SIGHUP) == 0, "kill");
	return true;
}

bool ground_tell_session(uint32_t session, bool ended)
{
	const union sigval number = { .sival_int = (int)session };
	must(sigqueue(getpid(), ended ? SIGRTMIN : SIGRTMIN + 1, number) == 0, "sigqueue");
	return true;
}

bool ground_apart(bool (*body)(void *argument), void *argument)
{
	int status;
	fflush(NULL);
	pid_t child = fork();
	must(child >= 0, "fork");
	if (child == 0)
		_exit(body(argument) ? 0 : 1);
	must(waitpid(child, &status, 0) == child, "waitpid");
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

bool ground_set_root(const char *folder)
{
	must((folder ? setenv("FERRY_TEST_ROOT", folder, 1) : unsetenv("FERRY_TEST_ROOT")) == 0, "environment");
	return true;
}
#endif
