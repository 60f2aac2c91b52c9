#include "ipc/startup.h"

#include "base/alloc.h"
#include "ipc/sandbox.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static char *text_of(struct slice text)
{
	return xstrndup(text.data, text.len);
}

static void apply_level(const struct snapshot_record *record)
{
	char *module = text_of(record->fields[1]), *name = text_of(record->fields[2]);
	enum log_level level;

	if (log_level_read(name, &level))
		log_set_level(module, level);
	free(module);
	free(name);
}

void startup_apply_log(const struct snapshot *snapshot, enum process self)
{
	char *node = text_of(snapshot_text(snapshot, "node.name"));
	struct snapshot_record record;

	log_init(*node ? node : "-", process_program(self));
	free(node);
	for (size_t module = 0; module < EVENT_MODULE_COUNT; module++)
		event_levels[module] = LOG_LEVEL_INFO;
	for (size_t place = 0; snapshot_each(snapshot, "log.levels", &place, &record);)
		apply_level(&record);
}

bool startup_enter_sandbox(const struct snapshot *snapshot, enum process self, const char **why)
{
	char *user = text_of(snapshot_text(snapshot, "node.user"));
	bool entered = sandbox_enter(self, *user ? user : NULL, why);

	free(user);
	return entered;
}

static bool take_snapshot(struct startup *startup, enum process self, struct message *message,
			  const char **why)
{
	snapshot_destroy(&startup->snapshot);
	startup->snapshot = snapshot_open(message->fd, why);
	if (startup->snapshot)
		startup_apply_log(startup->snapshot, self);
	if (!startup->snapshot)
		log_event(EVENT_SNAPSHOT_REFUSED, "why=\"%s\"", *why);
	else
		log_event(EVENT_SNAPSHOT_TAKEN, "generation=%" PRIu64 " revision=%" PRIu64,
			  snapshot_generation(startup->snapshot),
			  snapshot_revision(startup->snapshot));
	return startup->snapshot != NULL;
}

static bool take_listener(struct startup *startup, struct message *message, const char **why)
{
	size_t at = startup->listeners_count;

	if (at == STARTUP_LISTENERS_MAX || message->body.len > STARTUP_NAME_BYTES ||
	    !message->body.len) {
		*why = "too many listeners, or no name";
		return false;
	}
	memcpy(startup->listeners[at].name, message->body.data, message->body.len);
	startup->listeners[at].name[message->body.len] = '\0';
	startup->listeners[at].fd = message_take_fd(message);
	startup->listeners_count++;
	return true;
}

static bool take_peer(struct startup *startup, enum process self, struct message *message,
		      const char **why)
{
	struct wire in = wire_read(message->body);
	uint8_t peer = wire_get_u8(&in);

	if (!wire_is_done(&in) || peer >= PROCESS_COUNT || !process_pair_may_talk(self, peer)) {
		*why = "not a process to talk to";
		return false;
	}
	if (startup->peers[peer] >= 0)
		close(startup->peers[peer]); /* it was started again meanwhile */
	startup->peers[peer] = message_take_fd(message);
	return true;
}

bool startup_receive(struct startup *startup, enum process self, const char **why)
{
	struct message message;

	log_init("-", process_program(self));
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	*startup = (struct startup){
		.control = channel_create(CHANNEL_CONTROL_FD, self, PROCESS_CONTROL),
	};
	for (size_t i = 0; i < PROCESS_COUNT; i++)
		startup->peers[i] = -1;
	for (;;) {
		switch (channel_wait(startup->control, &message, STARTUP_TIMEOUT_MS)) {
		case CHANNEL_AGAIN:
			*why = "control hands nothing over";
			return false;
		case CHANNEL_GONE:
			*why = "control is gone; only sallyportd starts this program";
			return false;
		case CHANNEL_MESSAGE:
			break;
		}
		switch (message.type) {
		case MESSAGE_SNAPSHOT:
			if (!take_snapshot(startup, self, &message, why))
				return false;
			break;
		case MESSAGE_LISTENER:
			if (!take_listener(startup, &message, why))
				return false;
			break;
		case MESSAGE_PEER:
			if (!take_peer(startup, self, &message, why))
				return false;
			break;
		case MESSAGE_START:
			if (!startup->snapshot)
				*why = "control gave no settings";
			return startup->snapshot != NULL;
		default:
			*why = "control says what does not belong to a start";
			return false;
		}
	}
}

void startup_ready(struct channel *control)
{
	channel_send(control, MESSAGE_READY, 0, (struct slice){ 0 }, -1);
	log_event(EVENT_PROCESS_READY, "pid=%d", (int)getpid());
}
