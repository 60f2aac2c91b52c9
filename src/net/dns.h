/*
 * DNS for a process that may not speak it: questions go to the resolver process over a channel,
 * typed answers come back. Each question has a deadline of its own. Answers arrive from the loop,
 * never from inside dns_ask. When the resolver process dies, what is outstanding is asked again of
 * its successor, within the deadlines.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "ipc/channel.h"
#include "net/loop.h"
#include "policy/candidates.h"

#define DNS_TIMEOUT_MS 10000 /* of one question */
#define DNS_RECORDS_MAX 32   /* of one answer; more are cut, which is logged */
#define DNS_NAME_BYTES 253

struct dns;
struct dns_query;

enum dns_type { DNS_SRV, DNS_A, DNS_AAAA, DNS_TYPE_COUNT };

enum dns_status {
	DNS_FOUND,
	DNS_ABSENT,   /* proven: no such name (NXDOMAIN) */
	DNS_EMPTY,    /* proven: the name has no such record (NODATA) */
	DNS_SERVFAIL, /* or any other error of a server */
	DNS_TIMED_OUT,
	DNS_BOGUS_ANSWER, /* DNSSEC says forged */
	DNS_UNAVAILABLE,  /* no resolver process within the deadline, or no server for it to ask */
	DNS_STATUS_COUNT,
};
const char *dns_type_name(enum dns_type type);	     /* "SRV", "A", "AAAA" */
const char *dns_status_name(enum dns_status status); /* "found", "absent", ... */

struct dns_answer {
	enum dns_type type;
	enum dns_status status;
	bool secure;	  /* validated by DNSSEC */
	uint32_t ttl_s;	  /* how long it is true; also of ABSENT and EMPTY; 0: not told */
	uint32_t took_us; /* measured from dns_ask to the answer */
	const char *name; /* as asked */
	/* lent until the callback returns; SRV targets are lower case, without the last dot */
	struct srv_record *srv;	   /* of SRV */
	struct address *addresses; /* of A, AAAA */
	size_t count;
	const char *why; /* BOGUS_ANSWER, SERVFAIL: for people; may be NULL */
};

/* The question is over when it is called: its dns_query is no more. */
typedef void dns_fn(void *arg, const struct dns_answer *answer);

/* `resolver_fd`: the channel's descriptor, taken; -1: none yet. `self`: who we are. */
struct dns *dns_create(struct loop *loop, enum process self, int resolver_fd);
void dns_destroy(struct dns **dns); /* callbacks are not called any more */
/* A new resolver process (MESSAGE_PEER from control). */
void dns_set_resolver(struct dns *dns, int resolver_fd);

/* `name`: prepared domain, "_xmpp-server._tcp.example.net"; one that the DNS cannot hold, being too
 * long with its prefix, is ABSENT. NULL is never returned. */
struct dns_query *dns_ask(struct dns *dns, enum dns_type type, const char *name, dns_fn *answered,
			  void *arg);
/* Its answer is logged whatever the levels. */
void dns_watch(struct dns_query *query);
void dns_cancel(struct dns_query **query); /* the callback is not called; NULL is fine */

#endif
