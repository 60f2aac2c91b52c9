/*
 * Keeping one home server's table xmpps2snodes as it should be: which request comes next, and what
 * an answer means. Looks, deletes what is ours and stale, inserts what is missing, looks again.
 * Rows are named forward only, "cm-2_s2scp-1." and the realm: realms cannot be turned back into
 * names.
 *
 * What an answer means (expressway.md 3.2): 401 stop until settings change; 403 likewise, names the
 * role; 599 the next older schema version, which is remembered; 503 again after a while; a fault,
 * TLS, refused, timeout: again after a while, with the cause. No I/O, no clock.
 */
#ifndef AXL_SYNC_H
#define AXL_SYNC_H

#include "axl/soap.h"

#include "policy/realm.h"

enum axl_trouble {
	AXL_WELL,
	AXL_LOGIN,   /* 401 */
	AXL_ROLE,    /* 403 */
	AXL_VERSION, /* 599 to all versions */
	AXL_BUSY,    /* 503 */
	AXL_FAULT,   /* 500, with a fault */
	AXL_TLS,
	AXL_REFUSED,
	AXL_UNREACHABLE,
	AXL_TIMEOUT,
	AXL_NO_ADDRESS,
	AXL_GIBBERISH, /* not an AXL answer */
	AXL_TROUBLES
};
const char *axl_trouble_name(enum axl_trouble trouble);	 /* "login", "role", ... */
const char *axl_trouble_cause(enum axl_trouble trouble); /* a sentence for people */
const char *axl_trouble_fix(enum axl_trouble trouble);	 /* likewise */
bool axl_trouble_is_final(enum axl_trouble trouble); /* nothing but a change of settings helps */

struct axl_sync;

enum axl_action_type {
	AXL_ACT_NONE,
	AXL_ACT_SEND,	/* `request`, lent until the next call */
	AXL_ACT_DONE,	/* the table is as it should be; `changed` rows were written */
	AXL_ACT_FAILED, /* `trouble`, `why`; try again in `retry_s`, 0: when settings change */
};
struct axl_action {
	enum axl_action_type type;
	const struct axl_request *request;
	enum axl_trouble trouble;
	const char *why;
	unsigned retry_s;
	unsigned changed;
};

struct axl_sync *axl_sync_create(void);
void axl_sync_destroy(struct axl_sync **sync);
/* What should be there, and which realms we ever wrote: those not wanted are stale. Copied. */
void axl_sync_want(struct axl_sync *sync, const char *const *realms, size_t count,
		   const char *const *written, size_t written_count);
void axl_sync_begin(struct axl_sync *sync); /* begins a round, if none is under way */
/* The answer to the request: an HTTP status and body, or a trouble before there was one. */
void axl_sync_answer(struct axl_sync *sync, long status, struct slice body);
void axl_sync_trouble(struct axl_sync *sync, enum axl_trouble trouble, const char *why);
struct axl_action axl_sync_next(struct axl_sync *sync);

const char *axl_sync_version(const struct axl_sync *sync); /* the schema version in use */
/* After DONE: rows of realms that we neither want nor wrote, somebody else's. */
size_t axl_sync_foreign(const struct axl_sync *sync, const char *const **cp_ids);
bool axl_sync_has_stale(const struct axl_sync *sync); /* after DONE: false, all are gone */

#endif
