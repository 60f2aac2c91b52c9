/*
 * The tunnels between our nodes: serves SSH (edge, home), dials it (core), keeps each tunnel up,
 * pairs, and drives the engines pairing.h and replica.h over net/ssh.h. Who is dialled and whose
 * keys are taken follows from the settings (`nodes`) in each snapshot; nothing here knows a role.
 *
 * A tunnel that is down is dialled again after 1, 2, 4, ... 30 s, half of it random; at once when
 * its address changes. Every change is one line in the log, and the record `tunnel` of the status.
 */
#ifndef PROVISION_TUNNELS_H
#define PROVISION_TUNNELS_H

#include "ipc/snapshot.h"
#include "net/loop.h"

#include <jansson.h>

struct tunnels;

struct tunnels_config {
	struct loop *loop;
	const char *release;
	/* Asks control: `words` (verb, arguments; NULL ends them), in the name of `author`.
	 * Answered later, once, by tunnels_answer with the same `tag`. */
	void (*ask)(void *arg, uint64_t tag, const char *author, const char *const *words);
	/*
	 * Another node asks this one a command (ctl/grammar.h); answered with tunnels_reply, once,
	 * from inside or later. `from` is its name, `role` its role, as pinned. NULL: nobody is
	 * heard.
	 */
	void (*asked)(void *arg, const char *from, const char *role, uint64_t number,
		      const char *const *words, size_t count);
	void *arg;
};

struct tunnels *tunnels_create(const struct tunnels_config *config);
void tunnels_destroy(struct tunnels **tunnels);
void tunnels_listen(struct tunnels *tunnels, int fd); /* takes a listening socket of `provision` */
/* New settings. The snapshot is taken over (and freed one day). False and *why: the key in it
 * cannot be read, or is another than before; nothing is changed. */
bool tunnels_apply(struct tunnels *tunnels, struct snapshot **snapshot, const char **why);
void tunnels_answer(struct tunnels *tunnels, uint64_t tag, bool done, const char *text);

/* Our own status, for all others; sent when it differs from the last. The reference stays ours. */
void tunnels_report(struct tunnels *tunnels, json_t *status);

/*
 * People's commands. `pair`: words "address=IP:PORT", "link=IP:PORT" (what the other side dials,
 * where the listeners don't tell), "for=SECONDS", "axl=PORT" (8443 if not said); text is the
 * code and how long it is good. Answered from inside. `join` is answered later, once.
 */
bool tunnels_pair(struct tunnels *tunnels, const char *const *words, size_t count, char **text);
typedef void tunnels_joined_fn(void *arg, uint64_t session, bool done, const char *text);
void tunnels_join(struct tunnels *tunnels, const char *code, uint64_t session,
		  tunnels_joined_fn *joined, void *arg);

/*
 * Asks another node, on the other end of a tunnel that is up, a command in words. Answered later,
 * once, from the loop: `why` NULL and the status, text and data (lent; NULL: none) that it said, or
 * why there is no answer: "edge-a: the tunnel is down". At most TUNNELS_ASKS_MAX wait at a time.
 */
#define TUNNELS_ASKS_MAX 64
struct tunnels_reply {
	const char *node, *why;
	unsigned status; /* enum reply_status of ctl/protocol.h */
	const char *text;
	json_t *data;
};
typedef void tunnels_reply_fn(void *arg, uint64_t tag, const struct tunnels_reply *reply);
void tunnels_ask(struct tunnels *tunnels, const char *node, const char *const *words, size_t count,
		 unsigned timeout_ms, uint64_t tag, tunnels_reply_fn *answered, void *arg);
/* Those nodes, by name, in the order of the settings, that can be asked now: {"name","role"}. */
json_t *tunnels_reachable(const struct tunnels *tunnels);
/* The answer to config.asked; a node that is gone meanwhile is not found. */
void tunnels_reply(struct tunnels *tunnels, uint64_t number, unsigned status, const char *text,
		   json_t *data);

/*
 * Appends records for the status (admin/status.h):
 *	tunnel NODE ROLE STATE DIRECTION SECONDS WHY OURS ACKNOWLEDGED THEIRS HEARD_MS SKEW_MS
 * state: up, connecting, down; seconds: in it; why: ssh_end_name and words, when down; ours:
 * revision that we publish, 0 none; theirs: the revision of theirs that we stored last; heard_ms:
 * how long ago anything came; skew_ms: empty if unknown.
 *	secret EDGE FINGERPRINT		of a dialback secret, for each edge that a core told of
 */
void tunnels_status(const struct tunnels *tunnels, struct buffer *out);
/* The last status that each node told, by node: {"edge-a":{...}}. The caller's. */
json_t *tunnels_others(const struct tunnels *tunnels);

#endif
