/*
 * Control's care for captures: each is a process of its own (sallyport-capture), one at a time,
 * that writes into memory of control's. What it brought is kept there until others push it out or
 * the node stops. Starts, ends and why are in the log; bytes of packets and secrets never are.
 */
#ifndef PROCESS_CAPTURES_H
#define PROCESS_CAPTURES_H

#include "process/capture_job.h"
#include "process/supervise.h"

#define CAPTURES_KEPT 4 /* beside the one that runs; the oldest goes */
#define CAPTURE_NAME_BYTES 64
#define CAPTURE_PIECE_BYTES ((size_t)1 << 20) /* of a file, at a time */

struct captures;

struct capture_order {
	const char *name; /* replaces one that is kept; [A-Za-z0-9._-], no dot at its beginning */
	const char *author;
	struct capture_job job;
	bool secrets;	    /* of the streams that begin while it runs */
	const char *domain; /* of those with it alone; NULL: of all, links included */
};

/* The capture of that name has begun, or ended; `why` not NULL: it has not, for people. Once, now
 * or later. */
typedef void captures_fn(void *arg, uint32_t request, const char *name, const char *why);

struct captures *captures_create(struct loop *loop, struct supervisor *supervisor);
void captures_destroy(struct captures **captures); /* nobody is answered */

/* One that runs under the same name is broken off and replaced. The order is copied. */
void captures_start(struct captures *captures, const struct capture_order *order,
		    captures_fn *begun, void *arg, uint32_t request);
/* Ends what runs, and says when its file is whole; `why` NULL then. */
void captures_stop(struct captures *captures, captures_fn *ended, void *arg, uint32_t request);
/* The name of what runs; NULL: nothing does. */
const char *captures_running(const struct captures *captures);
/* At most CAPTURE_PIECE_BYTES of a whole file from that place on, and the size of all. False and
 * *why (allocated). */
bool captures_read(struct captures *captures, const char *name, uint64_t offset, struct buffer *out,
		   uint64_t *size, char **why);
/* Why one that is over brought nothing; lent. NULL: it did, it runs, or there is none. */
const char *captures_loss(const struct captures *captures, const char *name);
void captures_forget(struct captures *captures, const char *name); /* one that is kept */

/* What the capture process says; that it is over (supervisor_config.ended); that traffic is there
 * anew, and must be told again whose secrets are wanted. */
void captures_take(struct captures *captures, struct slice body);
void captures_ended(struct captures *captures, const char *why);
void captures_traffic_ready(struct captures *captures);

/* Appends records for the status (admin/status.h): capture. */
void captures_report(const struct captures *captures, struct buffer *out);

bool capture_name_is_good(const char *name);

#endif
