/*
 * Where to dial for a domain (RFC 6120 3.2): static routes if there are any, else the SRV records
 * with their targets' addresses, else, when the DNS proves that there is no SRV record, the
 * domain's own addresses at port 5269. Addresses that a public record must not name are left out
 * (policy/address.h), and so are our own listeners. The answer comes from the loop, never from
 * inside target_find.
 */
#ifndef NET_TARGET_H
#define NET_TARGET_H

#include "net/conn.h"
#include "net/dns.h"
#include "policy/policy.h"

#define TARGET_CANDIDATES_MAX 32 /* addresses tried for one domain, in order */
#define TARGET_HOSTS_MAX 16	 /* SRV targets or routes looked up for one domain */

struct target;

struct target_candidate {
	struct conn_address address;
	char host[DOMAIN_BYTES + 1]; /* SRV target, or the domain */
};

struct target_answer {
	enum failure failure;			   /* NONE: there are candidates */
	const char *why;			   /* for the log; may be NULL */
	const struct target_candidate *candidates; /* lent until the callback returns */
	size_t count;
	const char *method; /* "SRV", "A", "STATIC" */
	/* "TOTAL:0.003157 SRV:0.002885", seconds as measured */
	const char *timings;
};

/* What was found out on the way, for people, as it happens. `took_us` 0: not measured. */
typedef void target_note_fn(void *arg, bool good, uint32_t took_us, const char *text);
typedef void target_fn(void *arg, const struct target_answer *answer);

struct target_rules { /* lent while the lookup runs */
	const struct policy_route *routes;
	size_t routes_count;
	const struct network *allowed;
	size_t allowed_count;
	/* Where this node listens itself; a public record that leads there is refused. An address
	 * of all zeros stands for all of the host's. */
	const struct conn_address *own;
	size_t own_count;
	candidates_random_fn *random;
	void *random_arg;
	target_note_fn *note; /* NULL: nobody wants to know; gets the callback's argument */
	bool watched;	      /* what is logged is logged whatever the levels */
};

/* `domain`: prepared. `xcoder` for the log. All is copied but the rules. */
struct target *target_find(struct loop *loop, struct dns *dns, const char *domain,
			   const char *xcoder, const struct target_rules *rules, target_fn *found,
			   void *arg);
void target_cancel(struct target **target); /* the callback is not called; NULL is fine */

#endif
