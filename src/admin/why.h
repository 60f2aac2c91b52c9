/*
 * The parts of the desk for `why` and `probe`: ask traffic, on a core also the edges through the
 * tunnels, and make of it one report (admin/why_report.h, admin/why_text.h).
 */
#ifndef ADMIN_WHY_H
#define ADMIN_WHY_H

#include "admin/desk.h"
#include "provision/tunnels.h"

struct why;

struct why *why_create(struct loop *loop, struct desk *desk, struct tunnels *tunnels);
void why_destroy(struct why **why); /* what is open stays unanswered */

/* How traffic is reached; NULL: not at all. */
void why_reach(struct why *why, struct messenger *traffic);
/* Each message of traffic that may be a reply. */
void why_take(struct why *why, const struct message *message);

#endif
