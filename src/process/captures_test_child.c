/*
 * What the test of captures starts under the name of sallyport-capture: it behaves as the name of
 * the interface in its job says.
 */
#include "ipc/startup.h"
#include "process/capture_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct channel *control;

static void tell(enum capture_state state, uint64_t start, const char *why)
{
	struct capture_report report = { .state = state, .packets = 3, .start = start };
	struct buffer body = { 0 };

	snprintf(report.why, sizeof(report.why), "%s", why);
	capture_report_put(&body, &report);
	channel_send(control, MESSAGE_CAPTURE_STATE, 0,
		     (struct slice){ buffer_data(&body), buffer_len(&body) }, -1);
	buffer_finish(&body);
}

static void until(enum message_type type)
{
	struct message message = { 0 };

	while (message.type != type) {
		if (channel_wait(control, &message, 10000) != CHANNEL_MESSAGE)
			exit(4);
		if (message.type == MESSAGE_SHUTDOWN)
			exit(0);
	}
}

static void capture(const char *how, int file)
{
	if (strcmp(how, "refuses") == 0) {
		tell(CAPTURE_FAILED, 0, "no such interface");
		return;
	}
	if (strcmp(how, "babbles") == 0)
		channel_send(control, MESSAGE_CAPTURE_STATE, 0, slice_of("what?"), -1);
	else
		tell(CAPTURE_RUNNING, 0, "");
	if (strcmp(how, "dies") == 0)
		abort();
	until(MESSAGE_CAPTURE_END);
	if (strcmp(how, "whole") == 0 && pwrite(file, "captured", 8, 100) != 8)
		exit(5);
	tell(CAPTURE_ENDED, 100, "it was ended");
}

int main(void)
{
	struct message message;
	struct startup startup;
	struct capture_job job;
	const char *why;

	if (!startup_receive(&startup, PROCESS_CAPTURE, &why))
		return 1;
	control = startup.control;
	if (channel_wait(control, &message, 5000) != CHANNEL_MESSAGE ||
	    message.type != MESSAGE_CAPTURE || !capture_job_get(message.body, &job))
		return 2;
	capture(job.interface, message_take_fd(&message));
	return 0;
}
