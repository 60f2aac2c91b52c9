/*
 * sallyport-manage: hears people and our other nodes. It answers the control socket, asking control
 * and traffic for what it does not know, watches for alarms, and keeps tunnels and AXL
 * (process/services.h). It holds the keys and passwords of these, and sees no stanza.
 */
#include "admin/control_socket.h"
#include "admin/desk.h"
#include "admin/event_log.h"
#include "admin/log_desk.h"
#include "admin/watch.h"
#include "base/alloc.h"
#include "ipc/startup.h"
#include "ipc/wire.h"
#include "process/services.h"
#include "tables/events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define REQUEST_MS 30000 /* of a person who pipes it in by hand */
#define REPLY_MS 10000
#define EVENTS_KEPT 20000 /* as events.keep, should a snapshot be without it */
#define FINISH_MS 2000	  /* control waits for longer before it kills */

struct manage {
	struct loop *loop;
	struct messenger *control, *traffic;
	struct control_socket *socket;
	struct watch *watch;
	struct desk *desk;
	struct event_log *events;
	struct log_desk *log_desk;
	struct orders *orders;
	struct services *services;
	struct timer finish;
	int status; /* of exit */
};

static void apply_log(struct manage *manage, const struct snapshot *snapshot)
{
	event_log_keep(manage->events, (size_t)snapshot_int(snapshot, "events.keep", EVENTS_KEPT));
}

static void take_settings(struct manage *manage, int fd)
{
	const char *why;
	struct snapshot *snapshot = snapshot_open(fd, &why);

	if (!snapshot) {
		log_event(EVENT_SNAPSHOT_REFUSED, "why=\"%s\"", why);
		return;
	}
	startup_apply_log(snapshot, PROCESS_MANAGE);
	log_event(EVENT_SNAPSHOT_TAKEN, "generation=%" PRIu64 " revision=%" PRIu64,
		  snapshot_generation(snapshot), snapshot_revision(snapshot));
	apply_log(manage, snapshot);
	services_apply(manage->services, &snapshot);
	watch_poke(manage->watch);
}

static void on_traffic(void *arg, struct message *message)
{
	struct manage *manage = arg;

	desk_take(manage->desk, PROCESS_TRAFFIC, message);
	log_desk_take(manage->log_desk, message);
	watch_take(manage->watch, PROCESS_TRAFFIC, message);
	services_take_traffic(manage->services, message);
}

static void on_traffic_gone(void *arg)
{
	struct manage *manage = arg;

	desk_reach(manage->desk, PROCESS_TRAFFIC, NULL);
	log_desk_reach(manage->log_desk, NULL);
	watch_reach(manage->watch, PROCESS_TRAFFIC, NULL);
	services_reach_traffic(manage->services, NULL);
	messenger_destroy(&manage->traffic);
}

static void reach_traffic(struct manage *manage, int fd)
{
	static const struct messenger_handler handler = { on_traffic, on_traffic_gone };

	if (manage->traffic)
		on_traffic_gone(manage); /* control noticed first that it was started again */
	manage->traffic = messenger_create(manage->loop, fd, PROCESS_MANAGE, PROCESS_TRAFFIC,
					   &handler, manage);
	desk_reach(manage->desk, PROCESS_TRAFFIC, manage->traffic);
	log_desk_reach(manage->log_desk, manage->traffic);
	watch_reach(manage->watch, PROCESS_TRAFFIC, manage->traffic);
	services_reach_traffic(manage->services, manage->traffic);
}

static void take_peer(struct manage *manage, struct message *message)
{
	struct wire in = wire_read(message->body);
	uint8_t peer = wire_get_u8(&in);

	if (wire_is_done(&in) && peer == PROCESS_TRAFFIC)
		reach_traffic(manage, message_take_fd(message));
	else if (wire_is_done(&in) && peer == PROCESS_RESOLVER)
		services_set_resolver(manage->services, message_take_fd(message));
}

static void stop(void *arg)
{
	struct manage *manage = arg;

	loop_stop(manage->loop);
}

static void on_finish_timer(struct timer *timer)
{
	stop((void *)((char *)timer - offsetof(struct manage, finish)));
}

static void shut_down(struct manage *manage)
{
	manage->finish.fire = on_finish_timer;
	loop_arm(manage->loop, &manage->finish, FINISH_MS);
	log_desk_finish(manage->log_desk);
	control_socket_finish(manage->socket, stop);
}

static void on_control(void *arg, struct message *message)
{
	struct manage *manage = arg;

	switch (message->type) {
	case MESSAGE_SNAPSHOT:
		take_settings(manage, message->fd);
		break;
	case MESSAGE_PEER:
		take_peer(manage, message);
		break;
	case MESSAGE_EVENT: /* nothing of it is logged: that would be a line too */
		event_log_take(manage->events, message->body);
		break;
	case MESSAGE_SHUTDOWN:
		shut_down(manage);
		break;
	default:
		desk_take(manage->desk, PROCESS_CONTROL, message);
		watch_take(manage->watch, PROCESS_CONTROL, message);
		orders_take(manage->orders, message);
	}
}

static void on_control_gone(void *arg)
{
	struct manage *manage = arg;

	log_event(EVENT_PROCESS_FAILED, "why=\"control is gone\"");
	manage->status = EXIT_FAILURE;
	stop(manage);
}

/* The control socket and the desk */

static void on_answer(void *arg, uint64_t session, enum reply_status status, struct slice text,
		      json_t *data)
{
	struct manage *manage = arg;

	control_socket_reply(manage->socket, session, status, text, data);
}

static void on_piece(void *arg, uint64_t session, struct slice text, json_t *data)
{
	struct manage *manage = arg;

	control_socket_tell(manage->socket, session, text, data);
}

static size_t behind(void *arg, uint64_t session)
{
	return control_socket_behind(((struct manage *)arg)->socket, session);
}

static void on_request(void *arg, uint64_t session, const struct visitor *visitor,
		       const struct request *request)
{
	struct manage *manage = arg;
	struct desk_asker asker = { on_piece, on_answer, manage, session, behind };

	desk_ask(manage->desk, &asker, visitor, request);
}

static void on_asker_gone(void *arg, uint64_t session)
{
	struct manage *manage = arg;

	desk_leave(manage->desk, manage, session);
}

static void listen_all(struct manage *manage, struct startup *startup)
{
	for (size_t i = 0; i < startup->listeners_count; i++) {
		if (strcmp(startup->listeners[i].name, "control") == 0) {
			control_socket_listen(manage->socket, startup->listeners[i].fd);
		} else if (!services_listen(manage->services, startup->listeners[i].name,
					    startup->listeners[i].fd)) {
			log_event(EVENT_LISTENER_FAILED, "service=%s why=\"not served here\"",
				  log_text(startup->listeners[i].name));
			close(startup->listeners[i].fd);
		}
	}
}

/* What the watch asks of the services. */

static void add_records(void *arg, struct buffer *out)
{
	services_status(((struct manage *)arg)->services, out);
}

static json_t *others(void *arg)
{
	return services_others(((struct manage *)arg)->services);
}

static void report(void *arg, json_t *document)
{
	services_report(((struct manage *)arg)->services, document);
}

static void looked(void *arg, const json_t *status)
{
	services_looked(((struct manage *)arg)->services, status);
}

static void open_all(struct manage *manage)
{
	struct services_config services = { .loop = manage->loop, .release = SALLYPORT_RELEASE };
	const struct watch_config watch = { .loop = manage->loop,
					    .release = SALLYPORT_RELEASE,
					    .records = add_records,
					    .others = others,
					    .report = report,
					    .looked = looked,
					    .arg = manage };
	struct desk_config desk = { .loop = manage->loop };

	desk.watch = manage->watch = watch_create(&watch);
	services.desk = manage->desk = desk_create(&desk);
	manage->events = event_log_create(EVENTS_KEPT);
	manage->log_desk = log_desk_create(
		&(struct log_desk_config){ manage->loop, manage->desk, manage->events });
	services.watch = manage->watch;
	services.events = manage->events;
	services.orders = manage->orders = orders_create(manage->loop);
	manage->services = services_create(&services);
}

static void serve(struct manage *manage, struct startup *startup, uid_t owner)
{
	static const struct messenger_handler handler = { on_control, on_control_gone };
	const struct control_socket_config config = {
		.loop = manage->loop,
		.owner = owner,
		.request_ms = REQUEST_MS,
		.reply_ms = REPLY_MS,
		.request = on_request,
		.gone = on_asker_gone,
		.arg = manage,
	};

	startup_ready(startup->control);
	open_all(manage);
	manage->socket = control_socket_create(&config);
	manage->control =
		messenger_adopt(manage->loop, &startup->control, PROCESS_CONTROL, &handler, manage);
	desk_reach(manage->desk, PROCESS_CONTROL, manage->control);
	watch_reach(manage->watch, PROCESS_CONTROL, manage->control);
	if (startup->peers[PROCESS_TRAFFIC] >= 0)
		reach_traffic(manage, startup->peers[PROCESS_TRAFFIC]);
	orders_reach(manage->orders, manage->control);
	if (startup->peers[PROCESS_RESOLVER] >= 0)
		services_set_resolver(manage->services, startup->peers[PROCESS_RESOLVER]);
	apply_log(manage, startup->snapshot);
	services_apply(manage->services, &startup->snapshot);
	listen_all(manage, startup);
	loop_run(manage->loop);
}

static void finish(struct manage *manage)
{
	services_destroy(&manage->services); /* what people wait for is answered as it goes */
	orders_destroy(&manage->orders);
	control_socket_destroy(&manage->socket);
	log_desk_destroy(&manage->log_desk);
	event_log_destroy(&manage->events);
	desk_destroy(&manage->desk);
	watch_destroy(&manage->watch);
	messenger_destroy(&manage->traffic);
	messenger_destroy(&manage->control);
	loop_disarm(manage->loop, &manage->finish);
	loop_destroy(&manage->loop);
}

static int failed(const char *why)
{
	log_event(EVENT_PROCESS_FAILED, "why=\"%s\"", why);
	return EXIT_FAILURE;
}

int main(void)
{
	struct manage manage = { .status = EXIT_SUCCESS };
	uid_t owner = getuid(); /* who runs the node; in the sandbox we are somebody else */
	struct startup startup;
	const char *why;

	json_set_alloc_funcs(xmalloc, free);
	json_object_seed(0); /* from the system, which the sandbox hides */
	if (!startup_receive(&startup, PROCESS_MANAGE, &why))
		return failed(why);
	if (!services_prepare(&why))
		return failed(why);
	if (!startup_enter_sandbox(startup.snapshot, PROCESS_MANAGE, &why))
		return EXIT_FAILURE; /* it has said why */
	manage.loop = loop_create();
	loop_guard(manage.loop, LOOP_GUARD_S);
	serve(&manage, &startup, owner);
	log_event(EVENT_PROCESS_STOP, "pid=%d", (int)getpid());
	finish(&manage);
	return manage.status;
}
