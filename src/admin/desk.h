/*
 * Where requests are dealt with: looks the command up, refuses who may not, asks the processes,
 * and answers. Every request is answered once, some from inside desk_ask. What is asked is
 * logged, values of settings are not: any might be a secret.
 *
 * What manage itself does is the owner's: it is told by `manage` and answers by desk_answer, from
 * inside or later, once; it has its own deadline, which is below PROTOCOL_SLOW_MS.
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

/* `session` is whose request it was; text and data are lent. */
typedef void desk_answer_fn(void *arg, uint64_t session, enum reply_status status,
			    struct slice text, json_t *data);
/* A command of COMMAND_MANAGE (ctl/grammar.c); the words are lent. */
typedef void desk_manage_fn(void *arg, uint64_t session, const char *author, const char *verb,
			    const char *const *arguments, size_t count);

struct desk_config {
	struct loop *loop;
	struct watch *watch; /* lent: judges every status that is asked for */
	desk_answer_fn *answer;
	desk_manage_fn *manage;
	void *arg;
};

struct desk *desk_create(const struct desk_config *config);
void desk_destroy(struct desk **desk);

/* How control or traffic are reached; NULL: not at all. The messenger stays the caller's. */
void desk_reach(struct desk *desk, enum process process, struct messenger *messenger);
/* Each message of theirs that may be a reply. */
void desk_take(struct desk *desk, enum process from, const struct message *message);

void desk_ask(struct desk *desk, uint64_t session, const struct visitor *visitor,
	      const struct request *request);
void desk_answer(struct desk *desk, uint64_t session, enum reply_status status, const char *text);

#endif
