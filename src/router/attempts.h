/*
 * What happened with the domains of the world: the last attempts out and in of each, step by step,
 * and how each domain does. An engine: no clock, no log; strangers decide much of what it is told,
 * so all that it keeps is bounded.
 *
 * Domains are kept in the order in which they were last talked to. One that nothing but a
 * stranger's claim speaks of (nobody here wrote to it, and it never proved itself) pushes out only
 * others of that kind. Of the attempts of a direction the last that became ready outlives failed
 * ones, so that a forged claim cannot hide when it worked; and while a stream of its own is open,
 * no claim that fails is told as the domain's failure.
 */
#ifndef ROUTER_ATTEMPTS_H
#define ROUTER_ATTEMPTS_H

#include "base/buffer.h"
#include "tables/failures.h"

#include <stdbool.h>
#include <stdint.h>

#define ATTEMPTS_DOMAINS_MAX 1000
#define ATTEMPTS_STRANGERS_MAX 250 /* of these, claimed and never proven */
#define ATTEMPTS_KEPT 3		   /* of a domain and direction */
#define ATTEMPTS_STEPS_MAX 48	   /* of an attempt; those in the middle are left out */
#define ATTEMPTS_TEXT_BYTES 300	   /* of a step's text, escaped */
#define ATTEMPTS_BYTES_MAX ((size_t)16 << 20)

enum attempt_who { ATTEMPT_US, ATTEMPT_PEER, ATTEMPT_DNS, ATTEMPT_POLICY };
enum attempt_step {
	STEP_POLICY,
	STEP_DNS,
	STEP_TCP,
	STEP_STREAM,
	STEP_FEATURES,
	STEP_STARTTLS,
	STEP_TLS,
	STEP_CERTIFICATE,
	STEP_DIALBACK,
	STEP_VERIFY,
	STEP_SASL,
	STEP_READY,
	STEP_CLOSED,
};
enum attempt_verdict { STEP_INFO, STEP_OK, STEP_BAD };

struct attempts;
struct attempt;

struct attempts *attempts_create(void);
void attempts_destroy(struct attempts **attempts);

struct attempt_start {
	const char *local, *remote; /* prepared; remote "": the peer has not said who it is */
	const char *xcoder;
	bool out;
	bool wanted; /* somebody here wants to talk to that domain: it is no stranger */
	uint64_t now_ms, unix_ms;
};
/*
 * Begins an attempt and puts it into *holder; what that held before is let go. The attempt belongs
 * to `attempts`, which puts NULL there when it must make room; all that follows takes NULL.
 */
void attempt_begin(struct attempts *attempts, struct attempt **holder,
		   const struct attempt_start *start);
/* The peer has said who it is, or has proven it. */
void attempt_name(struct attempt *attempt, const char *local, const char *remote);

#define STEP_TOOK_UNKNOWN UINT32_MAX
struct attempt_note {
	uint64_t now_ms;
	uint32_t took_ms; /* or STEP_TOOK_UNKNOWN */
	enum attempt_who who;
	enum attempt_step step;
	enum attempt_verdict verdict;
	struct slice text; /* as it came: escaped and cut here */
	bool completes;	   /* the last step, if that is the same and was INFO: it was begun then */
};
void attempt_note(struct attempt *attempt, const struct attempt_note *note);
/* Stanzas may flow; again for a further pair on the same stream: fine. */
void attempt_ready(struct attempt *attempt, uint64_t now_ms);
/* What was attempted is not reached. */
void attempt_failed(struct attempt *attempt, uint64_t now_ms, enum failure failure,
		    const char *why);
/* The stream's end, in order or not; an attempt that has failed stays failed. */
void attempt_closed(struct attempt *attempt, uint64_t now_ms, enum failure failure,
		    const char *why);
/* Nobody tells more of it: *holder becomes NULL. One that runs ends with its last step. */
void attempt_release(struct attempt **holder);

/* Somebody here wrote to the domain and a rule forbids it: no attempt is made. */
void attempts_refused(struct attempts *attempts, const char *remote, uint64_t now_ms,
		      enum failure failure);
/* Stanzas that a stream to or from the domain carried. */
void attempts_count(struct attempts *attempts, const char *remote, uint64_t stanzas);

/* A domain's records `attempt` and `step` (router/gateway.h), the newest attempt first; false: it
 * was never talked to. */
bool attempts_write(const struct attempts *attempts, const char *remote, uint64_t now_ms,
		    struct buffer *out);
/* Those of one attempt. */
void attempt_write(const struct attempt *attempt, uint64_t now_ms, struct buffer *out);

/* How a domain does. Lent. */
struct attempts_domain {
	const char *remote;
	enum failure failure; /* the last, NONE if it was reached since */
	uint64_t failed_ms;
	const char *why;
	uint64_t stanzas; /* of streams that have ended */
};
/* Walks the domains, last talked to first, strangers behind all others: start with *place = NULL;
 * false at the end. */
bool attempts_next(const struct attempts *attempts, const void **place,
		   struct attempts_domain *domain);

#endif
