#include "process/tries.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"

#include <stdlib.h>
#include <unistd.h>

struct one {
	struct timer timer;
	struct tries *tries;
	struct one *next;
	uint32_t number, request;
	struct configure_try try;
};

struct tries {
	struct loop *loop;
	struct supervisor *supervisor;
	struct one *open;
	uint32_t numbers;
};

struct tries *tries_create(struct loop *loop, struct supervisor *supervisor)
{
	struct tries *tries = xcalloc(1, sizeof(*tries));

	tries->loop = loop;
	tries->supervisor = supervisor;
	return tries;
}

static void answer(struct one *one, struct slice effects)
{
	struct tries *tries = one->tries;
	struct one **at = &tries->open;
	struct buffer reply = { 0 };

	while (*at != one)
		at = &(*at)->next;
	*at = one->next;
	loop_disarm(tries->loop, &one->timer);
	configure_tried(&one->try, effects, &reply);
	supervisor_send(tries->supervisor, PROCESS_MANAGE, MESSAGE_CONFIG_REPLY, one->request,
			(struct slice){ buffer_data(&reply), buffer_len(&reply) });
	buffer_finish(&reply);
	free(one);
}

static void on_timer(struct timer *timer)
{
	answer((void *)((char *)timer - offsetof(struct one, timer)),
	       slice_of("what it would do to open streams is not known: traffic does not answer"));
}

void tries_destroy(struct tries **tries_ref)
{
	struct tries *tries = *tries_ref;

	if (!tries)
		return;
	*tries_ref = NULL;
	while (tries->open)
		on_timer(&tries->open->timer);
	free(tries);
}

void tries_begin(struct tries *tries, uint32_t request, struct configure_try *try)
{
	struct one *one = xcalloc(1, sizeof(*one));
	const char *why;
	int fd;

	*one = (struct one){ { .fire = on_timer }, tries,   tries->open,
			     ++tries->numbers,	   request, *try };
	*try = (struct configure_try){ 0 };
	tries->open = one;
	fd = snapshot_seal(&one->try.snapshot, &why);
	if (fd >= 0 && supervisor_child(tries->supervisor, PROCESS_TRAFFIC).ready &&
	    supervisor_send_fd(tries->supervisor, PROCESS_TRAFFIC, MESSAGE_TRY, one->number, fd))
		loop_arm(tries->loop, &one->timer, TRIES_MS);
	else
		loop_arm(tries->loop, &one->timer, 0);
	if (fd >= 0)
		close(fd);
}

void tries_take(struct tries *tries, const struct message *message)
{
	struct wire in = wire_read(message->body);
	struct slice text = wire_get_slice(&in);

	for (struct one *one = tries->open; one && wire_is_done(&in); one = one->next) {
		if (one->number == message->request) {
			answer(one, text);
			return;
		}
	}
}
