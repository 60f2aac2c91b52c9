#include "ctl/grammar.h"

#include "base/alloc.h"

#include <string.h>

#define MANY SIZE_MAX

const struct command commands[] = {
	{ "status", "[--json] [--all]", 0, 1, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, NULL,
	  "how the node does: processes, links, streams, queues",
	  "The first line is the verdict; a line that begins with ! names one of several things "
	  "that\n"
	  "are wrong, one that begins with `warning:` an alarm that is no error. Then a line for\n"
	  "each part; with --all a table of each, of at most 20 rows, and the counters. With\n"
	  "--json all of it, with the verdict as `verdict`, what is wrong as `wrong`, and\n"
	  "`warnings`. A process that does not answer within two seconds is said so.\n"
	  "Exit code 0: all is well, or only a warning stands; 1: something is wrong; 2: the node\n"
	  "could not be asked.",
	  .is_table = true, .judged_by = "wrong", .section = "Looking" },
	{ "alarms", "[--json]", 0, 0, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "alarms",
	  "what you have to do something about, with cause and fix",
	  "Number, severity, title and whom or what it is about; since when, what was seen, the\n"
	  "cause, and what ends it. An alarm ends with its cause and by nothing else." },
	{ "routes", "[--json]", 0, 0, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "routes",
	  "domains, realms, links, and what is loaded and stored",
	  "The domains and the ports that lead to them, the realms of xmpps2snodes with where\n"
	  "each is (stored, loaded by the router, or both) and whether it is linked, the links\n"
	  "with the realms behind them, and static routes whose servers are all dead.",
	  .is_table = true },
	{ "streams", "[--json] [TEXT]", 0, 1, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "streams",
	  "the streams with the world, or those in whose line TEXT occurs",
	  "On an edge: other nodes have none.", .is_table = true },
	{ "domains", "[--json] [TEXT]", 0, 1, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "domains",
	  "the domains of the world: streams, queue, what went wrong last",
	  "On an edge: other nodes talk to none.", .is_table = true },
	{ "metrics", "", 0, 0, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "metrics",
	  "what Prometheus reads at /metrics, as OpenMetrics text", NULL },
	{ "doctor", "[--json] [here]", 0, 1, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO, "doctor",
	  "look for everything that can be wrong, and say what helps",
	  "On a core: on all nodes that it reaches; on the others, and with `here`: on this one.\n"
	  "Exit code 0: nothing is wrong; 1: something is; 2: it could not look.",
	  .for_core = true, .judged_by = "findings", .section = "Finding out why" },
	{ "why", "[--json] DOMAIN", 1, 1, COMMAND_MANAGE, ACCESS_VIEW, FILES_NO, "why",
	  "what happened with a domain, step by step; the cause and the fix",
	  "The last attempts in both directions, as the edges saw them.", .for_core = true },
	{ "probe", "[--json] DOMAIN [from=DOMAIN]", 1, 2, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO,
	  "probe", "try to reach a domain now, up to authentication; nothing is sent",
	  "A stream of its own is opened and closed; those that are there go on. `from` is the\n"
	  "domain of ours that speaks; the first federated one if it is not said.",
	  .for_core = true },
	{ "trace", "[--json] DOMAIN|XCODER [for=SECONDS]", 1, 2, COMMAND_MANAGE, ACCESS_OPERATE,
	  FILES_NO, "trace", "follow a domain or a stream live, at level debug",
	  "Ends with Ctrl-C, or after 300 seconds if nothing else is said. No stanza is shown.",
	  .streams = true },
	{ "log",
	  "[--json] [--follow] [last=N] [since=SECONDS] [domain=DOMAIN] [stream=XCODER] "
	  "[module=MODULE] [level=error|warn|info|debug] [text=TEXT]",
	  0, 10, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO, "log",
	  "the log of all processes of this node",
	  "The last 100 lines if nothing else is said, of those that all keys fit; level is the\n"
	  "least that is shown. --follow goes on as lines come, and ends with Ctrl-C.",
	  .streams = true, .for_core = true },
	{ "log level", "MODULE|all error|warn|info|debug [for=SECONDS]", 2, 3, COMMAND_CONTROL,
	  ACCESS_OPERATE, FILES_NO, "log-level", "what a module logs, for a time",
	  "After 3600 seconds, if nothing else is said, it is as before; for=0: it stays.",
	  .for_core = true },
	{ "log stanzas", "DOMAIN|off [for=SECONDS]", 1, 2, COMMAND_CONTROL, ACCESS_ADMIN, FILES_NO,
	  "log-stanzas", "log the whole stanzas to and from one foreign domain, for a time",
	  "600 seconds if nothing else is said, 3600 at most. What people write is in them: who\n"
	  "asked for it is in the log too." },
	{ "cert list", "[--json]", 0, 0, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "certificates",
	  "this node's certificates: names, issuer, end, what of the domains they cover", NULL,
	  .is_table = true, .section = "Certificates" },
	{ "cert csr", "[NAME...]", 0, 100, COMMAND_CONTROL, ACCESS_ADMIN, FILES_NO, "cert-csr",
	  "a request for a certificate for the world, with all names that it needs",
	  "Made for a new key, which the node keeps until the answer is installed. Without NAME\n"
	  "the names are all federated domains." },
	{ "cert install", "FILE", 1, 1, COMMAND_CONTROL, ACCESS_ADMIN, FILES_LAST, "cert-install",
	  "install the certificate for the world, and use it for new streams",
	  "FILE holds the certificate, then its chain, and the key if it is not that of `cert\n"
	  "csr`. It is refused if the key does not fit; what it does not cover is said.",
	  .hides = true },
	{ "config show", "[--json] [PREFIX]", 0, 1, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO,
	  "show", "the settings, or those whose name begins with PREFIX",
	  "Secrets are shown as fingerprints. With --json also what the table says of each: its\n"
	  "default, limits, unit, choices, and what a change does.",
	  .section = "Settings" },
	{ "config get", "[--json] NAME", 1, 1, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO, "get",
	  "the value of one setting", NULL },
	{ "config set", "[--dry-run] NAME [VALUE...]", 1, MANY, COMMAND_CONTROL, ACCESS_ADMIN,
	  FILES_AT, "set", "change a setting",
	  "A list takes one VALUE for each entry, and is then these and no others. Without\n"
	  "VALUE the setting has its default again. A VALUE that begins with @ is the content\n"
	  "of that file, without the newline at its end; it is read by this command, with your\n"
	  "rights, and must be UTF-8 text. @@x is a literal @x. With --dry-run nothing is\n"
	  "changed: it says what would differ, what of it is in force at once, and which streams\n"
	  "would be closed, and why." },
	{ "config history", "[--json]", 0, 0, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO, "history",
	  "who changed what, and when", NULL },
	{ "config diff", "[--json] A B", 2, 2, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO, "diff",
	  "how two revisions differ",
	  "A and B are numbers of `config history`, or `now`. Lines that begin with - are\n"
	  "of A only, those with + of B only." },
	{ "config restore", "[--dry-run] N", 1, 2, COMMAND_CONTROL, ACCESS_ADMIN, FILES_NO,
	  "restore", "make all settings again what they were at revision N",
	  "What this node is (its keys, their certificates, its secrets) and whom it is paired\n"
	  "with stay as they are; what was another then is named. It is a revision of its own." },
	{ "config export", "", 0, 0, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO, "export",
	  "all settings that are not at their default, as a file for `config apply`",
	  "Secrets are written as `(secret FINGERPRINT)`, which `apply` takes for: as it is." },
	{ "config apply", "[--dry-run] FILE", 1, 2, COMMAND_CONTROL, ACCESS_ADMIN, FILES_LAST,
	  "apply", "make the settings what a file says, whole or not at all",
	  "A line of it is `NAME = VALUE`, one for each entry of a list, or a NAME with nothing\n"
	  "behind the = for an empty one; a value of several lines stands between `NAME = <<END`\n"
	  "and a line `END`; a line that begins with # is passed over. A setting that the file "
	  "does\n"
	  "not name gets its default, but for secrets that stand alone, keys, their certificates\n"
	  "and pairings. FILE - is standard input. Prints the difference, and is one revision. "
	  "With\n"
	  "--dry-run nothing is changed: it says what would be, what that restarts and whom it\n"
	  "cuts off.",
	  .hides = true },
	{ "pair", "[address=IP:PORT] [link=IP:PORT] [for=SECONDS]", 0, 3, COMMAND_MANAGE,
	  ACCESS_ADMIN, FILES_NO, "pair", "print a code with which a core joins this node",
	  "On an edge or a home node. The code is good once and for a quarter of an hour; five\n"
	  "wrong ones void it. address and link are what the core dials, where that is not what\n"
	  "this node listens on.",
	  .section = "Our nodes" },
	{ "join", "CODE", 1, 1, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "join",
	  "join the node that printed this code",
	  "On a core. Both nodes pin each other's keys for SSH and links; a home node's AXL\n"
	  "service is entered as home server too. It may take half a minute, and says so.",
	  .hides = true },
	{ "node add", "NAME role=edge|core|home pin=HEX [address=IP:PORT]", 3, 4, COMMAND_CONTROL,
	  ACCESS_ADMIN, FILES_NO, "node-add", "let another node link with this one",
	  "By hand, for the link alone: `pair` and `join` do this and the rest.\n"
	  "`sallyport node self` over there prints its pin. The address is for nodes that\n"
	  "this one dials: a core dials edges and homes, the others dial nobody." },
	{ "node list", "[--json]", 0, 0, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO, "node-list",
	  "the nodes that may link with this one", NULL },
	{ "node remove", "NAME", 1, 1, COMMAND_CONTROL, ACCESS_ADMIN, FILES_NO, "node-remove",
	  "end the link with a node, and refuse it from now on", NULL },
	{ "node self", "[--json]", 0, 0, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO, "node-self",
	  "this node's name, role and pin",
	  "What `node add` on the other nodes wants to know; and the pin of its SSH key." },
	{ "home-server add",
	  "NAME address=HOST:PORT user=USER password=PASSWORD [verify=ca|off|PIN]", 4, 5,
	  COMMAND_CONTROL, ACCESS_ADMIN, FILES_KEYED, "home-server-add",
	  "keep the table xmpps2snodes of a home node or a Cisco IM and Presence server by AXL",
	  "password=@FILE reads it from a file. Without verify the certificate is held against\n"
	  "axl.trust; a PIN is the SHA-256 of its public key in hex.",
	  .section = "Home servers and their tables" },
	{ "home-server password", "NAME PASSWORD", 2, 2, COMMAND_CONTROL, ACCESS_ADMIN, FILES_AT,
	  "home-server-password", "another password for it", "@FILE reads it from a file." },
	{ "home-server remove", "NAME", 1, 1, COMMAND_CONTROL, ACCESS_ADMIN, FILES_NO,
	  "home-server-remove", "do not keep its table any more", NULL },
	{ "home-server list", "[--json]", 0, 0, COMMAND_STATUS, ACCESS_OPERATE, FILES_NO,
	  "home-servers", "the home servers, and how their tables are",
	  "State, AXL version, how long ago they were looked at, what is in the way, and rows of\n"
	  "somebody else.",
	  .is_table = true },
	{ "home-server refresh", "[NAME]", 0, 1, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO,
	  "refresh", "look at their tables now, and set them right",
	  "A line for each; it may take half a minute." },
	{ "run sql", "STATEMENT", 1, 1, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "sql",
	  "run SQL on the tables of the AXL service", "On a home node." },
	{ "notifications", "[--json]", 0, 0, COMMAND_STATUS, ACCESS_VIEW, FILES_NO, "notifications",
	  "what the home server's administrator is told to do",
	  "On a home node: with severity, count, description, origin and time. The restart that\n"
	  "they ask for ends them." },
	{ "notifications delete", "NUMBER", 1, 1, COMMAND_CONTROL, ACCESS_OPERATE, FILES_NO,
	  "notification-delete", "delete a notification by hand; its cause stays",
	  "See `alarms` for the cause. It comes again with the next change of the table." },
	{ "restart router", "", 0, 0, COMMAND_TRAFFIC, ACCESS_OPERATE, FILES_NO, "restart-router",
	  "restart the router service, which reads its table anew",
	  "The process and its streams go on, nothing is lost.", .section = "Acting on what runs" },
	{ "retry", "DOMAIN", 1, 1, COMMAND_TRAFFIC, ACCESS_OPERATE, FILES_NO, "retry",
	  "try a domain again now, without waiting for its next attempt", NULL },
	{ "close", "XCODER", 1, 1, COMMAND_TRAFFIC, ACCESS_OPERATE, FILES_NO, "close",
	  "close a stream",
	  "XCODER is the stream's id, as in the log and in `sallyport streams`." },
	{ "diag start", "[capture] [secrets] [for=SECONDS] [domain=DOMAIN] [here]", 0, 5,
	  COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO, "diag-start",
	  "begin a diagnostic log, on a core on all nodes",
	  "All modules log at level debug until it ends, after 600 seconds if nothing else is\n"
	  "said. capture: packets too; secrets: with the TLS secrets of the streams, so that they\n"
	  "can be read, which an administrator alone may ask for; domain: only the streams with\n"
	  "that domain. One at a time; a new one replaces what is there.",
	  .for_core = true, .section = "Diagnostics" },
	{ "diag mark", "TEXT", 1, 1, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO, "diag-mark",
	  "write a line of yours into the diagnostic log", NULL, .for_core = true },
	{ "diag stop", "", 0, 0, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO, "diag-stop",
	  "end the diagnostic log; it is kept for `diag bundle`", NULL, .for_core = true },
	{ "diag status", "[--json]", 0, 0, COMMAND_MANAGE, ACCESS_OPERATE, FILES_NO, "diag-status",
	  "whether a diagnostic log runs or is kept, on which nodes", NULL, .for_core = true },
	{ "diag bundle", "FILE", 1, 1, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "diag-bundle",
	  "save what the diagnostic log brought, of all nodes, as a tar.gz",
	  "The logs of all nodes merged by time, settings without secrets, status and alarms,\n"
	  "versions, captures.",
	  .saves = true },
	{ "diag part", "WHAT OFFSET", 2, 2, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "diag-part",
	  "a piece of what this node kept, for the bundle of another", NULL, .for_core = true },
	{ "capture start", "INTERFACE [file NAME] [count N] [size N|all] [port N] [for=SECONDS]", 1,
	  10, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "capture-start",
	  "capture packets on this node, without secrets",
	  "count: packets, 100000 if nothing is said; size: bytes of each. `capture get` has the\n"
	  "file." },
	{ "capture stop", "", 0, 0, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "capture-stop",
	  "end the capture", NULL },
	{ "capture get", "NAME FILE", 2, 2, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "capture-get",
	  "save a capture as pcapng", NULL, .saves = true },
	{ "admin link", "[NAME]", 0, 1, COMMAND_MANAGE, ACCESS_ADMIN, FILES_NO, "admin-link",
	  "a link, good once and for a quarter of an hour, to set a password for the web page",
	  "NAME is `admin` if nothing is said; an account that is not there becomes an\n"
	  "administrator's. It prints the fingerprint of the page's certificate too.",
	  .section = "The web page" },
	{ "account add", "NAME admin|operator|viewer", 2, 2, COMMAND_CONTROL, ACCESS_ADMIN,
	  FILES_NO, "account-add",
	  "an account for the web page; `admin link NAME` lets it set its password", NULL },
	{ "account list", "[--json]", 0, 0, COMMAND_STATUS, ACCESS_ADMIN, FILES_NO, "accounts",
	  "who may use the web page", NULL, .is_table = true },
	{ "account remove", "NAME", 1, 1, COMMAND_CONTROL, ACCESS_ADMIN, FILES_NO, "account-remove",
	  "end an account and its sessions", NULL },
	{ "completion", "bash|zsh|fish", 1, 1, COMMAND_HERE, ACCESS_VIEW, FILES_NO, NULL,
	  "a script that completes these commands in your shell",
	  "For the shell that is open: `source <(sallyport completion bash)`, likewise in zsh, "
	  "and\n"
	  "`sallyport completion fish | source`.",
	  .section = "This command" },
	{ "help", "[COMMAND]", 0, 2, COMMAND_HERE, ACCESS_VIEW, FILES_NO, NULL,
	  "these lines, or all about one command", NULL },
};
const size_t commands_count = nitems(commands);

/* How many of the words name this command: all of its own, or 0. */
static size_t names(const struct command *command, const char *const *words, size_t count)
{
	const char *left = command->words;

	for (size_t i = 0; i < count; i++) {
		size_t len = strcspn(left, " ");

		if (strlen(words[i]) != len || memcmp(words[i], left, len) != 0)
			return 0;
		left += len;
		if (!*left)
			return i + 1;
		left++;
	}
	return 0;
}

const struct command *command_find(const char *const *words, size_t count, size_t *used)
{
	const struct command *found = NULL;
	size_t longest = 0;

	for (size_t i = 0; i < commands_count; i++) {
		size_t named = names(&commands[i], words, count);

		if (named > longest) {
			longest = named;
			found = &commands[i];
		}
	}
	if (found)
		*used = longest;
	return found;
}

static const char *const access_names[] = { "view", "operate", "admin" };

const char *access_name(enum access access)
{
	return access_names[access];
}

bool access_read(const char *name, enum access *access)
{
	for (size_t i = 0; i < nitems(access_names); i++) {
		if (strcmp(access_names[i], name) == 0) {
			*access = (enum access)i;
			return true;
		}
	}
	return false;
}

bool command_has_json(const struct command *command)
{
	return strstr(command->arguments, "[--json]") != NULL;
}

bool command_takes(const struct command *command, size_t arguments)
{
	return arguments >= command->min && arguments <= command->max;
}

bool command_node_add(const char *const *arguments, size_t count, const char *added[4],
		      const char **why)
{
	static const struct {
		const char *key;
		size_t place;
	} keys[] = { { "role=", 1 }, { "address=", 2 }, { "pin=", 3 } };
	const char *found[4] = { count ? arguments[0] : NULL };

	for (size_t i = 1; i < count; i++) {
		const char **place = NULL, *value = strchr(arguments[i], '=');

		for (size_t k = 0; k < nitems(keys) && value; k++) {
			if (strncmp(arguments[i], keys[k].key, strlen(keys[k].key)) == 0)
				place = &found[keys[k].place];
		}
		if (!place || *place || !value[1]) {
			*why = place && *place ? "the same is said twice"
			       : place	       ? "a value is missing"
					       : "what is not role=, pin= or address=";
			return false;
		}
		*place = value + 1;
	}
	if (!found[0] || !found[1] || !found[3]) {
		*why = !found[0]   ? "the name is missing"
		       : !found[1] ? "role= is missing"
				   : "pin= is missing";
		return false;
	}
	if (!found[2])
		found[2] = "-";
	memcpy(added, found, sizeof(found));
	return true;
}

#define LINE 79 /* columns of what people read; a longer word stands alone */

/* Words from column `at` on, at `indent` in the lines that follow; ends the last line. */
static void write_wrapped(struct buffer *out, const char *text, size_t at, size_t indent)
{
	bool begins = true;

	while (*text) {
		size_t len = strcspn(text, " \n");

		if (!begins && at + 1 + len > LINE) {
			buffer_printf(out, "\n%*s", (int)indent, "");
			at = indent;
		} else if (!begins) {
			buffer_append_text(out, " ");
			at++;
		}
		buffer_append(out, text, len);
		at += len;
		text += len + (text[len] != '\0');
		begins = false;
	}
	buffer_append_text(out, "\n");
}

void command_usage(struct buffer *out, const struct command *command)
{
	size_t before = buffer_len(out), indent;

	buffer_printf(out, "usage: sallyport %s", command->words);
	indent = buffer_len(out) - before + 1;
	if (*command->arguments)
		buffer_append_text(out, " ");
	write_wrapped(out, command->arguments, indent, indent);
}

bool command_usages(struct buffer *out, const char *word)
{
	size_t len = strlen(word), before = buffer_len(out);

	for (size_t i = 0; i < commands_count && len; i++) {
		if (strncmp(commands[i].words, word, len) == 0 &&
		    (commands[i].words[len] == ' ' || !commands[i].words[len]))
			command_usage(out, &commands[i]);
	}
	return buffer_len(out) > before;
}

void command_help(struct buffer *out, const struct command *command)
{
	int width = 0;

	if (command) {
		command_usage(out, command);
		buffer_append_text(out, "\n");
		write_wrapped(out, command->help, 0, 0);
		if (command->more) {
			buffer_append_text(out, "\n");
			write_wrapped(out, command->more, 0, 0);
		}
		return;
	}
	buffer_append_text(out, "usage: sallyport [-c FILE | -s SOCKET] COMMAND...\n\n");
	for (size_t i = 0; i < commands_count; i++) {
		int len = (int)strlen(commands[i].words);

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < commands_count; i++) {
		if (commands[i].section)
			buffer_printf(out, "%s%s\n", i ? "\n" : "", commands[i].section);
		buffer_printf(out, "  %-*s  ", width, commands[i].words);
		write_wrapped(out, commands[i].help, (size_t)width + 4, (size_t)width + 4);
	}
	buffer_append_text(out, "\nsallyport help COMMAND says more about one.\n");
}
