#include "provision/questions.h"

#include "base/alloc.h"

#include <stdlib.h>

struct question {
	struct questions *questions;
	struct question *next;
	uint64_t tag, number;
	question_fn *answered;
	void *arg;
	struct timer timer;
};

struct questions {
	const struct tunnels_config *config;
	struct question *list;
	uint64_t last_tag;
};

struct questions *questions_create(const struct tunnels_config *config)
{
	struct questions *questions = xcalloc(1, sizeof(*questions));

	questions->config = config;
	return questions;
}

static void destroy(struct question *question)
{
	struct question **link = &question->questions->list;

	while (*link != question)
		link = &(*link)->next;
	*link = question->next;
	loop_disarm(question->questions->config->loop, &question->timer);
	free(question);
}

void questions_destroy(struct questions **questions)
{
	if (!*questions)
		return;
	while ((*questions)->list)
		destroy((*questions)->list);
	free(*questions);
	*questions = NULL;
}

static void answer(struct question *question, bool done, const char *text)
{
	struct question copy = *question;

	destroy(question);
	copy.answered(copy.arg, copy.number, done, text);
}

static void on_silence(struct timer *timer)
{
	answer((void *)((char *)timer - offsetof(struct question, timer)), false,
	       "control does not answer");
}

void questions_ask(struct questions *questions, const char *author, const char *const *words,
		   question_fn *answered, void *arg, uint64_t number)
{
	struct question *question = xcalloc(1, sizeof(*question));

	*question = (struct question){ .questions = questions,
				       .next = questions->list,
				       .tag = ++questions->last_tag,
				       .number = number,
				       .answered = answered,
				       .arg = arg,
				       .timer.fire = on_silence };
	questions->list = question;
	loop_arm(questions->config->loop, &question->timer, QUESTION_MS);
	questions->config->ask(questions->config->arg, question->tag, author, words);
}

bool questions_answer(struct questions *questions, uint64_t tag, bool done, const char *text)
{
	for (struct question *question = questions->list; question; question = question->next) {
		if (question->tag == tag) {
			answer(question, done, text);
			return true;
		}
	}
	return false;
}

void questions_forget(struct questions *questions, const void *arg)
{
	struct question *next;

	for (struct question *question = questions->list; question; question = next) {
		next = question->next;
		if (question->arg == arg)
			destroy(question);
	}
}
