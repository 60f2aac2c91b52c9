#include "router/attachment_port.h"

#include "base/alloc.h"
#include "router/outbox.h"
#include "tables/events.h"
#include "xmpp/component_session.h"

#include <inttypes.h>
#include <stdlib.h>

#define DIAL_TIMEOUT_MS 5000
#define LINGER_MS 1000
#define READ_BYTES 16384
#define UNGUESSABLE_LEN 32

struct attachment_port {
	struct port port;
	struct worker *worker;
	char *name, *address, *component, *secret, *home_domain;
	uint16_t tcp_port;
	bool removed, stopping, up;
	struct conn *conn;
	struct component_session *session;
	struct timer session_timer;
	struct loop_task flush;
	struct outbox outbox;
	uint64_t next_number;
	char why[160];
	char *room; /* READ_BYTES, while there is a connection */
};

static void dial(struct attachment_port *a);
static void pump(struct attachment_port *a);

static bool is_open(const struct outbox *outbox)
{
	const struct attachment_port *a =
		(const void *)((const char *)outbox - offsetof(struct attachment_port, outbox));

	return component_session_is_ready(a->session);
}

/* The queue; an item's `mark` is the session's number, 0: not sent yet */

static void write_item(struct attachment_port *a, struct item *item)
{
	item->mark = a->next_number++;
	component_session_send(a->session, item->mark, item->stanza->bytes);
	item->given = true;
	loop_defer(a->worker->loop, &a->flush);
}

static void send_item(struct port *port, struct item *item)
{
	struct attachment_port *a = (void *)port;

	if (outbox_take(&a->outbox, item) && is_open(&a->outbox))
		write_item(a, item);
}

/* Settles what was sent under numbers up to this one. */
static void settle_up_to(struct attachment_port *a, uint64_t number, enum link_fate fate)
{
	while (a->outbox.queue.first && a->outbox.queue.first->mark &&
	       a->outbox.queue.first->mark <= number) {
		struct item *item = a->outbox.queue.first;

		outbox_settle(&a->outbox, &item, fate, FAILURE_UNCERTAIN);
	}
}

static void tell_fate(struct port *port, const char *instance, uint64_t number, enum link_fate fate,
		      enum failure failure)
{
	struct attachment_port *a = (void *)port;

	component_session_settle(a->session, instance, number);
	loop_defer(a->worker->loop, &a->flush);
}

static void on_flush(struct loop_task *task)
{
	struct attachment_port *a =
		(void *)((char *)task - offsetof(struct attachment_port, flush));

	component_session_flush(a->session);
	pump(a);
}

/* The stream's life */

static void drop_conn(struct attachment_port *a, bool in_order)
{
	a->up = false;
	if (in_order)
		conn_finish(&a->conn, LINGER_MS);
	else
		conn_destroy(&a->conn);
	free(a->room);
	a->room = NULL;
	loop_disarm(a->worker->loop, &a->session_timer);
}

static void dial_later(struct attachment_port *a)
{
	if (!a->removed && !a->stopping)
		outbox_dial_later(&a->outbox);
}

static void lost(struct attachment_port *a, bool in_order, const char *why)
{
	snprintf(a->why, sizeof(a->why), "%s", why ? why : "");
	log_event(a->up ? EVENT_ATTACHMENT_DOWN : EVENT_ATTACHMENT_FAILED,
		  "attachment=%s unsettled=%zu why=\"%s\"", a->name, a->outbox.queue.count, a->why);
	drop_conn(a, in_order);
	dial_later(a);
}

/* The session says from which number on to send: all that is queued is unsettled, in order. */
static void ready(struct attachment_port *a, uint64_t number)
{
	size_t again = 0;

	a->next_number = number;
	for (struct item *item = a->outbox.queue.first; item; item = item->next) {
		again += item->given;
		write_item(a, item);
	}
	a->up = true;
	a->outbox.failures = 0;
	a->why[0] = '\0';
	log_event(EVENT_ATTACHMENT_UP, "attachment=%s module=%s server_s2s=%s sent_again=%zu",
		  a->name, component_session_has_module(a->session) ? "yes" : "no",
		  log_text(component_session_server_s2s(a->session)), again);
}

static void take_stanza(struct attachment_port *a, const struct component_event *event)
{
	const char *why;
	struct stanza *stanza = stanza_copy(event->stanza, &why);

	if (!stanza) {
		log_event(EVENT_ATTACHMENT_REFUSED, "attachment=%s from=%s why=\"%s\"", a->name,
			  log_value(event->stanza->from), why);
		stanza = worker_hollow(event->stanza);
		router_refuse(a->worker->router, &a->port, event->origin, event->number, &stanza,
			      FAILURE_NOT_FORWARDABLE);
		return;
	}
	router_take(a->worker->router, &a->port, event->origin, event->number, &stanza);
}

static void pump(struct attachment_port *a)
{
	for (;;) {
		struct component_event event = component_session_next(a->session);

		switch (event.type) {
		case COMPONENT_NONE:
			worker_write_out(a->conn, component_session_output(a->session));
			return;
		case COMPONENT_TIMER:
			loop_arm(a->worker->loop, &a->session_timer,
				 event.seconds * UINT64_C(1000));
			break;
		case COMPONENT_READY:
			ready(a, event.number);
			break;
		case COMPONENT_STANZA:
			take_stanza(a, &event);
			break;
		case COMPONENT_DELIVERED:
			settle_up_to(a, event.number, LINK_DELIVERED);
			break;
		case COMPONENT_UNCERTAIN:
			settle_up_to(a, event.number, LINK_UNCERTAIN);
			break;
		case COMPONENT_STATUS:
			log_event(EVENT_ATTACHMENT_S2S, "attachment=%s server_s2s=%s", a->name,
				  log_text(component_session_server_s2s(a->session)));
			break;
		case COMPONENT_CLOSED:
			worker_write_out(a->conn, component_session_output(a->session));
			if (a->conn)
				lost(a, true, event.why);
			break;
		}
	}
}

static void on_session_timer(struct timer *timer)
{
	struct attachment_port *a =
		(void *)((char *)timer - offsetof(struct attachment_port, session_timer));

	component_session_timeout(a->session);
	pump(a);
}

/* The connection's events */

static void on_connected(void *owner)
{
	struct attachment_port *a = owner;
	char unguessable[UNGUESSABLE_LEN + 1];

	worker_random_hex(unguessable, UNGUESSABLE_LEN, false);
	component_session_open(a->session, unguessable);
	pump(a);
}

static char *on_room(void *owner, size_t *len)
{
	struct attachment_port *a = owner;

	if (!a->room)
		a->room = xmalloc(READ_BYTES);
	*len = READ_BYTES;
	return a->room;
}

static void on_filled(void *owner, size_t len)
{
	struct attachment_port *a = owner;

	router_tell_time(a->worker->router, loop_now_ms(a->worker->loop));
	component_session_feed(a->session, a->room, len);
	pump(a);
}

static void on_ended(void *owner, enum conn_end how, const char *why)
{
	struct attachment_port *a = owner;

	lost(a, false, why);
	component_session_closed(a->session);
	pump(a);
}

static const struct conn_handler handler = {
	.connected = on_connected,
	.room = on_room,
	.filled = on_filled,
	.ended = on_ended,
};

static void dial(struct attachment_port *a)
{
	struct conn_address to;

	if (a->conn)
		return;
	if (!conn_address_parse(&to, a->address, a->tcp_port)) {
		log_event(EVENT_ATTACHMENT_FAILED, "attachment=%s why=\"the address is none\"",
			  a->name);
		return;
	}
	a->conn = conn_dial(a->worker->loop, &to, DIAL_TIMEOUT_MS, &handler, a);
}

static void on_redial(struct timer *timer)
{
	dial((void *)((char *)timer - offsetof(struct attachment_port, outbox.redial)));
}

struct attachment_port *attachment_port_create(struct worker *worker,
					       const struct config_attachment *attachment)
{
	struct attachment_port *a = xcalloc(1, sizeof(*a));
	char instance[COMPONENT_INSTANCE_LEN + 1];

	/* Not the worker's: the module drops numbers that it has had from an instance, and what
	 * follows changed settings is numbered from 1 again. */
	worker_random_hex(instance, COMPONENT_INSTANCE_LEN, false);
	a->worker = worker;
	a->name = xstrdup(attachment->name);
	a->address = xstrdup(attachment->address);
	a->tcp_port = attachment->port;
	a->component = xstrdup(attachment->component);
	a->secret = xstrdup(attachment->secret);
	a->home_domain = xstrdup(attachment->home_domain);
	a->port = (struct port){
		.name = a->name, .side = SIDE_IN, .send = send_item, .settled = tell_fate
	};
	a->session_timer.fire = on_session_timer;
	a->outbox = (struct outbox){ .worker = worker,
				     .port = &a->port,
				     .is_open = is_open,
				     .down = FAILURE_ATTACHMENT_DOWN,
				     .redial.fire = on_redial };
	outbox_init(&a->outbox);
	a->flush.run = on_flush;
	a->session = component_session_create(&(struct component_options){
		.name = a->component,
		.secret = a->secret,
		.home_domain = a->home_domain,
		.instance = instance,
		.limit_stanza_bytes = LINK_STANZA_BYTES,
	});
	dial(a);
	return a;
}

static void close_stream(struct attachment_port *a)
{
	loop_disarm(a->worker->loop, &a->outbox.redial);
	component_session_flush(a->session);
	component_session_close(a->session);
	worker_write_out(a->conn, component_session_output(a->session));
	drop_conn(a, true);
}

void attachment_port_destroy(struct attachment_port **port)
{
	struct attachment_port *a = *port;

	if (!a)
		return;
	*port = NULL;
	drop_conn(a, false);
	outbox_finish(&a->outbox);
	loop_undefer(a->worker->loop, &a->flush);
	component_session_destroy(&a->session);
	explicit_bzero(a->secret, strlen(a->secret));
	free(a->name);
	free(a->address);
	free(a->component);
	free(a->secret);
	free(a->home_domain);
	free(a);
}

bool attachment_port_is(const struct attachment_port *a, const struct config_attachment *attachment)
{
	return !a->removed && strcmp(a->name, attachment->name) == 0 &&
	       strcmp(a->address, attachment->address) == 0 && a->tcp_port == attachment->port &&
	       strcmp(a->component, attachment->component) == 0 &&
	       strcmp(a->secret, attachment->secret) == 0 &&
	       strcmp(a->home_domain, attachment->home_domain) == 0;
}

void attachment_port_remove(struct attachment_port *a)
{
	a->removed = true;
	outbox_close(&a->outbox, FAILURE_ATTACHMENT_DOWN);
	close_stream(a);
	outbox_settle_lost(&a->outbox, FAILURE_ATTACHMENT_DOWN);
}

bool attachment_port_is_unused(const struct attachment_port *a)
{
	return a->removed && !a->port.open && !a->outbox.queue.count;
}

void attachment_port_drain(struct attachment_port *a)
{
	a->stopping = true;
	outbox_close(&a->outbox, FAILURE_SHUTDOWN);
	outbox_refuse_waiting(&a->outbox, FAILURE_SHUTDOWN);
}

bool attachment_port_is_drained(const struct attachment_port *a)
{
	return !a->outbox.queue.first || !is_open(&a->outbox);
}

void attachment_port_shut_down(struct attachment_port *a)
{
	attachment_port_drain(a);
	close_stream(a);
	outbox_settle_lost(&a->outbox, FAILURE_SHUTDOWN);
}

struct port *attachment_port_port(struct attachment_port *a)
{
	return &a->port;
}

const char *attachment_port_home_domain(const struct attachment_port *a)
{
	return a->home_domain;
}

const char *attachment_port_name(const struct attachment_port *a)
{
	return a->name;
}

size_t attachment_port_waiting(const struct attachment_port *a)
{
	return outbox_waiting(&a->outbox);
}

void attachment_port_status(const struct attachment_port *a, struct buffer *out)
{
	char *unsettled = xasprintf("%zu", a->outbox.queue.count);
	const char *federates = component_session_is_ready(a->session)
					? component_session_server_s2s(a->session)
					: "";

	snapshot_add(out, &(struct snapshot_record){
				  6,
				  { slice_of("attachment"), slice_of(a->name),
				    slice_of(component_session_state(a->session)),
				    slice_of(unsettled), slice_of(a->why),
				    slice_of(federates[0] ? federates : "unknown") } });
	free(unsettled);
}
