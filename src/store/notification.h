/*
 * Notifications, in the store's file: what an operator is told to do until it is done. Each change
 * is on the disk when the function returns. What they mean, and when they are raised, is
 * process/notices.h's.
 */
#ifndef STORE_NOTIFICATION_H
#define STORE_NOTIFICATION_H

#include "store/store.h"

#include <stdbool.h>

struct notification {
	int64_t number; /* never used again */
	char *description;
	int64_t count;	   /* how often it was asked for */
	int64_t created_s; /* since 1970 */
};

/* All, oldest first; freed with notification_forget. These return false and *why (allocated) when
 * the file cannot be read or written. */
bool notification_list(struct store *store, struct notification **list, size_t *count, char **why);
void notification_forget(struct notification *list, size_t count);

bool notification_add(struct store *store, const char *description, char **why);
bool notification_count_up(struct store *store, int64_t number, char **why);
/* *found: whether there was one of that number. */
bool notification_delete(struct store *store, int64_t number, bool *found, char **why);

#endif
