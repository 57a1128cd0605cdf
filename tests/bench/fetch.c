/* What the pinned libcurl does by itself, with nothing around it: one connection, one file after the other, fwrite.
 * The measure under Wine, where there is no curl.exe.  Usage: fetch LIST, of lines URL<TAB>PATH.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <string.h>

static int fetch(CURL *easy, const char *url, const char *path)
{
	FILE *file = fopen(path, "wb");

	if (file == NULL)
		return 1;
	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, file);
	int failed = curl_easy_perform(easy) != CURLE_OK;
	return fclose(file) != 0 || failed;
}

int main(int argc, char **argv)
{
	char line[4096];
	FILE *list = argc == 2 ? fopen(argv[1], "r") : NULL;
	CURL *easy = curl_easy_init();
	int code = list == NULL || easy == NULL || curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L) != CURLE_OK;

	while (code == 0 && fgets(line, sizeof(line), list) != NULL) {
		char *path = strchr(line, '\t');
		line[strcspn(line, "\r\n")] = '\0';
		if (path == NULL)
			return 1;
		*path++ = '\0';
		code = fetch(easy, line, path);
	}
	if (list != NULL)
		fclose(list);
	curl_easy_cleanup(easy);
	return code;
}
