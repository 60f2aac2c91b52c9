/*
 * Questions about dialback keys that were shown to us, of one domain pair: kept from an inbound
 * stream's S2S_VERIFY until the authoritative server's answer, over as many connections as it takes
 * to reach that server. Each is answered once, later from the loop, and to the inbound stream of
 * its number, if that is still there.
 */
#ifndef ROUTER_S2S_QUESTIONS_H
#define ROUTER_S2S_QUESTIONS_H

#include "net/loop.h"
#include "xmpp/s2s_out.h"

struct s2s_port;
struct s2s_question;

struct s2s_questions {
	struct s2s_port *port;
	struct loop *loop;
	struct s2s_question *first; /* NULL: none */
	struct loop_task answer;
};

void s2s_questions_init(struct s2s_questions *questions, struct s2s_port *port, struct loop *loop);
void s2s_questions_finish(struct s2s_questions *questions); /* unanswered */

/* More than S2S_OUT_VERIFIES_MAX at a time are answered with FAILURE_QUEUE_FULL. NULL then. */
struct s2s_question *s2s_questions_add(struct s2s_questions *questions, uint64_t inbound,
				       uint64_t request, const struct dialback_claim *claim,
				       struct slice key, uint64_t due_ms);
/* Puts one, or all that are open, to the session. */
void s2s_question_ask(const struct s2s_question *question, struct s2s_out *session);
void s2s_questions_ask(struct s2s_questions *questions, struct s2s_out *session);

/*
 * S2S_VERIFIED. An error verdict may be the stream's end, and another address can still answer: it
 * counts only once it is settled, as the stream goes on.
 */
void s2s_questions_take(struct s2s_questions *questions, const struct s2s_action *action);
void s2s_questions_settle(struct s2s_questions *questions);

/* Answers all that are open, or those whose time is over, with an error. */
void s2s_questions_fail(struct s2s_questions *questions, enum failure failure);
void s2s_questions_expire(struct s2s_questions *questions, uint64_t now_ms, enum failure failure);

#endif
