/* Two threads with two identities ask one server at once, each as whoever it is: the server's log tells whom it saw.
 *
 *   fetch_as negotiate|ntlm own|shared TIMES URL IDENTITY IDENTITY [PROXY]
 *
 * IDENTITY: a uid on Linux, what a made-up SID ends with on Windows; its thread asks TIMES times for URL?IDENTITY.  With
 * `shared` both use one multi handle, in turns: the mistake that law 2 is about.  Nothing but libcurl stands between.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity_of.h"
#include "platform/thread.h"

struct fetcher {
	CURLM *multi;
	struct mutex *turn; /* NULL: none is taken */
	char url[256];
	const char *proxy;
	unsigned long scheme, times, served;
	struct identity *identity;
	struct thread *thread;
};

static void must(bool fine, const char *what)
{
	if (!fine) {
		fprintf(stderr, "fetch_as: %s\n", what);
		exit(1);
	}
}

static size_t drop(char *bytes, size_t size, size_t count, void *context)
{
	(void)bytes, (void)context;
	return size * count;
}

/* The status, or 0 without an answer. */
static long fetch(const struct fetcher *asker)
{
	CURL *easy = curl_easy_init();
	int running = 1, left = 0;
	long status = 0;
	must(easy != NULL, "no handle");
	curl_easy_setopt(easy, CURLOPT_URL, asker->url);
	curl_easy_setopt(easy, CURLOPT_PROXY, asker->proxy);
	/* One of them is told who asks, and it is that one's log that counts. */
	curl_easy_setopt(easy, *asker->proxy ? CURLOPT_PROXYAUTH : CURLOPT_HTTPAUTH, asker->scheme);
	curl_easy_setopt(easy, *asker->proxy ? CURLOPT_PROXYUSERPWD : CURLOPT_USERPWD, ":");
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, drop);
	curl_multi_add_handle(asker->multi, easy);
	while (curl_multi_perform(asker->multi, &running) == CURLM_OK && running != 0)
		curl_multi_poll(asker->multi, NULL, 0, 1000, NULL);
	const CURLMsg *end = curl_multi_info_read(asker->multi, &left);
	if (end != NULL && end->data.result == CURLE_OK)
		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_multi_remove_handle(asker->multi, easy);
	curl_easy_cleanup(easy);
	return status;
}

static void ask(void *argument)
{
	struct fetcher *asker = argument;
	struct fault fault = { .what = "" };
	must(identity_wear(asker->identity, &fault) == RESULT_OK, fault.what);
	for (unsigned long i = 0; i < asker->times; i++) {
		if (asker->turn != NULL)
			mutex_lock(asker->turn);
		asker->served += fetch(asker) == 200;
		if (asker->turn != NULL)
			mutex_unlock(asker->turn);
	}
}

int main(int argc, char **argv)
{
	struct fetcher askers[2] = { 0 };
	struct fault fault = { .what = "" };
	must(argc == 7 || argc == 8, "negotiate|ntlm own|shared TIMES URL IDENTITY IDENTITY [PROXY]");
	bool shared = strcmp(argv[2], "shared") == 0;
	must(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK, "no libcurl"); /* before anybody is somebody else */
	for (int i = 0; i < 2; i++) {
		struct fetcher *asker = &askers[i];
		asker->scheme = strcmp(argv[1], "ntlm") == 0 ? CURLAUTH_NTLM : CURLAUTH_NEGOTIATE;
		asker->multi = i == 1 && shared ? askers[0].multi : curl_multi_init();
		asker->turn = !shared ? NULL : i == 1 ? askers[0].turn : mutex_new();
		asker->times = strtoul(argv[3], NULL, 10);
		snprintf(asker->url, sizeof(asker->url), "%s?%s", argv[4], argv[5 + i]);
		asker->identity = identity_of((unsigned)strtoul(argv[5 + i], NULL, 10));
		asker->proxy = argc == 8 ? argv[7] : "";
	}
	for (int i = 0; i < 2; i++)
		must(thread_start("asker", ask, &askers[i], &askers[i].thread, &fault) == RESULT_OK, fault.what);
	for (int i = 0; i < 2; i++) {
		thread_join(askers[i].thread);
		identity_free(askers[i].identity);
		printf("%s: %lu of %lu\n", askers[i].url, askers[i].served, askers[i].times);
	}
	curl_multi_cleanup(askers[0].multi);
	if (shared)
		mutex_free(askers[0].turn);
	else
		curl_multi_cleanup(askers[1].multi);
	curl_global_cleanup();
	return askers[0].served == askers[0].times && askers[1].served == askers[1].times ? 0 : 1;
}
