#include "ipc/startup.h"

#include "ipc/wire.h"
#include "tables/events.h"

#include <inttypes.h>
#include <unistd.h>

static bool take_snapshot(struct startup *startup, struct message *message, const char **why)
{
	snapshot_destroy(&startup->snapshot);
	startup->snapshot = snapshot_open(message->fd, why);
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
			*why = "control is gone";
			return false;
		case CHANNEL_MESSAGE:
			break;
		}
		switch (message.type) {
		case MESSAGE_SNAPSHOT:
			if (!take_snapshot(startup, &message, why))
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
