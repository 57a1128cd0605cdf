#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/url.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void url__acceptable__is_split_into_views_of_itself(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		bool secure;
		const char *host;
		unsigned port;
		const char *path;
		bool has_query;
		const char *redacted; /* NULL: the text itself */
	} cases[] = {
		{ "http://example.com/a", false, "example.com", 80, "/a", false, NULL },
		{ "https://example.com/a/b.zip", true, "example.com", 443, "/a/b.zip", false, NULL },
		{ "HTTPS://Example.COM/A", true, "Example.COM", 443, "/A", false, NULL },
		{ "hTtP://h", false, "h", 80, "", false, NULL },
		{ "http://h/", false, "h", 80, "/", false, NULL },
		{ "http://h:8080/", false, "h", 8080, "/", false, NULL },
		{ "https://h:1/x", true, "h", 1, "/x", false, NULL },
		{ "https://h:65535", true, "h", 65535, "", false, NULL },
		{ "http://h:00080/", false, "h", 80, "/", false, NULL },
		{ "http://h?q=1", false, "h", 80, "", true, "http://h?..." },
		{ "http://h:81?q=1", false, "h", 81, "", true, "http://h:81?..." },
		{ "https://h/p?", true, "h", 443, "/p", true, "https://h/p?..." },
		{ "https://h/p?sig=SECRET&a=/b?c", true, "h", 443, "/p", true, "https://h/p?..." },
		{ "http://h/a@b:c", false, "h", 80, "/a@b:c", false, NULL }, /* '@' behind the host is harmless */
		{ "http://h/?u=a@b", false, "h", 80, "/", true, "http://h/?..." },
		{ "http://h/a%20b%2Fc%00", false, "h", 80, "/a%20b%2Fc%00", false, NULL },
		{ "http://h/a//b/../c", false, "h", 80, "/a//b/../c", false, NULL },
		{ "http://h/~a;b=1,c!d$e'f(g)*h+i[j]|k^l", false, "h", 80, "/~a;b=1,c!d$e'f(g)*h+i[j]|k^l", false, NULL },
		{ "http://xn--bcher-kva.example/", false, "xn--bcher-kva.example", 80, "/", false, NULL },
		{ "http://my_host-1.example/", false, "my_host-1.example", 80, "/", false, NULL },
		{ "http://3com.com/", false, "3com.com", 80, "/", false, NULL },
		{ "http://a.0xyz/", false, "a.0xyz", 80, "/", false, NULL },
		{ "http://127.0.0.1:9/x", false, "127.0.0.1", 9, "/x", false, NULL },
		{ "http://255.255.255.255/", false, "255.255.255.255", 80, "/", false, NULL },
		{ "http://[::1]/x", false, "[::1]", 80, "/x", false, NULL },
		{ "http://[::]:8080/x", false, "[::]", 8080, "/x", false, NULL },
		{ "https://[2001:db8::8a2e:370:7334]", true, "[2001:db8::8a2e:370:7334]", 443, "", false, NULL },
		{ "http://[1:2:3:4:5:6:7:8]/", false, "[1:2:3:4:5:6:7:8]", 80, "/", false, NULL },
		{ "http://[1:2:3:4:5:6:7::]/", false, "[1:2:3:4:5:6:7::]", 80, "/", false, NULL },
		{ "http://[::2:3:4:5:6:7:8]/", false, "[::2:3:4:5:6:7:8]", 80, "/", false, NULL },
		{ "http://[::ffff:192.0.2.1]/", false, "[::ffff:192.0.2.1]", 80, "/", false, NULL },
		{ "http://[1:2:3:4:5:6:192.0.2.1]/", false, "[1:2:3:4:5:6:192.0.2.1]", 80, "/", false, NULL },
		{ "http://[FEdc::BA98]?x", false, "[FEdc::BA98]", 80, "", true, "http://[FEdc::BA98]?..." },
		{ "\\\\server\\share\\file", false, "server", 445, "\\share\\file", false, NULL },
		{ "\\\\SERVER.example\\C$\\my folder\\setup 1%20#.msi", false, "SERVER.example", 445, "\\C$\\my folder\\setup 1%20#.msi", false, NULL },
		{ "\\\\10.1.2.3\\share\\a\\b\\c@d", false, "10.1.2.3", 445, "\\share\\a\\b\\c@d", false, NULL },
		{ "\\\\2001-db8--1.ipv6-literal.net\\s\\f", false, "2001-db8--1.ipv6-literal.net", 445, "\\s\\f", false, NULL },
		{ "\\\\server\\share\\Z\xC3\xBCrich.txt", false, "server", 445, "\\share\\Z\xC3\xBCrich.txt", false, NULL },
		{ "\\\\server\\share\\davwwwroot", false, "server", 445, "\\share\\davwwwroot", false, NULL },
		{ "\\\\server\\davwwwroots\\f", false, "server", 445, "\\davwwwroots\\f", false, NULL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct text_view text = text_view(cases[i].text);
		struct url url;
		char shown[URL_BYTES_MAX + 8];
		if (url_parse(text, &url, &fault) != RESULT_OK)
			fail_msg("%s: %s", cases[i].text, fault.what);
		assert_int_equal(url_parse(text, NULL, NULL), RESULT_OK);
		assert_int_equal(url.secure, cases[i].secure);
		assert_int_equal(url.share, cases[i].text[0] == '\\');
		assert_int_equal(url_is_share(text), url.share);
		assert_int_equal(url.port, cases[i].port);
		assert_int_equal(url.has_query, cases[i].has_query);
		assert_true(text_is(url.host, cases[i].host));
		assert_true(text_is(url.path, cases[i].path));
		assert_true(url.host.bytes >= text.bytes && url.path.bytes <= text.bytes + text.length);
		url_redact(text, shown, sizeof(shown));
		assert_string_equal(shown, cases[i].redacted ? cases[i].redacted : cases[i].text);
	}
}

static void url__not_acceptable__is_refused_with_the_rule_and_without_the_url(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *rule; /* begins the fault's words */
	} cases[] = {
		{ "", "not an absolute" },
		{ "h", "not an absolute" },
		{ "/a", "not an absolute" },
		{ "//h/a", "not an absolute" },
		{ "h/a", "not an absolute" },
		{ "http", "not an absolute" },
		{ "http:", "not an absolute" },
		{ "http:/h/a", "not an absolute" },
		{ "http:h/a", "not an absolute" },
		{ "xhttp://h/", "not an absolute" },
		{ "httpss://h/", "not an absolute" },
		{ "ftp://h/a", "not an absolute" },
		{ "file:///etc/passwd", "not an absolute" },
		{ "file://server/share/a", "not an absolute" },
		{ "gopher://h/", "not an absolute" },
		{ "javascript:alert(1)", "not an absolute" },
		{ "http://", "no host" },
		{ "https:///a", "no host" },
		{ "http://?q", "no host" },
		{ "http://:80/", "no host" },
		{ "http://user@h/", "a user name" },
		{ "http://user:secret@h/", "a user name" },
		{ "http://@h/", "a user name" },
		{ "http://:@h/", "a user name" },
		{ "http://h@evil.example:80/", "a user name" },
		{ "http://[::1]@h/", "a user name" },
		{ "http://h:/", "a ':' without" },
		{ "http://h:?q", "a ':' without" },
		{ "http://h:0/", "a port that is not between" },
		{ "http://h:00000/", "a port that is not between" },
		{ "http://h:65536/", "a port that is not between" },
		{ "http://h:99999/", "a port that is not between" },
		{ "http://h:000080/", "a port that is not between" },
		{ "http://h:4294967376/", "a port that is not between" },
		{ "http://h:8o/", "a port that is not a number" },
		{ "http://h:-1/", "a port that is not a number" },
		{ "http://h:+80/", "a port that is not a number" },
		{ "http://h:80:90/", "a port that is not a number" },
		{ "http://::1/", "no host" },
		{ "http://1::2/", "a host that ends" },
		{ "http://h name/", "a space" },
		{ " http://h/", "a space" },
		{ "http://h/a b", "a space" },
		{ "http://h/a ", "a space" },
		{ "http://h/\ta", "a control" },
		{ "http://h/a\r\nHost: x", "a control" },
		{ "http://h/a\n", "a control" },
		{ "http://h/\x7F", "a control" },
		{ "http://h\x01/", "a control" },
		{ "http://h/\xC3\xA4", "a character beyond ASCII" },
		{ "http://b\xC3\xBC" "cher.example/", "a character beyond ASCII" },
		{ "http://h/\xFF", "a character beyond ASCII" },
		{ "http://h\xE3\x80\x82" "evil/", "a character beyond ASCII" },
		{ "http:\\\\h\\a", "a backslash" },
		{ "C:\\folder\\file", "a path of this machine" },
		{ "c:/folder/file", "a path of this machine" },
		{ "\\folder\\file", "a backslash" },
		{ "\\??\\C:\\folder\\file", "a backslash" },
		{ "file:\\\\server\\share\\a", "a backslash" },
		{ "\\\\", "a folder" },
		{ "\\\\server", "a share without a file" },
		{ "\\\\server\\", "a folder" },
		{ "\\\\server\\share", "a share without a file" },
		{ "\\\\server\\share\\", "a folder" },
		{ "\\\\server\\share\\folder\\", "a folder" },
		{ "\\\\\\share\\file", "two separators" },
		{ "\\\\server\\\\file", "two separators" },
		{ "\\\\server\\share\\\\file", "two separators" },
		{ "\\\\server\\share/folder\\file", "a forward slash" },
		{ "\\\\?\\C:\\folder\\file", "a device path" },
		{ "\\\\?\\UNC\\server\\share\\file", "a device path" },
		{ "\\\\.\\pipe\\name", "a device path" },
		{ "\\\\.\\C:\\file", "a device path" },
		{ "\\\\localhost\\pipe\\name", "a share that holds no files" },
		{ "\\\\server\\PIPE\\name", "a share that holds no files" },
		{ "\\\\server\\ipc$\\name", "a share that holds no files" },
		{ "\\\\server\\MailSlot\\name", "a share that holds no files" },
		{ "\\\\server@SSL\\DavWWWRoot\\file", "a server of Windows' WebDAV" },
		{ "\\\\server@SSL@8443\\share\\file", "a server of Windows' WebDAV" },
		{ "\\\\server@80\\share\\file", "a server of Windows' WebDAV" },
		{ "\\\\me@server\\share\\file", "a server of Windows' WebDAV" },
		{ "\\\\server\\davwwwroot\\file", "a share of Windows' WebDAV" },
		{ "\\\\server\\share\\file:stream", "':'" },
		{ "\\\\server\\share\\file::$DATA", "':'" },
		{ "\\\\server\\share:x\\file", "':'" },
		{ "\\\\server:445\\share\\file", "':'" },
		{ "\\\\server\\share\\..\\other\\file", "'.' or '..'" },
		{ "\\\\server\\..\\share\\file", "'.' or '..'" },
		{ "\\\\..\\share\\file", "'.' or '..'" },
		{ "\\\\server\\share\\.\\file", "'.' or '..'" },
		{ "\\\\server\\share\\file.", "a name that ends" },
		{ "\\\\server\\share\\folder \\file", "a name that ends" },
		{ "\\\\server.\\share\\file", "a name that ends" },
		{ "\\\\server\\share\\NUL", "a device's name" },
		{ "\\\\server\\share\\com1.txt", "a device's name" },
		{ "\\\\server\\share\\*", "one of" },
		{ "\\\\server\\share\\file?", "one of" },
		{ "\\\\ser ver\\share\\file", "a server name" },
		{ "\\\\[::1]\\share\\file", "':'" },
		{ "\\\\server\\share\\a\nb", "a control" },
		{ "\\\\server\\share\\\xFF", "a path that is not UTF-8" },
		{ "http://h\\@evil/", "a backslash" },
		{ "http://h/a\\b", "a backslash" },
		{ "http://h/a#b", "a fragment" },
		{ "http://h#", "a fragment" },
		{ "http://h/?q#f", "a fragment" },
		{ "http://h/<a>", "a character that must" },
		{ "http://h/\"", "a character that must" },
		{ "http://h/`", "a character that must" },
		{ "http://h/{a}", "a character that must" },
		{ "http://h/%", "a '%'" },
		{ "http://h/%4", "a '%'" },
		{ "http://h/%zz", "a '%'" },
		{ "http://h/%%41", "a '%'" },
		{ "http://h/?a=%u0041", "a '%'" },
		{ "http://%68/", "a host name with other" },
		{ "http://h,i/", "a host name with other" },
		{ "http://h;i/", "a host name with other" },
		{ "http://h*/", "a host name with other" },
		{ "http://a]b/", "a host name with other" },
		{ "http://.h/", "an empty part" },
		{ "http://h./", "an empty part" },
		{ "http://a..b/", "an empty part" },
		{ "http://./", "an empty part" },
		{ "http://127.1/", "a host that ends" },
		{ "http://2130706433/", "a host that ends" },
		{ "http://0x7f000001/", "a host that ends" },
		{ "http://0x7f.0.0.0x1/", "a host that ends" },
		{ "http://a.0x/", "a host that ends" },
		{ "http://0177.0.0.1/", "a host that ends" },
		{ "http://127.0.0.01/", "a host that ends" },
		{ "http://256.0.0.1/", "a host that ends" },
		{ "http://1.2.3.4.5/", "a host that ends" },
		{ "http://1.2.3/", "a host that ends" },
		{ "http://1.2.3.1000/", "a host that ends" },
		{ "http://example.42/", "a host that ends" },
		{ "http://[::1/", "a '['" },
		{ "http://[", "a '['" },
		{ "http://[]/", "a host in brackets" },
		{ "http://[:]/", "a host in brackets" },
		{ "http://[:::]/", "a host in brackets" },
		{ "http://[1]/", "a host in brackets" },
		{ "http://[h]/", "a host in brackets" },
		{ "http://[1:2:3:4:5:6:7]/", "a host in brackets" },
		{ "http://[1:2:3:4:5:6:7:8:9]/", "a host in brackets" },
		{ "http://[1:2:3:4:5:6:7:8::]/", "a host in brackets" },
		{ "http://[::1:2:3:4:5:6:7:8]/", "a host in brackets" },
		{ "http://[1::2::3]/", "a host in brackets" },
		{ "http://[12345::]/", "a host in brackets" },
		{ "http://[::g]/", "a host in brackets" },
		{ "http://[1:]/", "a host in brackets" },
		{ "http://[:1]/", "a host in brackets" },
		{ "http://[1:2:3:4:5:6:7:]/", "a host in brackets" },
		{ "http://[fe80::1%25eth0]/", "a host in brackets" },
		{ "http://[::1.2.3]/", "a host in brackets" },
		{ "http://[::256.2.3.4]/", "a host in brackets" },
		{ "http://[::1.2.3.4:5]/", "a host in brackets" },
		{ "http://[1:2:3:4:5:6:7:1.2.3.4]/", "a host in brackets" },
		{ "http://[v1.x]/", "a host in brackets" },
		{ "http://[::1]x/", "something between" },
		{ "http://[::1][::2]/", "something between" },
		{ "http://[::1]:/", "a ':' without" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct fault fault = { 0 };
		struct url url = { .port = 4711 };
		char shown[64];
		enum result result = url_parse(text_view(cases[i].text), &url, &fault);
		if (result != RESULT_BAD_URL || strncmp(fault.what, cases[i].rule, strlen(cases[i].rule)) != 0)
			fail_msg("%s: %s: %s", cases[i].text, result_name(result), fault.what);
		assert_int_equal(fault.result, RESULT_BAD_URL);
		assert_int_equal(url.port, 4711); /* untouched */
		if (strlen(cases[i].text) > 12)
			assert_null(strstr(fault.what, cases[i].text));
		url_redact(text_view(cases[i].text), shown, sizeof(shown));
		assert_string_equal(shown, "(not a URL)");
	}
}

static void url__a_nul_byte_anywhere__is_refused(void **state)
{
	(void)state;
	static const char text[] = "http://h/a";
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char bytes[sizeof(text)];
		memcpy(bytes, text, sizeof(text));
		bytes[i] = '\0';
		assert_int_equal(url_parse((struct text_view){ bytes, sizeof(text) - 1 }, NULL, NULL), RESULT_BAD_URL);
	}
}

/* The view ends where it ends: a percent sign there must not look at what lies behind. */
static void url__view_inside_a_longer_text__is_not_read_beyond(void **state)
{
	(void)state;
	assert_int_equal(url_parse((struct text_view){ "http://h/%41", 10 }, NULL, NULL), RESULT_BAD_URL);
	assert_int_equal(url_parse((struct text_view){ "http://h/%41", 11 }, NULL, NULL), RESULT_BAD_URL);
	assert_int_equal(url_parse((struct text_view){ "http://h/%41", 12 }, NULL, NULL), RESULT_OK);
	assert_int_equal(url_parse((struct text_view){ NULL, 0 }, NULL, NULL), RESULT_BAD_URL);

	/* Every prefix, in memory that ends with it: the address sanitizer watches. */
	static const char *const texts[] = { "https://[1:2::3:192.0.2.1]:8080/a%20b?q=%41", "http://10.0.0.1:80/a" };
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t length = 0; length <= strlen(texts[i]); length++) {
			char *exact = malloc(length > 0 ? length : 1);
			char shown[16];
			assert_non_null(exact);
			memcpy(exact, texts[i], length);
			struct text_view view = { exact, length };
			url_redact(view, shown, sizeof(shown));
			struct url url;
			if (url_parse(view, &url, NULL) == RESULT_OK)
				assert_true(url.path.bytes + url.path.length <= exact + length);
			free(exact);
		}
	}
}

static void url__limits__are_exact(void **state)
{
	(void)state;
	char text[URL_BYTES_MAX + 2];
	struct fault fault = { 0 };
	memset(text, 'a', sizeof(text));
	memcpy(text, "http://h/", 9);
	assert_int_equal(url_parse((struct text_view){ text, URL_BYTES_MAX }, NULL, NULL), RESULT_OK);
	assert_int_equal(url_parse((struct text_view){ text, URL_BYTES_MAX + 1 }, NULL, &fault), RESULT_TOO_LONG);
	assert_int_equal(fault.result, RESULT_TOO_LONG);

	/* A label of 63 and one of 64; a name of 253 and one of 254. */
	static const struct {
		size_t labels[5];
		enum result result;
	} cases[] = {
		{ { 63 }, RESULT_OK },
		{ { 64 }, RESULT_BAD_URL },
		{ { 63, 63, 63, 61 }, RESULT_OK },
		{ { 63, 63, 63, 62 }, RESULT_BAD_URL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		AUTO(buffer) struct buffer url = BUFFER(400);
		for (size_t label = 0; cases[i].labels[label]; label++)
			assert_int_equal(buffer_print(&url, "%s%.*s", label ? "." : "http://",
			                              (int)cases[i].labels[label], text + 9), RESULT_OK);
		assert_int_equal(url_parse((struct text_view){ url.bytes, url.length }, NULL, NULL), cases[i].result);
	}
}

static void url__shares_limits__are_those_of_a_path(void **state)
{
	(void)state;
	static const char root[] = "\\\\server\\share\\";
	char text[2100];
	struct fault fault;

	for (size_t length = 2047; length <= 2049; length++) {
		for (size_t i = 0; i < length; i++)
			text[i] = i < sizeof(root) - 1 ? root[i] : i % 64 == 0 && i + 1 < length ? '\\' : 'a';
		text[length] = '\0';
		assert_int_equal(url_parse(text_view(text), NULL, &fault), length <= 2048 ? RESULT_OK : RESULT_TOO_LONG);
	}
	memset(text, 'a', sizeof(root) + 256);
	memcpy(text, root, sizeof(root) - 1);
	for (size_t length = 255; length <= 256; length++)
		assert_int_equal(url_parse((struct text_view){ text, sizeof(root) - 1 + length }, NULL, &fault),
		                 length <= 255 ? RESULT_OK : RESULT_TOO_LONG);
	for (size_t i = 0; i < sizeof(root) + 3; i++) {
		char bytes[sizeof(root) + 8];

		text_display(bytes, sizeof(bytes), "%sfile", root);
		bytes[i] = '\0';
		assert_int_equal(url_parse((struct text_view){ bytes, sizeof(root) + 3 }, NULL, NULL), RESULT_BAD_URL);
	}
}

static void url_redact__secrets__never_show(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"https://user:SECRET@h/p",
		"https://SECRET@h/p",
		"https://h/p?token=SECRET",
		"https://h?SECRET",
		"https://h/p#SECRET",
		"https://h/p?a#SECRET",
		"ftp://user:SECRET@h/",
		"SECRET",
		"https://h:SECRET/",
	};
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t size = 1; size < 64; size++) {
			char shown[64];
			url_redact(text_view(texts[i]), shown, size);
			assert_true(strlen(shown) < size);
			assert_null(strstr(shown, "SEC"));
		}
	}
}

static void url_begins_with__prefix__is_compared_byte_by_byte_and_ends_at_no_half_host(void **state)
{
	static const struct {
		const char *text, *prefix;
		bool begins;
	} cases[] = {
		{ "http://old/a/b?q", "http://old", true },
		{ "http://old/a/b?q", "http://old/", true },
		{ "http://old/a/b?q", "http://old/a/b?q", true },
		{ "http://old/a/b?q", "http://old/a/b?q1", false },
		{ "http://old/a/b?q", "http://old/a/", true },
		{ "http://old/a/b?q", "http://old/A/", false },
		{ "http://old/a/b?q", "http://OLD/", false },
		{ "HTTP://Old/a", "http://old/", false },
		{ "HTTP://Old/a", "HTTP://Old/", true },
		{ "http://old/release", "http://old/rel", true }, /* the path is text, as for BITS */
		{ "http://old", "http://old", true },
		{ "http://old?q", "http://old", true },
		{ "http://old:8080/a", "http://old", true },
		{ "http://old:8080/a", "http://old:", false },
		{ "http://old:8080/a", "http://old:80", false },
		{ "http://old:8080/a", "http://old:8080", true },
		{ "http://older/a", "http://old", false },
		{ "http://old.example/a", "http://old", false },
		{ "http://[1:2::3]:80/a", "http://[1", false },
		{ "http://[1:2::3]:80/a", "http://[1:2::3]", true },
		{ "http://old/a", "http://", true },
		{ "http://old/a", "http", true },
		{ "https://old/a", "http:", false },
		{ "http://old/a", "", false },
		{ "not a URL", "not", false },
		{ "\\\\old\\share\\a", "\\\\old", true },
		{ "\\\\old\\share\\a", "\\\\old\\sha", true },
		{ "\\\\older\\share\\a", "\\\\old", false },
		{ "\\\\old\\share\\a", "\\\\", true },
		{ "\\\\old\\share\\a", "\\\\OLD\\", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++)
		if (url_begins_with(text_view(cases[i].text), text_view(cases[i].prefix)) != cases[i].begins)
			fail_msg("%s, %s", cases[i].text, cases[i].prefix);
}

static void url_replace_prefix__result__is_checked_like_any_url(void **state)
{
	static const struct {
		const char *text, *from, *to, *gives; /* NULL: RESULT_BAD_URL */
	} cases[] = {
		{ "http://old/a?q=1", "http://old/", "https://new.example/m/", "https://new.example/m/a?q=1" },
		{ "http://old:8080/a", "http://old", "http://new", "http://new:8080/a" },
		{ "http://old/a", "http://", "https://", "https://old/a" },
		{ "http://old/a", "http://old/a", "http://new/b", "http://new/b" },
		{ "http://old/a", "http://old/", "ftp://new/", NULL },
		{ "http://old/a", "http://old/", "http://me:SECRET@new/", NULL },
		{ "http://old/a", "http://old", "http://127.1", NULL },
		{ "http://old/a", "http://old/", "\\\\new\\", NULL },
		{ "http://old/a", "http://old/", "\\\\new\\share\\", "\\\\new\\share\\a" },
		{ "http://old/b/a", "http://old/", "\\\\new\\share\\", NULL },
		{ "\\\\old\\share\\a", "\\\\old\\", "\\\\new\\", "\\\\new\\share\\a" },
		{ "\\\\old\\share\\a", "\\\\old\\share\\", "https://new/", "https://new/a" },
		{ "\\\\old\\share\\a", "\\\\old\\", "\\\\?\\C:\\", NULL },
		{ "http://old/a", "http://old/", "http://new/#", NULL },
		{ "http://old/a", "http:", "", NULL },
		{ "http://old/a", "http", "https", "https://old/a" },
	};
	char to[URL_BYTES_MAX + 1] = "untouched", longest[URL_BYTES_MAX + 2];
	struct fault fault;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		enum result result = url_replace_prefix(text_view(cases[i].text), text_view(cases[i].from), text_view(cases[i].to),
		                                        to, &fault);

		if (result != (cases[i].gives != NULL ? RESULT_OK : RESULT_BAD_URL) ||
		    (cases[i].gives != NULL && strcmp(to, cases[i].gives) != 0))
			fail_msg("%s: %s %s", cases[i].text, result_name(result), to);
		if (cases[i].gives == NULL)
			assert_null(strstr(fault.what, "SECRET"));
	}
	/* A NUL does not cut off what stands behind it. */
	assert_int_equal(url_replace_prefix(text_view("http://old/a"), text_view("http://old/"),
	                                    (struct text_view){ "http://new/\0", 12 }, to, &fault), RESULT_BAD_URL);
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "http://h/", 9);
	for (size_t more = 0; more < 2; more++)
		assert_int_equal(url_replace_prefix(text_view("http://old/a"), text_view("http://old/"),
		                                    (struct text_view){ longest, URL_BYTES_MAX - 1 + more }, to, &fault),
		                 more == 0 ? RESULT_OK : RESULT_TOO_LONG);
	assert_int_equal(strlen(to), URL_BYTES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(url__acceptable__is_split_into_views_of_itself),
		cmocka_unit_test(url__not_acceptable__is_refused_with_the_rule_and_without_the_url),
		cmocka_unit_test(url__a_nul_byte_anywhere__is_refused),
		cmocka_unit_test(url__view_inside_a_longer_text__is_not_read_beyond),
		cmocka_unit_test(url__limits__are_exact),
		cmocka_unit_test(url__shares_limits__are_those_of_a_path),
		cmocka_unit_test(url_redact__secrets__never_show),
		cmocka_unit_test(url_begins_with__prefix__is_compared_byte_by_byte_and_ends_at_no_half_host),
		cmocka_unit_test(url_replace_prefix__result__is_checked_like_any_url),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
