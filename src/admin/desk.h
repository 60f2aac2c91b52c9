/*
 * Where requests are dealt with, whoever they come from: looks the command up, refuses who may not,
 * asks the processes or the part of manage that registered its verb, and answers. Every request is
 * answered once, some from inside desk_ask; a command that streams tells pieces before that. What
 * is asked is logged, values of settings are not: any might be a secret.
 */
#ifndef ADMIN_DESK_H
#define ADMIN_DESK_H

#include "admin/visitor.h"
#include "admin/watch.h"
#include "ctl/protocol.h"
#include "net/messenger.h"

#define DESK_STATUS_MS 2000   /* for each process to say how it does; the others are shown then */
#define DESK_FORWARD_MS 10000 /* a change may wait for a slow disk */

struct desk;

/* Who takes the answer; `session` is the asker's own. Text and data are lent. */
struct desk_asker {
	/* A piece of an answer that streams; more comes. */
	void (*tell)(void *arg, uint64_t session, struct slice text, json_t *data);
	void (*answer)(void *arg, uint64_t session, enum reply_status status, struct slice text,
		       json_t *data);
	void *arg;
	uint64_t session;
	/* How many bytes of pieces it has not taken yet. NULL: nobody knows. */
	size_t (*behind)(void *arg, uint64_t session);
};

/* A request for a verb of COMMAND_MANAGE; lent until the callee returns. */
struct errand {
	uint64_t number; /* to answer with */
	const struct visitor *visitor;
	const char *const *words; /* the arguments, without --json */
	size_t count;
	bool json; /* data is wanted; without it the text is enough */
};
/*
 * What a part of manage does for people. It answers by desk_answer, from inside or later, once,
 * with a deadline of its own below PROTOCOL_SLOW_MS; what streams has no deadline.
 */
struct desk_part {
	const char *verb;
	void (*run)(void *arg, const struct errand *errand);
	/* Who asked has gone, before the answer; nobody hears it any more. NULL: that changes
	 * nothing. */
	void (*gone)(void *arg, uint64_t number);
};

struct desk_config {
	struct loop *loop;
	struct watch *watch; /* lent: judges every status that is asked for */
};

struct desk *desk_create(const struct desk_config *config);
void desk_destroy(struct desk **desk);

/* `parts` ends with a verb of NULL and must live as long as the desk. No verb twice. */
void desk_register(struct desk *desk, const struct desk_part *parts, void *arg);

/* How control or traffic are reached; NULL: not at all. The messenger stays the caller's. */
void desk_reach(struct desk *desk, enum process process, struct messenger *messenger);
/* Each message of theirs that may be a reply. */
void desk_take(struct desk *desk, enum process from, const struct message *message);

void desk_ask(struct desk *desk, const struct desk_asker *asker, const struct visitor *visitor,
	      const struct request *request);
/* The asker is gone: its request is not answered. One who has none: fine. */
void desk_leave(struct desk *desk, void *arg, uint64_t session);

/* For parts. A number that is gone meanwhile is not found, and nothing happens. */
void desk_tell(struct desk *desk, uint64_t number, const char *text, json_t *data);
void desk_answer(struct desk *desk, uint64_t number, enum reply_status status, const char *text,
		 json_t *data); /* data is lent; NULL: none */
/* How many bytes of what was told wait to be taken: who tells much waits until they are few. */
size_t desk_behind(const struct desk *desk, uint64_t number);

#endif
