/*
 * The sessions of the web page: who logged in, from where, until when. In memory only: whoever
 * restarts the node logs everybody out. Tokens are known by their hashes, so that no time that a
 * look-up takes tells of them. Bounded: when all places are taken, the account that logs in loses
 * its own session that was silent longest, and if it has none the one that was of all.
 *
 * A session ends with silence, with log-out, and when its account goes, changes its role or, not
 * by this session, its password. No I/O, no clock.
 */
#ifndef ADMIN_HTTP_SESSION_H
#define ADMIN_HTTP_SESSION_H

#include "admin/accounts.h"

#define SESSION_SECRET_BYTES 32
#define SESSION_TOKEN_BYTES 44 /* base64url, with its end */
#define SESSION_FROM_BYTES 64

struct session {
	uint64_t number; /* never used again */
	char name[ACCOUNT_NAME_BYTES];
	enum access access;
	char csrf[SESSION_TOKEN_BYTES];
	char from[SESSION_FROM_BYTES]; /* where it logged in */
};

struct sessions;

/* Told of each that ends; `why` completes "session ended: ...". */
typedef void sessions_ended_fn(void *arg, const struct session *session, const char *why);

struct sessions *sessions_create(sessions_ended_fn *ended, void *arg);
void sessions_destroy(struct sessions **sessions); /* nobody is told */
/* Ends what is too much. */
void sessions_bound(struct sessions *sessions, size_t max, uint64_t idle_ms, uint64_t now_ms);

/* The token, which only the caller has then, for the cookie. Lent until it ends. */
const struct session *sessions_open(struct sessions *sessions, const struct account *account,
				    const char *from, uint64_t now_ms,
				    char token[SESSION_TOKEN_BYTES]);
/* NULL: there is none. `use`: it is heard of, and its silence begins anew. */
const struct session *sessions_find(struct sessions *sessions, struct slice token, bool use,
				    uint64_t now_ms);
void sessions_end(struct sessions *sessions, uint64_t number, const char *why);
/* This session's own account will have that hash. */
void sessions_expect(struct sessions *sessions, uint64_t number, const char *hash);
/* Ends those that were silent too long, and those whose account is not what it was. */
void sessions_sweep(struct sessions *sessions, const struct accounts *accounts, uint64_t now_ms);

#endif
