#include "ctl/grammar.h"

#include "base/alloc.h"

#include <string.h>

#define MANY SIZE_MAX

const struct command commands[] = {
	{ "status", "[--json]", 0, 0, COMMAND_STATUS, true, FILES_NO, NULL,
	  "how the node does: processes, links, streams, queues",
	  "The first line is the verdict; a line that begins with ! names what is wrong. With\n"
	  "--json the same as JSON, and complete: the text shows at most 20 rows of each kind." },
	{ "alarms", "[--json]", 0, 0, COMMAND_STATUS, true, FILES_NO, "alarms",
	  "what you have to do something about, with cause and fix", NULL },
	{ "routes", "[--json]", 0, 0, COMMAND_STATUS, true, FILES_NO, "routes",
	  "domains, realms, links, and what is loaded and stored", NULL },
	{ "config show", "[--json] [PREFIX]", 0, 2, COMMAND_CONTROL, false, FILES_NO, "show",
	  "the settings, or those whose name begins with PREFIX",
	  "Secrets are shown as fingerprints. With --json also what the table says of each: its\n"
	  "default, limits, unit, choices, and what a change does." },
	{ "config get", "[--json] NAME", 1, 2, COMMAND_CONTROL, false, FILES_NO, "get",
	  "the value of one setting", NULL },
	{ "config set", "[--dry-run] NAME [VALUE...]", 1, MANY, COMMAND_CONTROL, false, FILES_AT,
	  "set", "change a setting",
	  "A list takes one VALUE for each entry. Without VALUE the setting has its default\n"
	  "again. A VALUE that begins with @ is the content of that file, without the newline\n"
	  "at its end; @@x is a literal @x." },
	{ "config history", "", 0, 0, COMMAND_CONTROL, false, FILES_NO, "history",
	  "who changed what, and when", NULL },
	{ "config diff", "A B", 2, 2, COMMAND_CONTROL, false, FILES_NO, "diff",
	  "how two revisions differ",
	  "A and B are numbers of `config history`, or `now`. Lines that begin with - are\n"
	  "of A only, those with + of B only." },
	{ "config restore", "[--dry-run] N", 1, 2, COMMAND_CONTROL, false, FILES_NO, "restore",
	  "make all settings again what they were at revision N",
	  "What this node is (its keys, their certificates, its secrets) and whom it is paired\n"
	  "with stay as they are." },
	{ "config export", "", 0, 0, COMMAND_CONTROL, false, FILES_NO, "export",
	  "all settings that are not at their default, as a file for `config apply`",
	  "Secrets are written as `(secret FINGERPRINT)`, which `apply` takes for: as it is." },
	{ "config apply", "[--dry-run] FILE", 1, 2, COMMAND_CONTROL, false, FILES_LAST, "apply",
	  "make the settings what a file says, whole or not at all",
	  "A setting that the file does not name gets its default, but for secrets, keys, their\n"
	  "certificates and pairings. FILE - is standard input. Prints the difference. With\n"
	  "--dry-run nothing is changed: it says what would be, what that restarts and whom it\n"
	  "cuts off.",
	  .hides = true },
	{ "pair", "[address=IP:PORT] [link=IP:PORT] [for=SECONDS]", 0, 3, COMMAND_MANAGE, false,
	  FILES_NO, "pair", "print a code with which a core joins this node",
	  "On an edge or a home node. The code is good once and for a quarter of an hour; five\n"
	  "wrong ones void it. address and link are what the core dials, where that is not what\n"
	  "this node listens on." },
	{ "join", "CODE", 1, 1, COMMAND_MANAGE, false, FILES_NO, "join",
	  "join the node that printed this code",
	  "On a core. Both nodes pin each other's keys for SSH and links; a home node's AXL\n"
	  "service is entered as home server too.",
	  .hides = true },
	{ "node add", "NAME role=ROLE pin=HEX [address=IP:PORT]", 3, 4, COMMAND_CONTROL, false,
	  FILES_NO, "node-add", "let another node link with this one",
	  "`sallyport node self` over there prints its pin. The address is for nodes that\n"
	  "this one dials: a core dials edges and homes, the others dial nobody." },
	{ "node list", "", 0, 0, COMMAND_CONTROL, false, FILES_NO, "node-list",
	  "the nodes that may link with this one", NULL },
	{ "node remove", "NAME", 1, 1, COMMAND_CONTROL, false, FILES_NO, "node-remove",
	  "end the link with a node, and refuse it from now on", NULL },
	{ "node self", "", 0, 0, COMMAND_CONTROL, false, FILES_NO, "node-self",
	  "this node's name, role and pin", "What `node add` on the other nodes wants to know." },
	{ "home-server add",
	  "NAME address=HOST:PORT user=USER password=PASSWORD [verify=ca|off|PIN]", 4, 5,
	  COMMAND_CONTROL, false, FILES_KEYED, "home-server-add",
	  "keep the table xmpps2snodes of a home node or a Cisco IM and Presence server by AXL",
	  "password=@FILE reads it from a file. Without verify the certificate is held against\n"
	  "axl.trust; a PIN is the SHA-256 of its public key in hex." },
	{ "home-server password", "NAME PASSWORD", 2, 2, COMMAND_CONTROL, false, FILES_AT,
	  "home-server-password", "another password for it", "@FILE reads it from a file." },
	{ "home-server remove", "NAME", 1, 1, COMMAND_CONTROL, false, FILES_NO,
	  "home-server-remove", "do not keep its table any more", NULL },
	{ "home-server list", "[--json]", 0, 0, COMMAND_STATUS, false, FILES_NO, "home-servers",
	  "the home servers, and how their tables are", NULL },
	{ "home-server refresh", "[NAME]", 0, 1, COMMAND_MANAGE, false, FILES_NO, "refresh",
	  "look at their tables now, and set them right", NULL },
	{ "run sql", "STATEMENT", 1, 1, COMMAND_MANAGE, false, FILES_NO, "sql",
	  "run SQL on the tables of the AXL service", NULL },
	{ "notifications", "[--json]", 0, 0, COMMAND_STATUS, true, FILES_NO, "notifications",
	  "what the home server's administrator is told to do", NULL },
	{ "notifications delete", "NUMBER", 1, 1, COMMAND_CONTROL, false, FILES_NO,
	  "notification-delete", "delete a notification by hand; its cause stays", NULL },
	{ "restart router", "", 0, 0, COMMAND_TRAFFIC, false, FILES_NO, "restart-router",
	  "restart the router service, which reads its table anew",
	  "The process and its streams go on, nothing is lost." },
	{ "retry", "DOMAIN", 1, 1, COMMAND_TRAFFIC, false, FILES_NO, "retry",
	  "try a domain again now, without waiting for its next attempt", NULL },
	{ "close", "XCODER", 1, 1, COMMAND_TRAFFIC, false, FILES_NO, "close", "close a stream",
	  "XCODER is the stream's id, as in the log and in `sallyport status`." },
	{ "help", "[COMMAND]", 0, 2, COMMAND_HERE, true, FILES_NO, NULL,
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

void command_usage(struct buffer *out, const struct command *command)
{
	buffer_printf(out, "usage: sallyport %s%s%s\n", command->words,
		      *command->arguments ? " " : "", command->arguments);
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
		buffer_printf(out, "\n%s\n", command->help);
		if (command->more)
			buffer_printf(out, "\n%s\n", command->more);
		return;
	}
	buffer_append_text(out, "usage: sallyport [-c FILE | -s SOCKET] COMMAND...\n\n");
	for (size_t i = 0; i < commands_count; i++) {
		int len = (int)strlen(commands[i].words);

		width = len > width ? len : width;
	}
	for (size_t i = 0; i < commands_count; i++)
		buffer_printf(out, "  %-*s  %s\n", width, commands[i].words, commands[i].help);
	buffer_append_text(out, "\nsallyport help COMMAND says more about one.\n");
}
