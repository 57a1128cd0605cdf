#include "cli/help.h"

#define HELP_EVERYWHERE                                                                    \
	"\n"                                                                               \
	"Everywhere:\n"                                                                    \
	"  --json         one JSON object a line on stdout, errors too (docs/cli.md)\n"    \
	"  --address A    the service's pipe, instead of the installed service's\n"        \
	"  --console      also accept a server that you run yourself as 'ferryd console'\n" \
	"  --help         this text; 'ferry VERB --help' for a verb's\n"

#define HELP_JOB                                                                           \
	"JOB is a job's id, four or more first digits that no other job's id has, or its name; or 'declared:' and the\n" \
	"name of a declared job, which means the job that fetches it now.\n"

static const char general[] =
	"ferry - downloads that go on in the background, whatever happens to this window\n"
	"\n"
	"  ferry submit URL DESTINATION   fetch a file and wait for it\n"
	"  ferry list                     the jobs at work; --all: finished ones too\n"
	"  ferry show JOB                 everything about a job, its files, and why it waits\n"
	"  ferry wait JOB                 wait until it is done\n"
	"  ferry watch [JOB]...           see them move\n"
	"  ferry suspend JOB              let it rest             ferry resume JOB    let it go on\n"
	"  ferry complete JOB             put its files in place  ferry cancel JOB    give it up\n"
	"  ferry renew JOB                keep it for longer      ferry purge         give up what is forgotten\n"
	"  ferry helper set JOB           lend it another user's identity\n"
	"  ferry helper flags JOB F       for what                ferry helper clear  take it back\n"
	"  ferry helper show JOB          whose it has, and who serves it\n"
	"  ferry credentials set JOB      with what it answers servers and proxies that ask who it is;\n"
	"                                 ferry credentials remove: nothing any more\n"
	"  ferry headers set JOB          header lines that go with its requests; headers show, headers remove\n"
	"  ferry proxy show URL           by which proxies it would be asked for, and who says so\n"
	"  ferry auth test URL            what asking for it meets: proxy, TLS, who asks who you are, and why it fails\n"
	"  ferry history JOB              how its attempts went\n"
	"  ferry preflight JOB            whether it could be served as those it is to be served as\n"
	"  ferry take-ownership JOB       make somebody else's job yours\n"
	"  ferry replace-prefix JOB O N   fetch it from another server: URLs that begin with O begin with N\n"
	"  ferry attach                   be there, so that your jobs can run\n"
	"  ferry status                   what the service is doing\n"
	"  ferry metrics                  the same in numbers, for Prometheus\n"
	"  ferry doctor                   what may be wrong with it, and what to do; --bundle FILE: all for a ticket\n"
	"  ferry config show              its configuration; --origin: and where each value is from\n"
	"  ferry config reload            have it read again\n"
	"  ferry plan                     what differs from what is declared; ferry apply: act on it now\n"
	"  ferry pipe                     speak the protocol on stdin and stdout\n"
	"\n"
	"Try it:\n"
	"  ferry submit https://example.org/setup.msi C:\\Downloads\\\n"
	"  ferry submit --no-wait --name \"Nightly\" --from files.txt\n"
	"  ferry watch\n"
	"\n"
	"A job lives in the Ferry service: it survives this program, logging off and restarts, and goes on\n"
	"where it stopped.  Ctrl-C only stops looking.\n" HELP_EVERYWHERE
	"  --version      which version this is\n"
	"\n"
	"Exit codes: 0 done, 1 wrong command line, 2 the job failed, 3 no service, 4 refused, 5 no such job\n"
	"or several, 6 --timeout is over, 7 cancelled by somebody, 8 something failed here, 9 something differs, 130 Ctrl-C.\n";

/* The four verbs of one family are explained together. */
static const char helper[] =
	"ferry helper set [--user DOMAIN\\name] [--root DIR]... [--max-age T] JOB\n"
	"ferry helper flags JOB local-file|network|local-file,network|none\n"
	"ferry helper clear JOB...\n"
	"ferry helper show JOB...\n"
	"\n"
	"Let a job write files, or ask servers, as somebody else than its owner.  'set' lends that user's token:\n"
	"this program's own, or with --user that of somebody whose password you know.  'flags' says what it is\n"
	"used for: local-file makes and names the files, network meets servers and proxies.  The flags stay with\n"
	"the job; the token is kept in memory only, and is lent again after the service restarted.  'clear' takes\n"
	"it back, and 'show' tells whose is lent and who serves the job.\n" HELP_JOB
	"\n"
	"  --user U      log on as U: DOMAIN\\name or name@domain.  The password is asked for, or read as one line\n"
	"                from stdin, and kept nowhere\n"
	"  --root DIR    lend it for files that are added later, too, where they lie below this folder; without\n"
	"                the flag network only.  Up to 16 times\n"
	"  --max-age T   drop it after this long (5m, 2h, 3d).  Tokens without a session (ssh, scheduled tasks)\n"
	"                are dropped with this command otherwise\n"
	"  --everyone    look among other people's jobs too; for elevated administrators\n"
	"\n"
	"Example:\n"
	"  ferry submit --suspended --name App https://example.org/app.msi \"C:\\Program Files\\Acme\\app.msi\"\n"
	"  ferry helper flags App local-file && ferry helper set --user ACME\\installer App\n"
	"  ferry preflight App && ferry resume App\n" HELP_EVERYWHERE;

static const char credentials[] =
	"ferry credentials set --target server|proxy --scheme SCHEME [--user DOMAIN\\name] JOB\n"
	"ferry credentials remove --target server|proxy --scheme SCHEME JOB...\n"
	"\n"
	"With what a job answers a server or a proxy that asks who it is; else it answers nobody, and such a file\n"
	"is not to be had.  SCHEME is negotiate, ntlm, digest or basic.  Without --user it answers as the one who\n"
	"fetches, you or its helper, with negotiate or ntlm.  What is set for the proxy says nothing of servers.\n"
	"'ferry show' tells what a job has; passwords are told to nobody, and go with the job.\n" HELP_JOB
	"\n"
	"  --target T    who asks: server or proxy\n"
	"  --scheme S    by what it is answered; a job may have one of each.  Where the configuration forbids a scheme\n"
	"                for that host, it is not used\n"
	"  --user U      answer as this user: DOMAIN\\name or name@domain.  The password is asked for, or read as one\n"
	"                line from stdin; the service keeps it sealed\n"
	"\n"
	"Examples:\n"
	"  ferry submit --auth server:negotiate https://files.corp.example/a.msi .\\\n"
	"  ferry credentials set --target proxy --scheme digest --user anna Nightly && ferry resume Nightly\n" HELP_EVERYWHERE;

static const char headers[] =
	"ferry headers set [--write-only] JOB\n"
	"ferry headers show JOB\n"
	"ferry headers remove JOB...\n"
	"\n"
	"Header lines that go with every request of a job to its own servers, those of its URLs and mirrors, and not to\n"
	"others where these redirect: a token, most of all.  'set' reads them from stdin, one \"Name: value\" a line, up\n"
	"to 64 and 16384 bytes, in place of what the job has.  The service keeps them sealed; they go with the job.\n"
	"'show' tells them to the owner alone, and 'ferry show' their names.  What Ferry says itself, as Host, Range or\n"
	"If-Match, is refused, and so are NTLM and Negotiate ('ferry credentials set').  " HELP_JOB
	"\n"
	"  --write-only  'show' does not tell them, either\n"
	"\n"
	"Examples:\n"
	"  ferry headers set Nightly < token.txt && ferry resume Nightly\n"
	"  ferry submit --headers-from token.txt https://files.example.org/a.msi .\\\n" HELP_EVERYWHERE;

static const char *const texts[VERB_NONE] = {
	[VERB_SUBMIT] =
		"ferry submit [OPTION]... URL DESTINATION [URL DESTINATION]...\n"
		"ferry submit [OPTION]... --from FILE\n"
		"\n"
		"Make a job of these files, let it run, and wait until they are in place.  A DESTINATION that ends in\n"
		"a separator is a folder: the URL's last part names the file.  Folders must exist.  All files of a job\n"
		"get their names when all of them are whole.  A URL is http, https, or \\\\server\\share\\folder\\file.\n"
		"\n"
		"  --from FILE      a list of lines URL<TAB>DESTINATION[<TAB>SIZE[<TAB>DIGEST[<TAB>MORE]...]]; '-' reads stdin;\n"
		"                   '#' begins a comment.  A file of another size or digest is refused; what stands before\n"
		"                   something else may be empty.  MORE is a mirror's URL, if-none-match=TAG,\n"
		"                   if-modified-since=DATE or ranges=FIRST-LAST[,FIRST-LAST]...\n"
		"  --digest D       the digest of the one file: sha256:HEX, or sha384, sha512\n"
		"  --mirror URL     where the one file can be had, too; up to 8 times\n"
		"  --if-none-match TAG, --if-modified-since DATE\n"
		"                   fetch the one file only if the server has another than the one at DESTINATION, whose\n"
		"                   ETag, quotes included, and Last-Modified these are.  Not modified is a success\n"
		"  --range FIRST-LAST\n"
		"                   fetch only these bytes of the one file, both included and counted from 0; FIRST-: all from\n"
		"                   there on.  Several, with commas between or up to 16 times, are put one behind the other\n"
		"  --name N         what the job is called; else its first file's name\n"
		"  --description D  more about it\n"
		"  --key K          what makes this job the same when it is submitted again: nothing is fetched twice\n"
		"  --correlation ID a UUID of yours, in the job's events\n"
		"  --priority P     foreground, high, normal (the default) or low\n"
		"  --no-complete    keep the files aside when all are here, until 'ferry complete'\n"
		"  --suspended      only make the job; 'ferry resume' lets it run\n"
		"  --no-wait        print the job's id and be done\n"
		"  --timeout T      wait no longer than this (90, 5m, 2h, 3d); the job goes on\n"
		"  --quiet          say nothing unless something is wrong\n"
		"  --retry-delay T, --no-progress-timeout T, --max-time T\n"
		"                   wait so long before a retry; fail after so long without progress, or of transferring\n"
		"  --max-size N     fail if its files are larger together (500kB, 20MB, 4GB)\n"
		"  --no-segments    never fetch parts of one large file at once\n"
		"  --profile interactive|update|bulk\n"
		"                   how patient it is: first byte 10 s, stall 20 s, give up after 2 minutes without progress;\n"
		"                   30 s, 60 s, 24 hours; 60 s, 5 minutes, 14 days\n"
		"  --lease T        give the job up when nothing has changed it for this long; 90 days if not given\n"
		"  --auth T:SCHEME  answer a server or proxy that asks who it is, as the one who fetches: server or proxy,\n"
		"                   then negotiate or ntlm; up to 4 times (ferry credentials --help)\n"
		"  --headers-from FILE  header lines for its servers; '-' reads stdin (ferry headers --help)\n"
		"  --proxy none|autodetect|LIST\n"
		"                   no proxy, the network's, or these in turn: a:3128;b:3128;DIRECT\n"
		"  --proxy-bypass LIST  but none for these hosts: *.a.org;<local>\n"
		"  --client-certificate current-user\\MY\\THUMBPRINT\n"
		"                   to be shown to its https servers; or of local-machine, or the name that it is issued to\n"
		"  --no-redirects   refuse a server that sends it elsewhere\n"
		"  --on-token-loss error|wait\n"
		"                   what the job does without the helper token that it needs (ferry helper --help)\n"
		"  --pinned-helper SID\n"
		"                   it takes nobody else's; whose it is may lend it, and nothing else, without owning the job\n"
		"\n"
		"Examples:\n"
		"  ferry submit --key app-2.1 --priority foreground --timeout 10m https://example.org/app.msi .\\\n"
		"  ferry submit --no-wait --json --from - < list.txt\n" HELP_EVERYWHERE,
	[VERB_PROXY_SHOW] =
		"ferry proxy show [--job JOB [--everyone]] URL\n"
		"\n"
		"By which proxies the URL would be asked for now, in the order in which they are tried, and where each comes\n"
		"from: the job, the configuration's table, the settings of whoever fetches, a script that they name, the\n"
		"machine's settings (netsh winhttp), or autodetect, what the network names.  Told too is what does not count\n"
		"though it would come before: a script that is not to be had.  It may take 15 seconds.\n"
		"\n"
		"  --job JOB    as that job would ask; else as you, without one\n"
		"  --everyone   look among other people's jobs too; for elevated administrators\n"
		"\n"
		"Example:\n"
		"  ferry proxy show --job Nightly https://example.org/a.zip\n" HELP_EVERYWHERE,
	[VERB_AUTH_TEST] =
		"ferry auth test [--proxy HOST:PORT] URL\n"
		"\n"
		"Ask for the URL's head as you, and tell what that meets: by which proxy, as whom, over which TLS, what the\n"
		"proxy and the server offer to whoever asks who he is, and with what they were answered.  You are presented\n"
		"to them by negotiate and ntlm where the configuration allows it, whether a job of yours would be or not.\n"
		"Nothing is downloaded.  The exit code is 0 if the file could be had, 2 if not, with the reason.\n"
		"\n"
		"  --proxy P    through this one, instead of the one that it would be asked by ('ferry proxy show')\n"
		"\n"
		"Example:\n"
		"  ferry auth test --proxy proxy.corp.example:3128 https://files.corp.example/a.msi\n" HELP_EVERYWHERE,
	[VERB_HISTORY] =
		"ferry history [--everyone] JOB...\n"
		"\n"
		"How the job's last attempts to fetch went, oldest first: when, by which proxy, as whom, over which TLS, what\n"
		"was offered and answered, the status and the error.  Attempts that went alike are one, with a count; the\n"
		"last 32 are kept.\n" HELP_JOB
		"\n"
		"  --everyone   look among other people's jobs too; for elevated administrators\n"
		"\n"
		"Example:\n"
		"  ferry history Nightly\n" HELP_EVERYWHERE,
	[VERB_LIST] =
		"ferry list [--all] [--everyone]\n"
		"\n"
		"Your jobs that are not finished, oldest first.  WHY says what a job waits for.\n"
		"\n"
		"  --all        finished and cancelled ones too, as long as the service keeps them\n"
		"  --everyone   other people's too; for elevated administrators\n"
		"\n"
		"Example:\n"
		"  ferry list --all --json\n" HELP_EVERYWHERE,
	[VERB_SHOW] =
		"ferry show [--files] [--everyone] JOB...\n"
		"\n"
		"Everything about a job: its state and why it is in it, its last error and what to do about it, its\n"
		"properties and its files.  " HELP_JOB
		"\n"
		"  --files      all files, not only the first 20\n"
		"  --everyone   look among other people's jobs too; for elevated administrators\n"
		"\n"
		"Example:\n"
		"  ferry show 2a1b\n" HELP_EVERYWHERE,
	[VERB_WAIT] =
		"ferry wait [--timeout T] [--quiet] JOB...\n"
		"\n"
		"Wait until the job is done, or until nothing more happens without somebody: it is in ERROR, or all\n"
		"its files are here and it does not complete by itself.  Goes on waiting while the service restarts.\n"
		HELP_JOB
		"\n"
		"  --timeout T  wait no longer than this for each job (90, 5m, 2h, 3d); the job goes on\n"
		"  --quiet      show no progress\n"
		"\n"
		"Exit codes: 0 done, 2 in ERROR, 6 the time is over, 7 cancelled.\n"
		"\n"
		"Example:\n"
		"  ferry wait --timeout 1h Nightly && install.cmd\n" HELP_EVERYWHERE,
	[VERB_WATCH] =
		"ferry watch [--timeout T] [JOB]...\n"
		"\n"
		"See jobs move, until Ctrl-C, or until the named jobs are done.  On a terminal a table that is drawn\n"
		"over; elsewhere a line per change of state.  " HELP_JOB
		"\n"
		"  --timeout T  stop after this long (90, 5m, 2h, 3d)\n"
		"\n"
		"Example:\n"
		"  ferry watch --json | tool\n" HELP_EVERYWHERE,
	[VERB_SUSPEND] =
		"ferry suspend [--everyone] JOB...\n"
		"\n"
		"Let jobs rest.  What was fetched stays; 'ferry resume' goes on from there.\n" HELP_JOB
		"\n"
		"Example:\n"
		"  ferry suspend Nightly\n" HELP_EVERYWHERE,
	[VERB_RESUME] =
		"ferry resume [--everyone] JOB...\n"
		"\n"
		"Let jobs go on: after 'ferry suspend', after an error whose cause is gone, or at once instead of at\n"
		"the next retry.  " HELP_JOB
		"\n"
		"Example:\n"
		"  ferry resume 2a1b && ferry wait 2a1b\n" HELP_EVERYWHERE,
	[VERB_CANCEL] =
		"ferry cancel [--everyone] JOB...\n"
		"\n"
		"Give jobs up and remove what was fetched for them.  Files that already have their names stay.\n" HELP_JOB
		"\n"
		"Example:\n"
		"  ferry cancel 2a1b 77f0\n" HELP_EVERYWHERE,
	[VERB_COMPLETE] =
		"ferry complete [--no-wait] [--timeout T] [--quiet] JOB...\n"
		"\n"
		"Put the files of a job in place that was submitted with --no-complete.  Files that are not whole yet\n"
		"are given up.  " HELP_JOB
		"\n"
		"  --no-wait    do not wait until it is done\n"
		"  --timeout T  wait no longer than this (90, 5m, 2h, 3d)\n"
		"  --quiet      say nothing unless something is wrong\n"
		"\n"
		"Example:\n"
		"  ferry complete Nightly\n" HELP_EVERYWHERE,
	[VERB_RENEW] =
		"ferry renew [--lease T] JOB...\n"
		"\n"
		"Renew the leases of jobs, and say when they end now.  A job that nothing changes until its lease ends\n"
		"is cancelled by the service; bytes that come, and whatever you do with the job, renew it too.\n" HELP_JOB
		"\n"
		"  --lease T    from now on for this long (90, 5m, 2h, 3d), at least a minute\n"
		"\n"
		"Example:\n"
		"  ferry renew --lease 365d Archive\n" HELP_EVERYWHERE,
	[VERB_PURGE] =
		"ferry purge --older-than T [--name N] [--everyone]\n"
		"\n"
		"Cancel your unfinished jobs that nothing has changed for so long: what programs left behind.  Bytes\n"
		"that came are changes, and so is whatever was done with the job.\n"
		"\n"
		"  --older-than T  how long (90, 5m, 2h, 3d); must be given\n"
		"  --name N        only jobs of exactly this name\n"
		"  --everyone      other people's too; for elevated administrators\n"
		"\n"
		"Example:\n"
		"  ferry purge --older-than 3d --name \"Acme update\"\n" HELP_EVERYWHERE,
	[VERB_STATUS] =
		"ferry status\n"
		"\n"
		"Whether the service answers, what it is doing, and as whom it knows you.\n"
		"\n"
		"Example:\n"
		"  ferry status --json\n" HELP_EVERYWHERE,
	[VERB_PIPE] =
		"ferry pipe [--timeout T]\n"
		"\n"
		"A bridge for programs that cannot open the service's pipe themselves: each line on stdin is sent as\n"
		"one message, word for word, and each message that comes is one line on stdout (docs/protocol.md).\n"
		"The end of stdin ends it, when every message is answered.  The server is checked first, as always.\n"
		"\n"
		"  --timeout T  how long to try to connect; 5 seconds if not given\n"
		"\n"
		"Example:\n"
		"  echo {\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\","
		"\"params\":{\"protocol\":1,\"client\":\"me\"}} | ferry pipe\n"
		HELP_EVERYWHERE,
	[VERB_HELPER_SET] = helper,
	[VERB_HELPER_CLEAR] = helper,
	[VERB_HELPER_FLAGS] = helper,
	[VERB_HELPER_SHOW] = helper,
	[VERB_CREDENTIALS_SET] = credentials,
	[VERB_CREDENTIALS_REMOVE] = credentials,
	[VERB_HEADERS_SET] = headers,
	[VERB_HEADERS_SHOW] = headers,
	[VERB_HEADERS_REMOVE] = headers,
	[VERB_ATTACH] =
		"ferry attach\n"
		"\n"
		"Say hello to the service, so that it knows you, and say as whom.  After the service restarted the jobs\n"
		"of everybody wait until one of their programs does so: this is for tasks at start-up and logon.\n"
		"\n"
		"Example:\n"
		"  ferry attach --json\n" HELP_EVERYWHERE,
	[VERB_CONFIG_SHOW] =
		"ferry config show [--origin]\n"
		"\n"
		"The configuration as it holds now, a key to a line; for elevated administrators.\n"
		"\n"
		"  --origin       also where each value is from: built-in, ferry.jsonc, a file of conf.d with its line,\n"
		"                 the policy, or the last good configuration\n"
		"\n"
		"Example:\n"
		"  ferry config show --origin\n" HELP_EVERYWHERE,
	[VERB_CONFIG_RELOAD] =
		"ferry config reload\n"
		"\n"
		"Have the service read its configuration again, and see what that changed; for elevated administrators.\n"
		"Nothing that runs is lost.  If it is not good all errors are told, and everything stays as it was.\n"
		"\n"
		"Exit codes: 0 it holds, 4 it is not good, or not yours to change.\n"
		"\n"
		"Example:\n"
		"  ferry config reload\n" HELP_EVERYWHERE,
	[VERB_METRICS] =
		"ferry metrics\n"
		"\n"
		"What the service is doing and has done since its start, as numbers in Prometheus' text format, for monitoring.\n"
		"They are counts: no job, file, URL or owner is named, and everybody may ask.  docs/monitoring.md says what to\n"
		"watch, and how the service itself writes them to a file for a collector.  With --json the text is one member.\n"
		"\n"
		"Example:\n"
		"  ferry metrics | grep ferry_jobs\n" HELP_EVERYWHERE,
	[VERB_PLAN] =
		"ferry plan\n"
		"\n"
		"Read the declared jobs (jobs.d) again, look at their files, and show what 'ferry apply' would do: create,\n"
		"update (in place), replace, repair, refresh, drop.  Nothing is done.  For elevated administrators.\n"
		"\n"
		"Exit codes: 0 all is as it is declared, 9 something differs, 4 jobs.d is not good, or not yours to see.\n"
		"\n"
		"Example:\n"
		"  ferry plan || ferry apply\n" HELP_EVERYWHERE,
	[VERB_APPLY] =
		"ferry apply\n"
		"\n"
		"Read the declared jobs (jobs.d) again and bring the machine to what they say, now: whatever their moments\n"
		"are.  It tells what was begun; 'ferry list --everyone' shows the jobs that fetch what is missing.  If one\n"
		"file of jobs.d is not good all errors are told, and nothing changes.  For elevated administrators.\n"
		"\n"
		"Exit codes: 0 done, or nothing was to be done, 2 some of it could not be, 4 jobs.d is not good, or not yours.\n"
		"\n"
		"Example:\n"
		"  ferry apply\n" HELP_EVERYWHERE,
	[VERB_DOCTOR] =
		"ferry doctor [--bundle FILE]\n"
		"\n"
		"Look for what may be wrong, from here and as the service sees itself: the pipe, the proxy, and for elevated\n"
		"administrators the service's account and privileges, its data folder, queue and disk, the clock, the domain\n"
		"controller and the configuration.  Each is ok, a warning, a problem, or unknown here, with what was seen and\n"
		"what to do.  The proxy that would be used is asked for a page of its own; nothing else is asked on the network\n"
		"but the domain's controller.\n"
		"\n"
		"  --bundle FILE    also write all that helps somebody else into FILE, a new .tar: this report, versions, the\n"
		"                   configuration, the jobs that you may see and their attempts, metrics and the log.  No\n"
		"                   secrets are in it, but names of people, hosts and folders are\n"
		"\n"
		"Exit codes: 0 nothing is wrong, 2 there is a problem.\n"
		"\n"
		"Example:\n"
		"  ferry doctor --bundle ticket.tar\n" HELP_EVERYWHERE,
	[VERB_PREFLIGHT] =
		"ferry preflight [--everyone] JOB...\n"
		"\n"
		"Whether a job could be served now: who writes its files, and whether they could; who asks servers, and\n"
		"whether somebody is there to do it.  Nothing is made and nothing is fetched.\n" HELP_JOB
		"\n"
		"Exit codes: 0 it could be served, 2 it could not.\n"
		"\n"
		"Example:\n"
		"  ferry preflight Nightly && ferry resume Nightly\n" HELP_EVERYWHERE,
	[VERB_REPLACE_PREFIX] =
		"ferry replace-prefix JOB OLD NEW\n"
		"\n"
		"The server moved: all URLs of the job, of files and of their mirrors, that begin with OLD begin with\n"
		"NEW from now on.  Case counts; 'http://old' is not the beginning of 'http://older/'.  All are changed or\n"
		"none, and it is told how many files they were.  A job that runs goes on at the new place: where size\n"
		"and digest were stated, with what is here already, else from the start.  Whole files stay.  A job in\n"
		"ERROR rests until 'ferry resume'.  " HELP_JOB
		"\n"
		"Example:\n"
		"  ferry replace-prefix Nightly http://old.example.com/ https://new.example.com/mirror/\n" HELP_EVERYWHERE,
	[VERB_TAKE_OWNERSHIP] =
		"ferry take-ownership [--everyone] JOB...\n"
		"\n"
		"Make somebody else's jobs yours; for elevated administrators, and not with jobs of services.  They are\n"
		"suspended then, without helper token, flags and pinned helper, and run as you when you resume them.\n"
		HELP_JOB
		"\n"
		"  --everyone   look for the job among other people's: without it, give the whole id\n"
		"\n"
		"Example:\n"
		"  ferry take-ownership --everyone Nightly\n" HELP_EVERYWHERE,
};

const char *help_text(enum verb verb)
{
	return verb < VERB_NONE ? texts[verb] : general;
}
