/* A short list of texts that it owns, without order or with, no faster than it must be. Plain data:
 * all zero is empty. */
#ifndef AXL_TEXT_LIST_H
#define AXL_TEXT_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct text_list {
	char **items;
	size_t count;
};

bool text_list_has(const struct text_list *list, const char *text);
void text_list_add(struct text_list *list, const char *text); /* there already: once is enough */
bool text_list_covers(const struct text_list *all, const struct text_list *some);
void text_list_finish(struct text_list *list);

#endif
