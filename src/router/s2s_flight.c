#include "router/s2s_pair.h"

#define ACK_POLL_MS 20
#define ACK_POLL_BUSY_MS 5
#define BUSY_ITEMS 256
/* Handed to the connection and not yet to the kernel. */
#define UNSENT_BYTES_MAX ((size_t)1 << 20)

bool s2s_flight_is_open(const struct s2s_pair *p)
{
	return p->ready && p->conn && s2s_out_is_ready(p->session);
}

void s2s_flight_write(struct s2s_pair *p)
{
	struct buffer *out;
	bool wrote = false;

	if (!s2s_flight_is_open(p))
		return;
	out = conn_out(p->conn);
	while (p->waiting.first && buffer_len(out) < UNSENT_BYTES_MAX) {
		struct item *item = p->waiting.first;

		queue_remove(item);
		queue_push(&p->flight, item);
		buffer_append_slice(out, item->stanza->bytes);
		item->mark = conn_appended(p->conn);
		item->given = true;
		p->stanzas++;
		wrote = true;
	}
	if (!wrote)
		return;
	conn_flush(p->conn);
	s2s_pair_tell_time(p);
	s2s_out_used(p->session);
	if (!timer_is_armed(&p->ack))
		loop_arm(p->worker->loop, &p->ack, ACK_POLL_MS);
}

static void settle_acknowledged(struct s2s_pair *p)
{
	uint64_t acknowledged = conn_acknowledged(p->conn);

	while (p->flight.first && p->flight.first->mark <= acknowledged) {
		struct item *item = p->flight.first;

		router_settle(p->worker->router, &item, LINK_WRITTEN, FAILURE_NONE);
	}
}

void s2s_flight_on_ack(struct timer *timer)
{
	struct s2s_pair *p = (void *)((char *)timer - offsetof(struct s2s_pair, ack));

	if (!p->conn)
		return;
	router_tell_time(p->worker->router, s2s_pair_now_ms(p));
	settle_acknowledged(p);
	s2s_flight_write(p);
	if (p->flight.first || p->waiting.first)
		loop_arm(p->worker->loop, &p->ack,
			 p->flight.count > BUSY_ITEMS ? ACK_POLL_BUSY_MS : ACK_POLL_MS);
}

bool s2s_flight_recover(struct s2s_pair *p)
{
	bool unsent;

	uint64_t written = conn_written(p->conn);
	struct queue again = { 0 };

	settle_acknowledged(p);
	while (p->flight.first) {
		struct item *item = p->flight.first;

		if (item->mark - item->stanza->bytes.len >= written) {
			queue_remove(item);
			item->given = false;
			item->mark = 0;
			queue_push(&again, item);
		} else {
			router_settle(p->worker->router, &item, LINK_UNCERTAIN, FAILURE_UNCERTAIN);
		}
	}
	unsent = again.first != NULL;
	while (p->waiting.first) {
		struct item *item = p->waiting.first;

		queue_remove(item);
		queue_push(&again, item);
	}
	while (again.first) {
		struct item *item = again.first;

		queue_remove(item);
		queue_push(&p->waiting, item);
	}
	return unsent;
}
