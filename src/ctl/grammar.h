/*
 * The commands of `sallyport`, one row each: what the command line checks and explains, who may
 * ask for it, and whom manage asks in turn. Both ends read this table, so they cannot disagree;
 * adding a row is all it takes to add a command. No I/O.
 */
#ifndef CTL_GRAMMAR_H
#define CTL_GRAMMAR_H

#include "base/buffer.h"

#include <stdbool.h>
#include <stddef.h>

enum command_place {
	COMMAND_HERE,	 /* the program answers it itself */
	COMMAND_STATUS,	 /* manage asks all processes and puts the answers together; the verb says
			  * what of it is shown */
	COMMAND_CONTROL, /* handed to control, as MESSAGE_CONFIG */
	COMMAND_TRAFFIC, /* handed to traffic, as MESSAGE_COMMAND */
	COMMAND_MANAGE,	 /* what a part of manage does that registered the verb (admin/desk.h);
			  * may take as long as PROTOCOL_SLOW_MS */
};

/* Who may ask for it: each may what those before may. */
enum access {
	ACCESS_VIEW,	/* whoever may open the control socket, viewers of the web page */
	ACCESS_OPERATE, /* keeps it running: tries again, looks deeper; changes no setting */
	ACCESS_ADMIN,	/* who runs the node */
};

enum command_files {
	FILES_NO,
	FILES_AT,    /* an argument after the first that begins with @ names a file */
	FILES_KEYED, /* so does what follows key=@ */
	FILES_LAST,  /* the last argument is a file's name, - is standard input */
};

struct command {
	const char *words;     /* "config set" */
	const char *arguments; /* "NAME [VALUE...]" */
	size_t min, max;       /* of them */
	enum command_place place;
	enum access access;
	enum command_files from_files;
	const char *verb; /* what who does it calls it; of a status NULL: the whole of it */
	const char *help; /* one line */
	const char *more; /* a paragraph, or NULL */
	bool hides;	  /* its arguments are a secret, and not logged */
	bool streams;	  /* it answers piece by piece until who asks goes away, or it ends */
	bool saves;	  /* its last argument is a file here, into which the answer goes */
	bool for_core;	  /* a core may ask it of this node through the tunnel */
	bool is_table;	  /* lines that are cut where a terminal ends */
	/* A list in its data, with a row for each thing that is wrong: the exit code is 1 then, and
	 * 2 if there is no answer. NULL: its exit codes are as usual. */
	const char *judged_by;
	const char *section; /* that begins with it; NULL: it is in that of the one before */
};

extern const struct command commands[];
extern const size_t commands_count;

/* The command with the most words that these begin with, and in *used how many of them name it; or
 * NULL. */
const struct command *command_find(const char *const *words, size_t count, size_t *used);
/* "view", "operate", "admin". False: no such access. */
const char *access_name(enum access access);
bool access_read(const char *name, enum access *access);
/* Whether it answers with data too, which --json prints. */
bool command_has_json(const struct command *command);
/* Whether a command takes so many arguments, --json not counted. */
bool command_takes(const struct command *command, size_t arguments);

/*
 * The arguments of `node add` (NAME, then role=, pin=, address= in any order) as control wants
 * them: name, role, address or "-", pin. The results are lent by the words. False: *why.
 */
bool command_node_add(const char *const *arguments, size_t count, const char *added[4],
		      const char **why);

/* "usage: sallyport config set NAME [VALUE...]" */
void command_usage(struct buffer *out, const struct command *command);
/* That of each command that begins with the word; false: none does. */
bool command_usages(struct buffer *out, const char *word);
/* All about one command, or with NULL a line about each. */
void command_help(struct buffer *out, const struct command *command);

#endif
