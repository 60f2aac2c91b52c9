/*
 * What `sallyport why` and `probe` say of a domain: traffic's records (router/gateway.h) as JSON,
 * and the judgement on them: one verdict, one sentence, the cause and the fix. Traffic hears
 * strangers, so its bytes are believed in nothing but their contents. No I/O.
 *
 * {"domain","node","role","verdict","failure","headline","cause","fix","command","seen","policy",
 *  "queue","retry_ms","attempts"}; of several nodes also "nodes", each with such an object.
 *Verdicts: up	stanzas get through now, or did when they were sent last failed	the last attempt in
 *a direction failed refused	a rule here keeps the domain away waiting	an attempt runs, and
 *nothing failed so far idle	it worked, and no stream is open never	nothing was ever attempted
 */
#ifndef ADMIN_WHY_REPORT_H
#define ADMIN_WHY_REPORT_H

#include "base/slice.h"

#include <jansson.h>

#define WHY_ATTEMPTS_MAX 8  /* of a report; traffic tells six */
#define WHY_STEPS_MAX 64    /* of an attempt */
#define WHY_ROWS_MAX 1000   /* of policies and queues */
#define WHY_TEXT_BYTES 1024 /* of one field */

/* NULL: cannot be read. */
json_t *why_report(struct slice records);
/* What an edge says to a core, under the name that it is pinned as, of the domain that it was asked
 * about. What happened is its word; the judgement, what helps, and the command that people paste
 * are made anew. */
json_t *why_heard(const json_t *said, const char *node, const char *domain);
/* What a core says: `reports` is an array of the objects of edges. Takes both; `of` is the core's
 * own. */
json_t *why_merge(json_t *of, json_t *reports);

#endif
