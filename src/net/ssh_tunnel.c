#include "net/ssh_internal.h"

#include "base/alloc.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#define WRITE_BYTES 32768 /* at a time; libssh queues what the socket does not take */
#define EARLY_BYTES 65536 /* before the subsystem is open, as by a hasty peer */
#define CLOSING_MS 5000
#define KEEPALIVES 3 /* in the silence that is allowed */

/* Noting what libssh tells */

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t len,
		   int is_stderr, void *arg)
{
	struct ssh_tunnel *t = arg;

	if (is_stderr || t->stage == SSH_STAGE_CLOSING || t->stage == SSH_STAGE_ENDED)
		return (int)len; /* nobody reads it any more */
	buffer_append(&t->in, data, len);
	if (t->stage == SSH_STAGE_LOGIN && buffer_len(&t->in) > EARLY_BYTES)
		ssh_end_with(t, SSH_END_PROTOCOL, "it sends before its subsystem is open");
	return (int)len;
}

static void on_close(ssh_session session, ssh_channel channel, void *arg)
{
	((struct ssh_tunnel *)arg)->closed_by_peer = true;
}

void ssh_watch_channel(struct ssh_tunnel *t)
{
	t->channel_callbacks.userdata = t;
	t->channel_callbacks.channel_data_function = on_data;
	t->channel_callbacks.channel_eof_function = on_close;
	t->channel_callbacks.channel_close_function = on_close;
	ssh_callbacks_init(&t->channel_callbacks);
	ssh_set_channel_callbacks(t->channel, &t->channel_callbacks);
}

void ssh_end_with(struct ssh_tunnel *t, enum ssh_end how, const char *why)
{
	if (t->stage == SSH_STAGE_ENDED)
		return;
	t->stage = SSH_STAGE_ENDED;
	t->how = how;
	t->why = xstrdup(why);
}

/* Driving */

void ssh_start_event(struct ssh_tunnel *t)
{
	t->event = ssh_event_new();
	ssh_event_add_session(t->event, t->session);
}

/* libssh has closed the socket then, and the next connection gets its number: it must not find it
 * watched. */
static bool is_broken(struct ssh_tunnel *t)
{
	bool broken = (ssh_get_status(t->session) & (SSH_CLOSED | SSH_CLOSED_ERROR)) != 0;

	if (broken)
		loop_unwatch(&t->io);
	return broken;
}

/* Whatever makes libssh read, be it a call that sends. */
static void note_heard(struct ssh_tunnel *t)
{
	if (t->socket_bytes.in_bytes == t->heard_bytes)
		return;
	t->heard_bytes = t->socket_bytes.in_bytes;
	t->heard_ms = loop_now_ms(t->loop);
}

static void poll_session(struct ssh_tunnel *t)
{
	bool failed = ssh_event_dopoll(t->event, 0) == SSH_ERROR || is_broken(t);

	note_heard(t);
	if (t->closed_by_peer)
		ssh_end_with(t, SSH_END_CLOSED, "closed by the other side");
	else if (failed)
		ssh_end_with(t, SSH_END_LOST, "the connection broke");
}

static bool is_writing(const struct ssh_tunnel *t)
{
	return (ssh_get_status(t->session) & SSH_WRITE_PENDING) != 0;
}

static void write_out(struct ssh_tunnel *t)
{
	while (buffer_len(&t->out) && !is_writing(t)) {
		size_t len = buffer_len(&t->out), window = ssh_channel_window_size(t->channel);
		int written;

		len = len < window ? len : window;
		len = len < WRITE_BYTES ? len : WRITE_BYTES;
		written = len ? ssh_channel_write(t->channel, buffer_data(&t->out), (uint32_t)len)
			      : 0;
		if (written < 0)
			ssh_end_with(t, SSH_END_LOST, "the connection broke");
		if (written <= 0)
			break;
		buffer_consume(&t->out, (size_t)written);
	}
	if (buffer_len(&t->out) > SSH_QUEUE_BYTES)
		ssh_end_with(t, SSH_END_LOST, "the other side does not read");
}

/* Ownerless: all is sent, so we say that this was it, and wait for the other side to go. */
static void close_channel(struct ssh_tunnel *t)
{
	if (buffer_len(&t->out) || ssh_channel_is_closed(t->channel))
		return;
	ssh_channel_send_eof(t->channel);
	ssh_channel_close(t->channel);
}

/* Calls of the owner, who may destroy the tunnel in each: false then. */

static bool tell_received(struct ssh_tunnel *t)
{
	bool destroyed = false;
	struct buffer in = t->in;

	if (!t->handler || !t->opened || !buffer_len(&in))
		return true;
	t->in = (struct buffer){ 0 };
	t->destroyed = &destroyed;
	t->handler->received(t->owner, (struct slice){ buffer_data(&in), buffer_len(&in) });
	if (!destroyed)
		t->destroyed = NULL;
	buffer_finish(&in);
	return !destroyed;
}

static void tell_ended(struct ssh_tunnel *t)
{
	const struct ssh_handler *handler = t->handler;

	loop_unwatch(&t->io);
	loop_disarm(t->loop, &t->timer);
	t->handler = NULL;
	t->told = true;
	if (handler)
		handler->ended(t->owner, t->how, t->why);
	else
		ssh_tunnel_destroy(&t);
}

static bool tell_opened(struct ssh_tunnel *t)
{
	bool destroyed = false;

	if (!t->handler)
		return true;
	t->destroyed = &destroyed;
	t->handler->opened(t->owner);
	if (!destroyed)
		t->destroyed = NULL;
	return !destroyed;
}

void ssh_drive(struct ssh_tunnel *t)
{
	bool was_open = t->stage == SSH_STAGE_OPEN;
	bool destroyed = false;

	if (t->told)
		return;
	if (t->stage == SSH_STAGE_TCP || t->stage == SSH_STAGE_LOGIN) {
		t->destroyed = &destroyed;
		t->log_in(t);
		if (destroyed)
			return;
		t->destroyed = NULL;
	}
	if (t->stage == SSH_STAGE_OPEN && !was_open && t->dialled && !tell_opened(t))
		return;
	if (t->stage == SSH_STAGE_OPEN || t->stage == SSH_STAGE_CLOSING)
		poll_session(t);
	if (!tell_received(t))
		return;
	if (t->stage == SSH_STAGE_OPEN || t->stage == SSH_STAGE_CLOSING)
		write_out(t);
	if (t->stage == SSH_STAGE_CLOSING)
		close_channel(t);
	if (t->event && is_broken(t))
		ssh_end_with(t, SSH_END_LOST, "the connection broke"); /* while we wrote */
	if (t->stage == SSH_STAGE_ENDED)
		tell_ended(t);
	else if (t->session)
		loop_watch(t->loop, &t->io, true, is_writing(t));
}

static void on_ready(struct loop_io *io, bool readable, bool writable)
{
	ssh_drive((void *)((char *)io - offsetof(struct ssh_tunnel, io)));
}

static void on_later(struct loop_task *task)
{
	ssh_drive((void *)((char *)task - offsetof(struct ssh_tunnel, later)));
}

/* COMPAT: libssh 0.10 without blocking sends one at every second call only: the other takes note of
 * the answer to the last. */
static void send_keepalive(struct ssh_tunnel *t)
{
	ssh_send_keepalive(t->session);
	ssh_send_keepalive(t->session);
	note_heard(t); /* the answer may be there already */
}

/* Every packet counts as a word; the answer to a keepalive is one. */
static void watch_silence(struct ssh_tunnel *t)
{
	uint64_t silent_ms = loop_now_ms(t->loop) - t->heard_ms, left_ms;

	if (silent_ms >= t->silence_ms) {
		ssh_end_with(t, SSH_END_LOST, "the other side is silent");
		return;
	}
	if (silent_ms >= t->silence_ms / KEEPALIVES / 2)
		send_keepalive(t);
	left_ms = t->silence_ms - silent_ms;
	loop_arm(t->loop, &t->timer,
		 left_ms < t->silence_ms / KEEPALIVES ? left_ms : t->silence_ms / KEEPALIVES);
}

static void on_timer(struct timer *timer)
{
	struct ssh_tunnel *t = (void *)((char *)timer - offsetof(struct ssh_tunnel, timer));

	if (t->stage == SSH_STAGE_OPEN)
		watch_silence(t);
	else
		ssh_end_with(t, SSH_END_TIMEOUT,
			     t->stage == SSH_STAGE_TCP ? "no answer to TCP"
						       : "not logged in within the time");
	ssh_drive(t);
}

void ssh_begin(struct ssh_tunnel *t, struct loop *loop, int fd, unsigned deadline_ms)
{
	int on = 1;

	t->loop = loop;
	t->fd = fd;
	t->io.ready = on_ready;
	t->io.fd = fd;
	t->timer.fire = on_timer;
	t->later.run = on_later;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	loop_arm(loop, &t->timer, deadline_ms);
}

void ssh_is_open(struct ssh_tunnel *t, unsigned silence_ms)
{
	t->stage = SSH_STAGE_OPEN;
	t->opened = true;
	t->silence_ms = silence_ms;
	t->heard_ms = loop_now_ms(t->loop);
	ssh_set_counters(t->session, &t->socket_bytes, NULL);
	loop_arm(t->loop, &t->timer, silence_ms / KEEPALIVES);
}

/* The owner's side */

void ssh_tunnel_send(struct ssh_tunnel *t, struct slice bytes)
{
	buffer_append_slice(&t->out, bytes);
	loop_defer(t->loop, &t->later);
}

void ssh_tunnel_hand_over(struct ssh_tunnel *t, const struct ssh_handler *handler, void *owner)
{
	t->handler = handler;
	t->owner = owner;
	loop_defer(t->loop, &t->later); /* it may have bytes for the new one already */
}

void ssh_tunnel_finish(struct ssh_tunnel **tunnel)
{
	struct ssh_tunnel *t = *tunnel;

	if (!t || t->stage != SSH_STAGE_OPEN) {
		ssh_tunnel_destroy(tunnel);
		return;
	}
	*tunnel = NULL;
	if (t->destroyed)
		*t->destroyed = true; /* for its owner it is gone */
	t->destroyed = NULL;
	t->handler = NULL;
	buffer_finish(&t->in);
	t->stage = SSH_STAGE_CLOSING;
	loop_arm(t->loop, &t->timer, CLOSING_MS);
	loop_defer(t->loop, &t->later);
}

/* libssh closes a socket that breaks or that it accepted, but not one that it was given. */
static void free_session(struct ssh_tunnel *t)
{
	bool is_open = t->dialled && ssh_get_fd(t->session) >= 0;

	ssh_disconnect(t->session);
	ssh_free(t->session);
	if (is_open)
		close(t->fd);
}

void ssh_tunnel_destroy(struct ssh_tunnel **tunnel)
{
	struct ssh_tunnel *t = *tunnel;

	if (!t)
		return;
	*tunnel = NULL;
	if (t->destroyed)
		*t->destroyed = true;
	if (t->release)
		t->release(t);
	loop_unwatch(&t->io);
	loop_disarm(t->loop, &t->timer);
	loop_undefer(t->loop, &t->later);
	if (t->event) {
		ssh_event_remove_session(t->event, t->session);
		ssh_event_free(t->event);
	}
	if (t->session)
		free_session(t);
	else if (t->fd >= 0)
		close(t->fd);
	buffer_finish(&t->in);
	buffer_finish(&t->out);
	free(t->why);
	free(t);
}
