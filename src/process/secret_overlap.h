/*
 * The dialback secret that was in force before is dropped once federation.dialback_secret_overlap
 * has passed since the change, also if the node was down meanwhile: the time of the change is in
 * the history.
 */
#ifndef PROCESS_SECRET_OVERLAP_H
#define PROCESS_SECRET_OVERLAP_H

#include "net/loop.h"
#include "process/configure.h"

struct secret_overlap;
/* `configure` is lent. Looks at once. */
struct secret_overlap *secret_overlap_create(struct loop *loop, const struct configure *configure);
void secret_overlap_destroy(struct secret_overlap **overlap);
void secret_overlap_changed(struct secret_overlap *overlap); /* settings were; NULL is fine */

#endif
