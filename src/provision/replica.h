/*
 * What is said in the SSH subsystem `provisioning`, alike on both sides. JSON lines:
 *
 *	{"type":"hello","protocol":1,"release":"0.1.0","node":"edge-a","role":"edge",
 *	 "taken":16}							first
 *	{"type":"settings","revision":17,"document":{...}}
 *	{"type":"ack","revision":17}	{"type":"nak","revision":17,"why":"..."}
 *	{"type":"status","document":{...}}
 *	{"type":"ping","clock_ms":N}	{"type":"pong","ping_ms":N,"clock_ms":M}
 *	{"type":"ask","id":7,"command":["doctor","here"]}
 *	{"type":"answer","id":7,"status":0,"text":"...","data":{...}}
 *
 * Each side publishes one document of settings under its own revision and sends it again on each
 * opening, and a minute after it was refused, until the other has acknowledged that revision; a
 * newer one replaces it. `taken` is the revision of the other's that was stored last, 0 for none
 * since the start: what was acknowledged and is another than that is sent again. `status` needs no
 * answer; only the newest counts. A ping goes out at opening and after each third of the silence
 * that is allowed, and its answer says how far apart the two clocks are: the middle of the round
 * trip is compared. Unknown keys are passed over, unknown types as well: a later release may say
 * more. No I/O; the driver tells monotonic and wall clock.
 */
#ifndef PROVISION_REPLICA_H
#define PROVISION_REPLICA_H

#include "base/buffer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* A status with its alarms, domains by the thousand. */
#define REPLICA_LINE_BYTES ((size_t)4 << 20)
#define REPLICA_PROTOCOL 1

struct replica_clock {
	uint64_t now_ms; /* monotonic */
	int64_t wall_ms; /* since 1970 */
};

struct replica_options { /* copied */
	const char *node, *role, *release;
	const char *other_node, *other_role; /* pinned; another name or role is refused */
	unsigned silence_ms;
};

enum replica_event_type {
	REPLICA_NONE,
	REPLICA_TIMER,	  /* call replica_timeout in `ms` */
	REPLICA_READY,	  /* hello was said and heard */
	REPLICA_SETTINGS, /* store `document` of `revision`, then say replica_answer */
	REPLICA_ACKED,	  /* the other has stored our `revision` */
	REPLICA_NAKED,	  /* it refuses it: `why` */
	REPLICA_STATUS,	  /* `document` */
	REPLICA_ASK,	  /* answer the words in `document`, a list, under `number` */
	REPLICA_ANSWER, /* to what we asked under `number`: `status`, `text`, `document` or NULL */
	REPLICA_CLOSED, /* close the tunnel: `why` */
};
struct replica_event {
	enum replica_event_type type;
	uint64_t revision;
	unsigned ms;
	json_t *document; /* lent until the next call, as text and why are */
	const char *why;
	uint64_t number;
	unsigned status;
	const char *text;
};

struct replica; /* outlives tunnels: opened again and again */
struct replica *replica_create(const struct replica_options *options);
void replica_destroy(struct replica **replica);

void replica_open(struct replica *replica, const struct replica_clock *clock); /* a new tunnel */
void replica_closed(struct replica *replica);				       /* it is gone */
void replica_feed(struct replica *replica, struct slice bytes, const struct replica_clock *clock);
void replica_timeout(struct replica *replica, const struct replica_clock *clock);
/* The document is copied by reference; the same revision twice is sent once. */
void replica_publish(struct replica *replica, uint64_t revision, json_t *document);
void replica_report(struct replica *replica, json_t *status); /* replaces one not sent yet */
void replica_answer(struct replica *replica, uint64_t revision, bool stored, const char *why);
/*
 * Asks the other a command, and answers one. Numbers are the asker's own; that an answer comes is
 * not promised. False: it is not open, or the line would be too long: an answer then says so
 * instead.
 */
bool replica_ask(struct replica *replica, uint64_t number, const char *const *words, size_t count);
bool replica_reply(struct replica *replica, uint64_t number, unsigned status, const char *text,
		   json_t *data);
struct replica_event replica_next(struct replica *replica);
struct buffer *replica_output(struct replica *replica);

/* What is known, for people. */
bool replica_is_open(const struct replica *replica);
uint64_t replica_published(const struct replica *replica); /* 0: nothing yet */
uint64_t replica_acknowledged(const struct replica *replica);
uint64_t replica_taken(const struct replica *replica); /* of the other's; 0: nothing yet */
const json_t *replica_other_status(const struct replica *replica); /* NULL: none yet */
uint64_t replica_heard_ms(const struct replica *replica); /* when anything came last, monotonic */
/* How far its clock is ahead of ours, in ms; false: not measured yet. */
bool replica_skew(const struct replica *replica, int64_t *ahead_ms);

#endif
