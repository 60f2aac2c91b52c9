#include "axl/text_list.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

bool text_list_has(const struct text_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i], text) == 0)
			return true;
	}
	return false;
}

void text_list_add(struct text_list *list, const char *text)
{
	if (text_list_has(list, text))
		return;
	list->items = xrealloc(list->items, (list->count + 1) * sizeof(*list->items));
	list->items[list->count++] = xstrdup(text);
}

bool text_list_covers(const struct text_list *all, const struct text_list *some)
{
	for (size_t i = 0; i < some->count; i++) {
		if (!text_list_has(all, some->items[i]))
			return false;
	}
	return true;
}

void text_list_finish(struct text_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct text_list){ 0 };
}
