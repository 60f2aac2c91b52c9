/*
 * How the node does: what the processes report, put together and judged, as JSON and as text.
 *
 * A process reports snapshot bytes (ipc/snapshot.h). Its records, and who may make them:
 *
 *	control	 node name role pin | process name pid state starts last_end
 *		 revision N | listener service address
 *	traffic	 fault text (of its settings)
 *		 link node role state direction unsettled seconds why
 *		 attachment name state unsettled why
 *		 stream in|out xcoder local remote state tls auth stanzas seconds
 *		 queue local remote stanzas bytes oldest_seconds | counter name value
 *
 * Others are passed over, and what traffic, which hears strangers, says of control's matters too.
 * A process, a link or an attachment is well when its state is "up", "ready", "open" or "running";
 * any other state is named as what is wrong. No I/O.
 */
#ifndef ADMIN_STATUS_H
#define ADMIN_STATUS_H

#include "base/slice.h"
#include "ipc/messages.h"

#include <jansson.h>
#include <stdbool.h>

#define STATUS_ROWS_SHOWN 20 /* of each kind, in the text; the JSON has all */

json_t *status_begin(void);
/* Adds what a process reports; false: that cannot be read, and nothing is added. */
bool status_add(json_t *status, enum process from, struct slice report);
/* It reports nothing; why completes the sentence: "does not answer". */
void status_silent(json_t *status, enum process from, const char *why);
/* When all is there: adds "wrong", a list of sentences, and "verdict", one line. */
void status_judge(json_t *status);

/* For a person: the verdict, then tables. Freed by the caller. */
char *status_text(const json_t *status);

#endif
