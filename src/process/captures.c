#include "process/captures.h"

#include "base/alloc.h"
#include "ipc/snapshot.h"
#include "ipc/wire.h"
#include "tables/events.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BEGIN_MS 8000 /* from its start until it has begun */
#define END_MS 8000   /* from its end until its file is whole */
#define KILL_MS 1000

struct capture {
	struct capture *next; /* older */
	char *name, *author, *domain;
	bool secrets;
	struct capture_job job;
	int file; /* -1: none that can be read */
	time_t began;
	struct capture_report report;
};

/* Who waits for a beginning or an end. */
struct waiter {
	captures_fn *tell; /* NULL: nobody */
	void *arg;
	uint32_t request;
};

struct captures {
	struct loop *loop;
	struct supervisor *supervisor;
	struct capture *running, *kept;
	struct capture *next; /* waits for the end of what runs */
	bool begun;	      /* of what runs: it said so */
	struct waiter for_begin, for_end, for_next;
	struct timer patience;
};

static void tell(struct waiter *waiter, const char *name, const char *why)
{
	struct waiter told = *waiter;

	*waiter = (struct waiter){ 0 };
	if (told.tell)
		told.tell(told.arg, told.request, name, why);
}

static void destroy(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->file >= 0)
		close(capture->file);
	free(capture->name);
	free(capture->author);
	free(capture->domain);
	free(capture);
}

bool capture_name_is_good(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= CAPTURE_NAME_BYTES && name[0] != '.' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") ==
		       len;
}

/* What is kept */

static struct capture *find(const struct captures *captures, const char *name)
{
	struct capture *capture = captures->kept;

	while (capture && strcmp(capture->name, name) != 0)
		capture = capture->next;
	return capture;
}

void captures_forget(struct captures *captures, const char *name)
{
	for (struct capture **at = &captures->kept, *one; (one = *at); at = &one->next) {
		if (strcmp(one->name, name) != 0)
			continue;
		*at = one->next;
		destroy(one);
		return;
	}
}

static void keep(struct captures *captures, struct capture *capture)
{
	struct capture **at = &captures->kept, *old;

	captures_forget(captures, capture->name);
	capture->next = captures->kept;
	captures->kept = capture;
	for (int i = 0; i < CAPTURES_KEPT && *at; i++)
		at = &(*at)->next;
	old = *at;
	*at = NULL;
	destroy(old); /* at most one is too many */
}

/* Running */

static void choose_secrets(struct captures *captures, bool on)
{
	const char *domain = on ? captures->running->domain : NULL;
	struct buffer body = { 0 };

	wire_put_u8(&body, on);
	wire_put_text(&body, domain);
	supervisor_send(captures->supervisor, PROCESS_TRAFFIC, MESSAGE_SECRETS, 0,
			(struct slice){ buffer_data(&body), buffer_len(&body) });
	buffer_finish(&body);
}

static void run(struct captures *captures, struct capture *capture)
{
	struct buffer body = { 0 };
	struct supervisor_job job = { .type = MESSAGE_CAPTURE, .fd = capture->file };

	capture_job_put(&body, &capture->job);
	job.body = (struct slice){ buffer_data(&body), buffer_len(&body) };
	captures->running = capture;
	captures->begun = false;
	capture->began = time(NULL);
	if (supervisor_run_once(captures->supervisor, PROCESS_CAPTURE, &job))
		loop_arm(captures->loop, &captures->patience, BEGIN_MS);
	else
		captures_ended(captures, "the node stops");
	buffer_finish(&body);
}

static void begin(struct captures *captures)
{
	const struct capture *capture = captures->running;

	captures->begun = true;
	loop_disarm(captures->loop, &captures->patience);
	if (capture->secrets)
		choose_secrets(captures, true);
	log_event(EVENT_CAPTURE_STARTED,
		  "name=%s interface=%s by=\"%s\" secrets=%s domain=%s packets=%" PRIu64
		  " bytes=%" PRIu64 " seconds=%" PRIu32,
		  capture->name, log_text(capture->job.interface), capture->author,
		  capture->secrets ? "yes" : "no", log_text(capture->domain), capture->job.packets,
		  capture->job.bytes, capture->job.seconds);
	tell(&captures->for_begin, capture->name, NULL);
	if (captures->next) /* ordered before there was a process to dismiss */
		supervisor_dismiss(captures->supervisor, PROCESS_CAPTURE, KILL_MS);
}

static void log_end(const struct capture *capture)
{
	const struct capture_report *report = &capture->report;

	if (report->state == CAPTURE_ENDED)
		log_event(EVENT_CAPTURE_ENDED,
			  "name=%s packets=%" PRIu64 " bytes=%" PRIu64 " dropped=%" PRIu64
			  " why=\"%s\"",
			  capture->name, report->packets, report->bytes, report->dropped,
			  report->why);
	else
		log_event(EVENT_CAPTURE_FAILED, "name=%s interface=%s why=\"%s\"", capture->name,
			  log_text(capture->job.interface), report->why);
}

/* Without an end of its own there is no head, and nobody could read the file. */
static void settle(struct capture *capture, const char *why)
{
	struct stat st;

	if (capture->report.state == CAPTURE_RUNNING) {
		capture->report.state = CAPTURE_FAILED;
		snprintf(capture->report.why, sizeof(capture->report.why), "%s",
			 why ? why : "its process ended without a word");
	}
	if (capture->report.state == CAPTURE_ENDED && fstat(capture->file, &st) == 0 &&
	    (uint64_t)st.st_size > capture->report.start) {
		capture->report.bytes = (uint64_t)st.st_size - capture->report.start;
		return;
	}
	if (capture->report.state == CAPTURE_ENDED) {
		capture->report.state = CAPTURE_FAILED;
		snprintf(capture->report.why, sizeof(capture->report.why), "its file is not whole");
	}
	close(capture->file);
	capture->file = -1;
}

static void replace(struct captures *captures, struct capture *old, struct capture *next)
{
	static const char why[] = "another one replaces it";

	log_event(EVENT_CAPTURE_ENDED, "name=%s packets=%" PRIu64 " why=\"%s\"", old->name,
		  old->report.packets, why);
	tell(&captures->for_begin, old->name, why);
	tell(&captures->for_end, old->name, why);
	destroy(old);
	captures->next = NULL;
	captures->for_begin = captures->for_next;
	captures->for_next = (struct waiter){ 0 };
	run(captures, next);
}

/* What never began pushes nothing out. Kept before anybody is told, who may look for it. */
static void keep_and_tell(struct captures *captures, struct capture *capture)
{
	bool whole = capture->report.state == CAPTURE_ENDED;
	char *name = xstrdup(capture->name), *why = whole ? NULL : xstrdup(capture->report.why);

	if (captures->begun)
		keep(captures, capture);
	else
		destroy(capture);
	tell(&captures->for_begin, name, why);
	tell(&captures->for_end, name, why);
	free(name);
	free(why);
}

void captures_ended(struct captures *captures, const char *why)
{
	struct capture *capture = captures->running, *next = captures->next;

	if (!capture)
		return;
	loop_disarm(captures->loop, &captures->patience);
	if (captures->begun && capture->secrets)
		choose_secrets(captures, false);
	captures->running = NULL;
	if (next) {
		replace(captures, capture, next);
		return;
	}
	settle(capture, why);
	log_end(capture);
	keep_and_tell(captures, capture);
}

void captures_take(struct captures *captures, struct slice body)
{
	struct capture_report report;

	if (!captures->running)
		return;
	if (!capture_report_get(body, &report)) {
		log_event(EVENT_IPC_REFUSED, "message=capture-state from=capture why=malformed");
		supervisor_dismiss(captures->supervisor, PROCESS_CAPTURE, KILL_MS);
		return;
	}
	captures->running->report = report;
	if (report.state == CAPTURE_RUNNING && !captures->begun)
		begin(captures);
}

void captures_traffic_ready(struct captures *captures)
{
	if (captures->running && captures->begun && captures->running->secrets)
		choose_secrets(captures, true);
}

static void on_patience(struct timer *timer)
{
	struct captures *captures = (void *)((char *)timer - offsetof(struct captures, patience));

	supervisor_dismiss(captures->supervisor, PROCESS_CAPTURE, KILL_MS);
}

/* The module's face */

struct captures *captures_create(struct loop *loop, struct supervisor *supervisor)
{
	struct captures *captures = xcalloc(1, sizeof(*captures));

	captures->loop = loop;
	captures->supervisor = supervisor;
	captures->patience.fire = on_patience;
	return captures;
}

void captures_destroy(struct captures **captures_ref)
{
	struct captures *captures = *captures_ref;

	if (!captures)
		return;
	*captures_ref = NULL;
	loop_disarm(captures->loop, &captures->patience);
	destroy(captures->running);
	destroy(captures->next);
	while (captures->kept) {
		struct capture *kept = captures->kept;

		captures->kept = kept->next;
		destroy(kept);
	}
	free(captures);
}

static struct capture *prepare(const struct capture_order *order)
{
	struct capture *capture = xcalloc(1, sizeof(*capture));

	capture->name = xstrdup(order->name);
	capture->author = xstrdup(order->author);
	capture->domain = order->domain ? xstrdup(order->domain) : NULL;
	capture->secrets = order->secrets;
	capture->job = order->job;
	capture->file = memfd_create("capture", MFD_CLOEXEC);
	return capture;
}

void captures_start(struct captures *captures, const struct capture_order *order,
		    captures_fn *begun, void *arg, uint32_t request)
{
	struct waiter waiter = { begun, arg, request };
	struct capture *capture;
	char *why;

	if (captures->next ||
	    (captures->running && strcmp(captures->running->name, order->name) != 0)) {
		why = xasprintf("a capture runs already: %s; `sallyport capture stop` ends it",
				captures->running->name);
		begun(arg, request, order->name, why);
		free(why);
		return;
	}
	capture = prepare(order);
	if (capture->file < 0) {
		why = xasprintf("there is no memory for it: %s", strerror(errno));
		destroy(capture);
		begun(arg, request, order->name, why);
		free(why);
		return;
	}
	if (captures->running) {
		captures->next = capture;
		captures->for_next = waiter;
		supervisor_dismiss(captures->supervisor, PROCESS_CAPTURE, KILL_MS);
		return;
	}
	captures->for_begin = waiter;
	run(captures, capture);
}

void captures_stop(struct captures *captures, captures_fn *ended, void *arg, uint32_t request)
{
	if (!captures->running || captures->for_end.tell) {
		ended(arg, request, "",
		      captures->running ? "it is being ended already" : "no capture runs");
		return;
	}
	captures->for_end = (struct waiter){ ended, arg, request };
	supervisor_send(captures->supervisor, PROCESS_CAPTURE, MESSAGE_CAPTURE_END, 0,
			(struct slice){ 0 });
	loop_arm(captures->loop, &captures->patience, END_MS);
}

const char *captures_running(const struct captures *captures)
{
	return captures->running ? captures->running->name : NULL;
}

const char *captures_loss(const struct captures *captures, const char *name)
{
	const struct capture *capture = find(captures, name);

	return capture && capture->file < 0 ? capture->report.why : NULL;
}

bool captures_read(struct captures *captures, const char *name, uint64_t offset, struct buffer *out,
		   uint64_t *size, char **why)
{
	const struct capture *capture = find(captures, name);
	ssize_t got;

	if (captures->running && strcmp(captures->running->name, name) == 0) {
		*why = xasprintf("%s still runs; `sallyport capture stop` ends it", name);
		return false;
	}
	if (!capture || capture->file < 0) {
		*why = capture ? xasprintf("%s brought nothing: %s", name, capture->report.why)
			       : xasprintf("there is no capture of that name: %s", name);
		return false;
	}
	*size = capture->report.bytes;
	if (offset >= *size)
		return true;
	got = pread(capture->file, buffer_reserve(out, CAPTURE_PIECE_BYTES), CAPTURE_PIECE_BYTES,
		    (off_t)(capture->report.start + offset));
	if (got < 0) {
		*why = xasprintf("%s cannot be read: %s", name, strerror(errno));
		return false;
	}
	buffer_filled(out, (size_t)got);
	return true;
}

/* capture NAME STATE INTERFACE PACKETS BYTES BEGAN WHY */
static void add(struct buffer *out, const struct capture *capture)
{
	static const char *const states[] = { "running", "kept", "failed" };
	const struct capture_report *report = &capture->report;
	char packets[24], bytes[24], began[24];

	snprintf(packets, sizeof(packets), "%" PRIu64, report->packets);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, report->bytes);
	snprintf(began, sizeof(began), "%" PRId64, (int64_t)capture->began);
	snapshot_add(out, &(struct snapshot_record){ 8,
						     { slice_of("capture"), slice_of(capture->name),
						       slice_of(states[report->state]),
						       slice_of(capture->job.interface),
						       slice_of(packets), slice_of(bytes),
						       slice_of(began), slice_of(report->why) } });
}

void captures_report(const struct captures *captures, struct buffer *out)
{
	if (captures->running)
		add(out, captures->running);
	for (const struct capture *capture = captures->kept; capture; capture = capture->next)
		add(out, capture);
}
