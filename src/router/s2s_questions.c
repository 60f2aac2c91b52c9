#include "router/s2s_questions.h"

#include "base/alloc.h"
#include "router/s2s_internal.h"

#include <stdlib.h>

struct s2s_question {
	struct s2s_question *next;
	uint64_t number; /* ours: the session's request */
	uint64_t inbound, request;
	char *sender, *target, *stream_id, *key;
	size_t key_len;
	uint64_t due_ms;
	bool answered;
	enum s2s_verdict verdict;
	enum failure failure;
};

static void free_question(struct s2s_question *q)
{
	free(q->sender);
	free(q->target);
	free(q->stream_id);
	free(q->key);
	free(q);
}

/* Those that are answered leave. */
static void on_answer(struct loop_task *task)
{
	struct s2s_questions *questions =
		(void *)((char *)task - offsetof(struct s2s_questions, answer));
	struct s2s_question **link = &questions->first;

	while (*link) {
		struct s2s_question *q = *link;
		struct s2s_inbound *inbound;

		if (!q->answered) {
			link = &q->next;
			continue;
		}
		*link = q->next;
		inbound = map_get(&questions->port->inbound,
				  (struct slice){ (const char *)&q->inbound, sizeof(q->inbound) });
		if (inbound)
			s2s_inbound_verified(inbound, q->request, q->verdict, q->failure);
		free_question(q);
	}
}

static void answer(struct s2s_questions *questions, struct s2s_question *q,
		   enum s2s_verdict verdict, enum failure failure)
{
	q->answered = true;
	q->verdict = verdict;
	q->failure = failure;
	loop_defer(questions->loop, &questions->answer);
}

void s2s_questions_init(struct s2s_questions *questions, struct s2s_port *port, struct loop *loop)
{
	*questions = (struct s2s_questions){ .port = port, .loop = loop, .answer.run = on_answer };
}

void s2s_questions_finish(struct s2s_questions *questions)
{
	loop_undefer(questions->loop, &questions->answer);
	while (questions->first) {
		struct s2s_question *q = questions->first;

		questions->first = q->next;
		free_question(q);
	}
}

struct s2s_question *s2s_questions_add(struct s2s_questions *questions, uint64_t inbound,
				       uint64_t request, const struct dialback_claim *claim,
				       struct slice key, uint64_t due_ms)
{
	static uint64_t numbers;
	struct s2s_question *q = xcalloc(1, sizeof(*q)), **link = &questions->first;
	size_t count = 0;

	q->number = ++numbers;
	q->inbound = inbound;
	q->request = request;
	q->sender = xstrdup(claim->sender_domain);
	q->target = xstrdup(claim->target_domain);
	q->stream_id = xstrdup(claim->stream_id);
	q->key = xstrndup(key.data, key.len);
	q->key_len = key.len;
	q->due_ms = due_ms;
	for (; *link; link = &(*link)->next)
		count++;
	*link = q;
	if (count < S2S_OUT_VERIFIES_MAX)
		return q;
	answer(questions, q, S2S_VERDICT_ERROR, FAILURE_QUEUE_FULL);
	return NULL;
}

void s2s_question_ask(const struct s2s_question *q, struct s2s_out *session)
{
	s2s_out_verify(session,
		       &(struct dialback_claim){ .sender_domain = q->sender,
						 .target_domain = q->target,
						 .stream_id = q->stream_id },
		       (struct slice){ q->key, q->key_len }, q->number);
}

void s2s_questions_ask(struct s2s_questions *questions, struct s2s_out *session)
{
	for (struct s2s_question *q = questions->first; q; q = q->next) {
		if (q->answered)
			continue;
		q->failure = FAILURE_NONE;
		s2s_question_ask(q, session);
	}
}

void s2s_questions_take(struct s2s_questions *questions, const struct s2s_action *action)
{
	for (struct s2s_question *q = questions->first; q; q = q->next) {
		if (q->number != action->request || q->answered)
			continue;
		if (action->verdict == S2S_VERDICT_ERROR)
			q->failure = action->failure;
		else
			answer(questions, q, action->verdict, FAILURE_NONE);
		return;
	}
}

void s2s_questions_settle(struct s2s_questions *questions)
{
	for (struct s2s_question *q = questions->first; q; q = q->next) {
		if (!q->answered && q->failure != FAILURE_NONE)
			answer(questions, q, S2S_VERDICT_ERROR, q->failure);
	}
}

void s2s_questions_fail(struct s2s_questions *questions, enum failure failure)
{
	for (struct s2s_question *q = questions->first; q; q = q->next) {
		if (!q->answered)
			answer(questions, q, S2S_VERDICT_ERROR, failure);
	}
}

void s2s_questions_expire(struct s2s_questions *questions, uint64_t now_ms, enum failure failure)
{
	for (struct s2s_question *q = questions->first; q; q = q->next) {
		if (!q->answered && q->due_ms <= now_ms)
			answer(questions, q, S2S_VERDICT_ERROR, failure);
	}
}
