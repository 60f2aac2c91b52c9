#include "router/s2s_internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>

static void add_counter(struct buffer *out, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	snapshot_add(out, &(struct snapshot_record){
				  3, { slice_of("counter"), slice_of(name), slice_of(text) } });
}

void s2s_add_stream(struct buffer *out, const struct s2s_name *name,
		    const struct s2s_stream_view *view)
{
	char stanzas[24], seconds[24], bytes[24];

	snprintf(stanzas, sizeof(stanzas), "%" PRIu64, view->stanzas);
	snprintf(seconds, sizeof(seconds), "%" PRIu64, view->seconds);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, view->bytes);
	snapshot_add(out,
		     &(struct snapshot_record){
			     14,
			     { slice_of("stream"), slice_of(name->out ? "out" : "in"),
			       slice_of(name->xcoder), slice_of(name->local),
			       slice_of(name->remote), slice_of(view->state), slice_of(view->tls),
			       slice_of("dialback"), slice_of(stanzas), slice_of(seconds),
			       slice_of(view->address), slice_of(view->certificate),
			       slice_of(bytes), slice_of(view->tls[0] ? view->cipher : "") } });
}

/* Returns how many there are. */
static uint64_t add_streams(const struct s2s_port *s, bool brief, struct buffer *out)
{
	const struct s2s_inbound *in;
	const struct s2s_pair *pair;
	uint64_t count = s->inbound.count;

	for (size_t place = 0; !brief && (in = map_next(&s->inbound, &place, NULL));)
		s2s_inbound_status(in, out);
	for (size_t place = 0; (pair = map_next(&s->pairs, &place, NULL));) {
		count += s2s_pair_has_stream(pair);
		if (!brief)
			s2s_pair_status(pair, out);
	}
	return count;
}

static void add_routes(const struct s2s_port *s, struct buffer *out)
{
	const struct config *config = s->worker->config;
	struct slice domain;
	const char *why;
	char count[24];

	snprintf(count, sizeof(count), "%zu", config->static_routes_count);
	snapshot_add(out, &(struct snapshot_record){
				  3,
				  { slice_of("static-routes"),
				    slice_of(config->uses_static_routes ? "on" : "off"),
				    slice_of(count) } });
	for (size_t place = 0; (why = map_next(&s->dead, &place, &domain));)
		snapshot_add(out, &(struct snapshot_record){
					  3, { slice_of("route-dead"), domain, slice_of(why) } });
}

/* Domains of the world */

struct s2s_peer *s2s_peer_of(struct map *peers, const char *remote)
{
	struct s2s_peer *peer = map_get(peers, slice_of(remote));

	if (!peer) {
		peer = xcalloc(1, sizeof(*peer));
		peer->retry_ms = UINT64_MAX;
		map_put(peers, slice_of(remote), peer);
	}
	return peer;
}

static void add_peer(const struct s2s_port *s, struct slice remote, const struct s2s_peer *peer,
		     const struct attempts_domain *past, struct buffer *out)
{
	static const char *const states[] = { [S2S_PEER_NONE] = "none",
					      [S2S_PEER_WAITING] = "waiting",
					      [S2S_PEER_CONNECTING] = "connecting",
					      [S2S_PEER_READY] = "ready" };
	bool failed = past && past->failure != FAILURE_NONE;
	char waiting[24], retry[24] = "", since[24] = "", stanzas[24];

	snprintf(waiting, sizeof(waiting), "%zu", peer->waiting);
	snprintf(stanzas, sizeof(stanzas), "%" PRIu64, peer->stanzas + (past ? past->stanzas : 0));
	if (peer->retry_ms != UINT64_MAX)
		snprintf(retry, sizeof(retry), "%" PRIu64, (peer->retry_ms + 999) / 1000);
	if (failed)
		snprintf(since, sizeof(since), "%" PRIu64,
			 (loop_now_ms(s->worker->loop) - past->failed_ms) / 1000);
	snapshot_add(out,
		     &(struct snapshot_record){
			     10,
			     { slice_of("peer"), remote, slice_of(states[peer->out]),
			       slice_of(states[peer->in]), slice_of(waiting), slice_of(retry),
			       slice_of(failed ? failure_name(past->failure) : ""), slice_of(since),
			       slice_of(failed ? past->why : ""), slice_of(stanzas) } });
}

static void add_peers(const struct s2s_port *s, struct buffer *out)
{
	struct map peers = { 0 };
	struct attempts_domain past;
	const struct s2s_inbound *in;
	const struct s2s_pair *pair;
	struct s2s_peer *peer;
	struct slice remote;

	for (size_t place = 0; (in = map_next(&s->inbound, &place, NULL));)
		s2s_inbound_tell_peers(in, &peers);
	for (size_t place = 0; (pair = map_next(&s->pairs, &place, NULL));)
		s2s_pair_tell_peer(pair, &peers);
	for (const void *place = NULL; attempts_next(s->attempts, &place, &past);) {
		static const struct s2s_peer none = { .retry_ms = UINT64_MAX };

		peer = map_remove(&peers, slice_of(past.remote));
		add_peer(s, slice_of(past.remote), peer ? peer : &none, &past, out);
		free(peer);
	}
	for (size_t place = 0; (peer = map_next(&peers, &place, &remote));) {
		add_peer(s, remote, peer, NULL, out);
		free(peer);
	}
	map_finish(&peers);
}

void s2s_port_status(const struct s2s_port *s, bool brief, struct buffer *out)
{
	add_counter(out, "streams.open", add_streams(s, brief, out));
	if (!brief)
		add_peers(s, out);
	add_routes(s, out);
	add_counter(out, "connections.accepted", s->accepted);
	add_counter(out, "connections.refused", s->refused_connections);
	s2s_tally_write(&s->tally, out);
}
