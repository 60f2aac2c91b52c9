#include "router/link_port.h"

#include "base/alloc.h"
#include "router/outbox.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>

#define DIAL_TIMEOUT_MS 5000
#define TLS_TIMEOUT_MS 5000
#define LINGER_MS 1000

struct link_port {
	struct port port;
	struct worker *worker;
	char name[LINK_NAME_BYTES + 1];
	char pin[TLS_PIN_LEN + 1];
	char *address; /* NULL: it dials us */
	enum node_role role;
	bool removed, stopping;
	bool up; /* this connection's link was opened */
	struct conn *conn;
	struct link_session *session;
	struct timer session_timer;
	struct loop_task flush;
	uint64_t since_ms, down_ms; /* opened; lost, or made */
	char *realms;		    /* what it told last; NULL: it never did */
	char *told_realms;	    /* what we told over this connection */
	struct outbox outbox;
	char peer_instance[LINK_INSTANCE_LEN + 1]; /* of the last link; empty: none yet */
	bool peer_was_last;
	char why[160]; /* of the last end */
};

static void dial(struct link_port *l);
static void pump(struct link_port *l);

static bool is_open(const struct link_port *l)
{
	return l->session && link_session_is_open(l->session);
}

static bool outbox_is_open(const struct outbox *outbox)
{
	return is_open((const void *)((const char *)outbox - offsetof(struct link_port, outbox)));
}

static void set_why(struct link_port *l, const char *why)
{
	snprintf(l->why, sizeof(l->why), "%s", why ? why : "");
}

/* The queue */

static void write_item(struct link_port *l, struct item *item)
{
	link_session_send(l->session, origin_instance(item->origin), item->number,
			  item->stanza->bytes);
	item->given = true;
	loop_defer(l->worker->loop, &l->flush);
}

static void send_item(struct port *port, struct item *item)
{
	struct link_port *l = (void *)port;

	if (outbox_take(&l->outbox, item) && is_open(l))
		write_item(l, item);
}

static void tell_fate(struct port *port, const char *instance, uint64_t number, enum link_fate fate,
		      enum failure failure)
{
	struct link_port *l = (void *)port;

	/* Not open: the stanza comes again with the next link, and its fate is repeated. */
	if (!is_open(l))
		return;
	link_session_fate(l->session, instance, number, fate, failure);
	loop_defer(l->worker->loop, &l->flush);
}

static void on_flush(struct loop_task *task)
{
	struct link_port *l = (void *)((char *)task - offsetof(struct link_port, flush));

	if (!l->session)
		return;
	link_session_flush(l->session);
	pump(l);
}

/* The link's life */

static void close_conn(struct link_port *l, bool in_order)
{
	link_session_destroy(&l->session);
	if (l->up)
		l->down_ms = loop_now_ms(l->worker->loop);
	l->up = false;
	free(l->told_realms);
	l->told_realms = NULL;
	loop_disarm(l->worker->loop, &l->session_timer);
	loop_undefer(l->worker->loop, &l->flush);
	if (in_order)
		conn_finish(&l->conn, LINGER_MS);
	else
		conn_destroy(&l->conn);
}

static void dial_later(struct link_port *l)
{
	if (l->address && !l->removed && !l->stopping)
		outbox_dial_later(&l->outbox);
}

/* The connection is over, for whatever reason. */
static void lost(struct link_port *l, bool in_order, const char *why)
{
	set_why(l, why);
	log_event(l->up ? EVENT_LINK_DOWN : EVENT_LINK_FAILED,
		  "node=%s unsettled=%zu seconds=%" PRIu64 " why=\"%s\"", l->name,
		  l->outbox.queue.count,
		  l->up ? (loop_now_ms(l->worker->loop) - l->since_ms) / 1000 : 0, l->why);
	if (l->up)
		loop_defer(l->worker->loop, &l->worker->links_changed);
	close_conn(l, in_order);
	dial_later(l);
}

static void opened(struct link_port *l, const struct link_action *action)
{
	bool another = strcmp(l->peer_instance, action->peer_instance) != 0;
	size_t again = 0;

	/* Either gives stanzas away itself: the old one may have, or the new one would again. */
	if (another && l->peer_instance[0] && (action->peer_last || l->peer_was_last))
		outbox_settle_given(&l->outbox);
	snprintf(l->peer_instance, sizeof(l->peer_instance), "%s", action->peer_instance);
	l->peer_was_last = action->peer_last;
	for (struct item *item = l->outbox.queue.first; item; item = item->next) {
		again += item->given;
		write_item(l, item);
	}
	l->up = true;
	loop_defer(l->worker->loop, &l->worker->links_changed);
	l->outbox.failures = 0;
	l->since_ms = loop_now_ms(l->worker->loop);
	set_why(l, "");
	log_event(EVENT_LINK_UP, "node=%s role=%s instance=%.8s direction=%s sent_again=%zu",
		  l->name, action->peer_role, action->peer_instance, l->address ? "out" : "in",
		  again);
}

static void settle(struct link_port *l, struct item *item, const struct link_action *action)
{
	if (item && item->queue == &l->outbox.queue && item->given)
		outbox_settle(&l->outbox, &item, action->fate, action->failure);
}

/* Fates of what we sent, as ranges; numbers that are not open here are stale and pass. */
static void take_fate(struct link_port *l, const struct link_action *action)
{
	const struct custody *custody = router_custody(l->worker->router);

	if (action->number_last - action->number <= l->outbox.queue.count * 4) {
		for (uint64_t n = action->number; n <= action->number_last; n++)
			settle(l, custody_find(custody, action->origin, n), action);
	} else { /* mostly numbers that are not ours: don't let them keep us busy */
		for (struct item *item = l->outbox.queue.first, *next; item; item = next) {
			next = item->next;
			if (item->number >= action->number && item->number <= action->number_last &&
			    strcmp(origin_instance(item->origin), action->origin) == 0)
				settle(l, item, action);
		}
	}
}

static void take_stanza(struct link_port *l, const struct link_action *action)
{
	const char *why;
	struct stanza *stanza = stanza_copy(action->stanza, &why);

	if (!stanza) {
		log_event(EVENT_LINK_REFUSED, "node=%s why=\"%s\"", l->name, why);
		link_session_fate(l->session, action->origin, action->number, LINK_REFUSED,
				  FAILURE_NOT_FORWARDABLE);
		loop_defer(l->worker->loop, &l->flush);
		return;
	}
	router_take(l->worker->router, &l->port, action->origin, action->number, &stanza);
}

static void take_realms(struct link_port *l, struct slice names)
{
	log_event(EVENT_LINK_REALMS, "node=%s realms=\"%.*s\"", l->name, SLICE_ARGS(names));
	free(l->realms);
	l->realms = xstrndup(names.data, names.len);
	loop_defer(l->worker->loop, &l->worker->links_changed);
}

/* Does what the session asks for, until it asks for nothing. */
static void pump(struct link_port *l)
{
	while (l->session) {
		struct link_action action = link_session_next(l->session);

		switch (action.type) {
		case LINK_NONE:
			worker_write_out(l->conn, link_session_output(l->session));
			return;
		case LINK_TIMER:
			loop_arm(l->worker->loop, &l->session_timer,
				 action.seconds * UINT64_C(1000));
			break;
		case LINK_OPENED:
			opened(l, &action);
			break;
		case LINK_STANZA:
			take_stanza(l, &action);
			break;
		case LINK_FATE:
			take_fate(l, &action);
			break;
		case LINK_REALMS:
			take_realms(l, action.names);
			break;
		case LINK_CLOSED:
			worker_write_out(l->conn, link_session_output(l->session));
			lost(l, true, action.why);
			return;
		}
	}
}

static void on_session_timer(struct timer *timer)
{
	struct link_port *l = (void *)((char *)timer - offsetof(struct link_port, session_timer));

	if (!l->session)
		return;
	link_session_timeout(l->session);
	pump(l);
}

/* The connection's events */

static void on_connected(void *owner)
{
	struct link_port *l = owner;

	conn_start_tls(l->conn, tls_dialling(l->worker->config->link_tls, NULL), TLS_TIMEOUT_MS);
}

static void begin_session(struct link_port *l, bool dials)
{
	const struct config *config = l->worker->config;
	char id[S2S_STREAM_ID_LEN + 1];

	worker_random_hex(id, S2S_STREAM_ID_LEN, true);
	l->session =
		link_session_create(&(struct link_options){ .dials = dials,
							    .node = config->node_name,
							    .peer = l->name,
							    .role = node_role_name(config->role),
							    .instance = l->worker->instance,
							    .workers = 1,
							    .last = config->role == ROLE_EDGE ||
								    config->attachments_count > 0 },
				    dials ? NULL : id);
	link_session_connected(l->session);
	pump(l);
}

static void on_secured(void *owner)
{
	struct link_port *l = owner;
	char pin[TLS_PIN_LEN + 1] = "";

	if (!tls_is_link(conn_tls(l->conn)) || !tls_peer_pin(conn_tls(l->conn), pin) ||
	    strcmp(pin, l->pin) != 0) {
		log_event(EVENT_LINK_REFUSED,
			  "node=%s pin=%s why=\"another key than the one pinned\"", l->name,
			  pin[0] ? pin : "-");
		lost(l, false, "the node shows another key than the one pinned");
		return;
	}
	begin_session(l, true);
}

static char *on_room(void *owner, size_t *len)
{
	struct link_port *l = owner;

	return link_session_room(l->session, len);
}

static void on_filled(void *owner, size_t len)
{
	struct link_port *l = owner;

	router_tell_time(l->worker->router, loop_now_ms(l->worker->loop));
	link_session_filled(l->session, len);
	pump(l);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	lost(owner, false, why);
}

static const struct conn_handler handler = {
	.connected = on_connected,
	.room = on_room,
	.filled = on_filled,
	.secured = on_secured,
	.ended = on_ended,
};

static void dial(struct link_port *l)
{
	struct conn_address to;
	char *colon = l->address ? strrchr(l->address, ':') : NULL;
	char ip[CONN_ADDRESS_TEXT];
	size_t len;

	if (!colon || l->conn)
		return;
	len = (size_t)(colon - l->address);
	if (l->address[0] == '[' && len >= 2)
		snprintf(ip, sizeof(ip), "%.*s", (int)len - 2, l->address + 1);
	else
		snprintf(ip, sizeof(ip), "%.*s", (int)len, l->address);
	if (!conn_address_parse(&to, ip, (uint16_t)strtoul(colon + 1, NULL, 10))) {
		set_why(l, "the address is none");
		log_event(EVENT_LINK_FAILED, "node=%s why=\"%s\"", l->name, l->why);
		return;
	}
	l->conn = conn_dial(l->worker->loop, &to, DIAL_TIMEOUT_MS, &handler, l);
}

static void on_redial(struct timer *timer)
{
	dial((void *)((char *)timer - offsetof(struct link_port, outbox.redial)));
}

void link_port_adopt(struct link_port *l, struct conn **conn)
{
	if (l->removed || l->stopping) {
		conn_destroy(conn);
		return;
	}
	if (l->conn)
		lost(l, false, "the node opened another link");
	loop_disarm(l->worker->loop, &l->outbox.redial);
	l->conn = *conn;
	*conn = NULL;
	conn_hand_over(l->conn, &handler, l);
	begin_session(l, false);
}

/* Settings and status */

static void take_settings(struct link_port *l, const struct config_node *node)
{
	snprintf(l->pin, sizeof(l->pin), "%s", node->pin);
	free(l->address);
	l->address = xstrdup(node->address);
	l->role = node->role;
	l->port.side = node->role > l->worker->config->role ? SIDE_IN : SIDE_OUT;
}

struct link_port *link_port_create(struct worker *worker, const struct config_node *node)
{
	struct link_port *l = xcalloc(1, sizeof(*l));

	snprintf(l->name, sizeof(l->name), "%s", node->name);
	l->port = (struct port){
		.name = l->name, .send = send_item, .settled = tell_fate, .relays = true
	};
	l->worker = worker;
	l->down_ms = loop_now_ms(worker->loop);
	l->session_timer.fire = on_session_timer;
	l->outbox = (struct outbox){ .worker = worker,
				     .port = &l->port,
				     .is_open = outbox_is_open,
				     .down = FAILURE_LINK_DOWN,
				     .next_settles = true,
				     .redial.fire = on_redial };
	outbox_init(&l->outbox);
	l->flush.run = on_flush;
	take_settings(l, node);
	dial(l);
	return l;
}

void link_port_destroy(struct link_port **port)
{
	struct link_port *l = *port;

	if (!l)
		return;
	*port = NULL;
	close_conn(l, false);
	outbox_finish(&l->outbox);
	free(l->realms);
	free(l->address);
	free(l);
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

void link_port_reset(struct link_port *l, const char *why)
{
	if (l->session && l->conn) {
		link_session_close(l->session, "reset", why);
		worker_write_out(l->conn, link_session_output(l->session));
	}
	if (l->conn)
		lost(l, true, why);
	loop_disarm(l->worker->loop, &l->outbox.redial);
	l->outbox.failures = 0;
	if (!l->removed && !l->stopping)
		dial(l);
}

static bool is_changed(const struct link_port *l, const struct config_node *node)
{
	return l->removed || strcmp(l->pin, node->pin) != 0 || !same(l->address, node->address);
}

void link_port_try(const struct link_port *l, const struct config_node *node,
		   struct effects *effects)
{
	if (!node && !l->removed) {
		effects_port(effects, "link to", l->name, "dropped");
		effects->bounced += outbox_waiting(&l->outbox);
	} else if (node && is_changed(l, node)) {
		effects_port(effects, "link to", l->name, "reconnected");
	}
}

void link_port_apply(struct link_port *l, const struct config_node *node)
{
	bool changed;

	if (!node) {
		l->removed = true;
		outbox_close(&l->outbox, FAILURE_LINK_DOWN);
		link_port_reset(l, "the node was removed from the settings");
		outbox_settle_lost(&l->outbox, FAILURE_LINK_DOWN);
		return;
	}
	changed = is_changed(l, node);
	l->removed = false;
	if (!l->stopping)
		outbox_close(&l->outbox, FAILURE_NONE);
	take_settings(l, node);
	if (changed)
		link_port_reset(l, "the node's pin or address was changed");
}

void link_port_refuse_waiting(struct link_port *l, enum failure failure)
{
	outbox_refuse_waiting(&l->outbox, failure);
}

void link_port_shut_down(struct link_port *l)
{
	outbox_close(&l->outbox, FAILURE_SHUTDOWN);
	l->stopping = true;
	loop_disarm(l->worker->loop, &l->outbox.redial);
	if (l->session) {
		link_session_flush(l->session);
		link_session_close(l->session, "system-shutdown", NULL);
		worker_write_out(l->conn, link_session_output(l->session));
		close_conn(l, true);
	} else {
		close_conn(l, false);
	}
}

struct port *link_port_port(struct link_port *l)
{
	return &l->port;
}

const char *link_port_name(const struct link_port *l)
{
	return l->name;
}

bool link_port_is_open(const struct link_port *l)
{
	return is_open(l);
}

enum node_role link_port_role(const struct link_port *l)
{
	return l->role;
}

void link_port_tell_realms(struct link_port *l, const char *names)
{
	if (!is_open(l) || same(l->told_realms, names))
		return;
	free(l->told_realms);
	l->told_realms = xstrdup(names);
	link_session_realms(l->session, names);
	loop_defer(l->worker->loop, &l->flush);
}

const char *link_port_realms(const struct link_port *l)
{
	return l->realms;
}

uint64_t link_port_patience_ms(const struct link_port *l)
{
	return is_open(l) ? 0
			  : l->down_ms + l->worker->config->link_limits.seconds * UINT64_C(1000);
}

bool link_port_is_unused(const struct link_port *l)
{
	return l->removed && !l->port.open && !l->outbox.queue.count;
}

void link_port_status(const struct link_port *l, struct buffer *out)
{
	const char *state = l->session ? link_session_state(l->session)
			    : l->conn  ? "connecting"
				       : "down";
	char *unsettled = xasprintf("%zu", l->outbox.queue.count);
	char *seconds = xasprintf(
		"%" PRIu64, is_open(l) ? (loop_now_ms(l->worker->loop) - l->since_ms) / 1000 : 0);

	snapshot_add(out, &(struct snapshot_record){
				  10,
				  { slice_of("link"), slice_of(l->name),
				    slice_of(node_role_name(l->role)), slice_of(state),
				    slice_of(l->address ? "out" : "in"), slice_of(unsettled),
				    slice_of(seconds), slice_of(is_open(l) ? "" : l->why),
				    slice_of(l->realms ? l->realms : ""),
				    slice_of(l->address ? l->address : "") } });
	free(unsettled);
	free(seconds);
}
