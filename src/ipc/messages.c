#include "ipc/messages.h"

#include "base/alloc.h"

#include <stddef.h>

#define BIT(process) (1u << PROCESS_##process)
#define CHILDREN (BIT(TRAFFIC) | BIT(MANAGE) | BIT(RESOLVER) | BIT(CAPTURE))

static const struct {
	const char *name, *program;
	unsigned talks_to;
} processes[PROCESS_COUNT] = {
	[PROCESS_CONTROL] = { "control", "sallyportd", CHILDREN },
	[PROCESS_TRAFFIC] = { "traffic", "sallyport-traffic",
			      BIT(CONTROL) | BIT(RESOLVER) | BIT(MANAGE) | BIT(CAPTURE) },
	[PROCESS_MANAGE] = { "manage", "sallyport-manage",
			     BIT(CONTROL) | BIT(RESOLVER) | BIT(TRAFFIC) },
	[PROCESS_RESOLVER] = { "resolver", "sallyport-resolver",
			       BIT(CONTROL) | BIT(TRAFFIC) | BIT(MANAGE) },
	[PROCESS_CAPTURE] = { "capture", "sallyport-capture", BIT(CONTROL) | BIT(TRAFFIC) },
};

static const struct {
	const char *name;
	unsigned from, to;
	bool fd;
} messages[MESSAGE_COUNT] = {
	[MESSAGE_SNAPSHOT] = { "snapshot", BIT(CONTROL), CHILDREN, true },
	[MESSAGE_LISTENER] = { "listener", BIT(CONTROL), BIT(TRAFFIC) | BIT(MANAGE), true },
	[MESSAGE_PEER] = { "peer", BIT(CONTROL), CHILDREN, true },
	[MESSAGE_START] = { "start", BIT(CONTROL), CHILDREN, false },
	[MESSAGE_SHUTDOWN] = { "shutdown", BIT(CONTROL), CHILDREN, false },
	[MESSAGE_READY] = { "ready", CHILDREN, BIT(CONTROL), false },
	[MESSAGE_QUERY] = { "query", BIT(TRAFFIC) | BIT(MANAGE), BIT(RESOLVER), false },
	[MESSAGE_ANSWER] = { "answer", BIT(RESOLVER), BIT(TRAFFIC) | BIT(MANAGE), false },
	[MESSAGE_STATUS] = { "status", BIT(MANAGE), BIT(TRAFFIC) | BIT(CONTROL), false },
	[MESSAGE_STATUS_REPLY] = { "status-reply", BIT(TRAFFIC) | BIT(CONTROL), BIT(MANAGE),
				   false },
	[MESSAGE_CONFIG] = { "config", BIT(MANAGE), BIT(CONTROL), false },
	[MESSAGE_CONFIG_REPLY] = { "config-reply", BIT(CONTROL), BIT(MANAGE), false },
	[MESSAGE_COMMAND] = { "command", BIT(MANAGE), BIT(TRAFFIC), false },
	[MESSAGE_COMMAND_REPLY] = { "command-reply", BIT(TRAFFIC), BIT(MANAGE), false },
	[MESSAGE_TRY] = { "try", BIT(CONTROL), BIT(TRAFFIC), true },
	[MESSAGE_TRY_REPLY] = { "try-reply", BIT(TRAFFIC), BIT(CONTROL), false },
	[MESSAGE_LOADED] = { "loaded", BIT(TRAFFIC), BIT(CONTROL), false },
	[MESSAGE_EVENT] = { "event", BIT(CONTROL), BIT(MANAGE), false },
	[MESSAGE_CAPTURE] = { "capture", BIT(CONTROL), BIT(CAPTURE), true },
	[MESSAGE_CAPTURE_STATE] = { "capture-state", BIT(CAPTURE), BIT(CONTROL), false },
	[MESSAGE_CAPTURE_END] = { "capture-end", BIT(CONTROL), BIT(CAPTURE), false },
	[MESSAGE_SECRET] = { "secret", BIT(TRAFFIC), BIT(CAPTURE), false },
	[MESSAGE_SECRETS] = { "secrets", BIT(CONTROL), BIT(TRAFFIC), false },
};

const char *process_name(enum process process)
{
	return processes[process].name;
}

const char *process_program(enum process process)
{
	return processes[process].program;
}

bool process_pair_may_talk(enum process a, enum process b)
{
	return (processes[a].talks_to & 1u << b) != 0;
}

static bool is_known(uint16_t type)
{
	return type < nitems(messages) && messages[type].name;
}

const char *message_name(uint16_t type)
{
	return is_known(type) ? messages[type].name : "unknown";
}

bool message_may_go(uint16_t type, enum process from, enum process to)
{
	return is_known(type) && process_pair_may_talk(from, to) &&
	       messages[type].from & 1u << from && messages[type].to & 1u << to;
}

bool message_has_fd(uint16_t type)
{
	return is_known(type) && messages[type].fd;
}
