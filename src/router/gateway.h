/*
 * The gateway of one worker: its router with the ports that the settings ask for, plugged together.
 * It has a port to the world if there is a listener for s2s (that is what makes a node an edge),
 * a link for each node in the settings, and an attachment for each server with users.
 */
#ifndef ROUTER_GATEWAY_H
#define ROUTER_GATEWAY_H

#include "ipc/startup.h"
#include "net/loop.h"

struct gateway;

/* `startup`: its listeners "s2s" and "link" (the descriptors stay open as long as the gateway
 * lives), its snapshot, its channel to the resolver, which is taken. NULL and *why on settings
 * that cannot be used. */
struct gateway *gateway_create(struct loop *loop, struct startup *startup, const char **why);
void gateway_destroy(struct gateway **gateway);

/* New settings; false and *why: they cannot be used, and those in force stay. */
bool gateway_apply(struct gateway *gateway, const struct snapshot *snapshot, const char **why);
/* What gateway_apply would do to what is open, for people; to be freed. The first line says how
 * many streams it would close, or that these settings cannot be used. */
char *gateway_try(const struct gateway *gateway, const struct snapshot *snapshot);
void gateway_set_resolver(struct gateway *gateway, int fd); /* takes the descriptor */
/* Closes everything in order, then calls done(arg) once, after timeouts.shutdown at the latest. */
void gateway_shut_down(struct gateway *gateway, void (*done)(void *arg), void *arg);

/*
 * Bytes of a snapshot (ipc/snapshot.h) with the records of `sallyport status`; `brief`: none of
 * stream, queue and peer. New fields come at the end of a record.
 *
 *	fault WHY
 *	link NODE ROLE STATE in|out UNSETTLED SECONDS WHY REALMS ADDRESS
 *		REALMS: told by it, with spaces between; ADDRESS: dialled; either may be empty
 *	attachment NAME STATE UNSETTLED WHY yes|no|unknown
 *		the last: whether that server federates past us
 *	realm NAME loaded|stored|both linked|not-linked	each of the table that the router works by,
 *		and of the one in the settings; linked: told by a link that is open
 *	route DOMAIN PORT		inwards
 *	default in|out PORT
 *	stream DIRECTION XCODER LOCAL REMOTE STATE TLS AUTH STANZAS SECONDS ADDRESS
 *		valid|invalid|none BYTES CIPHER		the peer's address and certificate
 *	peer DOMAIN OUT IN WAITING RETRY FAILURE FAILED WHY STANZAS
 *		of the world, last talked to first; OUT, IN: ready, connecting, waiting, none;
 *		RETRY: seconds until it is dialled again; FAILURE: the last, FAILED seconds ago,
 *		if it was not reached since
 *	histogram NAME BOUND COUNT	setup_in, setup_out: from a connection's beginning until
 *		stanzas may flow; latency: of a stanza that was delivered or written, from entering
 *		this node until that is known. Cumulative; BOUND: seconds, "+Inf", or "sum", with
 *		microseconds
 *	queue LOCAL REMOTE STANZAS BYTES SECONDS
 *	static-routes on|off COUNT	an edge's
 *	route-dead DOMAIN WHY	no static address was reached at the last attempt, nor since
 *	counter NAME VALUE	FAILURE only where there was one:
 *		stanzas.taken, stanzas.repeated, stanzas.delivered, stanzas.written,
 *		stanzas.refused, stanzas.uncertain, stanzas.bounced, stanzas.unbounced,
 *		stanzas.open; stanzas.in (from the world), stanzas.out (towards it);
 *		bounces.FAILURE (a bounce is made at the node where the stanza entered).
 *	and of an edge:
 *		streams.open; connections.accepted, connections.refused;
 *		setups.in.ready, setups.out.ready, setups.in.failed.FAILURE,
 *		setups.out.failed.FAILURE; tls.1.2, tls.1.3, tls.none (of streams that became
 *		ready); dialback.keys.valid, dialback.keys.invalid (of ours, that peers asked
 *		about); dialback.verified.valid, dialback.verified.invalid,
 *		dialback.verified.error (of peers, that we asked about)
 */
void gateway_status(struct gateway *gateway, bool brief, struct buffer *out);
/* The body of MESSAGE_LOADED (ipc/messages.h). False: this node's router works by no table. */
bool gateway_loaded(const struct gateway *gateway, struct buffer *body);

/*
 * `words`: "retry" DOMAIN, "close" XCODER, "reset" NODE, "restart-router"; "watch" TARGET SECONDS
 * (a domain, or a stream's xcoder: what is logged of it is logged whatever the levels, until then;
 * 0 ends it; at most WATCHES_MAX); "why" DOMAIN; "probe" DOMAIN LOCAL (an outbound stream of its
 * own, up to authentication; LOCAL "-": the first federated domain; at most S2S_PROBES_MAX).
 *
 * Answered once, from inside or later (a probe, within S2S_PROBE_MS), or never if the gateway is
 * destroyed before. `done` false: refused, and text says why. The text is lent; of why and probe
 * it is bytes of a snapshot:
 *
 *	node NAME ROLE | domain NAME ours|foreign | fault WHY
 *	policy LOCAL allowed|refused FAILURE static|dns		an edge's, for each federated domain
 *	queue LOCAL REMOTE STANZAS BYTES SECONDS		that waits for a stream
 *	retry MILLISECONDS					until it is dialled again
 *	attempt out|in LOCAL REMOTE XCODER BEGAN TOOK STATE FAILURE WHY
 *		the newest first; BEGAN: milliseconds since 1970; TOOK: milliseconds until the
 *		state; STATE: running, ready, failed, closed
 *	step AT TOOK WHO NAME VERDICT TEXT		of the attempt before; AT, TOOK:
 *		milliseconds since its beginning, and for this step (may be empty); WHO: us, peer,
 *		dns, policy; VERDICT: ok, bad, info
 *	way PORT FAILURE	of a node without a side to the world: a port by which stanzas for
 *		the world leave; or why there is none
 *	ask NODE ROLE linked|not-linked		who stands nearer to the world
 */
typedef void gateway_answer_fn(void *arg, uint64_t tag, bool done, struct slice text);
void gateway_command(struct gateway *gateway, const struct slice *words, size_t count,
		     gateway_answer_fn *answer, void *arg, uint64_t tag);
/* Whoever asked is gone: nothing is watched any more. */
void gateway_forget_watches(struct gateway *gateway);

#endif
