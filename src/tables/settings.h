/*
 * The settings table: every setting of a node, one row each, with its form, default, limits, unit,
 * the roles that have it, the processes that see it, what changing it restarts, and help. Store,
 * command, snapshots and man page read it; a new row is all it takes to add a setting.
 *
 * A value is a list of entries, all text: one for a plain setting, one for each element of a list,
 * one for each row of records, whose fields stand in it with one space between. Each field has a
 * kind, and a kind knows what may be written. Only the form is checked here; what needs IDNA or
 * OpenSSL is in store/check.h. No I/O.
 */
#ifndef TABLES_SETTINGS_H
#define TABLES_SETTINGS_H

#include "base/slice.h"

#include <stddef.h>
#include <stdint.h>

#define SETTING_FIELDS_MAX 7
#define SETTING_ENTRIES_MAX 100000  /* of a list; a snapshot holds them all (ipc/snapshot.h) */
#define SETTING_ENTRY_BYTES 1048576 /* of one entry; the public roots are a CA bundle of 230 KB */

enum setting_shape {
	SETTING_ONE,
	SETTING_LIST,	 /* elements of one kind, no two alike */
	SETTING_RECORDS, /* rows of fields */
};

enum field_kind {
	FIELD_FLAG, /* on, off */
	FIELD_CHOICE,
	FIELD_INTEGER,
	FIELD_SECRET, /* text that is never shown; min: its least length */
	FIELD_NAME,   /* of a node or an attachment: names that are safe everywhere */
	FIELD_WORD,   /* printable ASCII without space, at most 128 */
	FIELD_UUID,   /* in lower case, with its hyphens */
	FIELD_DOMAIN,
	FIELD_HOST, /* domain or address */
	FIELD_ADDRESS,
	FIELD_NETWORK,	   /* CIDR */
	FIELD_ENDPOINT,	   /* address:port, [address]:port, or "-" */
	FIELD_PIN,	   /* SHA-256 of a public key, in hex */
	FIELD_PEM,	   /* certificates */
	FIELD_PRIVATE_KEY, /* in PEM; as secret as FIELD_SECRET */
	FIELD_MODULE,	   /* of the log (tables/events.h) */
};

enum { ROLE_EDGE = 1, ROLE_CORE = 2, ROLE_HOME = 4, ROLE_ALL = 7 };
enum { SEEN_BY_TRAFFIC = 1, SEEN_BY_MANAGE = 2, SEEN_BY_RESOLVER = 4 };

enum setting_effect {
	EFFECT_AT_ONCE,	    /* streams that are open obey it too */
	EFFECT_NEW_STREAMS, /* those open go on as they were */
};

struct setting_field {
	const char *name; /* of a record's field; NULL otherwise */
	enum field_kind kind;
	int64_t min, max;	/* of an integer; min alone: least length of a secret */
	const char *choices[4]; /* up to the first NULL */
	bool optional;		/* may be left out at the end of a record */
};

struct setting {
	const char *name;
	enum setting_shape shape;
	const char *otherwise; /* the default; NULL: no entry */
	const char *unit;      /* of an integer */
	unsigned roles;	       /* ROLE_...: nodes that have it */
	unsigned seen_by;      /* SEEN_BY_... */
	enum setting_effect effect;
	bool internal; /* made by the node itself, not set by hand */
	bool random;   /* a secret whose default is made at random */
	bool keyed;    /* records: no two rows with the same first field */
	struct setting_field fields[SETTING_FIELDS_MAX]; /* one, unless it is records */
	size_t fields_count;
	const char *help;
	const char *reason; /* of the limits of an integer */
};

extern const struct setting settings[];
extern const size_t settings_count;

const struct setting *setting_find(const char *name); /* NULL: no such setting */
bool field_is_secret(const struct setting_field *field);
bool setting_is_secret(const struct setting *setting); /* some field is */

struct setting_value {
	char **entries;
	size_t count;
};

/*
 * Reads what was typed or stored: `words` are the entries. On failure *why is a sentence that names
 * the setting, what was wrong and what it should be (but never a secret); the caller frees it.
 */
bool setting_read(const struct setting *setting, const char *const *words, size_t count,
		  struct setting_value *value, char **why);
void setting_default(const struct setting *setting, struct setting_value *value);
bool setting_value_equals(const struct setting_value *a, const struct setting_value *b);
void setting_value_copy(const struct setting_value *from, struct setting_value *to);
void setting_value_finish(struct setting_value *value);

/* The fields of an entry, lent by it; those left out are absent. Returns how many are there. */
size_t setting_split(const struct setting *setting, const char *entry,
		     struct slice fields[SETTING_FIELDS_MAX]);

/* The refusals that more than one module makes: "NAME: 'TEXT' is not WHAT", allocated. */
char *setting_refusal(const struct setting *setting, const struct setting_field *field,
		      struct slice text);

#endif
