/*
 * The notification of the walk-through: that the router must be restarted before it works by what
 * is stored. It is raised when a change of xmpps2snodes makes the stored table another than the one
 * that traffic has loaded, while router.apply is restart; counts further such changes; and goes
 * when both are the same again, or by hand, after which only a further change raises it anew. Kept
 * in the store (store/notification.h); which table is loaded, traffic tells (MESSAGE_LOADED).
 */
#ifndef PROCESS_NOTICES_H
#define PROCESS_NOTICES_H

#include "base/buffer.h"
#include "process/node.h"

#define NOTICES_ROWS_MAX 1000 /* that traffic may tell; as many as the table takes */

struct notices;

struct notices *notices_create(struct node *node); /* lent */
void notices_destroy(struct notices **notices);

void notices_loaded(struct notices *notices, struct slice body); /* of MESSAGE_LOADED */
void notices_changed(struct notices *notices);			 /* settings, whichever */
bool notices_delete(struct notices *notices, const char *number, char **why);

/* Appends records for the status (admin/status.h): notification, loaded-revision, loaded. */
void notices_report(const struct notices *notices, struct buffer *out);

#endif
