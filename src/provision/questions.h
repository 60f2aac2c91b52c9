/*
 * What is asked of control, until it answers: each question once, in its turn, and when control is
 * silent for 10 s the answer is that it does not answer.
 */
#ifndef PROVISION_QUESTIONS_H
#define PROVISION_QUESTIONS_H

#include "provision/tunnels.h"

#define QUESTION_MS 10000
#define QUESTION_AUTHOR_PAIRING "pairing"

struct questions;

/* `number` is what was given to questions_ask. */
typedef void question_fn(void *arg, uint64_t number, bool done, const char *text);

struct questions *questions_create(const struct tunnels_config *config); /* *config is lent */
void questions_destroy(struct questions **questions);			 /* nobody is answered */
void questions_ask(struct questions *questions, const char *author, const char *const *words,
		   question_fn *answered, void *arg, uint64_t number);
/* False: nobody waits for it (any more). */
bool questions_answer(struct questions *questions, uint64_t tag, bool done, const char *text);
void questions_forget(struct questions *questions, const void *arg); /* who is gone */

#endif
