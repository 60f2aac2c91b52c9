/*
 * sallyport-traffic: hears the world, the other nodes and the server with the users. It holds
 * streams, stanzas and TLS sessions; it opens no file, runs no program and cannot reach the store.
 */
#include "base/alloc.h"
#include "ipc/startup.h"
#include "ipc/wire.h"
#include "net/messenger.h"
#include "net/tls.h"
#include "policy/domain.h"
#include "router/gateway.h"
#include "tables/events.h"

#include <stdlib.h>
#include <unistd.h>

#define WORDS_MAX 16 /* of one command */

static struct {
	struct loop *loop;
	struct gateway *gateway;
	struct messenger *control, *manage, *capture;
	uint32_t manages;     /* how many there were; who asked is gone with its manage */
	struct buffer loaded; /* what control was told last of the router's table */
} traffic;

static bool fail(const char *why)
{
	log_event(EVENT_PROCESS_FAILED, "why=\"%s\"", why);
	return false;
}

/* control wants to know which table the router works by. */
static void tell_loaded(void)
{
	struct buffer body = { 0 };
	struct slice bytes, told;

	if (!gateway_loaded(traffic.gateway, &body))
		return;
	bytes = (struct slice){ buffer_data(&body), buffer_len(&body) };
	told = (struct slice){ buffer_data(&traffic.loaded), buffer_len(&traffic.loaded) };
	if (bytes.data && told.data && slice_equals(bytes, told)) {
		buffer_finish(&body);
		return;
	}
	messenger_send(traffic.control, MESSAGE_LOADED, 0, bytes, -1);
	buffer_finish(&traffic.loaded);
	traffic.loaded = body;
}

/* manage: status and commands */

static void answer_status(const struct message *message)
{
	struct buffer body = { 0 };

	bool brief = message->body.len == 1 && message->body.data[0] == 1;

	gateway_status(traffic.gateway, brief, &body);
	messenger_send(traffic.manage, MESSAGE_STATUS_REPLY, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

/* `tag`: which manage asked, and its request. */
static void on_done(void *arg, uint64_t tag, bool done, struct slice text)
{
	struct buffer body = { 0 };

	if (!traffic.manage || tag >> 32 != traffic.manages)
		return;
	wire_put_u8(&body, done ? 0 : 1);
	wire_put_slice(&body, text);
	messenger_send(traffic.manage, MESSAGE_COMMAND_REPLY, (uint32_t)tag,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

/* Body: u16 count, then verb, author, arguments; the author was logged by manage. */
static void answer_command(const struct message *message)
{
	struct wire in = wire_read(message->body);
	size_t given = wire_get_u16(&in), count = 0;
	uint64_t tag = (uint64_t)traffic.manages << 32 | message->request;
	struct slice words[WORDS_MAX];

	for (size_t i = 0; i < given && !in.failed; i++) {
		struct slice word = wire_get_slice(&in);

		if (i != 1 && count < WORDS_MAX)
			words[count++] = word;
	}
	if (wire_is_done(&in) && given <= WORDS_MAX && count)
		gateway_command(traffic.gateway, words, count, on_done, NULL, tag);
	else
		on_done(NULL, tag, false, slice_of("malformed"));
	tell_loaded();
}

static void from_manage(void *arg, struct message *message)
{
	if (message->type == MESSAGE_STATUS)
		answer_status(message);
	else if (message->type == MESSAGE_COMMAND)
		answer_command(message);
}

static void manage_gone(void *arg)
{
	messenger_destroy(&traffic.manage);
	gateway_forget_watches(traffic.gateway);
}

static const struct messenger_handler manage_handler = { from_manage, manage_gone };

static void set_manage(int fd)
{
	messenger_destroy(&traffic.manage);
	gateway_forget_watches(traffic.gateway); /* it may come before the other's end is seen */
	traffic.manages++;
	if (fd >= 0)
		traffic.manage = messenger_create(traffic.loop, fd, PROCESS_TRAFFIC, PROCESS_MANAGE,
						  &manage_handler, NULL);
}

/* capture: the secrets of the streams that control says */

static void tell_secret(void *arg, const char *line)
{
	messenger_send(traffic.capture, MESSAGE_SECRET, 0, slice_of(line), -1);
}

static void stop_secrets(void *arg)
{
	tls_tell_secrets(NULL, NULL, NULL);
	messenger_destroy(&traffic.capture);
}

static const struct messenger_handler capture_handler = { NULL, stop_secrets };

static void set_capture(int fd)
{
	stop_secrets(NULL);
	if (fd >= 0)
		traffic.capture = messenger_create(traffic.loop, fd, PROCESS_TRAFFIC,
						   PROCESS_CAPTURE, &capture_handler, NULL);
}

/* Body: u8 on, slice domain. */
static void choose_secrets(const struct message *message)
{
	struct wire in = wire_read(message->body);
	bool on = wire_get_u8(&in) == 1;
	char *domain = wire_get_text(&in, DOMAIN_BYTES);

	if (on && wire_is_done(&in) && traffic.capture)
		tls_tell_secrets(tell_secret, NULL, *domain ? domain : NULL);
	else
		tls_tell_secrets(NULL, NULL, NULL);
	free(domain);
}

/* control: settings, new channels, the end */

static void take_settings(const struct message *message)
{
	const char *why = NULL;
	struct snapshot *snapshot = snapshot_open(message->fd, &why);

	if (snapshot && gateway_apply(traffic.gateway, snapshot, &why)) {
		startup_apply_log(snapshot, PROCESS_TRAFFIC);
		log_event(EVENT_SNAPSHOT_TAKEN, "generation=%llu revision=%llu",
			  (unsigned long long)snapshot_generation(snapshot),
			  (unsigned long long)snapshot_revision(snapshot));
		tell_loaded();
	} else {
		log_event(EVENT_SNAPSHOT_REFUSED, "why=\"%s\"", why);
	}
	snapshot_destroy(&snapshot);
}

/* What these settings would do; they are not taken into use. */
static void answer_try(const struct message *message)
{
	const char *why = NULL;
	struct snapshot *snapshot = snapshot_open(message->fd, &why);
	struct buffer body = { 0 };
	char *text = snapshot ? gateway_try(traffic.gateway, snapshot)
			      : xasprintf("these settings cannot be used: %s", why);

	wire_put_text(&body, text);
	messenger_send(traffic.control, MESSAGE_TRY_REPLY, message->request,
		       (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
	free(text);
	snapshot_destroy(&snapshot);
}

static void take_peer(struct message *message)
{
	struct wire in = wire_read(message->body);
	uint8_t peer = wire_get_u8(&in);

	if (peer == PROCESS_RESOLVER)
		gateway_set_resolver(traffic.gateway, message_take_fd(message));
	else if (peer == PROCESS_MANAGE)
		set_manage(message_take_fd(message));
	else if (peer == PROCESS_CAPTURE)
		set_capture(message_take_fd(message));
}

static void stopped(void *arg)
{
	loop_stop(traffic.loop);
}

static void from_control(void *arg, struct message *message)
{
	switch (message->type) {
	case MESSAGE_SNAPSHOT:
		take_settings(message);
		break;
	case MESSAGE_TRY:
		answer_try(message);
		break;
	case MESSAGE_PEER:
		take_peer(message);
		break;
	case MESSAGE_SECRETS:
		choose_secrets(message);
		break;
	case MESSAGE_SHUTDOWN:
		gateway_shut_down(traffic.gateway, stopped, NULL);
		break;
	default:
		break;
	}
}

static void control_gone(void *arg)
{
	fail("control is gone");
	loop_stop(traffic.loop);
}

static const struct messenger_handler control_handler = { from_control, control_gone };

int main(void)
{
	struct startup startup;
	const char *why = NULL;

	if (!startup_receive(&startup, PROCESS_TRAFFIC, &why))
		return fail(why), 1;
	if (!startup_enter_sandbox(startup.snapshot, PROCESS_TRAFFIC, &why))
		return 1; /* it has said why */
	traffic.loop = loop_create();
	loop_guard(traffic.loop, LOOP_GUARD_S);
	traffic.gateway = gateway_create(traffic.loop, &startup, &why);
	if (!traffic.gateway)
		return fail(why), 1;
	snapshot_destroy(&startup.snapshot);
	set_manage(startup.peers[PROCESS_MANAGE]);
	set_capture(startup.peers[PROCESS_CAPTURE]);
	startup_ready(startup.control);
	traffic.control = messenger_adopt(traffic.loop, &startup.control, PROCESS_CONTROL,
					  &control_handler, NULL);
	tell_loaded();
	loop_run(traffic.loop);
	buffer_finish(&traffic.loaded);

	messenger_destroy(&traffic.manage);
	stop_secrets(NULL);
	gateway_destroy(&traffic.gateway);
	messenger_destroy(&traffic.control);
	loop_destroy(&traffic.loop);
	log_event(EVENT_PROCESS_STOP, "pid=%d", (int)getpid());
	return 0;
}
