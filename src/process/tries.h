/*
 * Dry runs that wait for traffic: it is handed the settings as they would be (MESSAGE_TRY) and says
 * what they would do to what is open. Each is answered once, in time, whatever traffic does.
 */
#ifndef PROCESS_TRIES_H
#define PROCESS_TRIES_H

#include "process/configure.h"
#include "process/supervise.h"

#define TRIES_MS 5000

struct tries;
struct tries *tries_create(struct loop *loop, struct supervisor *supervisor);
void tries_destroy(struct tries **tries);
/* Takes what is in *try; the reply goes to manage, as that of `request`. */
void tries_begin(struct tries *tries, uint32_t request, struct configure_try *try);
void tries_take(struct tries *tries, const struct message *message); /* MESSAGE_TRY_REPLY */

#endif
